/* Ways to a server: addresses, programs, TCP, sockets that come late, machines. To be run on two libraries, and compared.
 *   transport_probe GROUP [ARGUMENT...] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)

static uint64_t now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* Asks the bus for its id. */
static int ask(sd_bus *bus) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *id = NULL;
        int r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", &e, &reply, NULL);

        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &id);
        if (r >= 0 && strlen(id) != 32)
                r = -EBADMSG;
        sd_bus_message_unref(reply);
        sd_bus_error_free(&e);
        return r;
}

static sd_bus *to(const char *address) {
        sd_bus *bus = NULL;

        if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, 1) < 0)
                abort();
        return bus;
}

/* Starts, and asks. What differs is when a server that is not there is noticed: at the start or after it. */
static void try(const char *address) {
        sd_bus *bus = to(address);

        if (strncmp(address, "tcp:", 4) == 0)
                sd_bus_set_anonymous(bus, 1);
        int r = sd_bus_start(bus);

        printf("%s: %s\n", address, r >= 0 && ask(bus) >= 0 ? "answered" : "failed");
        sd_bus_close_unref(bus);
}

static void addresses(int argc, char **argv) {
        for (int i = 0; i < argc; i++)
                try(argv[i]);
}

/* The errno of the start alone. */
static void starts(int argc, char **argv) {
        for (int i = 0; i < argc; i++) {
                sd_bus *bus = to(argv[i]);
                int r = sd_bus_start(bus);

                printf("%s: %d %s\n", argv[i], r < 0 ? r : 0, error(r));
                sd_bus_close_unref(bus);
        }
}

/* Bytes from here to a socket and back, without descriptors. */
static void relay(int argc, char **argv) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), copied = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;

        if (copied >= 0)
                dprintf(copied, "begun\n");
        snprintf(name.sun_path, sizeof(name.sun_path), "%s", argv[0]);
        if (connect(s, (struct sockaddr *) &name, sizeof(name)) < 0)
                exit(1);
        struct pollfd both[2] = { { 0, POLLIN, 0 }, { s, POLLIN, 0 } };
        while (poll(both, 2, -1) > 0)
                for (int i = 0; i < 2; i++)
                        if (both[i].revents) {
                                char bytes[4096];
                                ssize_t n = read(both[i].fd, bytes, sizeof(bytes));

                                if (n <= 0 || write(i ? 1 : s, bytes, (size_t) n) != n) {
                                        if (copied >= 0)
                                                dprintf(copied, "ended\n");
                                        exit(0);
                                }
                        }
}

/* A program of our own that speaks for a bus: PROGRAM BUS LOG. */
static void exec(int argc, char **argv) {
        char *arguments[] = { (char *) "name", (char *) "relay", argv[1], argv[2], NULL };
        sd_bus *bus = NULL;
        siginfo_t info = { 0 };

        (void) argc;
        INT(sd_bus_new(&bus));
        INT(sd_bus_set_exec(bus, argv[0], arguments));
        INT(sd_bus_set_bus_client(bus, 1));
        INT(sd_bus_start(bus) < 0);
        INT(sd_bus_get_fd(bus) >= 0);
        INT(ask(bus));
        INT(ask(bus));
        sd_bus_close_unref(bus);
        /* It has ended, and nobody else has to wait for it. */
        INT(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ? -errno : (int) info.si_pid);

        /* Its end is the end of the connection. */
        INT(sd_bus_new(&bus));
        INT(sd_bus_set_exec(bus, "/bin/true", (char *[]) { (char *) "true", NULL }));
        int r = sd_bus_start(bus);
        for (uint64_t until = now() + 30000000; r >= 0 && now() < until;) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        sd_bus_wait(bus, 100000);
        }
        printf("ended %d\n", r < 0);
        sd_bus_close_unref(bus);

        /* One that is waited for. */
        INT(sd_bus_new(&bus));
        INT(sd_bus_set_exec(bus, "/bin/sh", (char *[]) { (char *) "sh", (char *) "-c", (char *) "sleep 0.2; exit 0", NULL }));
        INT(sd_bus_start(bus) < 0);
        sd_bus_close_unref(bus);
        INT(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ? -errno : (int) info.si_pid);
}

/* A program that does not end when it is asked to. */
static void stubborn(int argc, char **argv) {
        sd_bus *bus = NULL;
        siginfo_t info = { 0 };
        char *arguments[] = { (char *) "sh", (char *) "-c", (char *) "trap '' TERM; >/tmp/deaf; exec sleep 60", NULL };
        uint64_t begun = now();

        (void) argc;
        (void) argv;
        unlink("/tmp/deaf");
        sd_bus_new(&bus);
        sd_bus_set_exec(bus, "/bin/sh", arguments);
        int r = sd_bus_start(bus);
        /* It has begun, and hears no more of SIGTERM. */
        while (r >= 0 && access("/tmp/deaf", F_OK) < 0)
                usleep(1000);
        sd_bus_close_unref(bus);
        int left = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ? 0 : 1;
        printf("begun %d, gone before it would end %d, children %d\n", r >= 0, now() - begun < 60000000, left);
}

static void drive(sd_bus *bus) {
        for (int n = 0; n < 10; n++)
                if (sd_bus_process(bus, NULL) < 0)
                        return;
}

static void look(const char *when, sd_bus *bus) {
        uint64_t until = 0;
        int events = sd_bus_get_events(bus), r = sd_bus_get_timeout(bus, &until);

        printf("%s: open %d ready %d descriptor %d events %d timeout %d%s\n", when, sd_bus_is_open(bus), sd_bus_is_ready(bus), sd_bus_get_fd(bus) >= 0,
               events, r, until == UINT64_MAX ? " never" : "");
}

static int listener(const char *path) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
        if (s < 0 || bind(s, (struct sockaddr *) &name, sizeof(name)) < 0)
                abort();
        return s;
}

/* Waits by the bus's descriptor alone, as an event loop does. */
static int poll_once(sd_bus *bus, int ms) {
        struct pollfd one = { sd_bus_get_fd(bus), (short) sd_bus_get_events(bus), 0 };

        return poll(&one, 1, ms);
}

/* Whether a server that begins to listen is found: one that waits for connections and for nothing else. */
static void found(const char *when, sd_bus *bus, int server) {
        struct pollfd one = { server, POLLIN, 0 };
        int woken = poll_once(bus, 30000);

        drive(bus);
        printf("%s: woken %d, connected %d\n", when, woken, poll(&one, 1, 0));
        look(when, bus);
}

/* The socket's folder is there, but the socket comes later. */
static void watch(int argc, char **argv) {
        char path[256], *folder = argc > 0 ? argv[0] : (char *) "/tmp/late", address[512], other[256];
        sd_bus *bus = NULL;
        int server;

        for (int kind = 0; kind < 5; kind++) {
                char clean[512];

                snprintf(clean, sizeof(clean), "rm -rf %s; mkdir -p %s", folder, folder);
                if (system(clean) != 0)
                        return;
                snprintf(path, sizeof(path), "%s/a/b/bus", folder);
                snprintf(other, sizeof(other), "%s/elsewhere", folder);
                snprintf(address, sizeof(address), "unix:path=%s", path);
                printf("kind %d\n", kind);
                INT(sd_bus_new(&bus));
                INT(sd_bus_set_address(bus, address) < 0);
                INT(sd_bus_set_watch_bind(bus, kind > 0));
                INT(sd_bus_start(bus));
                if (kind == 0) {
                        sd_bus_unref(bus);
                        continue;
                }
                look("nothing", bus);
                INT(sd_bus_process(bus, NULL));
                INT(poll_once(bus, 0));
                if (kind == 1) {
                        /* One folder after the other. */
                        snprintf(clean, sizeof(clean), "%s/a", folder);
                        INT(mkdir(clean, 0700));
                        INT(poll_once(bus, 30000));
                        drive(bus);
                        look("one folder", bus);
                        snprintf(clean, sizeof(clean), "%s/a/b", folder);
                        INT(mkdir(clean, 0700));
                        INT(poll_once(bus, 30000));
                        drive(bus);
                        look("both folders", bus);
                } else if (kind == 2) {
                        /* All at once, by renaming. */
                        snprintf(clean, sizeof(clean), "mkdir -p %s/x/b && mv %s/x %s/a", folder, folder, folder);
                        INT(system(clean));
                        drive(bus);
                        look("renamed", bus);
                } else if (kind == 3) {
                        /* By a link. */
                        snprintf(clean, sizeof(clean), "mkdir -p %s/elsewhere/b && ln -s elsewhere %s/a", folder, folder);
                        INT(system(clean));
                        drive(bus);
                        look("linked", bus);
                } else {
                        /* It is there, but nobody listens: as a socket of a service that has ended. */
                        snprintf(clean, sizeof(clean), "mkdir -p %s/a/b", folder);
                        INT(system(clean));
                        drive(bus);
                        close(listener(path));
                        drive(bus);
                        look("dead socket", bus);
                        INT(unlink(path));
                        drive(bus);
                        look("no socket", bus);
                }
                server = listener(path);
                INT(listen(server, 1));
                /* Who looks between bind(2) and listen(2) finds a socket that refuses: a change of its mode tells that it is ready. */
                INT(chmod(path, 0600));
                found("listening", bus, server);
                sd_bus_close(bus);
                INT(sd_bus_get_fd(bus));
                sd_bus_unref(bus);
                close(server);
        }
}

/* A line of shell that runs, a moment later. */
static pid_t started(const char *line) {
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                usleep(100000);
                execl("/bin/sh", "sh", "-c", line, NULL);
                _exit(1);
        }
        return pid;
}

/* Started before its bus: PROGRAM that starts the bus. */
static void late(int argc, char **argv) {
        sd_bus *bus = to(argv[0]);
        pid_t pid;

        (void) argc;
        INT(sd_bus_set_watch_bind(bus, 1));
        INT(sd_bus_start(bus) < 0);
        pid = started(argv[1]);
        INT(ask(bus));
        sd_bus_close_unref(bus);
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
}

static int on_connected(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        (void) e;
        printf("told: %s\n", sd_bus_message_get_member(m));
        puts(ask(sd_bus_message_get_bus(m)) < 0 ? "failed" : "answered");
        sd_event_exit(userdata, 0);
        return 0;
}

/* The same in a loop of events: ADDRESS, and a line that starts the bus. */
static void attached(int argc, char **argv) {
        sd_event *event = NULL;
        sd_bus *bus = to(argv[0]);
        pid_t pid;

        (void) argc;
        INT(sd_event_new(&event));
        if (strncmp(argv[0], "tcp:", 4) == 0)
                INT(sd_bus_set_anonymous(bus, 1));
        INT(sd_bus_set_watch_bind(bus, 1));
        INT(sd_bus_set_connected_signal(bus, 1));
        INT(sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus.Local", NULL, "org.freedesktop.DBus.Local", "Connected", on_connected, NULL,
                                      event));
        INT(sd_bus_attach_event(bus, event, 0));
        INT(sd_bus_start(bus) < 0);
        pid = started(argv[1]);
        INT(sd_event_loop(event));
        sd_bus_close_unref(bus);
        sd_event_unref(event);
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
}

static void opened(const char *what, int r, sd_bus *bus) {
        const char *address = NULL, *scope = NULL, *description = NULL;

        printf("%s: %d %s\n", what, r, error(r));
        if (r < 0)
                return;
        sd_bus_get_address(bus, &address);
        sd_bus_get_scope(bus, &scope);
        sd_bus_get_description(bus, &description);
        printf("  %s, scope %s, description %s, trusted %d, client %d\n", address ?: "null", scope ?: "null", description ?: "null",
               sd_bus_is_trusted(bus), sd_bus_is_bus_client(bus));
        puts(ask(bus) < 0 ? "  failed" : "  answered");
        sd_bus_close_unref(bus);
}

static void remote(int argc, char **argv) {
        for (int i = 0; i < argc; i++) {
                sd_bus *bus = NULL;
                int r = sd_bus_open_system_remote(&bus, argv[i]);

                opened(argv[i], r, bus);
        }
}

static void machine(int argc, char **argv) {
        for (int i = 0; i < argc; i++) {
                sd_bus *bus = NULL;
                int r = sd_bus_open_system_machine(&bus, argv[i]);

                opened(argv[i], r, bus);
        }
}

static void user_machine(int argc, char **argv) {
        for (int i = 0; i < argc; i++) {
                sd_bus *bus = NULL;
                int r = sd_bus_open_user_machine(&bus, argv[i]);

                opened(argv[i], r, bus);
        }
}

static volatile sig_atomic_t told;

static void on_signal(int number) {
        (void) number;
        told++;
}

struct work {
        const char *machine;
        int answered;
        pthread_t thread;
};

static void *work(void *userdata) {
        struct work *work = userdata;

        for (int i = 0; i < 20; i++) {
                sd_bus *bus = NULL;
                /* Memory is asked for and given back all the time: a copy of this process finds the locks of that taken. */
                void *some = malloc(100000 + (size_t) i);

                if (sd_bus_open_system_machine(&bus, work->machine) >= 0)
                        work->answered += ask(bus) >= 0;
                sd_bus_close_unref(bus);
                free(some);
        }
        return NULL;
}

/* From several threads at once, in a program that hears of its children and waits for all of them. */
static void threads(int argc, char **argv) {
        struct work all[4] = { 0 };
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        int sum = 0, children = 0;

        (void) argc;
        sigaction(SIGCHLD, &action, NULL);
        for (int i = 0; i < 200; i++)
                if (open("/dev/null", O_RDONLY) < 0)
                        break;
        for (int i = 0; i < 4; i++) {
                all[i].machine = argv[0];
                pthread_create(&all[i].thread, NULL, work, &all[i]);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(all[i].thread, NULL);
                sum += all[i].answered;
        }
        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
                children++;
        printf("%d of %d answered, %d children, %d told\n", sum, 4 * 20, children, (int) told);
}

static void nothing(int argc, char **argv) {
        sd_bus *bus = NULL;

        (void) argc;
        (void) argv;
        INT(sd_bus_open_system_remote(NULL, "host"));
        INT(sd_bus_open_system_remote(&bus, NULL));
        INT(sd_bus_open_system_machine(NULL, "web"));
        INT(sd_bus_open_system_machine(&bus, NULL));
        INT(sd_bus_open_user_machine(NULL, "web"));
        INT(sd_bus_open_user_machine(&bus, NULL));
}

int main(int argc, char **argv) {
        static const struct { const char *name; void (*run)(int argc, char **argv); } groups[] = {
                { "addresses", addresses }, { "starts", starts }, { "relay", relay }, { "exec", exec }, { "stubborn", stubborn }, { "watch", watch }, { "late", late },
                { "attached", attached },
                { "remote", remote }, { "machine", machine }, { "user-machine", user_machine }, { "nothing", nothing },
                { "threads", threads },
        };

        setvbuf(stdout, NULL, _IOLBF, 0);
        for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
                if (argc > 1 && strcmp(argv[1], groups[i].name) == 0) {
                        groups[i].run(argc - 2, argv + 2);
                        return 0;
                }
        return 2;
}
