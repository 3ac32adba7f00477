/* Calls the functions that came to libsystemd with 253 to 257, and prints what each answers, a line for each: to be run on two
 * libraries, and compared.
 *   newer_probe GROUP [ARGUMENT...] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-login.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)
#define TEXT(call) do {                                                                         \
                char *to = NULL;                                                                \
                int r_ = (call);                                                                \
                printf("%s = %d %s %s\n", #call, r_, error(r_), to ?: "null");                  \
                free(to);                                                                       \
        } while (0)
#define NUMBER(type, call) do {                                                                 \
                type to = (type) -3;                                                            \
                int r_ = (call);                                                                \
                printf("%s = %d %s %lld\n", #call, r_, error(r_), (long long) to);              \
        } while (0)
#define ID(call) do {                                                                           \
                sd_id128_t to = SD_ID128_NULL;                                                  \
                int r_ = (call);                                                                \
                printf("%s = %d %s %s\n", #call, r_, error(r_), SD_ID128_TO_STRING(to));        \
        } while (0)

static const sd_id128_t base = SD_ID128_MAKE(5a,4d,b0,c5,a4,db,0c,5a,4d,b0,c5,a4,db,0c,5a,4d);
static const sd_id128_t app = SD_ID128_MAKE(01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10);

static void ids(void) {
        ID(sd_id128_get_app_specific(base, app, &to));
        ID(sd_id128_get_app_specific(app, base, &to));
        ID(sd_id128_get_app_specific(base, SD_ID128_NULL, &to));
        ID(sd_id128_get_app_specific(SD_ID128_NULL, app, &to));
        INT(sd_id128_get_app_specific(base, app, NULL));
        ID(sd_id128_get_machine_app_specific(app, &to));
        ID(sd_id128_get_invocation_app_specific(app, &to));
        INT(sd_id128_get_invocation_app_specific(app, NULL));
}

/* Of the process whose number is given, and of what is none. */
static void processes(int pid) {
        int own = (int) syscall(SYS_pidfd_open, pid, 0), file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int fds[] = { own, file, -1, 1000 };

        for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
                int fd = fds[i];

                printf("descriptor %zu\n", i);
                TEXT(sd_pidfd_get_session(fd, &to));
                NUMBER(uid_t, sd_pidfd_get_owner_uid(fd, &to));
                TEXT(sd_pidfd_get_unit(fd, &to));
                TEXT(sd_pidfd_get_user_unit(fd, &to));
                TEXT(sd_pidfd_get_slice(fd, &to));
                TEXT(sd_pidfd_get_user_slice(fd, &to));
                TEXT(sd_pidfd_get_machine_name(fd, &to));
                TEXT(sd_pidfd_get_cgroup(fd, &to));
        }
        for (size_t i = 1; i < sizeof(fds) / sizeof(*fds); i++) {
                sd_bus_creds *c = NULL;
                int fd = fds[i];

                INT(sd_bus_creds_new_from_pidfd(&c, fd, SD_BUS_CREDS_PID));
                sd_bus_creds_unref(c);
        }
        INT(sd_pidfd_get_session(own, NULL));
        INT(sd_pidfd_get_owner_uid(own, NULL));
        INT(sd_pidfd_get_unit(own, NULL));
        INT(sd_pidfd_get_user_unit(own, NULL));
        INT(sd_pidfd_get_slice(own, NULL));
        INT(sd_pidfd_get_user_slice(own, NULL));
        INT(sd_pidfd_get_machine_name(own, NULL));
        close(own);
        close(file);
}

/* Of a process that has ended and is waited for. */
static void ended(void) {
        pid_t child = fork();
        int fd;

        if (child == 0)
                _exit(0);
        fd = (int) syscall(SYS_pidfd_open, child, 0);
        waitpid(child, NULL, 0);
        TEXT(sd_pidfd_get_session(fd, &to));
        NUMBER(uid_t, sd_pidfd_get_owner_uid(fd, &to));
        TEXT(sd_pidfd_get_unit(fd, &to));
        TEXT(sd_pidfd_get_cgroup(fd, &to));
        close(fd);
}

static void sessions(void) {
        static const char *const names[] = { "1", "nope", "" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const char *name = names[i];

                printf("session %s\n", name);
                TEXT(sd_session_get_username(name, &to));
                NUMBER(uint64_t, sd_session_get_start_time(name, &to));
                NUMBER(pid_t, sd_session_get_leader(name, &to));
        }
        INT(sd_session_get_username("1", NULL));
        INT(sd_session_get_start_time("1", NULL));
        INT(sd_session_get_leader("1", NULL));
        NUMBER(uint64_t, sd_uid_get_login_time(1000, &to));
        NUMBER(uint64_t, sd_uid_get_login_time(4711, &to));
        NUMBER(uint64_t, sd_uid_get_login_time((uid_t) -1, &to));
        INT(sd_uid_get_login_time(1000, NULL));
}

/* What arrives at the socket that is given, with the number of descriptors. */
static void arrives(int from) {
        char text[200], control[CMSG_SPACE(8 * sizeof(int))];
        struct iovec part = { text, sizeof(text) - 1 };
        struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };

        for (;;) {
                ssize_t n;

                m.msg_controllen = sizeof(control);
                n = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
                if (n < 0)
                        return;
                text[n] = 0;
                printf("  arrived: %s", text);
                for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
                        int fds[8];
                        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                                continue;
                        memcpy(fds, CMSG_DATA(c), count * sizeof(int));
                        printf(" and %zu descriptors", count);
                        for (size_t i = 0; i < count; i++)
                                close(fds[i]);
                }
                puts("");
        }
}

static void notify(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/newer-notify" };
        int fds[] = { 0, 1 }, manager;

        unlink(address.sun_path);
        manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bind(manager, (struct sockaddr *) &address, sizeof(address));
        unsetenv("NOTIFY_SOCKET");
        INT(sd_pid_notifyf_with_fds(0, 0, fds, 2, "A=%d", 1));
        INT(sd_pid_notify_barrier(0, 0, 1000));
        setenv("NOTIFY_SOCKET", address.sun_path, 1);
        INT(sd_pid_notifyf_with_fds(0, 0, fds, 2, "A=%d\nB=%s", 1, "x"));
        arrives(manager);
        INT(sd_pid_notifyf_with_fds(0, 0, NULL, 0, "FDSTORE=%d", 1));
        arrives(manager);
        INT(sd_pid_notifyf_with_fds(getpid(), 0, fds, 1, "C=%s", ""));
        arrives(manager);
        /* Nobody closes the other end in time. */
        INT(sd_pid_notify_barrier(0, 0, 1000));
        arrives(manager);
        INT(sd_pid_notifyf_with_fds(0, 1, fds, 1, "D=%d", 4));
        printf("NOTIFY_SOCKET is %s\n", getenv("NOTIFY_SOCKET") ?: "unset");
        close(manager);
}

/* To whomever the environment names. */
static void tell(pid_t pid) {
        INT(sd_pid_notify(pid, 0, "READY=1"));
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) s;
        (void) usec;
        ++*(int *) userdata;
        return 0;
}

static int on_inotify(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        (void) s;
        (void) event;
        (void) userdata;
        return 0;
}

static void loops(void) {
        sd_event_source *timer = NULL, *watch = NULL;
        const char *path = NULL;
        sd_event *e = NULL;
        int turns = 0;

        sd_event_new(&e);
        INT(sd_event_source_leave_ratelimit(NULL));
        sd_event_add_time(e, &timer, CLOCK_MONOTONIC, 0, 0, on_timer, &turns);
        sd_event_source_set_enabled(timer, SD_EVENT_ON);
        INT(sd_event_source_leave_ratelimit(timer));
        INT(sd_event_source_set_ratelimit(timer, 3600 * 1000000ULL, 2));
        INT(sd_event_source_leave_ratelimit(timer));
        for (int i = 0; i < 5; i++)
                sd_event_run(e, 0);
        printf("%d turns\n", turns);
        INT(sd_event_source_is_ratelimited(timer));
        INT(sd_event_source_leave_ratelimit(timer));
        INT(sd_event_source_is_ratelimited(timer));
        INT(sd_event_source_leave_ratelimit(timer));
        for (int i = 0; i < 5; i++)
                sd_event_run(e, 0);
        printf("%d turns\n", turns);
        INT(sd_event_add_inotify(e, &watch, "/tmp", IN_CREATE, on_inotify, NULL));
        INT(sd_event_source_get_inotify_path(watch, &path));
        printf("path %s\n", path ?: "null");
        INT(sd_event_source_get_inotify_path(timer, &path));
        INT(sd_event_source_get_inotify_path(watch, NULL));
        INT(sd_event_source_get_inotify_path(NULL, &path));
        INT(sd_event_trim_memory());
        sd_event_source_unref(watch);
        sd_event_source_unref(timer);
        sd_event_unref(e);
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        (void) m;
        (void) userdata;
        (void) error;
        return 0;
}

static void signals(void) {
        sd_bus *sender = NULL, *receiver = NULL;
        sd_bus_message *m = NULL;
        const char *name = NULL, *text = NULL;

        sd_bus_open_system(&sender);
        sd_bus_open_system(&receiver);
        /* When these are known, no call of the library's own is left. */
        sd_bus_get_unique_name(sender, &name);
        sd_bus_get_unique_name(receiver, &name);
        INT(sd_bus_pending_method_calls(NULL));
        INT(sd_bus_pending_method_calls(sender));
        INT(sd_bus_call_method_async(sender, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                     "GetId", on_reply, NULL, NULL));
        INT(sd_bus_pending_method_calls(sender));
        while (sd_bus_pending_method_calls(sender) > 0) {
                if (sd_bus_process(sender, NULL) == 0)
                        sd_bus_wait(sender, UINT64_MAX);
        }
        INT(sd_bus_pending_method_calls(sender));

        INT(sd_bus_emit_signal_to(sender, name, "/a", "a.b", "To", "si", "text", 7));
        INT(sd_bus_emit_signal_to(sender, name, "/a", "a.b", "Empty", NULL));
        INT(sd_bus_emit_signal_to(sender, "no name", "/a", "a.b", "To", NULL));
        INT(sd_bus_emit_signal_to(sender, name, "a", "a.b", "To", NULL));
        INT(sd_bus_emit_signal_to(sender, name, "/a", "ab", "To", NULL));
        INT(sd_bus_emit_signal_to(sender, name, "/a", "a.b", "1", NULL));
        INT(sd_bus_emit_signal_to(sender, name, "/a", "a.b", "To", "?"));
        INT(sd_bus_flush(sender));
        for (int seen = 0; seen < 2;) {
                if (sd_bus_process(receiver, &m) == 0)
                        sd_bus_wait(receiver, UINT64_MAX);
                if (!m)
                        continue;
                if (sd_bus_message_is_signal(m, "a.b", NULL)) {
                        seen++;
                        printf("%s to %s\n", sd_bus_message_get_member(m),
                               strcmp(sd_bus_message_get_destination(m), name) == 0 ? "the receiver" : "another");
                        if (sd_bus_message_read(m, "s", &text) > 0)
                                printf("  %s\n", text);
                }
                m = sd_bus_message_unref(m);
        }
        INT(sd_bus_message_new_signal_to(sender, &m, name, "/a", "a.b", "To"));
        printf("destination set: %d\n", sd_bus_message_get_destination(m) != NULL);
        m = sd_bus_message_unref(m);
        INT(sd_bus_message_new_signal_to(sender, &m, NULL, "/a", "a.b", "To"));
        printf("destination set: %d\n", m && sd_bus_message_get_destination(m) != NULL);
        m = sd_bus_message_unref(m);
        INT(sd_bus_message_new_signal_to(sender, NULL, name, "/a", "a.b", "To"));
        sd_bus_flush_close_unref(sender);
        sd_bus_flush_close_unref(receiver);
}

int main(int argc, char **argv) {
        const char *group = argc > 1 ? argv[1] : "";

        setvbuf(stdout, NULL, _IOLBF, 0);
        if (strcmp(group, "ids") == 0)
                ids();
        else if (strcmp(group, "processes") == 0)
                processes(argc > 2 ? atoi(argv[2]) : getpid());
        else if (strcmp(group, "ended") == 0)
                ended();
        else if (strcmp(group, "sessions") == 0)
                sessions();
        else if (strcmp(group, "notify") == 0)
                notify();
        else if (strcmp(group, "tell") == 0)
                tell(argc > 2 ? atoi(argv[2]) : 0);
        else if (strcmp(group, "loops") == 0)
                loops();
        else if (strcmp(group, "signals") == 0)
                signals();
        else
                return 2;
        return 0;
}
