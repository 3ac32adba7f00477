/* A loop that waits for descriptors, times, signals, children and files, and calls what is to be called: sd-event(3). */
#ifndef SWITCHYARD_SD_EVENT_H
#define SWITCHYARD_SD_EVENT_H

#include <inttypes.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>

#include "_sd-common.h"

_SD_BEGIN_DECLARATIONS;

typedef struct sd_event sd_event;
typedef struct sd_event_source sd_event_source;

/* In place of a loop: the one of the thread. */
#define SD_EVENT_DEFAULT ((sd_event *) 1)

/* Whether a source is listened to. */
enum {
        SD_EVENT_ONESHOT = -1,
        SD_EVENT_OFF = 0,
        SD_EVENT_ON = 1
};

/* What a loop is at. */
enum {
        SD_EVENT_INITIAL = 0,
        SD_EVENT_ARMED = 1,
        SD_EVENT_PENDING = 2,
        SD_EVENT_RUNNING = 3,
        SD_EVENT_EXITING = 4,
        SD_EVENT_FINISHED = 5,
        SD_EVENT_PREPARING = 6
};

/* What comes first has the smallest number; any is allowed. */
enum {
        SD_EVENT_PRIORITY_IMPORTANT = -100,
        SD_EVENT_PRIORITY_NORMAL = 0,
        SD_EVENT_PRIORITY_IDLE = 100
};

/* With a signal's number: block it, too. */
#define SD_EVENT_SIGNAL_PROCMASK (1 << 30)

typedef int (*sd_event_handler_t)(sd_event_source *source, void *userdata);
typedef int (*sd_event_io_handler_t)(sd_event_source *source, int fd, uint32_t revents, void *userdata);
typedef int (*sd_event_time_handler_t)(sd_event_source *source, uint64_t usec, void *userdata);
typedef int (*sd_event_signal_handler_t)(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata);
typedef int (*sd_event_inotify_handler_t)(sd_event_source *source, const struct inotify_event *event, void *userdata);
typedef _sd_destroy_t sd_event_destroy_t;
/* A C library that is asked for ISO C alone has no siginfo_t. */
#if defined _GNU_SOURCE || (defined _POSIX_C_SOURCE && _POSIX_C_SOURCE >= 199309L)
typedef int (*sd_event_child_handler_t)(sd_event_source *source, const siginfo_t *info, void *userdata);
int sd_event_source_send_child_signal(sd_event_source *source, int sig, const siginfo_t *info, unsigned flags);
#else
typedef void *sd_event_child_handler_t;
int sd_event_source_send_child_signal(sd_event_source *source, int sig, const void *info, unsigned flags);
#endif

int sd_event_default(sd_event **event);
int sd_event_new(sd_event **event);
sd_event *sd_event_ref(sd_event *event);
sd_event *sd_event_unref(sd_event *event);

/* Without a callback the loop ends, with the userdata as its code. Without a place for the source it is the loop's. */
int sd_event_add_io(sd_event *event, sd_event_source **source, int fd, uint32_t events, sd_event_io_handler_t callback, void *userdata);
int sd_event_add_time(sd_event *event, sd_event_source **source, clockid_t clock, uint64_t usec, uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);
int sd_event_add_time_relative(sd_event *event, sd_event_source **source, clockid_t clock, uint64_t usec, uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);
int sd_event_add_signal(sd_event *event, sd_event_source **source, int sig, sd_event_signal_handler_t callback, void *userdata);
int sd_event_add_child(sd_event *event, sd_event_source **source, pid_t pid, int options, sd_event_child_handler_t callback, void *userdata);
int sd_event_add_child_pidfd(sd_event *event, sd_event_source **source, int pidfd, int options, sd_event_child_handler_t callback, void *userdata);
int sd_event_add_inotify(sd_event *event, sd_event_source **source, const char *path, uint32_t mask, sd_event_inotify_handler_t callback, void *userdata);
int sd_event_add_inotify_fd(sd_event *event, sd_event_source **source, int fd, uint32_t mask, sd_event_inotify_handler_t callback, void *userdata);
int sd_event_add_defer(sd_event *event, sd_event_source **source, sd_event_handler_t callback, void *userdata);
int sd_event_add_post(sd_event *event, sd_event_source **source, sd_event_handler_t callback, void *userdata);
int sd_event_add_exit(sd_event *event, sd_event_source **source, sd_event_handler_t callback, void *userdata);
int sd_event_add_memory_pressure(sd_event *event, sd_event_source **source, sd_event_handler_t callback, void *userdata);

int sd_event_prepare(sd_event *event);
int sd_event_wait(sd_event *event, uint64_t usec);
int sd_event_dispatch(sd_event *event);
int sd_event_run(sd_event *event, uint64_t usec);
int sd_event_loop(sd_event *event);
int sd_event_exit(sd_event *event, int code);

int sd_event_now(sd_event *event, clockid_t clock, uint64_t *usec);
int sd_event_get_fd(sd_event *event);
int sd_event_get_state(sd_event *event);
int sd_event_get_tid(sd_event *event, pid_t *tid);
int sd_event_get_exit_code(sd_event *event, int *code);
int sd_event_get_iteration(sd_event *event, uint64_t *iteration);
int sd_event_get_watchdog(sd_event *event);
int sd_event_set_watchdog(sd_event *event, int on);
int sd_event_set_signal_exit(sd_event *event, int on);
int sd_event_trim_memory(void);

sd_event_source *sd_event_source_ref(sd_event_source *source);
sd_event_source *sd_event_source_unref(sd_event_source *source);
sd_event_source *sd_event_source_disable_unref(sd_event_source *source);

sd_event *sd_event_source_get_event(sd_event_source *source);
void *sd_event_source_get_userdata(sd_event_source *source);
void *sd_event_source_set_userdata(sd_event_source *source, void *userdata);
int sd_event_source_get_description(sd_event_source *source, const char **description);
int sd_event_source_set_description(sd_event_source *source, const char *description);
int sd_event_source_set_prepare(sd_event_source *source, sd_event_handler_t callback);
int sd_event_source_get_pending(sd_event_source *source);
int sd_event_source_get_priority(sd_event_source *source, int64_t *priority);
int sd_event_source_set_priority(sd_event_source *source, int64_t priority);
int sd_event_source_get_enabled(sd_event_source *source, int *enabled);
int sd_event_source_set_enabled(sd_event_source *source, int enabled);
int sd_event_source_get_destroy_callback(sd_event_source *source, sd_event_destroy_t *callback);
int sd_event_source_set_destroy_callback(sd_event_source *source, sd_event_destroy_t callback);
int sd_event_source_get_floating(sd_event_source *source);
int sd_event_source_set_floating(sd_event_source *source, int on);
int sd_event_source_get_exit_on_failure(sd_event_source *source);
int sd_event_source_set_exit_on_failure(sd_event_source *source, int on);
int sd_event_source_get_ratelimit(sd_event_source *source, uint64_t *interval, unsigned *burst);
int sd_event_source_set_ratelimit(sd_event_source *source, uint64_t interval, unsigned burst);
int sd_event_source_set_ratelimit_expire_callback(sd_event_source *source, sd_event_handler_t callback);
int sd_event_source_is_ratelimited(sd_event_source *source);
int sd_event_source_leave_ratelimit(sd_event_source *source);

int sd_event_source_get_io_fd(sd_event_source *source);
int sd_event_source_set_io_fd(sd_event_source *source, int fd);
int sd_event_source_get_io_fd_own(sd_event_source *source);
int sd_event_source_set_io_fd_own(sd_event_source *source, int own);
int sd_event_source_get_io_events(sd_event_source *source, uint32_t *events);
int sd_event_source_set_io_events(sd_event_source *source, uint32_t events);
int sd_event_source_get_io_revents(sd_event_source *source, uint32_t *revents);

int sd_event_source_get_time(sd_event_source *source, uint64_t *usec);
int sd_event_source_set_time(sd_event_source *source, uint64_t usec);
int sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec);
int sd_event_source_get_time_accuracy(sd_event_source *source, uint64_t *usec);
int sd_event_source_set_time_accuracy(sd_event_source *source, uint64_t usec);
int sd_event_source_get_time_clock(sd_event_source *source, clockid_t *clock);

int sd_event_source_get_signal(sd_event_source *source);
int sd_event_source_get_child_pid(sd_event_source *source, pid_t *pid);
int sd_event_source_get_child_pidfd(sd_event_source *source);
int sd_event_source_get_child_pidfd_own(sd_event_source *source);
int sd_event_source_set_child_pidfd_own(sd_event_source *source, int own);
int sd_event_source_get_child_process_own(sd_event_source *source);
int sd_event_source_set_child_process_own(sd_event_source *source, int own);
int sd_event_source_get_inotify_mask(sd_event_source *source, uint32_t *mask);
int sd_event_source_get_inotify_path(sd_event_source *source, const char **path);
int sd_event_source_set_memory_pressure_type(sd_event_source *source, const char *type);
int sd_event_source_set_memory_pressure_period(sd_event_source *source, uint64_t threshold_usec, uint64_t window_usec);

_SD_DEFINE_POINTER_CLEANUP_FUNC(sd_event, sd_event_unref);
_SD_DEFINE_POINTER_CLEANUP_FUNC(sd_event_source, sd_event_source_unref);
_SD_DEFINE_POINTER_CLEANUP_FUNC(sd_event_source, sd_event_source_disable_unref);

_SD_END_DECLARATIONS;

#endif
