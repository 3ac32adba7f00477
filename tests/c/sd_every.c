/* Calls every function of the headers with nothing: null for each pointer and 0 for each number, but for the object that it is of.
 *
 *     sd_every STATE
 *
 * STATE says what that object is: `null`; a bus that is `new`, `closed` or `running`; a message that is `open` or `sealed`; and so on.
 * `forked` ones were made by the parent. Each call is in a process of its own. A line for each: what was answered, or the signal
 * that has ended it. sd_every.h is made of the headers by the test: `functions`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>
#include <systemd/sd-path.h>

static sd_bus *bus;
static sd_bus_message *message;
static sd_bus_slot *slot;
static sd_bus_creds *creds;
static sd_bus_track *track;
static sd_event *event;
static sd_event_source *source;
static void *object;

static void must(int answer, const char *what) {
        if (answer >= 0)
                return;
        printf("%s: %s\n", what, strerror(-answer));
        exit(1);
}
#define MUST(call) must((call), #call)

static void new_bus(void) {
        int ends[2];

        MUST(sd_bus_new(&bus));
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        MUST(sd_bus_set_fd(bus, ends[0], ends[0]));
}

static void running_bus(void) {
        const char *name;

        MUST(sd_bus_open_system(&bus));
        MUST(sd_bus_get_unique_name(bus, &name));
}

static int a_pipe(void) {
        int ends[2];

        MUST(pipe(ends));
        return ends[0];
}

static int nothing(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        (void) m, (void) userdata, (void) error;
        return 0;
}

static int no_event(sd_event_source *s, void *userdata) {
        (void) s, (void) userdata;
        return 0;
}

static int no_track(sd_bus_track *t, void *userdata) {
        (void) t, (void) userdata;
        return 0;
}

/* Makes the object of a type in a state; false if there is none. */
static int make(const char *type, const char *state) {
#define IS(a, b) (strcmp(type, a) == 0 && (strcmp(state, b) == 0 || strcmp(state, "forked") == 0))
        if (strcmp(state, "null") == 0)
                return 1;
        if (strcmp(type, "sd_bus") == 0) {
                if (strcmp(state, "new") == 0)
                        new_bus();
                else if (strcmp(state, "closed") == 0) {
                        new_bus();
                        MUST(sd_bus_start(bus));
                        sd_bus_close(bus);
                } else if (strcmp(state, "running") == 0 || strcmp(state, "forked") == 0)
                        running_bus();
                else
                        return 0;
                object = bus;
                return 1;
        }
        if (IS("sd_bus_message", "open") || IS("sd_bus_message", "sealed")) {
                running_bus();
                MUST(sd_bus_message_new_method_call(bus, &message, "a.b", "/c", "d.e", "F"));
                MUST(sd_bus_message_append(message, "su", "text", 7));
                if (strcmp(state, "open") != 0)
                        MUST(sd_bus_message_seal(message, 1, 0));
                object = message;
                return 1;
        }
        if (IS("sd_bus_slot", "filter")) {
                running_bus();
                MUST(sd_bus_add_filter(bus, &slot, nothing, NULL));
                object = slot;
                return 1;
        }
        if (IS("sd_bus_creds", "own")) {
                MUST(sd_bus_creds_new_from_pid(&creds, 0, SD_BUS_CREDS_PID));
                object = creds;
                return 1;
        }
        if (IS("sd_bus_track", "new")) {
                running_bus();
                MUST(sd_bus_track_new(bus, &track, no_track, NULL));
                object = track;
                return 1;
        }
        if (IS("sd_event", "new") || IS("sd_event", "exited")) {
                MUST(sd_event_new(&event));
                if (strcmp(state, "exited") == 0) {
                        MUST(sd_event_exit(event, 0));
                        MUST(sd_event_loop(event));
                }
                object = event;
                return 1;
        }
        if (IS("sd_event_source", "defer") || IS("sd_event_source", "time") || IS("sd_event_source", "io")) {
                MUST(sd_event_new(&event));
                if (strcmp(state, "time") == 0)
                        MUST(sd_event_add_time(event, &source, CLOCK_MONOTONIC, UINT64_MAX, 0, NULL, NULL));
                else if (strcmp(state, "io") == 0)
                        MUST(sd_event_add_io(event, &source, a_pipe(), 0, NULL, NULL));
                else
                        MUST(sd_event_add_defer(event, &source, no_event, NULL));
                object = source;
                return 1;
        }
        return 0;
}

static void say_number(const char *name, long answer) {
        printf("%s = %ld %s\n", name, answer, answer < 0 && answer > -4096 ? strerrorname_np(-answer) : "");
}

static void say_pointer(const char *name, const void *answer) {
        printf("%s = %s\n", name, answer ? "a pointer" : "null");
}

static void say_nothing(const char *name) {
        printf("%s returns\n", name);
}

static va_list empty;

struct function {
        const char *name;
        /* Of what it is, or nothing. */
        const char *type;
        void (*call)(void);
};

/* None of these calls is as it should be. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "sd_every.h"

static void try(const struct function *function, const char *state) {
        int status, is_forked = strcmp(state, "forked") == 0;

        if (!function->type && strcmp(state, "null") != 0)
                return;
        /* It waits for ever. */
        if (strcmp(state, "new") == 0 && strcmp(function->name, "sd_event_loop") == 0)
                return;
        if (!dlsym(RTLD_DEFAULT, function->name)) {
                printf("%s is missing\n", function->name);
                return;
        }
        if (is_forked && !make(function->type, state))
                return;
        fflush(stdout);
        if (fork() == 0) {
                alarm(30);
                if (is_forked || make(function->type ? function->type : "", state))
                        function->call();
                fflush(stdout);
                _exit(0);
        }
        wait(&status);
        if (WIFSIGNALED(status))
                printf("%s ended by SIG%s\n", function->name, sigabbrev_np(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
                printf("%s ended with %d\n", function->name, WEXITSTATUS(status));
}

int main(int argc, char **argv) {
        if (argc != 2)
                return 2;
        for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
                try(functions + i, argv[1]);
        return 0;
}
