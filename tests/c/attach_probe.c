/* Buses in loops of events: prints what happens, a line for each: to be run on two libraries, and compared.
 *   attach_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

/* Functions that are deprecated are called, too. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); fflush(stdout); } while (0)
#define IS(what) printf("%s: %d\n", #what, !!(what))

static void gone(void *userdata) {
        printf("gone: %s\n", (const char *) userdata);
}

static int nothing(sd_event_source *s, void *userdata) {
        (void) s, (void) userdata;
        return 0;
}

/* A loop that tells when it is gone. */
static sd_event *loop(const char *name) {
        sd_event *e = NULL;
        sd_event_source *s = NULL;

        sd_event_new(&e);
        sd_event_add_exit(e, &s, nothing, (void *) name);
        sd_event_source_set_destroy_callback(s, gone);
        sd_event_source_set_floating(s, 1);
        sd_event_source_unref(s);
        return e;
}

/* The other end: it lets in whoever comes, sends signals, and hangs up when its descriptor is closed. */

static size_t field(char *to, size_t at, char code, char type, const char *text) {
        uint32_t length = strlen(text);

        at = (at + 7) & ~7ul;
        to[at] = code;
        memcpy(to + at + 1, "\1", 1);
        to[at + 2] = type;
        to[at + 3] = 0;
        memcpy(to + at + 4, &length, 4);
        memcpy(to + at + 8, text, length + 1);
        return at + 8 + length + 1;
}

/* The bytes of one. */
#define SIGNAL 64

static void send_signal(int fd, const char *member) {
        char m[512] = { 'l', 4, 0, 1 };
        uint32_t serial = 1, length;
        size_t n = 16;

        memcpy(m + 8, &serial, 4);
        n = field(m, n, 1, 'o', "/a");
        n = field(m, n, 2, 's', "a.b");
        n = field(m, n, 3, 's', member);
        length = n - 16;
        memcpy(m + 12, &length, 4);
        if (write(fd, m, (n + 7) & ~7ul) < 0)
                exit(3);
}

/* Speaks the server's part up to BEGIN; what comes behind that is left in `rest`. */
static size_t let_in(int in, int out, char *rest, size_t size) {
        char text[4096];
        size_t n = 0, at = 0;

        for (;;) {
                char *end = memmem(text + at, n - at, "\r\n", 2), *line = text + at;
                const char *answer = "";

                if (!end) {
                        ssize_t r = read(in, text + n, sizeof(text) - n);

                        if (r <= 0)
                                return 0;
                        n += r;
                        continue;
                }
                at = end + 2 - text;
                if (*line == 0)
                        line++;
                if (strncmp(line, "AUTH EXTERNAL\r\n", 15) == 0)
                        answer = "DATA\r\n";
                else if (strncmp(line, "AUTH", 4) == 0 || strncmp(line, "DATA", 4) == 0)
                        answer = "OK 0123456789abcdef0123456789abcdef\r\n";
                else if (strncmp(line, "NEGOTIATE", 9) == 0)
                        answer = "AGREE_UNIX_FD\r\n";
                if (*answer && write(out, answer, strlen(answer)) < 0)
                        return 0;
                if (strncmp(line, "BEGIN", 5) == 0)
                        break;
        }
        n -= at;
        memcpy(rest, text + at, n < size ? n : size);
        return n;
}

/* A process at the other end that sends as many signals, a byte of `stop` for each, and hangs up when it is told to. */
struct peer {
        pid_t pid;
        int in, out, stop;
};

static struct peer peer_of(int pipes) {
        int pair[2], back[2], stop[2];
        struct peer p;

        if (pipe(stop) < 0 || (pipes ? pipe(pair) < 0 || pipe(back) < 0 : socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0))
                exit(3);
        fflush(stdout);
        p.pid = fork();
        if (p.pid == 0) {
                int in = pipes ? back[0] : pair[1], out = pair[1];
                char rest[4096], c;

                close(pair[0]);
                if (pipes)
                        close(back[1]);
                close(stop[1]);
                let_in(in, out, rest, sizeof(rest));
                for (char name[] = "Sa"; read(stop[0], &c, 1) == 1; name[1]++)
                        send_signal(out, name);
                /* What nobody has read would reset the connection. */
                fcntl(in, F_SETFL, O_NONBLOCK);
                while (read(in, rest, sizeof(rest)) > 0)
                        ;
                _exit(0);
        }
        close(pair[1]);
        close(stop[0]);
        p.in = pair[0];
        p.out = pair[0];
        p.stop = stop[1];
        if (pipes) {
                close(back[0]);
                p.out = back[1];
        }
        return p;
}

static void send_signals(struct peer *p, size_t count) {
        int there = 0;

        if (write(p->stop, "xxx", count) < 0)
                exit(3);
        while (ioctl(p->in, FIONREAD, &there) == 0 && (size_t) there < count * SIGNAL)
                usleep(1000);
}

static void hang_up(struct peer *p) {
        if (p->stop >= 0)
                close(p->stop);
        p->stop = -1;
        waitpid(p->pid, NULL, 0);
}

static int times_heard;

static int heard(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *member = sd_bus_message_get_member(m);

        (void) e;
        times_heard++;
        printf("%s: type %c %s\n", (const char *) userdata, "?crse"[sd_bus_message_is_signal(m, NULL, NULL) > 0 ? 3 : 0], member ?: "null");
        fflush(stdout);
        return 0;
}

static int failed(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const sd_bus_error *own = sd_bus_message_get_error(m);

        (void) e;
        printf("%s: %s: %s\n", (const char *) userdata, own ? own->name : "null", own ? own->message : "");
        fflush(stdout);
        return 0;
}

static int take(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        heard(m, userdata, e);
        return 1;
}

static int end_loop(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) usec, (void) userdata;
        printf("the loop goes on\n");
        return sd_event_exit(sd_event_source_get_event(s), 7);
}

/* A loop goes on when its bus is over, unless that has ended it. */
static void run_to_end(sd_event *e, sd_bus *bus) {
        while (sd_bus_get_event(bus))
                if (sd_event_run(e, UINT64_MAX) < 0)
                        break;
        INT(sd_event_add_time(e, NULL, CLOCK_MONOTONIC, 1, 1, end_loop, NULL));
        INT(sd_event_loop(e));
}

static sd_bus *bus_of(struct peer *p) {
        sd_bus *bus = NULL;

        sd_bus_new(&bus);
        INT(sd_bus_set_fd(bus, p->in, p->out));
        return bus;
}

static void get_ready(sd_bus *bus) {
        while (sd_bus_is_ready(bus) == 0)
                if (sd_bus_process(bus, NULL) == 0)
                        sd_bus_wait(bus, UINT64_MAX);
}

static void states(void) {
        sd_event *e = loop("first"), *d = NULL;
        sd_bus *bus = NULL;
        const char *text;
        pid_t tid = 0;

        INT(sd_bus_attach_event(NULL, e, 0));
        INT(sd_bus_detach_event(NULL));
        INT(sd_bus_attach_event(SD_BUS_DEFAULT, e, 0));
        IS(sd_bus_get_event(NULL));
        INT(sd_bus_set_exit_on_disconnect(NULL, 1));
        INT(sd_bus_get_exit_on_disconnect(NULL));
        INT(sd_bus_set_close_on_exit(NULL, 1));
        INT(sd_bus_get_close_on_exit(NULL));
        INT(sd_bus_get_tid(NULL, &tid));
        INT(sd_bus_process_priority(NULL, 0, NULL));
        IS(sd_bus_slot_get_current_message(NULL));
        IS(sd_bus_slot_get_current_handler(NULL));
        IS(sd_bus_slot_get_current_userdata(NULL));
        sd_bus_default_flush_close();

        sd_bus_new(&bus);
        INT(sd_bus_get_exit_on_disconnect(bus));
        INT(sd_bus_set_exit_on_disconnect(bus, 5));
        INT(sd_bus_get_exit_on_disconnect(bus));
        INT(sd_bus_set_exit_on_disconnect(bus, 0));
        INT(sd_bus_get_close_on_exit(bus));
        INT(sd_bus_set_close_on_exit(bus, 0));
        INT(sd_bus_get_close_on_exit(bus));
        INT(sd_bus_set_close_on_exit(bus, 3));
        INT(sd_bus_get_close_on_exit(bus));
        INT(sd_bus_get_sender(bus, &text));
        INT(sd_bus_get_sender(bus, NULL));
        INT(sd_bus_set_sender(bus, ":1.7"));
        INT(sd_bus_set_sender(bus, ":1.7"));
        INT(sd_bus_get_sender(bus, &text));
        printf("%s\n", text);
        INT(sd_bus_set_sender(bus, "not a name"));
        INT(sd_bus_set_sender(bus, ""));
        INT(sd_bus_set_sender(bus, "a.b.c"));
        INT(sd_bus_set_sender(bus, NULL));
        INT(sd_bus_get_sender(bus, &text));
        INT(sd_bus_set_bus_client(bus, 1));
        INT(sd_bus_set_sender(bus, "a.b"));
        INT(sd_bus_set_bus_client(bus, 0));
        INT(sd_bus_get_events(bus));
        INT(sd_bus_process_priority(bus, 0, NULL));

        IS(sd_bus_get_event(bus));
        INT(sd_bus_detach_event(bus));
        INT(sd_bus_get_tid(bus, &tid));
        INT(sd_bus_get_tid(bus, NULL));
        INT(sd_bus_attach_event(bus, e, 5));
        INT(sd_bus_attach_event(bus, e, 5));
        INT(sd_bus_attach_event(bus, NULL, 5));
        IS(sd_bus_get_event(bus) == e);
        INT(sd_bus_get_tid(bus, &tid));
        e = sd_event_unref(e);
        INT(sd_event_run(sd_bus_get_event(bus), 0));
        INT(sd_event_run(sd_bus_get_event(bus), 0));
        INT(sd_bus_detach_event(bus));
        INT(sd_bus_detach_event(bus));

        INT(sd_event_default(NULL));
        INT(sd_bus_attach_event(bus, NULL, 0));
        INT(sd_event_default(&d));
        IS(sd_bus_get_event(bus) == d);
        INT(sd_bus_get_tid(bus, &tid));
        IS(tid == gettid());
        d = sd_event_unref(d);
        INT(sd_bus_detach_event(bus));
        INT(sd_event_default(NULL));

        e = loop("second");
        INT(sd_bus_attach_event(bus, e, 0));
        e = sd_event_unref(e);
        sd_bus_close(bus);
        IS(sd_bus_get_event(bus));
        bus = sd_bus_unref(bus);

        sd_bus_new(&bus);
        e = loop("third");
        INT(sd_bus_attach_event(bus, e, 0));
        e = sd_event_unref(e);
        bus = sd_bus_unref(bus);

        /* One that fails to start is out of the loop. */
        sd_bus_new(&bus);
        e = loop("fourth");
        INT(sd_bus_attach_event(bus, e, 0));
        INT(sd_bus_set_address(bus, "unix:path=/nowhere/there/is/none"));
        INT(sd_bus_start(bus));
        IS(sd_bus_get_event(bus));
        bus = sd_bus_unref(bus);
        INT(sd_event_exit(e, 3));
        INT(sd_event_loop(e));
        sd_bus_new(&bus);
        INT(sd_bus_attach_event(bus, e, 0));
        IS(sd_bus_get_event(bus));
        bus = sd_bus_unref(bus);
        e = sd_event_unref(e);
}

/* Signals of a peer that hangs up then. */
static void disconnect(int pipes, int exits, int takes, int late) {
        struct peer p = peer_of(pipes);
        sd_bus *bus = bus_of(&p);
        sd_event *e = loop("the loop");
        uint64_t now;
        int r;

        printf("-- pipes %d exits %d takes %d late %d\n", pipes, exits, takes, late);
        if (!late)
                INT(sd_bus_attach_event(bus, e, 0));
        INT(sd_bus_start(bus));
        if (late)
                INT(sd_bus_attach_event(bus, e, 0));
        INT(sd_bus_set_exit_on_disconnect(bus, exits));
        sd_bus_add_filter(bus, NULL, heard, "filter");
        if (takes)
                sd_bus_match_signal(bus, NULL, NULL, NULL, "org.freedesktop.DBus.Local", NULL, take, "taken");
        INT(sd_bus_call_method_async(bus, NULL, "x.y", "/", "x.y", "Z", failed, "call", ""));
        INT(sd_bus_call_method_async(bus, NULL, "x.y", "/", "x.y", "Z", failed, "call", ""));
        while (sd_bus_is_ready(bus) == 0)
                sd_event_run(e, UINT64_MAX);
        INT(sd_bus_is_ready(bus));
        INT(sd_bus_get_fd(bus) >= 0);
        INT(sd_bus_flush(bus));
        send_signals(&p, 3);
        hang_up(&p);
        for (r = 1; r > 0 && sd_bus_is_open(bus);)
                r = sd_event_run(e, UINT64_MAX);
        INT(sd_bus_is_open(bus));
        INT(sd_bus_get_fd(bus) >= 0);
        INT(sd_bus_get_events(bus));
        INT(sd_bus_get_timeout(bus, &now));
        run_to_end(e, bus);
        IS(sd_bus_get_event(bus));
        INT(sd_bus_get_events(bus));
        INT(sd_bus_process(bus, NULL));
        e = sd_event_unref(e);
        bus = sd_bus_unref(bus);
}

/* A program without a loop that ends with its connection. */
static void exits(void) {
        for (int i = 0; i < 4; i++) {
                struct peer p = peer_of(0);
                sd_bus *bus = bus_of(&p);
                pid_t pid;
                int status;

                fflush(stdout);
                pid = fork();
                if (pid == 0) {
                        sd_bus *own = NULL;
                        int r;

                        sd_bus_new(&own);
                        sd_bus_set_fd(own, dup(p.in), dup(p.in));
                        sd_bus_start(own);
                        if (i == 1)
                                sd_bus_set_exit_on_disconnect(own, 1);
                        if (i == 3) {
                                sd_bus_set_exit_on_disconnect(own, 1);
                                sd_bus_add_filter(own, NULL, take, "taken");
                        }
                        get_ready(own);
                        close(p.stop);
                        while ((r = sd_bus_process(own, NULL)) >= 0)
                                if (r == 0)
                                        sd_bus_wait(own, UINT64_MAX);
                        if (i == 2)
                                sd_bus_set_exit_on_disconnect(own, 1);
                        fflush(stdout);
                        _exit(9);
                }
                close(p.stop);
                p.stop = -1;
                waitpid(pid, &status, 0);
                printf("%d: %x\n", i, (unsigned) status);
                hang_up(&p);
                bus = sd_bus_unref(bus);
        }
}

/* What comes first: a bus, or something else that is always ready. */
static int ready(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        (void) fd, (void) events;
        printf("%s\n", (const char *) userdata);
        sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

static void priority(void) {
        for (int i = -1; i < 2; i += 2) {
                struct peer p = peer_of(0);
                sd_bus *bus = bus_of(&p);
                sd_event *e = loop("the loop");
                sd_event_source *s = NULL;
                int pair[2];

                if (pipe(pair) < 0 || write(pair[1], "x", 1) < 0)
                        return;
                INT(sd_bus_start(bus));
                get_ready(bus);
                sd_bus_add_filter(bus, NULL, heard, "filter");
                INT(sd_bus_attach_event(bus, e, 10 * i));
                sd_event_add_io(e, &s, pair[0], EPOLLIN, ready, "something else");
                send_signals(&p, 2);
                for (int n = 0; n < 6; n++)
                        sd_event_run(e, 100000);
                sd_event_source_unref(s);
                bus = sd_bus_unref(bus);
                e = sd_event_unref(e);
                hang_up(&p);
        }
}

/* What a peer gets: who it is said to be from. */
static void sender(void) {
        int pair[2], said[2], status;
        sd_bus *bus = NULL;
        sd_bus_message *m = NULL;
        pid_t pid;
        char text[256];
        ssize_t n;

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(said) < 0)
                return;
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                char rest[4096] = {};
                size_t had;

                close(pair[0]);
                had = let_in(pair[1], pair[1], rest, sizeof(rest));
                while (!memmem(rest, had, "Last", 4)) {
                        ssize_t r = read(pair[1], rest + had, sizeof(rest) - had);

                        if (r <= 0)
                                _exit(1);
                        had += r;
                }
                dprintf(said[1], "one %d other %d\n", !!memmem(rest, had, ":1.7", 4), !!memmem(rest, had, "own.name", 8));
                _exit(0);
        }
        close(pair[1]);
        close(said[1]);
        sd_bus_new(&bus);
        INT(sd_bus_set_fd(bus, pair[0], pair[0]));
        INT(sd_bus_set_sender(bus, ":1.7"));
        INT(sd_bus_start(bus));
        INT(sd_bus_emit_signal(bus, "/a", "b.c", "First", "s", "x"));
        INT(sd_bus_message_new_signal(bus, &m, "/a", "b.c", "Last"));
        INT(sd_bus_message_set_sender(m, "own.name"));
        INT(sd_bus_send(bus, m, NULL));
        sd_bus_message_unref(m);
        INT(sd_bus_flush(bus));
        waitpid(pid, &status, 0);
        n = read(said[0], text, sizeof(text) - 1);
        printf("%.*s", (int) (n < 0 ? 0 : n), text);
        bus = sd_bus_unref(bus);
}

/* A process that was forked leaves the loop of its parent alone. */
static void forked(void) {
        struct peer p = peer_of(0);
        sd_bus *bus = bus_of(&p);
        sd_event *e = loop("the loop");
        pid_t pid;
        int status;

        INT(sd_bus_start(bus));
        INT(sd_bus_attach_event(bus, e, 0));
        while (sd_bus_is_ready(bus) == 0)
                sd_event_run(e, UINT64_MAX);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                INT(sd_bus_detach_event(bus));
                INT(sd_bus_attach_event(bus, e, 0));
                INT(sd_bus_set_close_on_exit(bus, 0));
                INT(sd_bus_get_exit_on_disconnect(bus));
                sd_bus_close(bus);
                sd_bus_unref(bus);
                fflush(stdout);
                _exit(0);
        }
        waitpid(pid, &status, 0);
        sd_bus_add_filter(bus, NULL, heard, "filter");
        hang_up(&p);
        run_to_end(e, bus);
        bus = sd_bus_unref(bus);
        e = sd_event_unref(e);
}

/* A server, a client and all else in one loop. */
struct world {
        sd_event *e;
        sd_bus *server, *client;
        sd_bus_slot *slot;
        unsigned ticks, answers, signals;
        uint32_t level;
};

static int add(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        struct world *w = userdata;
        int32_t a, b;
        int r = sd_bus_message_read(m, "ii", &a, &b);

        if (r < 0)
                return r;
        if (a < 0)
                return sd_bus_error_set(e, "org.example.Negative", "Too small");
        IS(sd_bus_slot_get_current_message(sd_bus_get_current_slot(w->server)) == m);
        IS(sd_bus_slot_get_current_userdata(sd_bus_get_current_slot(w->server)) == userdata);
        IS(sd_bus_slot_get_current_handler(sd_bus_get_current_slot(w->server)) == sd_bus_get_current_handler(w->server));
        IS(sd_bus_slot_get_current_message(w->slot));
        sd_bus_emit_signal(w->server, "/x", "org.example.X", "Added", "i", a + b);
        return sd_bus_reply_method_return(m, "i", a + b);
}

static int silent(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        (void) m, (void) userdata, (void) e;
        return 1;
}

static const sd_bus_vtable table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Add", "ii", "i", add, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Silent", "", "", silent, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_WRITABLE_PROPERTY("Level", "u", NULL, NULL, offsetof(struct world, level), SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL("Added", "i", 0),
        SD_BUS_VTABLE_END
};

static int call_add(struct world *w, int a);

static int answered(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        struct world *w = userdata;
        int32_t sum = 0;

        (void) e;
        if (sd_bus_message_is_method_error(m, NULL)) {
                printf("error %s\n", sd_bus_message_get_error(m)->name);
                return call_add(w, 1);
        }
        sd_bus_message_read(m, "i", &sum);
        printf("answer %d\n", sum);
        w->answers++;
        return w->answers < 5 ? call_add(w, sum) : 0;
}

static int call_add(struct world *w, int a) {
        return sd_bus_call_method_async(w->client, NULL, "org.example.X", "/x", "org.example.X", "Add", answered, w, "ii", a, 1);
}

static int added(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        struct world *w = userdata;

        (void) m, (void) e;
        IS(sd_bus_slot_get_current_message(w->slot) == m);
        IS(sd_bus_slot_get_current_handler(w->slot) == added);
        w->signals++;
        return 0;
}

static int tick(sd_event_source *s, uint64_t usec, void *userdata) {
        struct world *w = userdata;

        w->ticks++;
        if (w->ticks < 3 || w->answers < 5 || w->signals < 5) {
                sd_event_source_set_time(s, usec + 10000);
                return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        }
        return sd_event_exit(w->e, 42);
}

static int too_late(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        failed(m, "silent", e);
        return sd_event_exit(((struct world *) userdata)->e, 7);
}

static int named(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        struct world *w = userdata;

        (void) m, (void) e;
        printf("named\n");
        return call_add(w, -1);
}

static void whole(void) {
        struct world w = { .level = 5 };
        sd_bus_message *m = NULL;
        uint64_t now, queued;
        int r;

        INT(sd_event_new(&w.e));
        INT(sd_bus_open_system(&w.server));
        INT(sd_bus_open_system(&w.client));
        INT(sd_bus_attach_event(w.server, w.e, SD_EVENT_PRIORITY_NORMAL));
        INT(sd_bus_attach_event(w.client, w.e, SD_EVENT_PRIORITY_NORMAL));
        INT(sd_bus_add_object_vtable(w.server, NULL, "/x", "org.example.X", table, &w));
        INT(sd_bus_match_signal_async(w.client, &w.slot, NULL, "/x", "org.example.X", "Added", added, NULL, &w));
        INT(sd_bus_request_name_async(w.server, NULL, "org.example.X", 0, named, &w));
        sd_event_now(w.e, CLOCK_MONOTONIC, &now);
        INT(sd_event_add_time(w.e, NULL, CLOCK_MONOTONIC, now, 1, tick, &w));
        INT(sd_event_loop(w.e));
        printf("%u answers, %u signals, %d\n", w.answers, w.signals, w.ticks >= 3);
        INT(sd_bus_is_open(w.client));
        INT(sd_bus_is_open(w.server));
        IS(sd_bus_get_event(w.server));
        IS(sd_bus_get_event(w.client));
        w.slot = sd_bus_slot_unref(w.slot);
        w.server = sd_bus_unref(w.server);
        w.client = sd_bus_unref(w.client);
        w.e = sd_event_unref(w.e);

        /* An answer that does not come; and a loop that ends, and leaves the bus open. */
        INT(sd_event_new(&w.e));
        INT(sd_bus_open_system(&w.server));
        INT(sd_bus_open_system(&w.client));
        INT(sd_bus_attach_event(w.server, w.e, 0));
        INT(sd_bus_attach_event(w.client, w.e, 0));
        INT(sd_bus_add_object_vtable(w.server, NULL, "/x", "org.example.X", table, &w));
        INT(sd_bus_request_name(w.server, "org.example.Y", 0));
        INT(sd_bus_message_new_method_call(w.client, &m, "org.example.Y", "/x", "org.example.X", "Silent"));
        INT(sd_bus_call_async(w.client, NULL, m, too_late, &w, 200000));
        m = sd_bus_message_unref(m);
        INT(sd_bus_set_close_on_exit(w.server, 0));
        INT(sd_event_loop(w.e));
        INT(sd_bus_is_open(w.client));
        INT(sd_bus_is_open(w.server));
        IS(sd_bus_get_event(w.server) == w.e);
        INT(sd_bus_detach_event(w.server));
        w.e = sd_event_unref(w.e);
        w.client = sd_bus_unref(w.client);

        /* What was sent last goes out when the loop ends. */
        INT(sd_event_new(&w.e));
        INT(sd_bus_open_system(&w.client));
        sd_bus_match_signal(w.server, NULL, NULL, "/last", NULL, NULL, heard, "last");
        INT(sd_bus_attach_event(w.client, w.e, 0));
        INT(sd_bus_emit_signal(w.client, "/last", "a.b", "Word", ""));
        INT(sd_event_exit(w.e, 1));
        INT(sd_event_loop(w.e));
        INT(sd_bus_get_n_queued_write(w.client, &queued));
        w.client = sd_bus_unref(w.client);
        w.e = sd_event_unref(w.e);
        while (times_heard == 0 && (r = sd_bus_process(w.server, NULL)) >= 0)
                if (r == 0)
                        sd_bus_wait(w.server, UINT64_MAX);
        w.server = sd_bus_unref(w.server);

        /* The buses of this thread. */
        {
                sd_bus *bus = NULL;
                pid_t tid = 0;

                INT(sd_bus_default_system(&bus));
                INT(sd_bus_get_tid(bus, &tid));
                IS(tid == gettid());
                INT(sd_bus_attach_event(SD_BUS_DEFAULT_SYSTEM, NULL, 0));
                IS(sd_bus_get_event(bus));
                INT(sd_bus_emit_signal(bus, "/last", "a.b", "Word", ""));
                sd_bus_default_flush_close();
                INT(sd_bus_is_open(bus));
                IS(sd_bus_get_event(bus));
                bus = sd_bus_unref(bus);
        }
}

/* Frees all it can from within. */
static int free_all(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        struct world *w = userdata;

        (void) m, (void) e;
        printf("freed\n");
        w->client = sd_bus_close_unref(w->client);
        w->e = sd_event_unref(w->e);
        return 0;
}

static int detach(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        struct world *w = userdata;

        heard(m, "detached", e);
        INT(sd_bus_detach_event(w->client));
        return 0;
}

static void within(void) {
        struct peer p = peer_of(0);
        struct world w = { .client = bus_of(&p), .e = loop("the loop") };
        sd_event *e = sd_event_ref(w.e);

        INT(sd_bus_start(w.client));
        get_ready(w.client);
        INT(sd_bus_attach_event(w.client, w.e, 0));
        INT(sd_bus_add_filter(w.client, NULL, free_all, &w));
        send_signals(&p, 1);
        while (w.client)
                if (sd_event_run(e, UINT64_MAX) < 0)
                        break;
        INT(sd_event_run(e, 0));
        e = sd_event_unref(e);
        hang_up(&p);

        p = peer_of(0);
        w.client = bus_of(&p);
        w.e = loop("the loop");
        INT(sd_bus_start(w.client));
        INT(sd_bus_attach_event(w.client, w.e, 0));
        INT(sd_bus_add_filter(w.client, NULL, detach, &w));
        get_ready(w.client);
        send_signals(&p, 2);
        while (sd_bus_get_event(w.client))
                sd_event_run(w.e, UINT64_MAX);
        INT(sd_event_run(w.e, 50000));
        INT(sd_bus_attach_event(w.client, w.e, 0));
        while (sd_bus_get_event(w.client))
                sd_event_run(w.e, UINT64_MAX);
        w.client = sd_bus_unref(w.client);
        w.e = sd_event_unref(w.e);
        hang_up(&p);
}

int main(int argc, char *argv[]) {
        const char *group = argc > 1 ? argv[1] : "";

        signal(SIGPIPE, SIG_IGN);
        if (strcmp(group, "states") == 0)
                states();
        else if (strcmp(group, "disconnect") == 0)
                for (int i = 0; i < 16; i++)
                        disconnect(i & 1, (i >> 1) & 1, (i >> 2) & 1, (i >> 3) & 1);
        else if (strcmp(group, "exits") == 0)
                exits();
        else if (strcmp(group, "priority") == 0)
                priority();
        else if (strcmp(group, "sender") == 0)
                sender();
        else if (strcmp(group, "forked") == 0)
                forked();
        else if (strcmp(group, "whole") == 0)
                whole();
        else if (strcmp(group, "within") == 0)
                within();
        else
                return 2;
        return 0;
}
