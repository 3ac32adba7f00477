/* Asks sd-bus who somebody is, and prints what each function answers: to be run on two libraries, and compared.
 *   creds_probe GROUP */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>

/* Of 256; the other library knows bits up to 33. */
#define ALL (SD_BUS_CREDS_PIDFD - 1)
#define AUGMENT SD_BUS_CREDS_AUGMENT

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)

/* Numbers of processes differ between two runs: those that are known are printed by name. */
static struct { pid_t pid; const char *name; } known[8];
static int n_known;

static void know(pid_t pid, const char *name) {
        known[n_known].pid = pid;
        known[n_known++].name = name;
}

static const char *shown(pid_t pid) {
        for (int i = n_known - 1; i >= 0; i--)
                if (known[i].pid == pid)
                        return known[i].name;
        return pid == 0 ? "0" : pid < 0 ? "negative" : "another";
}

/* So do names that the bus gives. */
static const char *peers, *own_name;

static const char *named(const char *name) {
        return !name ? "null" : peers && strcmp(name, peers) == 0 ? ":peer" : own_name && strcmp(name, own_name) == 0 ? ":own" : name;
}

static void print_creds(sd_bus_creds *c) {
        const struct { const char *name; int (*get)(sd_bus_creds *c, pid_t *to); } pids[] = {
                { "pid", sd_bus_creds_get_pid }, { "ppid", sd_bus_creds_get_ppid }, { "tid", sd_bus_creds_get_tid },
        };
        const struct { const char *name; int (*get)(sd_bus_creds *c, uid_t *to); } ids[] = {
                { "uid", sd_bus_creds_get_uid }, { "euid", sd_bus_creds_get_euid }, { "suid", sd_bus_creds_get_suid },
                { "fsuid", sd_bus_creds_get_fsuid }, { "gid", sd_bus_creds_get_gid }, { "egid", sd_bus_creds_get_egid },
                { "sgid", sd_bus_creds_get_sgid }, { "fsgid", sd_bus_creds_get_fsgid },
                { "owner_uid", sd_bus_creds_get_owner_uid }, { "audit_session_id", sd_bus_creds_get_audit_session_id },
                { "audit_login_uid", sd_bus_creds_get_audit_login_uid },
        };
        const struct { const char *name; int (*get)(sd_bus_creds *c, const char **to); } texts[] = {
                { "comm", sd_bus_creds_get_comm }, { "tid_comm", sd_bus_creds_get_tid_comm }, { "exe", sd_bus_creds_get_exe },
                { "cgroup", sd_bus_creds_get_cgroup }, { "unit", sd_bus_creds_get_unit }, { "slice", sd_bus_creds_get_slice },
                { "user_unit", sd_bus_creds_get_user_unit }, { "user_slice", sd_bus_creds_get_user_slice },
                { "session", sd_bus_creds_get_session }, { "selinux", sd_bus_creds_get_selinux_context },
                { "tty", sd_bus_creds_get_tty }, { "unique", sd_bus_creds_get_unique_name },
                { "description", sd_bus_creds_get_description },
        };
        const struct { const char *name; int (*get)(sd_bus_creds *c, char ***to); } lists[] = {
                { "cmdline", sd_bus_creds_get_cmdline }, { "names", sd_bus_creds_get_well_known_names },
        };
        const struct { const char *name; int (*has)(sd_bus_creds *c, int capability); } caps[] = {
                { "effective", sd_bus_creds_has_effective_cap }, { "permitted", sd_bus_creds_has_permitted_cap },
                { "inheritable", sd_bus_creds_has_inheritable_cap }, { "bounding", sd_bus_creds_has_bounding_cap },
        };
        const gid_t *groups = NULL;
        int r;

        printf(" mask %" PRIx64 " augmented %" PRIx64 "\n", sd_bus_creds_get_mask(c), sd_bus_creds_get_augmented_mask(c));
        for (size_t i = 0; i < sizeof(pids) / sizeof(*pids); i++) {
                pid_t pid = -2;

                r = pids[i].get(c, &pid);
                printf(" %s = %d %s: %s\n", pids[i].name, r, error(r), shown(pid));
        }
        for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
                uid_t id = 77;

                r = ids[i].get(c, &id);
                printf(" %s = %d %s: %u\n", ids[i].name, r, error(r), id);
        }
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                const char *text = "unset", *again = "unset";

                r = texts[i].get(c, &text);
                texts[i].get(c, &again);
                printf(" %s = %d %s: %s%s\n", texts[i].name, r, error(r), named(text), text == again ? "" : ", then another");
        }
        for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
                char **list = NULL;

                r = lists[i].get(c, &list);
                printf(" %s = %d %s:", lists[i].name, r, error(r));
                for (char **one = list; one && *one; one++)
                        printf(" '%s'", *one);
                printf("\n");
        }
        for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++) {
                printf(" %s:", caps[i].name);
                for (int cap = -2; cap < 70; cap++) {
                        r = caps[i].has(c, cap);
                        if (r == 0 || r == 1)
                                printf("%d", r);
                        else
                                printf(" %s", error(r));
                }
                printf("\n");
        }
        r = sd_bus_creds_get_supplementary_gids(c, &groups);
        printf(" groups = %d %s:", r, error(r));
        for (int i = 0; i < r; i++)
                printf(" %u", groups[i]);
        printf("\n");
}

static void of_pid(const char *what, pid_t pid, uint64_t mask) {
        sd_bus_creds *c = NULL;
        int r = sd_bus_creds_new_from_pid(&c, pid, mask);

        printf("%s %" PRIx64 " = %d %s\n", what, mask, r, error(r));
        if (r >= 0)
                print_creds(c);
        sd_bus_creds_unref(c);
}

static void of_pid_by_bits(const char *what, pid_t pid) {
        for (int bit = 0; bit < 34; bit++)
                of_pid(what, pid, UINT64_C(1) << bit);
        of_pid(what, pid, ALL);
        of_pid(what, pid, 0);
}

static void nulls(void) {
        sd_bus_creds *c = NULL;
        sd_bus_creds_unref(NULL);

        printf("%d %d\n", sd_bus_creds_ref(NULL) == NULL, sd_bus_creds_unref(NULL) == NULL);
        printf("%" PRIx64 " %" PRIx64 "\n", sd_bus_creds_get_mask(NULL), sd_bus_creds_get_augmented_mask(NULL));
        print_creds(NULL);
        INT(sd_bus_creds_new_from_pid(NULL, 0, ALL));
        INT(sd_bus_creds_new_from_pid(&c, -1, ALL));
        INT(sd_bus_creds_new_from_pid(&c, 0, ALL | UINT64_C(1) << 40));
        INT(sd_bus_creds_new_from_pid(&c, 0, ALL | AUGMENT));
        INT(sd_bus_creds_new_from_pid(&c, 0x3fffffff, ALL));
        INT(sd_bus_creds_new_from_pid(&c, 0x3fffffff, 0));
        INT(sd_bus_creds_new_from_pid(&c, 0x3fffffff, SD_BUS_CREDS_EXE));
        INT(sd_bus_creds_new_from_pid(&c, 0x3fffffff, SD_BUS_CREDS_PID));
        INT(c == NULL);
        INT(sd_bus_creds_new_from_pid(&c, 0, ALL));
        INT(sd_bus_creds_get_pid(c, NULL));
        INT(sd_bus_creds_get_ppid(c, NULL));
        INT(sd_bus_creds_get_tid(c, NULL));
        INT(sd_bus_creds_get_uid(c, NULL));
        INT(sd_bus_creds_get_euid(c, NULL));
        INT(sd_bus_creds_get_suid(c, NULL));
        INT(sd_bus_creds_get_fsuid(c, NULL));
        INT(sd_bus_creds_get_gid(c, NULL));
        INT(sd_bus_creds_get_egid(c, NULL));
        INT(sd_bus_creds_get_sgid(c, NULL));
        INT(sd_bus_creds_get_fsgid(c, NULL));
        INT(sd_bus_creds_get_supplementary_gids(c, NULL));
        INT(sd_bus_creds_get_comm(c, NULL));
        INT(sd_bus_creds_get_tid_comm(c, NULL));
        INT(sd_bus_creds_get_exe(c, NULL));
        INT(sd_bus_creds_get_cgroup(c, NULL));
        INT(sd_bus_creds_get_unit(c, NULL));
        INT(sd_bus_creds_get_slice(c, NULL));
        INT(sd_bus_creds_get_user_unit(c, NULL));
        INT(sd_bus_creds_get_user_slice(c, NULL));
        INT(sd_bus_creds_get_session(c, NULL));
        INT(sd_bus_creds_get_owner_uid(c, NULL));
        INT(sd_bus_creds_get_audit_session_id(c, NULL));
        INT(sd_bus_creds_get_audit_login_uid(c, NULL));
        INT(sd_bus_creds_get_tty(c, NULL));
        INT(sd_bus_creds_get_unique_name(c, NULL));
        INT(sd_bus_creds_get_well_known_names(c, NULL));
        INT(sd_bus_creds_get_description(c, NULL));
        INT(sd_bus_creds_ref(c) == c);
        INT(sd_bus_creds_unref(c) == NULL);
        INT(sd_bus_creds_unref(c) == NULL);
}

/* Where the other library does not look whether there is a place, and ends the program. */
static void misuse(void) {
        sd_bus_creds *c = NULL;

        INT(sd_bus_creds_new_from_pid(&c, 0, ALL));
        INT(sd_bus_creds_get_cmdline(c, NULL));
        INT(sd_bus_creds_get_selinux_context(c, NULL));
        sd_bus_creds_unref(c);
}

/* A process that waits until it is killed, after it has set itself up. */
static pid_t child(void (*set_up)(void)) {
        int pipes[2];
        char ready;
        pid_t pid;

        if (pipe(pipes) < 0)
                exit(1);
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(pipes[0]);
                set_up();
                if (write(pipes[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        close(pipes[1]);
        if (read(pipes[0], &ready, 1) != 1)
                printf("a child did not start\n");
        close(pipes[0]);
        return pid;
}

static void end(pid_t pid) {
        if (pid <= 0)
                return;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static void with_ids(void) {
        const gid_t groups[] = { 44, 45, 46 };

        prctl(PR_SET_NAME, "a (b) c");
        if (setgroups(3, groups) < 0 || setresgid(101, 102, 103) < 0 || setresuid(201, 202, 203) < 0)
                _exit(1);
}

/* Of the users that each system has, since the bus looks them up. */
static void as_daemon(void) {
        const gid_t groups[] = { 44, 2 };

        prctl(PR_SET_NAME, "a (b) c");
        if (setgroups(2, groups) < 0 || setresgid(3, 1, 2) < 0 || setresuid(3, 1, 2) < 0)
                _exit(1);
}

static void as_somebody(void) {
        if (setgroups(0, NULL) < 0 || setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0)
                _exit(1);
}

static void processes(void) {
        pid_t pid;

        know(getppid(), "parent");
        know(getpid(), "self");
        of_pid_by_bits("self", 0);
        of_pid("self by number", getpid(), ALL);
        of_pid("init", 1, ALL);
        pid = child(with_ids);
        know(pid, "child");
        of_pid_by_bits("child", pid);
        if (pid <= 0)
                return;
        kill(pid, SIGKILL);
        siginfo_t info;
        waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
        of_pid_by_bits("zombie", pid);
        waitpid(pid, NULL, 0);
        of_pid_by_bits("gone", pid);
}

static void *thread(void *tid) {
        prctl(PR_SET_NAME, "thread");
        *(pid_t *) tid = gettid();
        for (;;)
                pause();
        return NULL;
}

/* The number of a thread is not one of a process. */
static void threads(void) {
        volatile pid_t tid = 0;
        pthread_t t;

        know(getppid(), "parent");
        know(getpid(), "self");
        pthread_create(&t, NULL, thread, (void *) &tid);
        while (!tid)
                usleep(1000);
        know(tid, "thread");
        of_pid("thread", tid, ALL);
}

#define OF_CGROUP (SD_BUS_CREDS_CGROUP | SD_BUS_CREDS_UNIT | SD_BUS_CREDS_SLICE | SD_BUS_CREDS_USER_UNIT | \
                   SD_BUS_CREDS_USER_SLICE | SD_BUS_CREDS_SESSION | SD_BUS_CREDS_OWNER_UID)

/* As another user, who may not see all of a process of root's. */
static void strange(uint64_t mask) {
        pid_t pid = child(with_ids), own;

        fflush(stdout);
        own = fork();
        if (own == 0) {
                know(1, "init");
                know(pid, "child");
                know(getpid(), "self");
                know(getppid(), "parent");
                as_somebody();
                for (int bit = 0; bit < 34; bit++)
                        if (mask & UINT64_C(1) << bit) {
                                of_pid("init", 1, UINT64_C(1) << bit);
                                of_pid("child", pid, UINT64_C(1) << bit);
                                of_pid("self", 0, UINT64_C(1) << bit);
                        }
                of_pid("init", 1, mask);
                of_pid("child", pid, mask);
                of_pid("self", 0, mask);
                of_pid("gone", 0x3fffffff, mask);
                fflush(stdout);
                _exit(0);
        }
        waitpid(own, NULL, 0);
        end(pid);
}

static void stranger(void) {
        strange(ALL);
}

/* The other library fails where it may not see the cgroup of PID 1. */
static void hidden(void) {
        strange(ALL & ~OF_CGROUP);
}

static void self(void) {
        know(getppid(), "parent");
        know(getpid(), "self");
        of_pid_by_bits("self", 0);
}

/* The program's own file is taken away. */
static void removed(void) {
        char exe[64];
        ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

        exe[length < 0 ? 0 : length] = 0;
        INT(unlink(exe));
        of_pid("self", 0, SD_BUS_CREDS_EXE);
}

static void print_name(sd_bus *bus, const char *name, uint64_t mask) {
        sd_bus_creds *c = NULL;
        int r = sd_bus_get_name_creds(bus, name, mask, &c);

        printf("%s %" PRIx64 " = %d %s\n", named(name), mask, r, error(r));
        if (r >= 0 && c)
                print_creds(c);
        sd_bus_creds_unref(c);
}

static void print_owner(sd_bus *bus, uint64_t mask) {
        sd_bus_creds *c = NULL;
        int r = sd_bus_get_owner_creds(bus, mask, &c);

        printf("owner %" PRIx64 " = %d %s\n", mask, r, error(r));
        if (r >= 0 && c)
                print_creds(c);
        sd_bus_creds_unref(c);
}

static sd_bus *open_bus(void) {
        sd_bus *bus = NULL;
        int r = sd_bus_open_system(&bus);

        if (r < 0) {
                printf("open = %d %s\n", r, error(r));
                exit(1);
        }
        return bus;
}

/* A call that may give an object to `c`. */
#define GIVEN(call) do { sd_bus_creds *c = NULL; INT(call); sd_bus_creds_unref(c); } while (0)

static void wrong(sd_bus *bus) {
        sd_id128_t id;
        uint64_t mask = 77;

        INT(sd_bus_get_owner_creds(bus, 0, NULL));
        GIVEN(sd_bus_get_owner_creds(bus, 0, &c));
        GIVEN(sd_bus_get_owner_creds(bus, UINT64_C(1) << 40, &c));
        GIVEN(sd_bus_get_owner_creds(bus, SD_BUS_CREDS_PID, &c));
        GIVEN(sd_bus_get_name_creds(bus, NULL, 0, &c));
        INT(sd_bus_get_name_creds(bus, "org.freedesktop.DBus", 0, NULL));
        GIVEN(sd_bus_get_name_creds(bus, "org.freedesktop.DBus", 0, &c));
        INT(sd_bus_get_name_creds(bus, "org.freedesktop.DBus", 1, NULL));
        GIVEN(sd_bus_get_name_creds(bus, "org.freedesktop.DBus", UINT64_C(1) << 40, &c));
        GIVEN(sd_bus_get_name_creds(bus, "x", 0, &c));
        GIVEN(sd_bus_get_name_creds(bus, "", 0, &c));
        GIVEN(sd_bus_get_name_creds(bus, "org.freedesktop.DBus.Local", 0, &c));
        GIVEN(sd_bus_get_name_creds(bus, "org.example.Nobody", 0, &c));
        GIVEN(sd_bus_get_name_creds(bus, "org.example.Nobody", 1, &c));
        GIVEN(sd_bus_get_name_creds(bus, ":1.999", 0, &c));
        GIVEN(sd_bus_get_name_creds(bus, ":1.999", 1, &c));
        GIVEN(sd_bus_get_name_creds(bus, ":1.999", SD_BUS_CREDS_EUID, &c));
        GIVEN(sd_bus_get_name_creds(bus, ":1.999", SD_BUS_CREDS_SELINUX_CONTEXT, &c));
        GIVEN(sd_bus_get_name_creds(bus, ":1.999", ALL, &c));
        GIVEN(sd_bus_get_name_creds(bus, ":1.999", SD_BUS_CREDS_UNIQUE_NAME, &c));
        INT(sd_bus_get_creds_mask(bus, NULL));
        INT(sd_bus_get_creds_mask(bus, &mask));
        printf("mask %" PRIx64 "\n", mask);
        INT(sd_bus_negotiate_creds(bus, 1, UINT64_C(1) << 40));
        INT(sd_bus_negotiate_creds(bus, 1, AUGMENT));
        INT(sd_bus_negotiate_creds(bus, 1, SD_BUS_CREDS_PID));
        INT(sd_bus_negotiate_creds(bus, 1, SD_BUS_CREDS_EUID));
        INT(sd_bus_negotiate_creds(bus, 1, SD_BUS_CREDS_EUID));
        INT(sd_bus_get_creds_mask(bus, &mask));
        printf("mask %" PRIx64 "\n", mask);
        INT(sd_bus_negotiate_creds(bus, 0, SD_BUS_CREDS_EUID | SD_BUS_CREDS_UNIQUE_NAME | SD_BUS_CREDS_WELL_KNOWN_NAMES));
        INT(sd_bus_get_creds_mask(bus, &mask));
        printf("mask %" PRIx64 "\n", mask);
        INT(sd_bus_negotiate_timestamp(bus, 1));
        INT(sd_bus_negotiate_timestamp(bus, 1));
        INT(sd_bus_negotiate_timestamp(bus, 0));
        INT(sd_bus_get_name_machine_id(bus, NULL, &id));
        INT(sd_bus_get_name_machine_id(bus, "", &id));
        INT(sd_bus_get_name_machine_id(bus, "x", &id));
        INT(sd_bus_get_name_machine_id(bus, "org.freedesktop.DBus.Local", &id));
        INT(sd_bus_get_name_machine_id(bus, "org.freedesktop.DBus", NULL));
        INT(sd_bus_get_name_machine_id(bus, "org.example.Nobody", &id));
        INT(sd_bus_get_name_machine_id(bus, ":1.999", &id));
}

/* A connection to nobody: a pair of sockets, the other end silent. */
static sd_bus *to_nobody(int pair[2]) {
        sd_bus *bus = NULL;

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        sd_bus_new(&bus);
        sd_bus_set_fd(bus, pair[0], pair[0]);
        return bus;
}

static void states(void) {
        sd_bus_message *m = NULL;
        sd_bus *bus = NULL;
        int pair[2], other[2];

        printf("null\n");
        wrong(NULL);
        printf("the thread's own, which is not there\n");
        wrong(SD_BUS_DEFAULT_SYSTEM);
        printf("not begun\n");
        sd_bus_new(&bus);
        wrong(bus);
        sd_bus_unref(bus);
        printf("no client, begun\n");
        bus = to_nobody(pair);
        know(getpid(), "self");
        INT(sd_bus_start(bus));
        wrong(bus);
        for (int bit = 0; bit < 34; bit++)
                print_owner(bus, UINT64_C(1) << bit);
        print_owner(bus, SD_BUS_CREDS_EUID | SD_BUS_CREDS_SUPPLEMENTARY_GIDS | SD_BUS_CREDS_DESCRIPTION);
        INT(sd_bus_message_new_method_call(bus, &m, "a.b", "/", "c.d", "E"));
        INT(sd_bus_message_get_creds(m) == NULL);
        INT(sd_bus_message_get_creds(NULL) == NULL);
        GIVEN(sd_bus_query_sender_creds(NULL, 0, &c));
        GIVEN(sd_bus_query_sender_creds(m, 0, &c));
        INT(sd_bus_query_sender_privilege(NULL, -1));
        INT(sd_bus_query_sender_privilege(m, -1));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_query_sender_creds(m, 0, NULL));
        GIVEN(sd_bus_query_sender_creds(m, UINT64_C(1) << 40, &c));
        GIVEN(sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &c));
        INT(sd_bus_query_sender_privilege(m, -1));
        INT(sd_bus_query_sender_privilege(m, -2));
        INT(sd_bus_query_sender_privilege(m, 0));
        INT(sd_bus_query_sender_privilege(m, 21));
        INT(sd_bus_query_sender_privilege(m, 1000));
        printf("over\n");
        sd_bus_close(bus);
        wrong(bus);
        GIVEN(sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &c));
        INT(sd_bus_query_sender_privilege(m, -1));
        sd_bus_message_unref(m);
        sd_bus_unref(bus);
        close(pair[1]);
        printf("a pipe\n");
        if (pipe(pair) < 0 || pipe(other) < 0)
                exit(1);
        sd_bus_new(&bus);
        sd_bus_set_fd(bus, pair[0], other[1]);
        INT(sd_bus_start(bus));
        print_owner(bus, ALL);
        sd_bus_close_unref(bus);
        close(pair[1]);
        close(other[0]);
}

/* A sleeping peer on the bus, as another user, with a name and a line of arguments of its own. */
static pid_t peer(char *unique, void (*set_up)(void)) {
        int pipes[2];
        pid_t pid;

        if (pipe(pipes) < 0)
                exit(1);
        pid = fork();
        if (pid == 0) {
                const char *name = NULL;
                sd_bus *bus;

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(pipes[0]);
                set_up();
                bus = open_bus();
                if (sd_bus_request_name(bus, "org.example.Peer", 0) < 0 || sd_bus_get_unique_name(bus, &name) < 0)
                        _exit(1);
                if (write(pipes[1], name, strlen(name) + 1) < 0)
                        _exit(1);
                for (;;)
                        if (sd_bus_process(bus, NULL) == 0)
                                sd_bus_wait(bus, UINT64_MAX);
        }
        close(pipes[1]);
        memset(unique, 0, 64);
        if (read(pipes[0], unique, 63) <= 0)
                printf("a peer did not start\n");
        close(pipes[0]);
        peers = unique;
        return pid;
}

/* The other library does not ask the bus for groups, nor for the number of a process if only one of these is wanted. */
#define UNASKED (SD_BUS_CREDS_SUPPLEMENTARY_GIDS | SD_BUS_CREDS_PPID | SD_BUS_CREDS_USER_SLICE | SD_BUS_CREDS_TTY)

/* Who is on the bus: each field asked for alone and all at once, with and without what /proc says. */
static void names(void) {
        static const char *const all[] = { "org.freedesktop.DBus", "org.example.Peer", NULL };
        char unique[64], text[SD_ID128_STRING_MAX];
        pid_t pid = peer(unique, as_daemon);
        const char *own = NULL;
        sd_bus *bus = open_bus();
        sd_id128_t id = SD_ID128_NULL;

        know(getppid(), "parent");
        know(getpid(), "self");
        know(pid, "peer");
        if (sd_bus_get_unique_name(bus, &own) < 0)
                return;
        own_name = own;
        wrong(bus);
        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
                const char *name = all[i] ?: unique;

                for (int bit = 0; bit < 34; bit++)
                        if (i == 0 || (SD_BUS_CREDS_SUPPLEMENTARY_GIDS & UINT64_C(1) << bit) == 0)
                                print_name(bus, name, UINT64_C(1) << bit);
                for (int bit = 0; bit < 34; bit++)
                        if (i == 0 || (UNASKED & UINT64_C(1) << bit) == 0)
                                print_name(bus, name, UINT64_C(1) << bit | AUGMENT);
                print_name(bus, name, i == 0 ? ALL : ALL & ~SD_BUS_CREDS_SUPPLEMENTARY_GIDS);
                print_name(bus, name, 0);
                print_name(bus, name, AUGMENT);
                /* The bus's own are the daemon's, which was started by each run anew. */
                print_name(bus, name, i == 0 ? AUGMENT | SD_BUS_CREDS_COMM : (ALL & ~SD_BUS_CREDS_SUPPLEMENTARY_GIDS) | AUGMENT);
                INT(sd_bus_get_name_machine_id(bus, name, &id));
                printf("%s\n", sd_id128_to_string(id, text));
        }
        print_name(bus, own, (ALL & ~SD_BUS_CREDS_SUPPLEMENTARY_GIDS) | AUGMENT);
        INT(sd_bus_get_name_machine_id(bus, own, &id));
        printf("%s\n", sd_id128_to_string(id, text));
        for (int bit = 0; bit < 34; bit++)
                print_owner(bus, UINT64_C(1) << bit);
        print_owner(bus, ALL);
        print_owner(bus, AUGMENT | SD_BUS_CREDS_EUID | SD_BUS_CREDS_UID | SD_BUS_CREDS_COMM);
        end(pid);
        /* The bus hears of that a moment later. */
        for (int i = 0; i < 1000 && sd_bus_get_name_creds(bus, unique, 0, NULL) >= 0; i++)
                usleep(10000);
        print_name(bus, unique, 0);
        print_name(bus, unique, ALL | AUGMENT);
        print_name(bus, unique, SD_BUS_CREDS_EUID);
        print_name(bus, "org.example.Peer", SD_BUS_CREDS_EUID);
        sd_bus_close_unref(bus);
}

/* Whether the other end of a connection may, by the users of both: real, effective, saved. */
static void privileges(void) {
        static const uid_t users[][3] = { { 0, 0, 0 }, { 0, 1, 2 }, { 1, 0, 2 }, { 1, 2, 0 }, { 1, 1, 1 }, { 1, 2, 3 }, { 2, 1, 3 } };
        static const int capabilities[] = { -1, 0, 21, 40, 1000 };

        for (size_t theirs = 0; theirs < sizeof(users) / sizeof(*users); theirs++)
                for (size_t own = 0; own < sizeof(users) / sizeof(*users); own++) {
                        fflush(stdout);
                        if (fork() == 0) {
                                int pair[2];
                                sd_bus_message *m = NULL;
                                sd_bus *bus = NULL;

                                /* The kernel notes who the peer is when the pair is made. */
                                if (setresuid(-1, users[theirs][1], 0) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
                                        _exit(1);
                                if (setresuid(-1, 0, -1) < 0 || setresuid(users[own][0], users[own][1], users[own][2]) < 0)
                                        _exit(1);
                                sd_bus_new(&bus);
                                sd_bus_set_fd(bus, pair[0], pair[0]);
                                sd_bus_start(bus);
                                sd_bus_message_new_method_call(bus, &m, "a.b", "/", "c.d", "E");
                                sd_bus_message_seal(m, 1, 0);
                                printf("%u, asked by %u %u %u:", users[theirs][1], users[own][0], users[own][1], users[own][2]);
                                for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
                                        printf(" %d", sd_bus_query_sender_privilege(m, capabilities[i]));
                                printf("\n");
                                fflush(stdout);
                                _exit(0);
                        }
                        wait(NULL);
                }
}

static void print_sender(const char *what, sd_bus_message *m) {
        static const uint64_t masks[] = {
                0, SD_BUS_CREDS_UNIQUE_NAME, SD_BUS_CREDS_EUID, SD_BUS_CREDS_PID | SD_BUS_CREDS_EUID | SD_BUS_CREDS_UNIQUE_NAME,
                SD_BUS_CREDS_WELL_KNOWN_NAMES, AUGMENT | SD_BUS_CREDS_COMM | SD_BUS_CREDS_EFFECTIVE_CAPS,
        };
        sd_bus_creds *own = sd_bus_message_get_creds(m);

        printf("%s: %s\n", what, own ? "" : "no creds");
        if (own)
                print_creds(own);
        printf("the same again: %d\n", sd_bus_message_get_creds(m) == own);
        for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
                sd_bus_creds *c = NULL;
                int r = sd_bus_query_sender_creds(m, masks[i], &c);

                printf("query %" PRIx64 " = %d %s%s\n", masks[i], r, error(r), r >= 0 && own && c == own ? ", the message's" : "");
                if (r >= 0 && c)
                        print_creds(c);
                sd_bus_creds_unref(c);
        }
        printf("privileges: %d %d %d\n", sd_bus_query_sender_privilege(m, -1), sd_bus_query_sender_privilege(m, 0),
               sd_bus_query_sender_privilege(m, 21));
}

static int heard(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) ret_error;
        print_sender(userdata, m);
        return 1;
}

static int silent(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) m;
        (void) userdata;
        (void) ret_error;
        return 1;
}

/* Messages of a peer, of the bus, of nobody, and after the end. */
static void messages(void) {
        char unique[64];
        pid_t pid = peer(unique, as_daemon);
        sd_bus *bus = open_bus();
        sd_bus_message *m = NULL, *answer = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;

        know(getpid(), "self");
        know(pid, "peer");
        INT(sd_bus_call_method(bus, unique, "/", "org.freedesktop.DBus.Peer", "Ping", &e, &answer, NULL));
        print_sender("an answer", answer);
        sd_bus_message_ref(answer);
        sd_bus_creds *kept = sd_bus_creds_ref(sd_bus_message_get_creds(answer));
        sd_bus_message_unref(answer);
        sd_bus_creds_unref(kept);
        end(pid);
        for (int i = 0; i < 1000 && sd_bus_get_name_creds(bus, unique, 0, NULL) >= 0; i++)
                usleep(10000);
        print_sender("an answer of who is gone", answer);
        sd_bus_message_unref(answer);
        INT(sd_bus_call_method(bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", &e, &answer, NULL));
        print_sender("an answer of the bus", answer);
        sd_bus_message_unref(answer);
        INT(sd_bus_message_new_method_call(bus, &m, "org.freedesktop.DBus", "/", "a.b", "C"));
        INT(sd_bus_message_set_sender(m, ":1.7"));
        INT(sd_bus_message_seal(m, 1, 0));
        print_sender("one of our own", m);
        sd_bus_message_unref(m);
        INT(sd_bus_add_match(bus, NULL, "sender='org.freedesktop.DBus.Local'", heard, "the end") >= 0);
        INT(sd_bus_add_filter(bus, NULL, silent, NULL));
        sd_bus_close_unref(bus);
        /* An answer that does not come, and a peer that hangs up. */
        int pair[2];
        bus = to_nobody(pair);
        INT(sd_bus_set_address(bus, "unix:path=/x"));
        INT(sd_bus_start(bus));
        static const char accepts[] = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n";
        if (write(pair[1], accepts, strlen(accepts)) < 0)
                return;
        while (sd_bus_process(bus, NULL) > 0)
                ;
        INT(sd_bus_add_match(bus, NULL, "sender='org.freedesktop.DBus.Local'", heard, "the end") >= 0);
        m = NULL;
        INT(sd_bus_message_new_method_call(bus, &m, "a.b", "/", "c.d", "E"));
        INT(sd_bus_call_async(bus, NULL, m, heard, "a time-out", 1000));
        sd_bus_message_unref(m);
        usleep(10000);
        while (sd_bus_process(bus, NULL) > 0)
                ;
        close(pair[1]);
        for (int i = 0; i < 10 && sd_bus_process(bus, NULL) >= 0; i++)
                ;
        sd_bus_close_unref(bus);
}

static int method(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        return sd_bus_reply_method_return(m, NULL);
}

static int get(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *m, void *userdata,
               sd_bus_error *ret_error) {
        (void) bus; (void) path; (void) interface; (void) property; (void) userdata; (void) ret_error;
        return sd_bus_message_append(m, "u", 7);
}

static int set(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *m, void *userdata,
               sd_bus_error *ret_error) {
        uint32_t value;

        (void) bus; (void) path; (void) interface; (void) property; (void) userdata; (void) ret_error;
        return sd_bus_message_read(m, "u", &value);
}

static const sd_bus_vtable guarded[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("All", NULL, NULL, method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Some", NULL, NULL, method, 0),
        SD_BUS_METHOD("Able", NULL, NULL, method, SD_BUS_VTABLE_CAPABILITY(0)),
        SD_BUS_WRITABLE_PROPERTY("A", "u", get, set, 0, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_WRITABLE_PROPERTY("S", "u", get, set, 0, 0),
        SD_BUS_VTABLE_END
};
static const sd_bus_vtable able[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_CAPABILITY(12)),
        SD_BUS_METHOD("Some", NULL, NULL, method, 0),
        SD_BUS_VTABLE_END
};

/* A service that some may use: who it is, and whether it trusts all, against who calls. */
static void access_checks(void) {
        static const struct { const char *interface, *member; } calls[] = {
                { "org.example.Guarded", "All" }, { "org.example.Guarded", "Some" }, { "org.example.Guarded", "Able" },
                { "org.example.Able", "Some" }, { "org.example.Guarded", "None" },
        };
        static const uid_t users[] = { 0, 1, 65534 };

        for (int trusts = 0; trusts < 2; trusts++)
                for (size_t server = 0; server < 2; server++)
                        for (size_t client = 0; client < sizeof(users) / sizeof(*users); client++) {
                                int pipes[2];
                                char unique[64] = "";
                                pid_t pid;

                                if (pipe(pipes) < 0)
                                        exit(1);
                                fflush(stdout);
                                pid = fork();
                                if (pid == 0) {
                                        sd_bus *bus = NULL;
                                        const char *name;

                                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                                        if (setresuid(users[server], users[server], users[server]) < 0)
                                                _exit(1);
                                        sd_bus_new(&bus);
                                        sd_bus_set_address(bus, getenv("DBUS_SYSTEM_BUS_ADDRESS"));
                                        sd_bus_set_bus_client(bus, 1);
                                        sd_bus_set_trusted(bus, trusts);
                                        sd_bus_add_object_vtable(bus, NULL, "/a", "org.example.Guarded", guarded, NULL);
                                        sd_bus_add_object_vtable(bus, NULL, "/a", "org.example.Able", able, NULL);
                                        if (sd_bus_start(bus) < 0 || sd_bus_get_unique_name(bus, &name) < 0)
                                                _exit(1);
                                        if (write(pipes[1], name, strlen(name)) < 0)
                                                _exit(1);
                                        for (;;)
                                                if (sd_bus_process(bus, NULL) == 0)
                                                        sd_bus_wait(bus, UINT64_MAX);
                                }
                                if (read(pipes[0], unique, sizeof(unique) - 1) <= 0)
                                        printf("a server did not start\n");
                                close(pipes[0]);
                                close(pipes[1]);
                                fflush(stdout);
                                if (fork() == 0) {
                                        sd_bus *bus;
                                        sd_bus_error e = SD_BUS_ERROR_NULL;

                                        if (setresuid(users[client], users[client], users[client]) < 0)
                                                _exit(1);
                                        bus = open_bus();
                                        printf("trusts %d, %u called by %u\n", trusts, users[server], users[client]);
                                        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                                                int r = sd_bus_call_method(bus, unique, "/a", calls[i].interface, calls[i].member,
                                                                           &e, NULL, NULL);

                                                printf(" %s.%s = %d %s: %s, %s\n", calls[i].interface, calls[i].member, r, error(r),
                                                       e.name ?: "null", e.message ?: "null");
                                                sd_bus_error_free(&e);
                                        }
                                        for (const char *name = "AS"; *name; name++) {
                                                char property[] = { *name, 0 };
                                                int r = sd_bus_set_property(bus, unique, "/a", "org.example.Guarded", property, &e,
                                                                            "u", 7);

                                                printf(" set %s = %d %s: %s, %s\n", property, r, error(r), e.name ?: "null",
                                                       e.message ?: "null");
                                                sd_bus_error_free(&e);
                                        }
                                        fflush(stdout);
                                        _exit(0);
                                }
                                wait(NULL);
                                end(pid);
                        }
}

/* What the other library does not ask for. */
static void unasked(void) {
        char unique[64];
        pid_t pid = peer(unique, as_daemon);
        sd_bus *bus = open_bus();

        know(getpid(), "self");
        know(pid, "peer");
        for (int bit = 0; bit < 34; bit++)
                if (UNASKED & UINT64_C(1) << bit) {
                        sd_bus_creds *c = NULL;

                        INT(sd_bus_get_name_creds(bus, unique, UINT64_C(1) << bit | AUGMENT, &c));
                        printf("bit %d: mask %" PRIx64 " augmented %" PRIx64 "\n", bit, sd_bus_creds_get_mask(c),
                               sd_bus_creds_get_augmented_mask(c));
                        sd_bus_creds_unref(c);
                }
        sd_bus_close_unref(bus);
        end(pid);
}

static void open_terminal(void) {
        int terminal = posix_openpt(O_RDWR | O_NOCTTY);

        /* The first terminal that a session opens becomes its own. */
        if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0 || setsid() < 0 || open(ptsname(terminal), O_RDWR) < 0)
                _exit(1);
}

static void terminals(void) {
        pid_t pid = child(open_terminal);

        know(getpid(), "self");
        know(pid, "child");
        of_pid("child", pid, SD_BUS_CREDS_TTY);
        end(pid);
}

/* A process with a number of our choice. */
static pid_t numbered(pid_t number, const char *name) {
        struct {
                uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
        } arguments = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t) &number, .set_tid_size = 1 };
        long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

        if (pid == 0) {
                prctl(PR_SET_NAME, name);
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        pause();
        }
        /* As valgrind has it. */
        if (pid < 0)
                printf("clone3: %s\n", strerrorname_np(errno));
        return pid;
}

/* Of 256; a program that is bound to them does not start with the other library. */
static int (*new_from_pidfd)(sd_bus_creds **ret, int pidfd, uint64_t mask);
static int (*get_pidfd_dup)(sd_bus_creds *c, int *ret);

static void print_pidfd(int pidfd, uint64_t mask) {
        sd_bus_creds *c = NULL;
        int copy = -1, r;
        pid_t pid = -1;

        r = new_from_pidfd(&c, pidfd, mask);
        printf("of a pidfd %" PRIx64 " = %d %s\n", mask, r, error(r));
        if (r < 0)
                return;
        sd_bus_creds_get_pid(c, &pid);
        printf(" mask %" PRIx64 " augmented %" PRIx64 " pid %s\n", sd_bus_creds_get_mask(c), sd_bus_creds_get_augmented_mask(c),
               shown(pid));
        r = get_pidfd_dup(c, &copy);
        printf(" dup = %d %s, another %d, closed at exec %d\n", r, error(r), copy >= 0 && copy != pidfd,
               copy >= 0 && (fcntl(copy, F_GETFD) & FD_CLOEXEC) != 0);
        if (copy >= 0) {
                printf(" signal by it: %ld\n", syscall(SYS_pidfd_send_signal, copy, 0, NULL, 0));
                close(copy);
        }
        sd_bus_creds_unref(c);
}

/* What 256 has brought. */
static void pidfds(void) {
        pid_t pid = child(as_daemon);
        int pidfd = syscall(SYS_pidfd_open, pid, 0), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        sd_bus_creds *c = NULL;

        *(void **) &new_from_pidfd = dlsym(RTLD_DEFAULT, "sd_bus_creds_new_from_pidfd");
        *(void **) &get_pidfd_dup = dlsym(RTLD_DEFAULT, "sd_bus_creds_get_pidfd_dup");
        if (!new_from_pidfd || !get_pidfd_dup || pid <= 0)
                return;
        know(getpid(), "self");
        know(pid, "child");
        print_pidfd(pidfd, 0);
        print_pidfd(pidfd, SD_BUS_CREDS_PIDFD);
        print_pidfd(pidfd, SD_BUS_CREDS_PIDFD | SD_BUS_CREDS_COMM);
        print_pidfd(pidfd, AUGMENT);
        print_pidfd(pidfd, SD_BUS_CREDS_PIDFD << 1);
        print_pidfd(null, 0);
        print_pidfd(-1, 0);
        print_pidfd(9999, 0);
        INT(new_from_pidfd(NULL, pidfd, 0));
        INT(get_pidfd_dup(NULL, &null));
        INT(sd_bus_creds_new_from_pid(&c, pid, SD_BUS_CREDS_PIDFD));
        printf("mask %" PRIx64 "\n", sd_bus_creds_get_mask(c));
        INT(get_pidfd_dup(c, NULL));
        c = sd_bus_creds_unref(c);
        kill(pid, SIGKILL);
        siginfo_t info;
        waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
        print_pidfd(pidfd, SD_BUS_CREDS_COMM);
        waitpid(pid, NULL, 0);
        print_pidfd(pidfd, SD_BUS_CREDS_COMM);
        /* Another process has the number now. */
        pid_t other = numbered(pid, "impostor");
        printf("the same number %d\n", other == pid);
        print_pidfd(pidfd, SD_BUS_CREDS_COMM);
        print_pidfd(pidfd, 0);
        end(other);
        close(pidfd);
        close(null);
}

/* Whoever listened for the connection is gone, and another process has its number. */
static void impostors(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/impostor" };
        sd_bus_creds *c = NULL;
        sd_bus *bus = NULL;
        const char *comm;
        int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), pipes[2], peer_pidfd = -1;
        socklen_t length = sizeof(peer_pidfd);
        char byte;
        pid_t pid;

        unlink(address.sun_path);
        if (bind(listening, (struct sockaddr *) &address, sizeof(address)) < 0 || pipe(pipes) < 0)
                exit(1);
        pid = fork();
        if (pid == 0) {
                if (listen(listening, 5) < 0 || write(pipes[1], "", 1) < 0)
                        _exit(1);
                for (;;)
                        pause();
        }
        if (read(pipes[0], &byte, 1) != 1)
                return;
        know(pid, "listener");
        sd_bus_new(&bus);
        INT(sd_bus_set_address(bus, "unix:path=/tmp/impostor"));
        INT(sd_bus_start(bus));
        if (getsockopt(sd_bus_get_fd(bus), SOL_SOCKET, 77, &peer_pidfd, &length) < 0 && errno == ENOPROTOOPT) {
                printf("no SO_PEERPIDFD\n");
                return;
        }
        close(peer_pidfd);
        INT(sd_bus_get_owner_creds(bus, SD_BUS_CREDS_PID | SD_BUS_CREDS_PIDFD | SD_BUS_CREDS_EUID, &c));
        printf("mask %" PRIx64 " augmented %" PRIx64 "\n", sd_bus_creds_get_mask(c), sd_bus_creds_get_augmented_mask(c));
        c = sd_bus_creds_unref(c);
        INT(sd_bus_get_owner_creds(bus, SD_BUS_CREDS_COMM | SD_BUS_CREDS_PPID | AUGMENT, &c));
        printf("mask %" PRIx64 " augmented %" PRIx64 "\n", sd_bus_creds_get_mask(c), sd_bus_creds_get_augmented_mask(c));
        c = sd_bus_creds_unref(c);
        end(pid);
        INT(sd_bus_get_owner_creds(bus, SD_BUS_CREDS_COMM | AUGMENT, &c));
        printf("the same number %d\n", numbered(pid, "impostor") == pid);
        int r = sd_bus_get_owner_creds(bus, SD_BUS_CREDS_COMM | AUGMENT, &c);
        printf("owner = %d %s", r, error(r));
        printf(": %s\n", r >= 0 && sd_bus_creds_get_comm(c, &comm) >= 0 ? comm : "nobody");
        sd_bus_creds_unref(c);
        end(pid);
        sd_bus_close_unref(bus);
        close(listening);
        unlink(address.sun_path);
}

/* A bus that numbers processes in a namespace of its own. */
static void elsewhere(void) {
        sd_bus *bus = open_bus();
        const char *own = NULL, *comm = "nobody";
        sd_bus_creds *c = NULL;

        if (sd_bus_get_unique_name(bus, &own) < 0)
                return;
        INT(sd_bus_get_name_creds(bus, own, SD_BUS_CREDS_EUID | SD_BUS_CREDS_COMM | AUGMENT, &c));
        sd_bus_creds_get_comm(c, &comm);
        printf("mask %" PRIx64 ": %s\n", sd_bus_creds_get_mask(c) & ~SD_BUS_CREDS_PID, comm);
        sd_bus_creds_unref(c);
        sd_bus_close_unref(bus);
}

static const struct { const char *name; void (*run)(void); } groups_of_tests[] = {
        { "nulls", nulls }, { "misuse", misuse }, { "processes", processes }, { "threads", threads }, { "stranger", stranger }, { "hidden", hidden },
        { "self", self }, { "removed", removed }, { "terminals", terminals }, { "states", states }, { "privileges", privileges }, { "names", names },
        { "unasked", unasked }, { "messages", messages }, { "access", access_checks }, { "pidfds", pidfds },
        { "impostors", impostors }, { "elsewhere", elsewhere },
};

int main(int argc, char **argv) {
        const char *group = argc > 1 ? argv[1] : "";

        setvbuf(stdout, NULL, _IOLBF, 0);
        for (size_t i = 0; i < sizeof(groups_of_tests) / sizeof(*groups_of_tests); i++)
                if (strcmp(group, groups_of_tests[i].name) == 0) {
                        groups_of_tests[i].run();
                        return 0;
                }
        return 2;
}
