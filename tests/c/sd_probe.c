/* Calls functions of libsystemd and prints what each answers, a line for each: to be run on two libraries, and compared.
 *   sd_probe GROUP [ARGUMENT...] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-login.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) : "";
}

/* What a function answers; text, numbers and lists are printed if they were set. */
#define UNSET ((void *) 16)
#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)
#define TEXT(call) do {                                                                                 \
                char *to = UNSET;                                                                       \
                int r_ = (call);                                                                        \
                printf("%s = %d %s %s\n", #call, r_, error(r_), to == UNSET ? "unset" : to ?: "null");  \
                if (to != UNSET)                                                                        \
                        free(to);                                                                       \
        } while (0)
#define NUMBER(type, call) do {                                                                         \
                type to = (type) -3;                                                                    \
                int r_ = (call);                                                                        \
                printf("%s = %d %s %lld\n", #call, r_, error(r_), (long long) to);                      \
        } while (0)
#define LIST(call) do {                                                                                 \
                char **to = UNSET;                                                                      \
                int r_ = (call);                                                                        \
                printf("%s = %d %s", #call, r_, error(r_));                                             \
                print_list(to);                                                                         \
        } while (0)

static int by_name(const void *a, const void *b) {
        return strcmp(*(char **) a, *(char **) b);
}

static void print_list(char **list) {
        size_t n = 0;

        if (list == UNSET || !list) {
                puts(list ? " unset" : " null");
                return;
        }
        while (list[n])
                n++;
        qsort(list, n, sizeof(*list), by_name);
        for (size_t i = 0; i < n; i++) {
                printf(" '%s'", list[i]);
                free(list[i]);
        }
        puts(" end");
        free(list);
}

static int by_number(const void *a, const void *b) {
        unsigned x = *(unsigned *) a, y = *(unsigned *) b;

        return (x > y) - (x < y);
}

static void print_numbers(unsigned *list, int n) {
        if (list == UNSET || !list) {
                puts(list ? " unset" : " null");
                return;
        }
        qsort(list, n, sizeof(*list), by_number);
        for (int i = 0; i < n; i++)
                printf(" %u", list[i]);
        puts(" end");
        free(list);
}

static void print_id(int r, sd_id128_t id) {
        char s[SD_ID128_STRING_MAX];

        printf("%d %s %s\n", r, error(r), r < 0 ? "" : sd_id128_to_string(id, s));
}

static void id128(void) {
        static const char *const texts[] = {
                "", "5a4db0c5a4db0c5a4db0c5a4db0c5a4d", "5A4DB0C5-A4DB-0C5A-4DB0-C5A4DB0C5A4D",
                "5a4db0c5a4db0c5a4db0c5a4db0c5a4", "5a4db0c5a4db0c5a4db0c5a4db0c5a4d0", "5a4db0c5a4db0c5a4db0c5a4db0c5a4g",
                "5a4db0c5-a4db-0c5a-4db0-c5a4db0c5a4", "5a4db0c5-a4db-0c5a-4db0-c5a4db0c5a4d0", "5a4db0c5a-4db-0c5a-4db0-c5a4db0c5a4d",
                "5a4db0c5-a4db0c5a4db0c5a4db0c5a4d", "5a4db0c5-a4db0c5a4db0c5a4db0c5a4d000", " 5a4db0c5a4db0c5a4db0c5a4db0c5a4", "-", NULL,
        };
        sd_id128_t id, app = SD_ID128_MAKE(01, 23, 45, 67, 89, ab, cd, ef, fe, dc, ba, 98, 76, 54, 32, 10);
        char plain[SD_ID128_STRING_MAX], uuid[SD_ID128_UUID_STRING_MAX], *volatile nowhere = NULL;

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                memset(&id, 0, sizeof(id));
                printf("from_string %s = ", texts[i] ?: "NULL");
                print_id(sd_id128_from_string(texts[i], &id), id);
                printf("equal %s = %d\n", texts[i] ?: "NULL", sd_id128_string_equal(texts[i], id));
        }
        INT(sd_id128_from_string(texts[1], NULL));
        INT(sd_id128_from_string(texts[0], NULL));
        INT(sd_id128_string_equal(texts[1], app));
        printf("to_string %s %s\n", sd_id128_to_string(app, plain), sd_id128_to_uuid_string(app, uuid));
        printf("to NULL %d %d\n", !sd_id128_to_string(app, nowhere), !sd_id128_to_uuid_string(app, nowhere));
        printf("machine ");
        print_id(sd_id128_get_machine(&id), id);
        printf("machine, for an application ");
        print_id(sd_id128_get_machine_app_specific(app, &id), id);
        printf("boot ");
        print_id(sd_id128_get_boot(&id), id);
        printf("boot, for an application ");
        print_id(sd_id128_get_boot_app_specific(app, &id), id);
        printf("invocation ");
        print_id(sd_id128_get_invocation(&id), id);
        INT(sd_id128_get_machine(NULL));
        INT(sd_id128_get_boot(NULL));
        INT(sd_id128_get_invocation(NULL));
        INT(sd_id128_randomize(NULL));
        INT(sd_id128_get_machine_app_specific(app, NULL));
        printf("randomize %d", sd_id128_randomize(&id));
        printf(" %d %d\n", id.bytes[6] >> 4, id.bytes[8] >> 6);
}

/* $LISTEN_PID and $WATCHDOG_PID can't be known before the program runs: OWN stands for its number. */
static void own_pid(const char *name) {
        char pid[16];

        if (getenv(name) && strcmp(getenv(name), "OWN") == 0) {
                snprintf(pid, sizeof(pid), "%d", (int) getpid());
                setenv(name, pid, 1);
        }
}

static void environment(void) {
        static const char *const names[] = {
                "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID", "NOTIFY_SOCKET",
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                printf("%s%s ", getenv(names[i]) ? "" : "no ", names[i]);
        putchar('\n');
}

static void listen_(void) {
        own_pid("LISTEN_PID");
        dup2(1, 3);
        dup2(1, 4);
        INT(sd_listen_fds(0));
        printf("FD_CLOEXEC %d %d\n", fcntl(3, F_GETFD), fcntl(4, F_GETFD));
        LIST(sd_listen_fds_with_names(0, &to));
        INT(sd_listen_fds_with_names(0, NULL));
        INT(sd_listen_fds(1));
        environment();
}

static void watchdog(void) {
        own_pid("WATCHDOG_PID");
        NUMBER(uint64_t, sd_watchdog_enabled(0, &to));
        INT(sd_watchdog_enabled(0, NULL));
        INT(sd_watchdog_enabled(1, NULL));
        environment();
}

/* A socket that is bound, and perhaps listens. */
static int bound(int type, const void *address, socklen_t length, int listens) {
        int fd = socket(((const struct sockaddr *) address)->sa_family, type, 0);

        if (length && bind(fd, address, length) < 0)
                perror("bind");
        if (listens && listen(fd, 1) < 0)
                perror("listen");
        return fd;
}

static void is_files(void) {
        int fifo, file, null, zero, directory, closed = 99, sock = socket(AF_UNIX, SOCK_STREAM, 0);
        int fds[9], n = 0;
        struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
        mqd_t queue = mq_open("/sd_probe", O_CREAT | O_RDWR, 0600, &attr);
        static const char *const paths[] = {
                NULL, "/tmp/probe.fifo", "/tmp/probe.file", "/dev/null", "/dev/zero", "/tmp/none", "/tmp/probe.file/none", "/sd_probe", "sd_probe", "/", "",
        };

        mkfifo("/tmp/probe.fifo", 0600);
        fifo = open("/tmp/probe.fifo", O_RDWR);
        file = open("/tmp/probe.file", O_CREAT | O_RDWR, 0600);
        null = open("/dev/null", O_RDWR);
        zero = open("/dev/zero", O_RDWR);
        directory = open("/tmp", O_RDONLY);
        fds[n++] = fifo, fds[n++] = file, fds[n++] = null, fds[n++] = zero, fds[n++] = directory, fds[n++] = sock;
        fds[n++] = queue, fds[n++] = closed, fds[n++] = -1;
        for (int i = 0; i < n; i++)
                for (size_t j = 0; j < sizeof(paths) / sizeof(*paths); j++)
                        printf("%d %s: fifo %d special %d mq %d\n", i, paths[j] ?: "NULL", sd_is_fifo(fds[i], paths[j]),
                               sd_is_special(fds[i], paths[j]), sd_is_mq(fds[i], paths[j]));
        mq_unlink("/sd_probe");
}

static void is_sockets(void) {
        static const int families[] = { 0, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, -1, 70000 };
        static const int types[] = { 0, SOCK_STREAM, SOCK_DGRAM, -1 };
        struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(4711), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in four_any = four, four_other = four, four_wild = four;
        struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(4712), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        struct sockaddr_in6 six_any = six, six_scope = six, six_flow = six, six_other = six;
        struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "/tmp/probe.socket" };
        struct sockaddr_un hidden = { .sun_family = AF_UNIX, .sun_path = "\0probe" };
        struct sockaddr_un unnamed = { .sun_family = AF_UNIX };
        /* All of its path is used, so that a 0 comes after it only by this. */
        struct { struct sockaddr_un name; char end; } full = { .name.sun_family = AF_UNIX };
        const struct { const void *address; unsigned length; const char *name; } addresses[] = {
                { &four, sizeof(four), "four" }, { &four_any, sizeof(four), "four_any" }, { &four_other, sizeof(four), "four_other" },
                { &four_wild, sizeof(four), "four_wild" }, { &four, sizeof(four) - 1, "short" }, { &four, 1, "shorter" }, { &four, 0, "none" },
                { &four, sizeof(six), "long" }, { NULL, 0, "NULL" }, { NULL, 8, "NULL 8" }, { &six, sizeof(six), "six" },
                { &six_any, sizeof(six), "six_any" }, { &six_scope, sizeof(six), "six_scope" }, { &six_flow, sizeof(six), "six_flow" },
                { &six_other, sizeof(six), "six_other" }, { &six, sizeof(six) - 1, "six short" }, { &path, sizeof(path), "path" },
        };
        const struct { const char *path; size_t length; const char *name; } paths[] = {
                { NULL, 0, "NULL" }, { NULL, 3, "NULL 3" }, { "", 0, "unnamed" }, { "/tmp/probe.socket", 0, "path" },
                { "/tmp/probe.socket", 17, "path 17" }, { "/tmp/probe.socket", 9, "prefix" }, { "/tmp/probe.socket\0x", 19, "longer" },
                { "\0probe", 6, "hidden" }, { "\0prob", 5, "hidden prefix" }, { "\0probe\0", 7, "hidden longer" }, { full.name.sun_path, 108, "full" }, { "/tmp/other", 0, "other" },
        };
        int fds[11], n = 0;

        memset(full.name.sun_path, 'x', sizeof(full.name.sun_path));
        memcpy(full.name.sun_path, "/tmp/", 5);
        full.name.sun_path[9] = '/';
        mkdir("/tmp/xxxx", 0700);
        unlink(full.name.sun_path);
        four_any.sin_port = 0;
        four_other.sin_port = htons(4713);
        four_wild.sin_addr.s_addr = 0;
        six_any.sin6_port = 0;
        six_scope.sin6_scope_id = 7;
        six_flow.sin6_flowinfo = htonl(7);
        six_other.sin6_addr.s6_addr[0] = 0xfd;
        unlink(path.sun_path);
        fds[n++] = bound(SOCK_STREAM, &four, sizeof(four), 1);
        fds[n++] = bound(SOCK_DGRAM, &four, sizeof(four), 0);
        fds[n++] = bound(SOCK_STREAM, &six, sizeof(six), 1);
        fds[n++] = bound(SOCK_STREAM, &path, sizeof(sa_family_t) + strlen(path.sun_path) + 1, 1);
        fds[n++] = bound(SOCK_DGRAM, &hidden, sizeof(sa_family_t) + 6, 0);
        fds[n++] = bound(SOCK_STREAM, &unnamed, 0, 0);
        fds[n++] = bound(SOCK_STREAM, &full.name, sizeof(full.name), 0);
        fds[n++] = socket(AF_NETLINK, SOCK_RAW, 0);
        fds[n++] = open("/dev/null", O_RDWR);
        fds[n++] = 99;
        fds[n++] = -1;
        for (int i = 0; i < n; i++) {
                for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++)
                        for (int l = -1; l <= 1; l++) {
                                for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
                                        printf("%d family %d type %d listening %d: %d", i, families[f], types[t], l,
                                               sd_is_socket(fds[i], families[f], types[t], l));
                                        for (unsigned port = 0; port <= 4712; port += port ? 1 : 4711)
                                                printf(" %d", sd_is_socket_inet(fds[i], families[f], types[t], l, port));
                                        putchar('\n');
                                }
                                for (size_t a = 0; a < sizeof(addresses) / sizeof(*addresses); a++)
                                        printf("%d address %s type %d listening %d: %d\n", i, addresses[a].name, types[t], l,
                                               sd_is_socket_sockaddr(fds[i], types[t], addresses[a].address, addresses[a].length, l));
                                for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++)
                                        printf("%d path %s type %d listening %d: %d\n", i, paths[p].name, types[t], l,
                                               sd_is_socket_unix(fds[i], types[t], l, paths[p].path, paths[p].length));
                        }
        }
}

static void notify(void) {
        int fds[2] = { 1, 2 }, closed[1] = { 99 }, negative[1] = { -1 };

        INT(sd_notify(0, "READY=1"));
        INT(sd_notify(0, ""));
        INT(sd_notify(0, NULL));
        INT(sd_notifyf(0, "STATUS=%d of %s", 7, "eight"));
        INT(sd_pid_notify(0, 0, "A=1"));
        INT(sd_pid_notify(getpid(), 0, "A=2"));
        INT(sd_pid_notify(1, 0, "A=3"));
        INT(sd_pid_notifyf(1, 0, "A=%s", "4"));
        INT(sd_pid_notify_with_fds(0, 0, "FDSTORE=1", fds, 2));
        INT(sd_pid_notify_with_fds(0, 0, "FDSTORE=1", fds, 0));
        INT(sd_pid_notify_with_fds(0, 0, "FDSTORE=1", NULL, 0));
        INT(sd_pid_notify_with_fds(0, 0, "FDSTORE=1", NULL, 1));
        INT(sd_pid_notify_with_fds(0, 0, "FDSTORE=1", closed, 1));
        INT(sd_pid_notify_with_fds(0, 0, "FDSTORE=1", negative, 1));
        INT(sd_notify_barrier(0, UINT64_MAX));
        INT(sd_notify(1, "LAST=1"));
        environment();
        INT(sd_notify(0, "GONE=1"));
        INT(sd_notify(0, NULL));
        INT(sd_notify_barrier(0, UINT64_MAX));
        INT(sd_booted());
}

/* To a manager that does not listen. */
static void barrier(void) {
        INT(sd_notify_barrier(0, 0));
        INT(sd_notify_barrier(0, 1000));
        INT(sd_notify_barrier(1, 1));
        environment();
        INT(sd_notify_barrier(0, 0));
}

static void process(pid_t pid, int peer) {
        TEXT(sd_pid_get_session(pid, &to));
        TEXT(sd_pid_get_unit(pid, &to));
        TEXT(sd_pid_get_user_unit(pid, &to));
        TEXT(sd_pid_get_slice(pid, &to));
        TEXT(sd_pid_get_user_slice(pid, &to));
        TEXT(sd_pid_get_machine_name(pid, &to));
        TEXT(sd_pid_get_cgroup(pid, &to));
        NUMBER(uid_t, sd_pid_get_owner_uid(pid, &to));
        TEXT(sd_peer_get_session(peer, &to));
        TEXT(sd_peer_get_unit(peer, &to));
        TEXT(sd_peer_get_user_unit(peer, &to));
        TEXT(sd_peer_get_slice(peer, &to));
        TEXT(sd_peer_get_user_slice(peer, &to));
        TEXT(sd_peer_get_machine_name(peer, &to));
        TEXT(sd_peer_get_cgroup(peer, &to));
        NUMBER(uid_t, sd_peer_get_owner_uid(peer, &to));
}

/* Of itself, of PIDs that are given, and of what is none. */
static void processes(char **pids) {
        int pair[2], udp = socket(AF_INET, SOCK_DGRAM, 0);

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        process(0, pair[0]);
        process(-1, -1);
        process(1 << 30, 99);
        process(getpid(), udp);
        process(1, 0);
        for (; *pids; pids++)
                process(atoi(*pids), pair[1]);
        INT(sd_pid_get_session(0, NULL));
        INT(sd_pid_get_cgroup(0, NULL));
        INT(sd_pid_get_owner_uid(0, NULL));
        INT(sd_pid_get_machine_name(0, NULL));
        INT(sd_peer_get_unit(pair[0], NULL));
}

static void sessions(void) {
        static const char *const names[] = { "1", "c2", "3", "none", "", "a b", "a/b", ".", "\xff", NULL };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const char *name = names[i];

                printf("session %s\n", name ?: "NULL");
                INT(sd_session_is_active(name));
                INT(sd_session_is_remote(name));
                TEXT(sd_session_get_state(name, &to));
                NUMBER(uid_t, sd_session_get_uid(name, &to));
                TEXT(sd_session_get_seat(name, &to));
                TEXT(sd_session_get_service(name, &to));
                TEXT(sd_session_get_type(name, &to));
                TEXT(sd_session_get_class(name, &to));
                TEXT(sd_session_get_desktop(name, &to));
                TEXT(sd_session_get_display(name, &to));
                TEXT(sd_session_get_remote_host(name, &to));
                TEXT(sd_session_get_remote_user(name, &to));
                TEXT(sd_session_get_tty(name, &to));
                NUMBER(unsigned, sd_session_get_vt(name, &to));
                INT(sd_session_get_state(name, NULL));
                INT(sd_session_get_uid(name, NULL));
                INT(sd_session_get_vt(name, NULL));
        }
}

static void seats(void) {
        static const char *const names[] = { "seat0", "seat1", "none", "", ".", "..", "a/b", "-", NULL };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const char *name = names[i];
                uid_t uid = (uid_t) -3, *uids = UNSET;
                unsigned n = 77;
                int r;

                printf("seat %s\n", name ?: "NULL");
                TEXT(sd_seat_get_active(name, &to, NULL));
                NUMBER(uid_t, sd_seat_get_active(name, NULL, &to));
                TEXT(sd_seat_get_active(name, &to, &uid));
                printf("uid %u\n", uid);
                INT(sd_seat_get_active(name, NULL, NULL));
                LIST(sd_seat_get_sessions(name, &to, NULL, NULL));
                r = sd_seat_get_sessions(name, NULL, &uids, &n);
                printf("uids = %d %s %u", r, error(r), n);
                print_numbers(uids, (int) n);
                INT(sd_seat_get_sessions(name, NULL, NULL, NULL));
                INT(sd_seat_can_tty(name));
                INT(sd_seat_can_graphical(name));
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
                INT(sd_seat_can_multi_session(name));
        }
}

static void users(void) {
        static const uid_t uids[] = { 0, 1000, 1001, 1002, 4242, 65535, (uid_t) -1 };

        for (size_t i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
                uid_t uid = uids[i];

                printf("user %u\n", uid);
                TEXT(sd_uid_get_state(uid, &to));
                TEXT(sd_uid_get_display(uid, &to));
                INT(sd_uid_get_state(uid, NULL));
                INT(sd_uid_get_display(uid, NULL));
                for (int active = -1; active <= 2; active++) {
                        LIST(sd_uid_get_sessions(uid, active, &to));
                        LIST(sd_uid_get_seats(uid, active, &to));
                        INT(sd_uid_get_sessions(uid, active, NULL));
                        INT(sd_uid_is_on_seat(uid, active, "seat0"));
                        INT(sd_uid_is_on_seat(uid, active, "seat1"));
                        INT(sd_uid_is_on_seat(uid, active, "none"));
                        INT(sd_uid_is_on_seat(uid, active, "a/b"));
                        INT(sd_uid_is_on_seat(uid, active, NULL));
                }
        }
}

static void machines(void) {
        static const char *const names[] = {
                "web", "vm", "bare", "odd", "null", ".host", "none", "", "a/b", "unit:machine-web.scope", "-a", "web.", "a b", "x-", NULL,
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const char *name = names[i];
                int *list = UNSET, r;

                printf("machine %s\n", name ?: "NULL");
                if (name) {
                        TEXT(sd_machine_get_class(name, &to));
                        INT(sd_machine_get_class(name, NULL));
                }
                r = sd_machine_get_ifindices(name, &list);
                printf("ifindices = %d %s", r, error(r));
                print_numbers((unsigned *) list, r);
                if (r != 0)
                        INT(sd_machine_get_ifindices(name, NULL));
        }
}

static void lists(void) {
        uid_t *uids = UNSET;
        int r;

        LIST(sd_get_seats(&to));
        LIST(sd_get_sessions(&to));
        LIST(sd_get_machine_names(&to));
        INT(sd_get_seats(NULL));
        INT(sd_get_sessions(NULL));
        INT(sd_get_machine_names(NULL));
        r = sd_get_uids(&uids);
        printf("sd_get_uids = %d %s", r, error(r));
        print_numbers(uids, r);
        INT(sd_get_uids(NULL));
}

static int is_readable(sd_login_monitor *m) {
        struct pollfd fd = { .fd = sd_login_monitor_get_fd(m), .events = sd_login_monitor_get_events(m) };

        return poll(&fd, 1, 0);
}

static void monitors(void) {
        static const char *const categories[] = { "seat", "session", "uid", "machine", "", "seats", "x", NULL };

        for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++) {
                sd_login_monitor *m = NULL;
                uint64_t timeout = 7;
                int r = sd_login_monitor_new(categories[i], &m);

                printf("monitor %s = %d %s\n", categories[i] ?: "NULL", r, error(r));
                if (r < 0)
                        continue;
                INT(sd_login_monitor_get_events(m));
                INT(sd_login_monitor_get_timeout(m, &timeout) + (timeout == UINT64_MAX));
                INT(sd_login_monitor_get_timeout(m, NULL));
                INT(fcntl(sd_login_monitor_get_fd(m), F_GETFD));
                INT(!!(fcntl(sd_login_monitor_get_fd(m), F_GETFL) & O_NONBLOCK));
                INT(is_readable(m));
                close(open("/run/systemd/sessions/.new", O_CREAT | O_WRONLY, 0600));
                INT(is_readable(m));
                rename("/run/systemd/sessions/.new", "/run/systemd/sessions/9");
                INT(is_readable(m));
                INT(sd_login_monitor_flush(m));
                INT(is_readable(m));
                unlink("/run/systemd/sessions/9");
                INT(is_readable(m));
                INT(sd_login_monitor_flush(m));
                INT(sd_login_monitor_unref(m) == NULL);
        }
        INT(sd_login_monitor_new("seat", NULL));
        INT(sd_login_monitor_get_fd(NULL));
        INT(sd_login_monitor_get_events(NULL));
        INT(sd_login_monitor_flush(NULL));
        INT(sd_login_monitor_unref(NULL) == NULL);
}

/* Where the original ends the program. */
static void misuse(void) {
        TEXT(sd_machine_get_class(NULL, &to));
        INT(sd_machine_get_ifindices("bare", NULL));
}

int main(int argc, char **argv) {
        const char *group = argc > 1 ? argv[1] : "";

        setvbuf(stdout, NULL, _IOLBF, 0);
        if (strcmp(group, "id128") == 0)
                id128();
        else if (strcmp(group, "listen") == 0)
                listen_();
        else if (strcmp(group, "watchdog") == 0)
                watchdog();
        else if (strcmp(group, "notify") == 0)
                notify();
        else if (strcmp(group, "barrier") == 0)
                barrier();
        else if (strcmp(group, "is") == 0)
                is_files(), is_sockets();
        else if (strcmp(group, "processes") == 0)
                processes(argv + 2);
        else if (strcmp(group, "login") == 0)
                lists(), sessions(), seats(), users(), machines(), monitors();
        else if (strcmp(group, "misuse") == 0)
                misuse();
        else
                return 2;
        return 0;
}
