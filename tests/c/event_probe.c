/* Calls functions of sd-event and prints what each answers and what is called, a line for each: to be run on two libraries,
 * and compared.
 *   event_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)
#define IS(call) do { printf("%s = %s\n", #call, (call) ? "yes" : "no"); } while (0)
#define NUMBER(type, call) do {                                                                         \
                type to = (type) -3;                                                                    \
                int r_ = (call);                                                                        \
                printf("%s = %d %s %lld\n", #call, r_, error(r_), (long long) to);                      \
        } while (0)
/* What must work for the rest to mean anything. */
#define OK(call) do { int r_ = (call); if (r_ < 0) { printf("%s failed: %s\n", #call, error(r_)); exit(1); } } while (0)
#define NEVER UINT64_MAX

static sd_event *loop(void) {
        sd_event *e = NULL;

        OK(sd_event_new(&e));
        return e;
}

static void block(int sig) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, sig);
        sigprocmask(SIG_BLOCK, &set, NULL);
}

static void unblock(int sig) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, sig);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int is_blocked(int sig) {
        sigset_t set;

        sigprocmask(SIG_BLOCK, NULL, &set);
        return sigismember(&set, sig);
}

/* Callbacks print the text that is their userdata. */
static int on_turn(sd_event_source *s, void *userdata) {
        (void) s;
        printf("  turn: %s\n", (char *) userdata);
        return 0;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        char c = 0;

        (void) s;
        if (revents & EPOLLIN)
                (void) !read(fd, &c, 1);
        printf("  io: %s %#x %d\n", (char *) userdata, revents, c);
        return 0;
}

static int on_time(sd_event_source *s, uint64_t usec, void *userdata) {
        uint64_t set = 0;

        OK(sd_event_source_get_time(s, &set));
        printf("  time: %s %s\n", (char *) userdata, usec == set ? "as set" : "another");
        return 0;
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        (void) s;
        printf("  signal: %s %u %s %d\n", (char *) userdata, si->ssi_signo, si->ssi_pid == (uint32_t) getpid() ? "own" : "other", si->ssi_int);
        return 0;
}

static int on_child(sd_event_source *s, const siginfo_t *si, void *userdata) {
        pid_t pid = 0;

        OK(sd_event_source_get_child_pid(s, &pid));
        printf("  child: %s %d %d %s %d\n", (char *) userdata, si->si_code, si->si_status, si->si_pid == pid ? "itself" : "another", si->si_signo);
        return 0;
}

static int on_inotify(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        (void) s;
        printf("  inotify: %s %#x %s\n", (char *) userdata, event->mask, event->len ? event->name : "-");
        return 0;
}

static int on_end(sd_event_source *s, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(s), (int) (intptr_t) userdata);
}

static int on_fail(sd_event_source *s, void *userdata) {
        on_turn(s, userdata);
        return -EIO;
}

static void destroyed(void *userdata) {
        printf("  destroyed: %s\n", (char *) userdata);
}

/* Goes round until there is nothing to do. */
static void go(sd_event *e) {
        int r, i = 0;

        while ((r = sd_event_run(e, 0)) > 0 && i++ < 50)
                ;
        printf("  idle: %d %s\n", r, error(r));
}

/* Dispatches so many sources, and waits for each. A wait may end for nothing: a signal was left over. */
static void turns(sd_event *e, int n) {
        for (int i = 0; n > 0 && i < 1000; i++) {
                int r = sd_event_run(e, 10 * 1000 * 1000);

                if (r < 0)
                        printf("  run = %d %s\n", r, error(r));
                n -= r != 0;
        }
        if (n > 0)
                printf("  nothing happens\n");
}

/* Where the program is, and makes its files. */
static char dir[] = "/tmp/event-XXXXXX";

/* Every function that takes a loop. */
static void ask_loop(sd_event *e) {
        sd_event_source *s = NULL;
        uint64_t usec;
        pid_t tid;
        int code, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int p[2];

        OK(pipe(p));
        INT(sd_event_add_io(e, NULL, -1, 0, on_io, NULL));
        INT(sd_event_add_io(e, NULL, p[0], 1U << 31, on_io, NULL));
        INT(sd_event_add_io(e, NULL, p[0], EPOLLONESHOT, on_io, NULL));
        INT(sd_event_add_io(e, NULL, 1000, EPOLLIN, on_io, NULL));
        INT(sd_event_add_io(e, NULL, fd, EPOLLIN, on_io, NULL) > 0);
        INT(sd_event_add_io(e, &s, p[0], EPOLLIN, on_io, NULL));
        INT(sd_event_add_io(e, NULL, p[0], EPOLLIN, on_io, NULL));
        s = sd_event_source_unref(s);
        INT(sd_event_add_time(e, NULL, CLOCK_MONOTONIC, 1, NEVER, on_time, NULL));
        INT(sd_event_add_time(e, NULL, CLOCK_THREAD_CPUTIME_ID, 1, 0, on_time, NULL));
        INT(sd_event_add_time(e, NULL, 99, 1, 0, on_time, NULL));
        INT(sd_event_add_time(e, NULL, -1, 1, 0, on_time, NULL));
        INT(sd_event_add_time_relative(e, NULL, CLOCK_MONOTONIC, NEVER, 0, on_time, NULL));
        INT(sd_event_add_time_relative(e, NULL, CLOCK_MONOTONIC, NEVER - 1, 0, on_time, NULL));
        INT(sd_event_add_time_relative(e, NULL, CLOCK_MONOTONIC, 1, NEVER, on_time, NULL));
        INT(sd_event_add_time_relative(e, NULL, 99, 1, 0, on_time, NULL));
        INT(sd_event_add_time_relative(e, &s, CLOCK_BOOTTIME, 1000000, 0, on_time, NULL));
        s = sd_event_source_unref(s);
        INT(sd_event_add_signal(e, NULL, 0, on_signal, NULL));
        INT(sd_event_add_signal(e, NULL, -1, on_signal, NULL));
        INT(sd_event_add_signal(e, NULL, 65, on_signal, NULL));
        INT(sd_event_add_signal(e, NULL, SIGUSR2, on_signal, NULL));
        INT(sd_event_add_signal(e, NULL, SD_EVENT_SIGNAL_PROCMASK, on_signal, NULL));
        INT(sd_event_add_signal(e, NULL, 65 | SD_EVENT_SIGNAL_PROCMASK, on_signal, NULL));
        INT(sd_event_add_child(e, NULL, 0, WEXITED, on_child, NULL));
        INT(sd_event_add_child(e, NULL, 1, WEXITED, on_child, NULL));
        INT(sd_event_add_child(e, NULL, -1, WEXITED, on_child, NULL));
        INT(sd_event_add_child(e, NULL, 1 << 30, 0, on_child, NULL));
        INT(sd_event_add_child(e, NULL, 1 << 30, WEXITED | WNOHANG, on_child, NULL));
        INT(sd_event_add_child(e, NULL, 1 << 30, WEXITED, on_child, NULL));
        INT(sd_event_add_child_pidfd(e, NULL, -1, WEXITED, on_child, NULL));
        INT(sd_event_add_child_pidfd(e, NULL, fd, 0, on_child, NULL));
        INT(sd_event_add_child_pidfd(e, NULL, fd, WEXITED, on_child, NULL));
        INT(sd_event_add_child_pidfd(e, NULL, 1000, WEXITED, on_child, NULL));
        INT(sd_event_add_inotify(e, NULL, NULL, IN_CREATE, on_inotify, NULL));
        INT(sd_event_add_inotify(e, NULL, "/tmp/is/not/there", IN_CREATE, on_inotify, NULL));
        INT(sd_event_add_inotify(e, NULL, "/dev/null", IN_ONLYDIR | IN_CREATE, on_inotify, NULL));
        INT(sd_event_add_inotify(e, NULL, dir, IN_MASK_ADD | IN_CREATE, on_inotify, NULL));
        INT(sd_event_add_inotify(e, NULL, dir, 0, on_inotify, NULL));
        INT(sd_event_add_inotify(e, NULL, dir, IN_ONESHOT, on_inotify, NULL));
        INT(sd_event_add_inotify_fd(e, NULL, -1, IN_CREATE, on_inotify, NULL));
        INT(sd_event_add_inotify_fd(e, NULL, 1000, IN_CREATE, on_inotify, NULL));
        INT(sd_event_add_exit(e, NULL, NULL, NULL));
        INT(sd_event_add_defer(e, &s, NULL, NULL));
        s = sd_event_source_unref(s);
        INT(sd_event_add_post(e, &s, NULL, NULL));
        s = sd_event_source_unref(s);
        INT(sd_event_wait(e, 0));
        INT(sd_event_dispatch(e));
        INT(sd_event_now(e, CLOCK_MONOTONIC, NULL));
        INT(sd_event_now(e, CLOCK_MONOTONIC, &usec));
        INT(sd_event_now(e, CLOCK_REALTIME_ALARM, &usec));
        INT(sd_event_now(e, CLOCK_BOOTTIME_ALARM, &usec));
        INT(sd_event_now(e, CLOCK_MONOTONIC_RAW, &usec));
        INT(sd_event_now(e, 99, &usec));
        INT(sd_event_get_fd(e) > 2);
        INT(sd_event_get_state(e));
        INT(sd_event_get_tid(e, NULL));
        INT(sd_event_get_tid(e, &tid) < 0);
        INT(sd_event_get_exit_code(e, &code));
        NUMBER(uint64_t, sd_event_get_iteration(e, &to));
        INT(sd_event_get_watchdog(e));
        INT(sd_event_set_watchdog(e, 0));
        close(fd);
        close(p[0]);
        close(p[1]);
}

/* Every function that takes a source. */
static void ask(sd_event_source *s) {
        const char *text = NULL;
        sd_event_destroy_t destroy;
        unsigned burst;
        int i;

        INT(sd_event_source_get_description(s, NULL));
        INT(sd_event_source_get_description(s, &text));
        printf("%s\n", !text ? "null" : strcmp(text, dir) == 0 ? "the folder" : text);
        INT(sd_event_source_set_description(s, "a name"));
        INT(sd_event_source_set_description(s, "a name"));
        INT(sd_event_source_get_description(s, &text));
        INT(sd_event_source_set_description(s, NULL));
        INT(sd_event_source_set_prepare(s, on_turn));
        INT(sd_event_source_set_prepare(s, NULL));
        INT(sd_event_source_get_pending(s));
        NUMBER(int64_t, sd_event_source_get_priority(s, &to));
        INT(sd_event_source_set_priority(s, INT64_MIN));
        INT(sd_event_source_set_priority(s, INT64_MIN));
        NUMBER(int64_t, sd_event_source_get_priority(s, &to));
        INT(sd_event_source_set_priority(s, 0));
        NUMBER(int, sd_event_source_get_enabled(s, &to));
        INT(sd_event_source_get_enabled(s, NULL));
        INT(sd_event_source_set_enabled(s, 2));
        INT(sd_event_source_set_enabled(s, -2));
        INT(sd_event_source_set_enabled(s, SD_EVENT_OFF));
        NUMBER(int, sd_event_source_get_enabled(s, &to));
        INT(sd_event_source_get_pending(s));
        INT(sd_event_source_set_enabled(s, SD_EVENT_ONESHOT));
        INT(sd_event_source_set_enabled(s, SD_EVENT_ON));
        INT(sd_event_source_get_pending(s));
        INT(sd_event_source_get_destroy_callback(s, NULL));
        INT(sd_event_source_set_destroy_callback(s, destroyed));
        INT(sd_event_source_get_destroy_callback(s, &destroy));
        INT(sd_event_source_set_destroy_callback(s, NULL));
        INT(sd_event_source_get_floating(s));
        INT(sd_event_source_set_floating(s, 1));
        INT(sd_event_source_set_floating(s, 1));
        INT(sd_event_source_get_floating(s));
        INT(sd_event_source_set_floating(s, 0));
        INT(sd_event_source_get_exit_on_failure(s));
        INT(sd_event_source_set_exit_on_failure(s, 2));
        INT(sd_event_source_set_exit_on_failure(s, 1));
        INT(sd_event_source_get_exit_on_failure(s));
        INT(sd_event_source_set_exit_on_failure(s, 0));
        NUMBER(uint64_t, sd_event_source_get_ratelimit(s, &to, NULL));
        INT(sd_event_source_set_ratelimit(s, 1000000, 7));
        NUMBER(uint64_t, sd_event_source_get_ratelimit(s, &to, &burst));
        INT(sd_event_source_get_ratelimit(s, NULL, NULL));
        INT(sd_event_source_is_ratelimited(s));
        INT(sd_event_source_set_ratelimit(s, 0, 7));
        INT(sd_event_source_get_ratelimit(s, NULL, NULL));
        INT(sd_event_source_set_ratelimit_expire_callback(s, on_turn));
        INT(sd_event_source_set_ratelimit_expire_callback(s, NULL));
        INT(sd_event_source_get_io_fd(s) > 0);
        INT(sd_event_source_set_io_fd(s, -1));
        INT(sd_event_source_set_io_fd(s, 1000));
        INT(sd_event_source_get_io_fd_own(s));
        INT(sd_event_source_set_io_fd_own(s, 0));
        NUMBER(uint32_t, sd_event_source_get_io_events(s, &to));
        INT(sd_event_source_get_io_events(s, NULL));
        INT(sd_event_source_set_io_events(s, 1U << 31));
        INT(sd_event_source_set_io_events(s, EPOLLPRI));
        NUMBER(uint32_t, sd_event_source_get_io_events(s, &to));
        NUMBER(uint32_t, sd_event_source_get_io_revents(s, &to));
        INT(sd_event_source_get_io_revents(s, NULL));
        INT(sd_event_source_get_time(s, NULL));
        NUMBER(uint64_t, sd_event_source_get_time(s, &to));
        INT(sd_event_source_set_time(s, NEVER));
        NUMBER(uint64_t, sd_event_source_get_time(s, &to));
        INT(sd_event_source_set_time_relative(s, NEVER));
        INT(sd_event_source_set_time_relative(s, NEVER - 1));
        INT(sd_event_source_set_time_relative(s, 100000000));
        INT(sd_event_source_get_time_accuracy(s, NULL));
        NUMBER(uint64_t, sd_event_source_get_time_accuracy(s, &to));
        INT(sd_event_source_set_time_accuracy(s, NEVER));
        INT(sd_event_source_set_time_accuracy(s, 0));
        NUMBER(uint64_t, sd_event_source_get_time_accuracy(s, &to));
        INT(sd_event_source_set_time_accuracy(s, 5));
        NUMBER(uint64_t, sd_event_source_get_time_accuracy(s, &to));
        INT(sd_event_source_get_time_clock(s, NULL));
        NUMBER(clockid_t, sd_event_source_get_time_clock(s, &to));
        INT(sd_event_source_get_signal(s));
        INT(sd_event_source_get_child_pid(s, NULL));
        INT(sd_event_source_get_child_pid(s, &i));
        INT(sd_event_source_get_child_pidfd(s) > 0);
        INT(sd_event_source_get_child_pidfd_own(s));
        INT(sd_event_source_set_child_pidfd_own(s, 1));
        INT(sd_event_source_get_child_process_own(s));
        INT(sd_event_source_set_child_process_own(s, 0));
        INT(sd_event_source_send_child_signal(s, 0, NULL, 0));
        INT(sd_event_source_send_child_signal(s, 65, NULL, 0));
        INT(sd_event_source_send_child_signal(s, SIGCONT, NULL, 1U << 31));
        INT(sd_event_source_send_child_signal(s, SIGCONT, NULL, 0));
        INT(sd_event_source_get_inotify_mask(s, NULL));
        NUMBER(uint32_t, sd_event_source_get_inotify_mask(s, &to));
        IS(sd_event_source_get_event(s));
        IS(sd_event_source_get_userdata(s));
        IS(sd_event_source_set_userdata(s, NULL));
        IS(sd_event_source_set_userdata(s, (void *) "again"));
        IS(sd_event_source_get_userdata(s));
        IS(sd_event_source_ref(s));
        IS(sd_event_source_unref(s));
}

static pid_t sleeper(void) {
        pid_t pid = fork();

        if (pid == 0) {
                pause();
                _exit(0);
        }
        return pid;
}

/* A source of each kind. */
static const char *const kinds[] = { "io", "time", "signal", "child", "defer", "post", "exit", "inotify" };
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static pid_t child;

static sd_event_source *source(sd_event *e, size_t kind) {
        sd_event_source *s = NULL;
        int p[2];

        switch (kind) {
        case 0: OK(pipe2(p, O_CLOEXEC)); OK(sd_event_add_io(e, &s, p[0], EPOLLIN, on_io, "it")); break;
        case 1: OK(sd_event_add_time(e, &s, CLOCK_MONOTONIC, 5, 0, on_time, "it")); break;
        case 2: OK(sd_event_add_signal(e, &s, SIGRTMIN + 3, on_signal, "it")); break;
        case 3: child = sleeper(); OK(sd_event_add_child(e, &s, child, WEXITED, on_child, "it")); break;
        case 4: OK(sd_event_add_defer(e, &s, on_turn, "it")); break;
        case 5: OK(sd_event_add_post(e, &s, on_turn, "it")); break;
        case 6: OK(sd_event_add_exit(e, &s, on_turn, "it")); break;
        case 7: OK(sd_event_add_inotify(e, &s, dir, IN_CREATE | IN_DELETE, on_inotify, "it")); break;
        }
        return s;
}

static void end_child(void) {
        if (child > 0) {
                kill(child, SIGKILL);
                waitpid(child, NULL, 0);
        }
        child = 0;
}

/* What everything answers about nothing, about each kind, after the end, and in another process. */
static void errors(void) {
        sd_event *e;

        printf("null\n");
        ask_loop(NULL);
        INT(sd_event_new(NULL));
        INT(sd_event_default(NULL));
        INT(sd_event_prepare(NULL));
        INT(sd_event_run(NULL, 0));
        INT(sd_event_loop(NULL));
        INT(sd_event_exit(NULL, 0));
        INT(sd_event_set_signal_exit(NULL, 1));
        INT(sd_event_set_watchdog(NULL, 1));
        IS(sd_event_ref(NULL));
        IS(sd_event_unref(NULL));
        IS(sd_event_source_disable_unref(NULL));
        ask(NULL);
        printf("default\n");
        INT(sd_event_run(SD_EVENT_DEFAULT, 0));
        ask_loop(SD_EVENT_DEFAULT);

        block(SIGRTMIN + 3);
        printf("unblocked\n");
        e = loop();
        INT(sd_event_add_child(e, NULL, 1 << 30, WEXITED, on_child, NULL));
        sd_event_unref(e);
        block(SIGCHLD);
        printf("new\n");
        e = loop();
        ask_loop(e);
        sd_event_unref(e);
        for (size_t kind = 0; kind < KINDS; kind++) {
                sd_event_source *s;

                printf("%s\n", kinds[kind]);
                e = loop();
                s = source(e, kind);
                ask(s);
                if (kind == 2)
                        INT(sd_event_add_signal(e, NULL, SIGRTMIN + 3, on_signal, NULL));
                if (kind == 3)
                        INT(sd_event_add_child(e, NULL, child, WEXITED, on_child, NULL));
                sd_event_source_unref(s);
                sd_event_unref(e);
                end_child();
        }
        printf("over\n");
        e = loop();
        {
                sd_event_source *s[KINDS];

                for (size_t kind = 0; kind < KINDS; kind++)
                        s[kind] = source(e, kind);
                OK(sd_event_exit(e, 3));
                OK(sd_event_exit(e, 7));
                INT(sd_event_loop(e));
                INT(sd_event_loop(e));
                INT(sd_event_exit(e, 1));
                INT(sd_event_prepare(e));
                INT(sd_event_run(e, 0));
                INT(sd_event_set_signal_exit(e, 1));
                ask_loop(e);
                NUMBER(int, sd_event_get_exit_code(e, &to));
                INT(sd_event_get_exit_code(e, NULL));
                for (size_t kind = 0; kind < KINDS; kind++) {
                        printf("%s\n", kinds[kind]);
                        ask(s[kind]);
                        sd_event_source_unref(s[kind]);
                }
                end_child();
        }
        sd_event_unref(e);
}

static void forked(void) {
        sd_event_source *s[KINDS];
        sd_event *e, *own = NULL;
        pid_t pid;
        int fd;

        block(SIGRTMIN + 3);
        block(SIGCHLD);
        e = loop();
        OK(sd_event_default(&own));
        for (size_t kind = 0; kind < KINDS; kind++)
                s[kind] = source(e, kind);
        fd = sd_event_source_get_io_fd(s[0]);
        OK(fd);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                sd_event *d = NULL;

                ask_loop(e);
                INT(sd_event_prepare(e));
                INT(sd_event_run(e, 0));
                INT(sd_event_loop(e));
                INT(sd_event_exit(e, 1));
                INT(sd_event_set_signal_exit(e, 1));
                INT(sd_event_set_watchdog(e, 1));
                INT(sd_event_default(&d));
                INT(sd_event_get_state(d));
                for (size_t kind = 0; kind < KINDS; kind++) {
                        printf("%s\n", kinds[kind]);
                        ask(s[kind]);
                }
                for (size_t kind = 0; kind < KINDS; kind++)
                        sd_event_source_unref(s[kind]);
                sd_event_unref(e);
                fflush(stdout);
                _exit(0);
        }
        waitpid(pid, NULL, 0);
        /* What the other process has let go is still listened to here. */
        printf("here\n");
        OK(sd_event_source_set_enabled(s[1], SD_EVENT_OFF));
        OK(sd_event_source_set_enabled(s[4], SD_EVENT_OFF));
        OK(kill(getpid(), SIGRTMIN + 3));
        OK(mkdirat(AT_FDCWD, "sub", 0700));
        go(e);
        kill(child, SIGTERM);
        turns(e, 1);
        for (size_t kind = 0; kind < KINDS; kind++)
                sd_event_source_unref(s[kind]);
        sd_event_unref(e);
        sd_event_unref(own);
}

/* Who comes first. */
static void order(void) {
        static char *const names[] = { "a", "b", "c", "d", "e" };
        static const int64_t priorities[] = { 5, -5, 100, INT64_MIN, INT64_MAX };
        sd_event *e = loop();
        sd_event_source *s[5], *post, *last;
        int p[2], state;

        for (int i = 0; i < 5; i++) {
                OK(sd_event_add_defer(e, &s[i], on_turn, names[i]));
                OK(sd_event_source_set_priority(s[i], priorities[i]));
                OK(sd_event_source_set_destroy_callback(s[i], destroyed));
        }
        INT(sd_event_source_get_pending(s[0]));
        go(e);
        for (int i = 0; i < 5; i++)
                NUMBER(int, sd_event_source_get_enabled(s[i], &to));
        printf("again\n");
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_ON));
        turns(e, 2);
        OK(sd_event_source_set_enabled(s[3], SD_EVENT_ONESHOT));
        turns(e, 2);
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_OFF));
        go(e);

        printf("io\n");
        OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
        OK(sd_event_add_io(e, &last, p[0], EPOLLIN, on_io, "in"));
        OK(sd_event_source_set_prepare(last, on_turn));
        go(e);
        OK(write(p[1], "xyz", 3));
        INT(sd_event_prepare(e));
        INT(sd_event_get_state(e));
        INT(sd_event_prepare(e));
        INT(sd_event_run(e, 0));
        INT(sd_event_loop(e));
        INT(sd_event_source_get_pending(last));
        NUMBER(uint32_t, sd_event_source_get_io_revents(last, &to));
        INT(sd_event_wait(e, 0));
        INT(sd_event_get_state(e));
        NUMBER(uint32_t, sd_event_source_get_io_revents(last, &to));
        INT(sd_event_source_get_pending(last));
        INT(sd_event_dispatch(e));
        INT(sd_event_get_state(e));
        INT(sd_event_dispatch(e));
        NUMBER(uint64_t, sd_event_get_iteration(e, &to));
        go(e);
        OK(sd_event_source_set_enabled(last, SD_EVENT_ONESHOT));
        OK(write(p[1], "xyz", 3));
        go(e);
        OK(sd_event_source_set_io_events(last, EPOLLIN | EPOLLOUT));
        go(e);
        OK(sd_event_source_set_enabled(last, SD_EVENT_ONESHOT));
        go(e);
        OK(sd_event_source_set_enabled(last, SD_EVENT_ONESHOT));
        close(p[1]);
        go(e);
        OK(sd_event_source_set_prepare(last, NULL));

        printf("edges\n");
        OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p + 0));
        OK(sd_event_source_set_enabled(last, SD_EVENT_OFF));
        INT(sd_event_source_set_io_fd(last, p[0]));
        OK(sd_event_source_set_io_events(last, EPOLLIN | EPOLLET));
        OK(sd_event_source_set_enabled(last, SD_EVENT_ON));
        OK(write(p[1], "xyz", 3));
        go(e);
        OK(sd_event_source_set_io_events(last, EPOLLIN | EPOLLET));
        go(e);

        printf("post\n");
        OK(sd_event_add_post(e, &post, on_turn, "post"));
        OK(sd_event_source_set_priority(post, -1000));
        go(e);
        OK(sd_event_source_set_enabled(s[1], SD_EVENT_ONESHOT));
        OK(sd_event_source_set_enabled(s[2], SD_EVENT_ONESHOT));
        go(e);
        OK(sd_event_source_set_enabled(post, SD_EVENT_ONESHOT));
        OK(sd_event_source_set_enabled(s[1], SD_EVENT_ONESHOT));
        go(e);
        OK(sd_event_source_set_enabled(s[1], SD_EVENT_ONESHOT));
        go(e);

        printf("failures\n");
        {
                sd_event_source *f;

                OK(sd_event_add_defer(e, &f, on_fail, "fails"));
                OK(sd_event_source_set_enabled(f, SD_EVENT_ON));
                go(e);
                INT(sd_event_source_get_enabled(f, NULL));
                OK(sd_event_source_set_prepare(f, on_fail));
                OK(sd_event_source_set_enabled(f, SD_EVENT_ON));
                go(e);
                INT(sd_event_source_get_enabled(f, NULL));
                sd_event_source_unref(f);
        }

        printf("the end\n");
        {
                sd_event_source *x[3];

                for (int i = 0; i < 3; i++) {
                        OK(sd_event_add_exit(e, &x[i], on_turn, names[i]));
                        OK(sd_event_source_set_priority(x[i], priorities[i]));
                }
                OK(sd_event_source_set_enabled(x[1], SD_EVENT_OFF));
                OK(sd_event_add_defer(e, NULL, on_end, (void *) 42));
                INT(sd_event_loop(e));
                state = sd_event_get_state(e);
                printf("%d\n", state);
                for (int i = 0; i < 3; i++)
                        sd_event_source_unref(x[i]);
        }
        for (int i = 0; i < 5; i++)
                sd_event_source_unref(s[i]);
        sd_event_source_unref(post);
        sd_event_source_unref(last);
        sd_event_unref(e);

        printf("exit on failure\n");
        e = loop();
        OK(sd_event_add_defer(e, &last, on_fail, "fails"));
        OK(sd_event_source_set_exit_on_failure(last, 1));
        INT(sd_event_loop(e));
        sd_event_source_unref(last);
        sd_event_unref(e);
        e = loop();
        OK(sd_event_add_defer(e, &last, NULL, (void *) 7));
        OK(sd_event_source_set_prepare(last, on_fail));
        sd_event_source_set_userdata(last, "9");
        OK(sd_event_source_set_exit_on_failure(last, 1));
        INT(sd_event_loop(e));
        sd_event_source_unref(last);
        sd_event_unref(e);
}

/* Callbacks that free. */
static sd_event_source *victims[4];
static sd_event *held;

static int on_free(sd_event_source *s, void *userdata) {
        on_turn(s, userdata);
        for (int i = 0; i < 4; i++)
                victims[i] = sd_event_source_unref(victims[i]);
        held = sd_event_unref(held);
        printf("  freed\n");
        return 0;
}

static int on_free_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        (void) revents;
        on_free(s, userdata);
        close(fd);
        return 0;
}

static int on_free_child(sd_event_source *s, const siginfo_t *si, void *userdata) {
        (void) si;
        return on_free(s, userdata);
}

static int on_free_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        (void) si;
        return on_free(s, userdata);
}

static int on_free_inotify(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        (void) event;
        return on_free(s, userdata);
}

static int on_free_failing(sd_event_source *s, void *userdata) {
        on_free(s, userdata);
        return -EIO;
}

static void freeing(void) {
        sd_event *e;
        int p[2];

        printf("itself and others\n");
        e = loop();
        for (int i = 0; i < 4; i++) {
                OK(sd_event_add_defer(e, &victims[i], i == 1 ? on_free : on_turn, "victim"));
                OK(sd_event_source_set_priority(victims[i], i));
                OK(sd_event_source_set_destroy_callback(victims[i], destroyed));
        }
        OK(sd_event_source_set_priority(victims[1], -1));
        go(e);
        sd_event_unref(e);

        printf("its loop\n");
        e = held = loop();
        OK(sd_event_add_defer(e, &victims[0], on_free, "last"));
        OK(sd_event_source_set_destroy_callback(victims[0], destroyed));
        INT(sd_event_run(e, 0));

        printf("while it fails\n");
        e = loop();
        OK(sd_event_add_defer(e, &victims[0], on_free_failing, "fails"));
        OK(sd_event_source_set_destroy_callback(victims[0], destroyed));
        go(e);
        OK(sd_event_add_defer(e, &victims[0], on_free_failing, "fails"));
        OK(sd_event_source_set_exit_on_failure(victims[0], 1));
        OK(sd_event_source_set_destroy_callback(victims[0], destroyed));
        INT(sd_event_loop(e));
        sd_event_unref(e);

        printf("while it prepares\n");
        e = loop();
        OK(sd_event_add_defer(e, &victims[0], on_turn, "prepared"));
        OK(sd_event_source_set_prepare(victims[0], on_free));
        OK(sd_event_source_set_destroy_callback(victims[0], destroyed));
        go(e);
        sd_event_unref(e);

        printf("io\n");
        e = loop();
        OK(pipe(p));
        OK(sd_event_add_io(e, &victims[0], p[0], EPOLLIN, on_free_io, "io"));
        OK(sd_event_source_set_destroy_callback(victims[0], destroyed));
        OK(write(p[1], "x", 1));
        go(e);
        sd_event_unref(e);

        printf("child\n");
        block(SIGCHLD);
        for (int i = 0; i < 2; i++) {
                e = loop();
                child = sleeper();
                OK(sd_event_add_child(e, &victims[0], child, i ? WEXITED | WSTOPPED : WEXITED, on_free_child, "child"));
                OK(sd_event_source_set_destroy_callback(victims[0], destroyed));
                kill(child, SIGKILL);
                turns(e, 1);
                INT(waitpid(child, NULL, WNOHANG) < 0);
                sd_event_unref(e);
                child = 0;
        }

        printf("signal\n");
        block(SIGUSR1);
        e = loop();
        OK(sd_event_add_signal(e, &victims[0], SIGUSR1, on_free_signal, "signal"));
        kill(getpid(), SIGUSR1);
        go(e);
        sd_event_unref(e);

        printf("inotify\n");
        e = loop();
        for (int i = 0; i < 3; i++) {
                OK(sd_event_add_inotify(e, &victims[i], dir, IN_CREATE, on_free_inotify, "inotify"));
                OK(sd_event_source_set_destroy_callback(victims[i], destroyed));
        }
        OK(mkdir("new", 0700));
        go(e);
        sd_event_unref(e);

        printf("floating\n");
        e = loop();
        {
                sd_event_source *s;

                OK(sd_event_add_defer(e, &s, on_turn, "floats"));
                OK(sd_event_source_set_destroy_callback(s, destroyed));
                INT(sd_event_source_set_floating(s, 1));
                sd_event_source_unref(s);
                go(e);
                OK(sd_event_add_defer(e, &s, on_turn, "outlives"));
                OK(sd_event_source_set_destroy_callback(s, destroyed));
                INT(sd_event_source_set_floating(s, 1));
                sd_event_unref(e);
                printf("unreferenced\n");
                IS(sd_event_source_get_event(s));
                INT(sd_event_source_get_floating(s));
                sd_event_source_unref(s);
        }
}

/* How often it is called is the machine's. */
static int expired, limited_then;

static int on_expired(sd_event_source *s, void *userdata) {
        (void) userdata;
        expired++;
        limited_then |= sd_event_source_is_ratelimited(s);
        return 0;
}

static void limits(void) {
        sd_event *e = loop();
        sd_event_source *s, *t;
        int p[2];

        OK(pipe(p));
        OK(write(p[1], "abcdefghij", 10));
        OK(sd_event_add_io(e, &s, p[0], EPOLLIN, on_io, "limited"));
        /* So long that no machine is slow enough to see it end. */
        INT(sd_event_source_set_ratelimit(s, 1000ULL * 1000 * 1000, 3));
        go(e);
        INT(sd_event_source_is_ratelimited(s));
        NUMBER(int, sd_event_source_get_enabled(s, &to));
        INT(sd_event_source_get_pending(s));
        OK(sd_event_source_set_enabled(s, SD_EVENT_OFF));
        INT(sd_event_source_is_ratelimited(s));
        OK(sd_event_source_set_enabled(s, SD_EVENT_ON));
        go(e);
        INT(sd_event_source_set_ratelimit(s, 1000ULL * 1000 * 1000, 2));
        INT(sd_event_source_is_ratelimited(s));
        go(e);
        INT(sd_event_source_set_ratelimit(s, 0, 0));
        go(e);
        printf("expires\n");
        OK(write(p[1], "abcd", 4));
        INT(sd_event_source_set_ratelimit_expire_callback(s, on_expired));
        INT(sd_event_source_set_ratelimit(s, 300 * 1000, 1));
        for (int i = 0; i < 100; i++) {
                struct pollfd left = { p[0], POLLIN, 0 };

                /* How many turns it takes is the machine's. */
                OK(sd_event_run(e, 1000 * 1000));
                if (poll(&left, 1, 0) == 0)
                        break;
                if (expired > 0)
                        OK(sd_event_source_set_ratelimit(s, 0, 0));
        }
        INT(expired > 0);
        INT(limited_then);

        printf("defer\n");
        OK(sd_event_add_defer(e, &t, on_turn, "deferred"));
        OK(sd_event_source_set_enabled(t, SD_EVENT_ON));
        OK(sd_event_source_set_ratelimit(t, 1000ULL * 1000 * 1000, 2));
        go(e);
        INT(sd_event_source_is_ratelimited(t));
        INT(sd_event_source_get_pending(t));
        sd_event_source_unref(s);
        sd_event_source_unref(t);
        sd_event_unref(e);
}

static void times(void) {
        static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM };
        static char *const names[] = { "first", "second", "third", "fourth" };
        uint64_t cached, again;

        for (size_t c = 0; c < sizeof(clocks) / sizeof(*clocks); c++) {
                sd_event *e = loop();
                sd_event_source *s[4];
                uint64_t now = 0;
                int r;

                printf("clock %d\n", (int) clocks[c]);
                INT(sd_event_now(e, clocks[c], &now));
                r = sd_event_add_time(e, &s[0], clocks[c], now, 1, on_time, names[0]);
                if (r < 0) {
                        printf("%s\n", error(r));
                        sd_event_unref(e);
                        continue;
                }
                NUMBER(clockid_t, sd_event_source_get_time_clock(s[0], &to));
                OK(sd_event_source_set_time(s[0], now + 3000));
                OK(sd_event_add_time(e, &s[1], clocks[c], now + 40000, 1, on_time, names[1]));
                OK(sd_event_add_time_relative(e, &s[2], clocks[c], 80000, 1, on_time, names[2]));
                OK(sd_event_add_time(e, &s[3], clocks[c], NEVER, 1, on_time, names[3]));
                /* On a slow machine all may have elapsed at once. */
                for (int i = 0; i < 4; i++)
                        OK(sd_event_source_set_priority(s[i], i));
                turns(e, 3);
                go(e);
                for (int i = 0; i < 4; i++)
                        NUMBER(int, sd_event_source_get_enabled(s[i], &to));
                printf("all at once\n");
                for (int i = 0; i < 4; i++) {
                        OK(sd_event_source_set_time(s[i], 3 - i));
                        OK(sd_event_source_set_enabled(s[i], SD_EVENT_ONESHOT));
                        OK(sd_event_source_set_priority(s[i], i % 2 * 10 + i));
                }
                go(e);
                printf("again and again\n");
                OK(sd_event_source_set_enabled(s[1], SD_EVENT_ON));
                turns(e, 3);
                OK(sd_event_source_set_time_relative(s[1], 1000000000));
                go(e);
                INT(sd_event_now(e, clocks[c], &cached));
                usleep(2000);
                INT(sd_event_now(e, clocks[c], &again));
                INT(cached == again);
                go(e);
                INT(sd_event_now(e, clocks[c], &again));
                INT(cached < again);
                for (int i = 0; i < 4; i++)
                        sd_event_source_unref(s[i]);
                sd_event_unref(e);
        }
        {
                sd_event *e = loop();

                OK(sd_event_add_time_relative(e, NULL, CLOCK_MONOTONIC, 1000, 0, NULL, (void *) 12));
                INT(sd_event_loop(e));
                sd_event_unref(e);
        }
}

static void signals(void) {
        sd_event *e = loop();
        sd_event_source *s[3], *again;
        const char *text = NULL;

        block(SIGUSR1);
        block(SIGUSR2);
        block(SIGRTMIN);
        OK(sd_event_add_signal(e, &s[0], SIGUSR1, on_signal, "one"));
        OK(sd_event_add_signal(e, &s[1], SIGUSR2, on_signal, "two"));
        OK(sd_event_add_signal(e, &s[2], SIGRTMIN, on_signal, "three"));
        INT(sd_event_source_get_signal(s[1]) == SIGUSR2);
        for (int i = 0; i < 3; i++) {
                OK(sd_event_source_get_description(s[i], &text));
                printf("%s\n", text);
        }
        OK(sd_event_source_set_priority(s[0], 10));
        kill(getpid(), SIGUSR1);
        for (int i = 0; i < 3; i++)
                sigqueue(getpid(), SIGRTMIN, (union sigval) { .sival_int = i });
        go(e);
        printf("off\n");
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_OFF));
        kill(getpid(), SIGUSR1);
        go(e);
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_ONESHOT));
        go(e);
        kill(getpid(), SIGUSR1);
        go(e);
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_ON));
        OK(sd_event_source_set_priority(s[0], 0));
        go(e);
        printf("freed\n");
        sd_event_source_unref(s[0]);
        OK(sd_event_add_signal(e, &again, SIGUSR1, on_signal, "again"));
        kill(getpid(), SIGUSR1);
        go(e);
        sd_event_source_unref(again);
        kill(getpid(), SIGUSR1);
        go(e);

        printf("blocked by it\n");
        unblock(SIGHUP);
        INT(sd_event_add_signal(e, &again, SIGHUP, on_signal, "hup"));
        INT(sd_event_add_signal(e, &again, SIGHUP | SD_EVENT_SIGNAL_PROCMASK, on_signal, "hup"));
        INT(is_blocked(SIGHUP));
        kill(getpid(), SIGHUP);
        go(e);
        sd_event_source_unref(again);
        INT(is_blocked(SIGHUP));
        block(SIGHUP);
        OK(sd_event_add_signal(e, &again, SIGHUP | SD_EVENT_SIGNAL_PROCMASK, on_signal, "hup"));
        sd_event_source_unref(again);
        INT(is_blocked(SIGHUP));

        printf("end\n");
        INT(sd_event_set_signal_exit(e, 1));
        INT(sd_event_set_signal_exit(e, 1));
        INT(is_blocked(SIGTERM) + is_blocked(SIGINT));
        INT(sd_event_add_signal(e, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, on_signal, "term"));
        INT(sd_event_set_signal_exit(e, 0));
        INT(sd_event_set_signal_exit(e, 0));
        INT(is_blocked(SIGTERM) + is_blocked(SIGINT));
        INT(sd_event_set_signal_exit(e, 1));
        kill(getpid(), SIGTERM);
        INT(sd_event_loop(e));
        sd_event_source_unref(s[1]);
        sd_event_source_unref(s[2]);
        sd_event_unref(e);
        INT(is_blocked(SIGTERM) + is_blocked(SIGINT));
}

/* A child that ends with a code, or waits to be killed. */
static pid_t spawn(int code) {
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                if (code < 0)
                        pause();
                _exit(code);
        }
        return pid;
}

static void children(void) {
        sd_event *e = loop();
        sd_event_source *s, *t;
        siginfo_t si = { 0 };
        pid_t pid, other;
        int fd;

        block(SIGCHLD);
        printf("exits\n");
        pid = spawn(7);
        OK(sd_event_add_child(e, &s, pid, WEXITED, on_child, "exits"));
        INT(sd_event_add_child(e, &t, pid, WEXITED, on_child, "twice"));
        turns(e, 1);
        go(e);
        NUMBER(int, sd_event_source_get_enabled(s, &to));
        INT(sd_event_source_send_child_signal(s, SIGTERM, NULL, 0));
        INT(waitpid(pid, NULL, WNOHANG) == -1 && errno == ECHILD);
        sd_event_source_unref(s);

        printf("is killed\n");
        pid = spawn(-1);
        OK(sd_event_add_child(e, &s, pid, WEXITED, on_child, "killed"));
        go(e);
        INT(sd_event_source_get_child_pidfd_own(s));
        INT(sd_event_source_send_child_signal(s, SIGKILL, NULL, 0));
        turns(e, 1);
        sd_event_source_unref(s);

        printf("with words\n");
        pid = spawn(-1);
        OK(sd_event_add_child(e, &s, pid, WEXITED, on_child, "told"));
        si.si_code = SI_QUEUE;
        si.si_signo = SIGTERM;
        INT(sd_event_source_send_child_signal(s, SIGUSR1, &si, 0));
        INT(sd_event_source_send_child_signal(s, SIGTERM, &si, 0));
        turns(e, 1);
        sd_event_source_unref(s);

        printf("stops and goes on\n");
        pid = spawn(-1);
        OK(sd_event_add_child(e, &s, pid, WEXITED | WSTOPPED | WCONTINUED, on_child, "all"));
        OK(sd_event_source_set_enabled(s, SD_EVENT_ON));
        kill(pid, SIGSTOP);
        turns(e, 1);
        kill(pid, SIGCONT);
        turns(e, 1);
        kill(pid, SIGKILL);
        turns(e, 1);
        OK(sd_event_source_set_enabled(s, SD_EVENT_OFF));
        go(e);
        sd_event_source_unref(s);

        printf("only stops\n");
        pid = spawn(-1);
        OK(sd_event_add_child(e, &s, pid, WSTOPPED, on_child, "stops"));
        kill(pid, SIGSTOP);
        turns(e, 1);
        sd_event_source_unref(s);
        kill(pid, SIGKILL);
        INT(waitpid(pid, NULL, 0) == pid);

        printf("by pidfd\n");
        pid = spawn(3);
        fd = syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0 && errno == ENOSYS) {
                /* An old kernel, or an old valgrind. */
                printf("there are none\n");
                waitpid(pid, NULL, 0);
        } else {
                OK(fd < 0 ? -errno : 0);
                OK(sd_event_add_child_pidfd(e, &s, fd, WEXITED, on_child, "pidfd"));
                INT(sd_event_source_get_child_pidfd(s) == fd);
                INT(sd_event_source_get_child_pidfd_own(s));
                INT(sd_event_source_set_child_pidfd_own(s, 1));
                INT(sd_event_source_get_child_pid(s, &other));
                INT(other == pid);
                turns(e, 1);
                sd_event_source_unref(s);
                INT(fcntl(fd, F_GETFD) < 0);
        }
        OK(sd_event_exit(e, 0) < 0);
        sd_event_unref(e);

        printf("owned\n");
        e = loop();
        pid = spawn(-1);
        OK(sd_event_add_child(e, &s, pid, WEXITED, on_child, "owned"));
        INT(sd_event_source_set_child_process_own(s, 1));
        INT(sd_event_source_get_child_process_own(s));
        sd_event_source_unref(s);
        INT(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);

        printf("both by signal\n");
        pid = spawn(1);
        other = spawn(2);
        OK(sd_event_add_child(e, &s, pid, WEXITED | WSTOPPED, on_child, "one"));
        OK(sd_event_add_child(e, &t, other, WEXITED | WSTOPPED, on_child, "two"));
        OK(sd_event_source_set_priority(s, 10));
        OK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
        OK(waitid(P_PID, other, &si, WEXITED | WNOWAIT));
        go(e);
        sd_event_source_unref(s);
        sd_event_source_unref(t);

        printf("off and on\n");
        pid = spawn(5);
        OK(sd_event_add_child(e, &s, pid, WEXITED, on_child, "off"));
        OK(sd_event_source_set_enabled(s, SD_EVENT_OFF));
        OK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
        go(e);
        OK(sd_event_source_set_enabled(s, SD_EVENT_ON));
        turns(e, 1);
        sd_event_source_unref(s);

        printf("ends the loop\n");
        pid = spawn(0);
        OK(sd_event_add_child(e, NULL, pid, WEXITED, NULL, (void *) 21));
        INT(sd_event_loop(e));
        sd_event_unref(e);
}

static void touch(const char *path) {
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void files(void) {
        sd_event *e = loop();
        sd_event_source *s[4], *t;
        const char *text = NULL;
        int fd;

        printf("a folder\n");
        OK(sd_event_add_inotify(e, &s[0], dir, IN_CREATE, on_inotify, "creations"));
        OK(sd_event_add_inotify(e, &s[1], dir, IN_DELETE, on_inotify, "deletions"));
        fd = open(dir, O_RDONLY | O_CLOEXEC);
        OK(sd_event_add_inotify_fd(e, &s[2], fd, IN_MOVE, on_inotify, "moves"));
        close(fd);
        OK(sd_event_add_inotify(e, &s[3], dir, IN_ONESHOT | IN_CREATE, on_inotify, "once"));
        IS(sd_event_source_get_description(s[0], &text) >= 0 && strcmp(text, dir) == 0);
        text = NULL;
        INT(sd_event_source_get_description(s[2], &text));
        NUMBER(uint32_t, sd_event_source_get_inotify_mask(s[3], &to));
        NUMBER(int, sd_event_source_get_enabled(s[3], &to));
        OK(sd_event_source_set_priority(s[0], -5));
        OK(sd_event_source_set_priority(s[1], 5));
        OK(sd_event_source_set_priority(s[2], 5));
        touch("a");
        turns(e, 2);
        NUMBER(int, sd_event_source_get_enabled(s[3], &to));
        sd_event_source_unref(s[3]);
        go(e);
        INT(sd_event_source_set_priority(s[0], -6));
        INT(sd_event_source_set_priority(s[0], -5));
        OK(rename("a", "a longer name than before"));
        OK(unlink("a longer name than before"));
        touch("b");
        touch("c");
        go(e);
        printf("shared\n");
        OK(sd_event_add_inotify(e, &s[3], dir, IN_CREATE | IN_DELETE, on_inotify, "both"));
        OK(sd_event_source_set_priority(s[3], 5));
        touch("d");
        OK(unlink("b"));
        go(e);
        printf("one less\n");
        sd_event_source_unref(s[0]);
        touch("e");
        OK(unlink("c"));
        go(e);
        OK(sd_event_add_inotify(e, &s[0], dir, IN_CREATE, on_inotify, "again"));
        touch("g");
        go(e);
        for (int i = 0; i < 4; i++)
                sd_event_source_unref(s[i]);

        printf("a file\n");
        OK(sd_event_add_inotify(e, &s[0], "d", IN_ATTRIB | IN_DELETE_SELF, on_inotify, "file"));
        OK(chmod("d", 0640));
        go(e);
        OK(unlink("d"));
        go(e);
        sd_event_source_unref(s[0]);

        printf("a link\n");
        OK(symlink("e", "link"));
        OK(sd_event_add_inotify(e, &s[0], "link", IN_ATTRIB, on_inotify, "target"));
        OK(sd_event_add_inotify(e, &s[1], "link", IN_DONT_FOLLOW | IN_ATTRIB, on_inotify, "link"));
        OK(sd_event_source_set_priority(s[1], 3));
        OK(chmod("e", 0640));
        OK(unlink("link"));
        go(e);
        sd_event_source_unref(s[0]);
        sd_event_source_unref(s[1]);

        OK(sd_event_add_inotify(e, &t, "/", IN_ONLYDIR | IN_CREATE, NULL, (void *) 1));
        sd_event_source_unref(t);
        sd_event_unref(e);
}

/* Where the original crashes, goes round for ever, or loses something. */
static void weak(void) {
        sd_event *e = loop();
        sd_event_source *s[3];

        printf("places that are not there\n");
        INT(sd_event_source_get_priority(NULL, NULL));
        INT(sd_event_get_iteration(e, NULL));

        printf("changes that nobody wants\n");
        OK(sd_event_add_inotify(e, &s[0], dir, IN_CREATE, on_inotify, "one"));
        OK(sd_event_add_inotify(e, &s[1], dir, IN_DELETE, on_inotify, "two"));
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_OFF));
        touch("a");
        go(e);
        OK(unlink("a"));
        go(e);
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_ON));
        touch("b");
        OK(unlink("b"));
        touch("c");
        INT(sd_event_prepare(e));
        INT(sd_event_wait(e, 1000000));
        INT(sd_event_source_get_pending(s[0]));
        OK(sd_event_source_set_enabled(s[0], SD_EVENT_OFF));
        INT(sd_event_source_get_pending(s[0]));
        OK(sd_event_dispatch(e));
        go(e);
        sd_event_source_unref(s[0]);
        sd_event_source_unref(s[1]);

        printf("signals of several priorities\n");
        block(SIGUSR1);
        block(SIGUSR2);
        block(SIGRTMIN);
        OK(sd_event_add_signal(e, &s[0], SIGUSR1, on_signal, "one"));
        OK(sd_event_add_signal(e, &s[1], SIGUSR2, on_signal, "two"));
        OK(sd_event_add_signal(e, &s[2], SIGRTMIN, on_signal, "three"));
        OK(sd_event_source_set_priority(s[0], 10));
        OK(sd_event_source_set_priority(s[1], -10));
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGUSR2);
        for (int i = 0; i < 2; i++)
                sigqueue(getpid(), SIGRTMIN, (union sigval) { .sival_int = i });
        go(e);
        for (int i = 0; i < 3; i++)
                sd_event_source_unref(s[i]);
        sd_event_unref(e);
}

static sd_event *waits;

static void on_alarm(int sig) {
        (void) sig;
        sd_event_exit(waits, 9);
}

static void whole(void) {
        sd_event *e = NULL, *f = NULL;
        struct itimerval again = { { 0, 10000 }, { 0, 10000 } }, no_more = { 0 };
        struct pollfd fd;
        pid_t tid = 0;
        int p[2];

        INT(sd_event_default(NULL));
        INT(sd_event_default(&e));
        INT(sd_event_default(&f));
        INT(sd_event_default(NULL));
        INT(e == f);
        INT(sd_event_get_tid(e, &tid));
        INT(tid == getpid());
        INT(sd_event_get_state(SD_EVENT_DEFAULT));
        INT(sd_event_add_defer(SD_EVENT_DEFAULT, NULL, on_end, (void *) 5));
        INT(sd_event_loop(SD_EVENT_DEFAULT));
        sd_event_unref(e);
        INT(sd_event_default(NULL));
        sd_event_unref(f);
        INT(sd_event_default(NULL));
        INT(sd_event_get_state(SD_EVENT_DEFAULT));

        printf("in another loop\n");
        e = loop();
        OK(pipe(p));
        OK(sd_event_add_io(e, NULL, p[0], EPOLLIN, on_io, "inner"));
        fd = (struct pollfd) { sd_event_get_fd(e), POLLIN, 0 };
        INT(sd_event_prepare(e));
        INT(poll(&fd, 1, 0));
        OK(write(p[1], "x", 1));
        INT(poll(&fd, 1, 10000));
        INT(sd_event_wait(e, 0));
        INT(sd_event_dispatch(e));
        INT(sd_event_prepare(e));
        INT(sd_event_wait(e, 1));
        INT(sd_event_exit(e, -3));
        NUMBER(int, sd_event_get_exit_code(e, &to));
        INT(sd_event_prepare(e));
        INT(sd_event_get_state(e));
        INT(sd_event_dispatch(e));
        INT(sd_event_get_state(e));
        close(p[0]);
        close(p[1]);
        sd_event_unref(e);

        printf("ended by a handler\n");
        e = waits = loop();
        signal(SIGALRM, on_alarm);
        OK(setitimer(ITIMER_REAL, &again, NULL));
        INT(sd_event_loop(e));
        OK(setitimer(ITIMER_REAL, &no_more, NULL));
        sd_event_unref(e);

        printf("owned\n");
        e = loop();
        {
                sd_event_source *s;

                OK(pipe(p));
                OK(sd_event_add_io(e, &s, p[0], EPOLLIN, on_io, "owned"));
                OK(sd_event_source_set_io_fd_own(s, 1));
                INT(sd_event_source_get_io_fd_own(s));
                sd_event_source_disable_unref(s);
                INT(fcntl(p[0], F_GETFD));
        }
        sd_event_unref(e);
}

/* With $WATCHDOG_USEC and $NOTIFY_SOCKET: which is a socket that is made here. */
static void watchdog(void) {
        struct sockaddr_un { sa_family_t family; char path[108]; } address = { AF_UNIX, "/tmp/event-notify" };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), told = 0;
        struct pollfd p = { fd, POLLIN, 0 };
        char buffer[100];
        sd_event *e = loop();

        unlink(address.path);
        OK(bind(fd, (struct sockaddr *) &address, sizeof(address)));
        INT(sd_event_get_watchdog(e));
        INT(sd_event_set_watchdog(e, 1));
        INT(sd_event_set_watchdog(e, 1));
        INT(sd_event_get_watchdog(e));
        for (int i = 0; i < 1000 && told < 3 && sd_event_get_watchdog(e) > 0; i++) {
                OK(sd_event_run(e, 100000));
                while (told < 3 && poll(&p, 1, 0) > 0) {
                        ssize_t n = read(fd, buffer, sizeof(buffer));

                        printf("  %.*s\n", (int) n, buffer);
                        told++;
                }
        }
        INT(sd_event_set_watchdog(e, 0));
        INT(sd_event_get_watchdog(e));
        unlink(address.path);
        sd_event_unref(e);
}

static const struct {
        const char *name;
        void (*run)(void);
} groups[] = {
        { "errors", errors }, { "forked", forked }, { "order", order }, { "freeing", freeing }, { "limits", limits },
        { "times", times }, { "signals", signals }, { "children", children }, { "files", files }, { "whole", whole },
        { "watchdog", watchdog }, { "weak", weak },
};

int main(int argc, char *argv[]) {
        if (argc != 2)
                return 2;
        setvbuf(stdout, NULL, _IOLBF, 0);
        if (!mkdtemp(dir) || chdir(dir) < 0)
                return 1;
        for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
                if (strcmp(argv[1], groups[i].name) == 0) {
                        groups[i].run();
                        return 0;
                }
        return 2;
}
