/* The functions that take `...`. None has a meaning of its own: each makes text of its arguments, and hands it on. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-daemon.h>

static int notify_formatted(pid_t pid, int unset, const int *fds, unsigned n_fds, const char *format, va_list arguments) {
        char *state = NULL;
        int answer;

        if (format && vasprintf(&state, format, arguments) < 0)
                return -ENOMEM;
        answer = sd_pid_notify_with_fds(pid, unset, state, fds, n_fds);
        free(state);
        return answer;
}

int sd_notifyf(int unset, const char *format, ...) {
        va_list arguments;
        int answer;

        va_start(arguments, format);
        answer = notify_formatted(0, unset, NULL, 0, format, arguments);
        va_end(arguments);
        return answer;
}

int sd_pid_notifyf(pid_t pid, int unset, const char *format, ...) {
        va_list arguments;
        int answer;

        va_start(arguments, format);
        answer = notify_formatted(pid, unset, NULL, 0, format, arguments);
        va_end(arguments);
        return answer;
}

int sd_pid_notifyf_with_fds(pid_t pid, int unset, const int *fds, size_t n_fds, const char *format, ...) {
        va_list arguments;
        int answer;

        va_start(arguments, format);
        answer = notify_formatted(pid, unset, fds, (unsigned) n_fds, format, arguments);
        va_end(arguments);
        return answer;
}
