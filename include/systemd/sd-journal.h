/* Writing to the journal: sd_journal_print(3), sd_journal_stream_fd(3). What reads it is not here. */
#ifndef SWITCHYARD_SD_JOURNAL_H
#define SWITCHYARD_SD_JOURNAL_H

#include <inttypes.h>
#include <stdarg.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <syslog.h>

#include "_sd-common.h"
#include "sd-id128.h"

_SD_BEGIN_DECLARATIONS;

int sd_journal_print(int priority, const char *format, ...) _sd_printf_(2, 3);
int sd_journal_printv(int priority, const char *format, va_list ap) _sd_printf_(2, 0);
int sd_journal_send(const char *format, ...) _sd_printf_(1, 0) _sd_sentinel_;
int sd_journal_sendv(const struct iovec *iov, int n);
int sd_journal_perror(const char *message);

/* FILE is `CODE_FILE=...`, LINE is `CODE_LINE=...`, FUNC is the name alone. */
int sd_journal_print_with_location(int priority, const char *file, const char *line, const char *func, const char *format, ...)
        _sd_printf_(5, 6);
int sd_journal_printv_with_location(int priority, const char *file, const char *line, const char *func, const char *format,
        va_list ap) _sd_printf_(5, 0);
int sd_journal_send_with_location(const char *file, const char *line, const char *func, const char *format, ...)
        _sd_printf_(4, 0) _sd_sentinel_;
int sd_journal_sendv_with_location(const char *file, const char *line, const char *func, const struct iovec *iov, int n);
int sd_journal_perror_with_location(const char *file, const char *line, const char *func, const char *message);

/* Entries say where they come from, unless SD_JOURNAL_SUPPRESS_LOCATION is defined. */
#ifndef SD_JOURNAL_SUPPRESS_LOCATION
#  define _SD_JOURNAL_PLACE "CODE_FILE=" __FILE__, "CODE_LINE=" _SD_STRINGIFY(__LINE__), __func__
#  define sd_journal_print(priority, ...) sd_journal_print_with_location(priority, _SD_JOURNAL_PLACE, __VA_ARGS__)
#  define sd_journal_printv(priority, format, ap) sd_journal_printv_with_location(priority, _SD_JOURNAL_PLACE, format, ap)
#  define sd_journal_send(...) sd_journal_send_with_location(_SD_JOURNAL_PLACE, __VA_ARGS__)
#  define sd_journal_sendv(iovec, n) sd_journal_sendv_with_location(_SD_JOURNAL_PLACE, iovec, n)
#  define sd_journal_perror(message) sd_journal_perror_with_location(_SD_JOURNAL_PLACE, message)
#endif

int sd_journal_stream_fd(const char *identifier, int priority, int level_prefix);
int sd_journal_stream_fd_with_namespace(const char *name_space, const char *identifier, int priority, int level_prefix);

_SD_END_DECLARATIONS;

#endif
