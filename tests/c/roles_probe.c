/* Both sides of a connection without a bus between them, and the settings of what a connection is: to be run on two
 * libraries, and compared.
 *   roles_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>

#define GUID_TEXT "0123456789abcdef0123456789abcdef"

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)

static sd_id128_t guid(void) {
        sd_id128_t id;

        sd_id128_from_string(GUID_TEXT, &id);
        return id;
}

/* What each setting answers, before and after the start. */
static void settings_of(sd_bus *bus) {
        char *argv[] = { (char *) "cat", NULL };

        INT(sd_bus_set_server(bus, 1, guid()));
        INT(sd_bus_is_server(bus));
        INT(sd_bus_set_server(bus, 1, SD_ID128_NULL));
        INT(sd_bus_set_server(bus, 7, guid()));
        INT(sd_bus_is_server(bus));
        INT(sd_bus_set_server(bus, 0, guid()));
        INT(sd_bus_is_server(bus));
        INT(sd_bus_set_server(bus, 0, SD_ID128_NULL));
        INT(sd_bus_is_server(bus));
        INT(sd_bus_set_monitor(bus, 7));
        INT(sd_bus_is_monitor(bus));
        INT(sd_bus_set_monitor(bus, 0));
        INT(sd_bus_is_monitor(bus));
        INT(sd_bus_set_watch_bind(bus, 7));
        INT(sd_bus_get_watch_bind(bus));
        INT(sd_bus_set_watch_bind(bus, 0));
        INT(sd_bus_get_watch_bind(bus));
        INT(sd_bus_set_connected_signal(bus, 7));
        INT(sd_bus_get_connected_signal(bus));
        INT(sd_bus_set_connected_signal(bus, 0));
        INT(sd_bus_get_connected_signal(bus));
        INT(sd_bus_set_exec(bus, "/bin/cat", argv));
}

static void wrong_programs(sd_bus *bus) {
        char *argv[] = { (char *) "cat", NULL };

        INT(sd_bus_set_exec(bus, "/bin/cat", argv + 1));
        INT(sd_bus_set_exec(bus, "/bin/cat", NULL));
        INT(sd_bus_set_exec(bus, NULL, argv));
        INT(sd_bus_set_exec(bus, "", NULL));
}

static void settings(void) {
        sd_bus *bus = NULL;
        int pair[2];
        pid_t pid;

        settings_of(NULL);
        wrong_programs(NULL);
        INT(sd_bus_new(&bus));
        settings_of(bus);
        wrong_programs(bus);
        sd_bus_unref(bus);

        INT(sd_bus_new(&bus));
        INT(sd_bus_set_server(bus, 1, guid()));
        INT(sd_bus_set_bus_client(bus, 1));
        INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
        INT(sd_bus_set_fd(bus, pair[0], pair[0]));
        INT(sd_bus_start(bus));
        sd_bus_unref(bus);
        close(pair[1]);

        INT(sd_bus_new(&bus));
        INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
        INT(sd_bus_set_fd(bus, pair[0], pair[0]));
        INT(sd_bus_start(bus));
        settings_of(bus);
        wrong_programs(bus);
        sd_bus_close(bus);
        puts("closed");
        settings_of(bus);
        sd_bus_unref(bus);
        close(pair[1]);

        INT(sd_bus_new(&bus));
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                settings_of(bus);
                fflush(stdout);
                _exit(0);
        }
        waitpid(pid, NULL, 0);
        sd_bus_unref(bus);
}

struct pair {
        sd_bus *client, *server;
};

static sd_bus *one(int descriptor) {
        sd_bus *bus = NULL;

        if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, descriptor, descriptor) < 0)
                abort();
        return bus;
}

/* Two connections on a pair of sockets, not yet started. */
static struct pair two(void) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                abort();
        struct pair both = { one(pair[0]), one(pair[1]) };
        if (sd_bus_set_server(both.server, 1, guid()) < 0)
                abort();
        return both;
}

static void close_both(struct pair both) {
        sd_bus_close_unref(both.client);
        sd_bus_close_unref(both.server);
}

static void state(const char *what, sd_bus *bus) {
        char text[SD_ID128_STRING_MAX] = "";
        uint64_t read = 0, write = 0;
        const char *name = NULL;
        int r, n = 0;
        sd_id128_t id;

        if (sd_bus_is_ready(bus) > 0) {
                r = sd_bus_get_bus_id(bus, &id);
                if (r >= 0)
                        sd_id128_to_string(id, text);
                n = sd_bus_get_unique_name(bus, &name);
        }
        sd_bus_get_n_queued_read(bus, &read);
        sd_bus_get_n_queued_write(bus, &write);
        printf("%s: open %d ready %d id %s name %d %s, queued %" PRIu64 " %" PRIu64 "\n", what, sd_bus_is_open(bus), sd_bus_is_ready(bus),
               text, n, name ?: "", read, write);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *text = NULL;

        (void) e;
        if (sd_bus_message_has_signature(m, "s"))
                sd_bus_message_read_basic(m, 's', &text);
        printf("%s: %s %s %s from %s to %s: %s\n", (const char *) userdata, sd_bus_message_get_path(m) ?: "null",
               sd_bus_message_get_interface(m) ?: "null", sd_bus_message_get_member(m) ?: "null", sd_bus_message_get_sender(m) ?: "null",
               sd_bus_message_get_destination(m) ?: "null", text ?: "none");
        return 0;
}

/* Goes on until neither has anything to do. */
static void settle(struct pair both) {
        for (int quiet = 0, turns = 0; quiet < 3 && turns < 200; turns++) {
                int c = sd_bus_process(both.client, NULL), s = sd_bus_process(both.server, NULL);

                quiet = c <= 0 && s <= 0 ? quiet + 1 : 0;
        }
}

static int add(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        int a, b, r = sd_bus_message_read(m, "ii", &a, &b);

        (void) userdata;
        (void) e;
        return r < 0 ? r : sd_bus_reply_method_return(m, "i", a + b);
}

static int descriptor(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        int fd = -1, r = sd_bus_message_read(m, "h", &fd);

        (void) userdata;
        (void) e;
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "i", (int) write(fd, "passed", 6));
}

static const sd_bus_vtable table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Add", "ii", "i", add, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Descriptor", "h", "i", descriptor, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL("Told", "s", 0),
        SD_BUS_VTABLE_END
};

static int on_sum(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        int sum = -1, r = sd_bus_message_read(m, "i", &sum);

        (void) userdata;
        (void) e;
        printf("sum %d %s\n", sum, error(r));
        return 0;
}

/* One thread has both. */
static void pair(void) {
        sd_bus_message *m = NULL;
        int pipes[2];
        char text[16] = "";

        for (int fds = 0; fds < 4; fds++)
                for (int anonymous = 0; anonymous < 4; anonymous++) {
                        struct pair both = two();

                        printf("descriptors %d anonymous %d\n", fds, anonymous);
                        INT(sd_bus_negotiate_fds(both.client, fds & 1));
                        INT(sd_bus_negotiate_fds(both.server, fds >> 1));
                        INT(sd_bus_set_anonymous(both.client, anonymous & 1));
                        INT(sd_bus_set_anonymous(both.server, anonymous >> 1));
                        INT(sd_bus_start(both.server));
                        INT(sd_bus_start(both.client));
                        settle(both);
                        /* Whom the server refuses it leaves open in the original. */
                        printf("ready %d %d\n", sd_bus_is_ready(both.client), sd_bus_is_ready(both.server));
                        if (sd_bus_is_ready(both.client) > 0) {
                                state("client", both.client);
                                state("server", both.server);
                        }
                        close_both(both);
                }

        struct pair both = two();
        INT(sd_bus_start(both.client));
        state("client", both.client);
        INT(sd_bus_start(both.server));
        state("server", both.server);
        /* What is sent before the other side has said who it is. */
        INT(sd_bus_emit_signal(both.client, "/a", "org.example.A", "Early", "s", "client"));
        INT(sd_bus_add_filter(both.server, NULL, on_message, (void *) "server hears"));
        settle(both);
        close_both(both);
        both = two();
        INT(sd_bus_start(both.client));
        INT(sd_bus_start(both.server));
        INT(sd_bus_emit_signal(both.server, "/a", "org.example.A", "Early", "s", "server"));
        INT(sd_bus_add_filter(both.client, NULL, on_message, (void *) "client hears"));
        settle(both);
        INT(sd_bus_add_filter(both.server, NULL, on_message, (void *) "server hears"));
        INT(sd_bus_add_object_vtable(both.server, NULL, "/one", "org.example.Test", table, NULL));
        INT(sd_bus_call_method_async(both.client, NULL, NULL, "/one", "org.example.Test", "Add", on_sum, NULL, "ii", 3, 4));
        INT(sd_bus_call_method_async(both.client, NULL, "org.example.Any", "/one", "org.example.Test", "Add", on_sum, NULL, "ii", 4, 4));
        settle(both);
        INT(pipe(pipes));
        INT(sd_bus_message_new_method_call(both.client, &m, NULL, "/one", "org.example.Test", "Descriptor"));
        INT(sd_bus_message_append(m, "h", pipes[1]));
        INT(sd_bus_call_async(both.client, NULL, m, on_sum, NULL, 0));
        sd_bus_message_unref(m);
        close(pipes[1]);
        settle(both);
        INT((int) read(pipes[0], text, sizeof(text) - 1));
        close(pipes[0]);
        puts(text);
        /* The other way round: both may call. */
        INT(sd_bus_add_object_vtable(both.client, NULL, "/two", "org.example.Test", table, NULL));
        INT(sd_bus_call_method_async(both.server, NULL, NULL, "/two", "org.example.Test", "Add", on_sum, NULL, "ii", 5, 6));
        settle(both);
        INT(sd_bus_emit_signal(both.server, "/one", "org.example.Test", "Told", "s", "something"));
        settle(both);
        INT(sd_bus_call_method_async(both.client, NULL, NULL, "/", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, NULL));
        settle(both);
        state("client", both.client);
        state("server", both.server);
        sd_bus_close(both.client);
        settle(both);
        state("server, left alone", both.server);
        close_both(both);
}

/* Matches and names without a bus. */
static void direct(void) {
        struct pair both = two();

        INT(sd_bus_start(both.server));
        INT(sd_bus_start(both.client));
        settle(both);
        INT(sd_bus_is_bus_client(both.client));
        INT(sd_bus_match_signal(both.client, NULL, NULL, "/one", NULL, NULL, on_message, (void *) "matched"));
        INT(sd_bus_match_signal(both.client, NULL, "org.example.Any", "/one", NULL, NULL, on_message, (void *) "matched by sender"));
        INT(sd_bus_add_match(both.client, NULL, "type='method_call'", on_message, (void *) "matched call"));
        INT(sd_bus_request_name(both.client, "org.example.A", 0));
        INT(sd_bus_release_name(both.client, "org.example.A"));
        INT(sd_bus_request_name_async(both.client, NULL, "org.example.A", 0, NULL, NULL));
        INT(sd_bus_list_names(both.client, NULL, NULL));
        INT(sd_bus_emit_signal(both.server, "/one", "org.example.A", "Told", "s", "one"));
        INT(sd_bus_emit_signal(both.server, "/two", "org.example.A", "Told", "s", "two"));
        settle(both);
        INT(sd_bus_call_method_async(both.server, NULL, NULL, "/one", "org.example.A", "None", NULL, NULL, NULL));
        settle(both);
        close_both(both);
}

/* Answers until the peer hangs up. */
static void serve(sd_bus *bus) {
        while (sd_bus_is_open(bus) > 0) {
                int r = sd_bus_process(bus, NULL);

                if (r < 0)
                        break;
                if (r == 0)
                        sd_bus_wait(bus, UINT64_MAX);
        }
        sd_bus_unref(bus);
}

/* A server of its own in another process, called in a row and waited for. */
static void processes(void) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int pair[2], sum = 0;
        sd_bus *bus;
        pid_t pid;

        INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                close(pair[0]);
                bus = one(pair[1]);
                sd_bus_set_server(bus, 1, guid());
                sd_bus_add_object_vtable(bus, NULL, "/one", "org.example.Test", table, NULL);
                if (sd_bus_start(bus) < 0)
                        _exit(1);
                serve(bus);
                _exit(7);
        }
        close(pair[1]);
        bus = one(pair[0]);
        INT(sd_bus_start(bus));
        for (int i = 0; i < 3; i++) {
                INT(sd_bus_call_method(bus, NULL, "/one", "org.example.Test", "Add", &e, &reply, "ii", i, 4));
                INT(sd_bus_message_read(reply, "i", &sum));
                printf("sum %d\n", sum);
                reply = sd_bus_message_unref(reply);
        }
        INT(sd_bus_call_method(bus, NULL, "/one", "org.example.Test", "None", &e, &reply, NULL));
        printf("%s: %s\n", e.name, e.message);
        sd_bus_error_free(&e);
        state("client", bus);
        INT(sd_bus_flush(bus));
        sd_bus_close_unref(bus);
        int status = 0;
        waitpid(pid, &status, 0);
        printf("server ended with %d\n", WEXITSTATUS(status));
}

/* A client in a user namespace where nobody has a number: it can't say who it is, and the kernel does. */
static void namespace(void) {
        struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/tmp/peer" };
        int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;

        unlink(name.sun_path);
        if (bind(s, (struct sockaddr *) &name, sizeof(name)) < 0 || listen(s, 1) < 0)
                abort();
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                sd_bus_message *reply = NULL;
                sd_bus *bus = NULL;
                int sum = 0;

                if (unshare(CLONE_NEWUSER) < 0)
                        _exit(99);
                if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, "unix:path=/tmp/peer") < 0 || sd_bus_start(bus) < 0)
                        _exit(1);
                if (sd_bus_call_method(bus, NULL, "/one", "org.example.Test", "Add", NULL, &reply, "ii", 3, 4) < 0)
                        _exit(2);
                if (sd_bus_message_read(reply, "i", &sum) < 0)
                        _exit(3);
                sd_bus_message_unref(reply);
                sd_bus_close_unref(bus);
                _exit(sum);
        }
        struct pollfd one = { s, POLLIN, 0 };
        if (poll(&one, 1, 30000) > 0) {
                sd_bus *bus = NULL;
                int peer = accept(s, NULL, NULL);

                if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, peer, peer) < 0 || sd_bus_set_server(bus, 1, guid()) < 0)
                        abort();
                INT(sd_bus_add_object_vtable(bus, NULL, "/one", "org.example.Test", table, NULL));
                INT(sd_bus_start(bus) < 0);
                serve(bus);
        }
        waitpid(pid, &status, 0);
        printf("sum %d\n", WEXITSTATUS(status));
        close(s);
}

/* A server for one client, at /tmp/peer. */
static void serve_one(int anonymous) {
        struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/tmp/peer-new" };
        int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct pollfd one = { s, POLLIN, 0 };
        sd_bus *bus = NULL;

        unlink(name.sun_path);
        /* Who finds it finds it listening. */
        if (bind(s, (struct sockaddr *) &name, sizeof(name)) < 0 || listen(s, 1) < 0 || rename(name.sun_path, "/tmp/peer") < 0 ||
            poll(&one, 1, 30000) <= 0)
                abort();
        int peer = accept(s, NULL, NULL);
        if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, peer, peer) < 0 || sd_bus_set_server(bus, 1, guid()) < 0 ||
            sd_bus_set_anonymous(bus, anonymous) < 0 || sd_bus_add_object_vtable(bus, NULL, "/one", "org.example.Test", table, NULL) < 0 ||
            sd_bus_start(bus) < 0)
                abort();
        serve(bus);
        close(s);
}

static void call_one(int anonymous) {
        sd_bus_message *reply = NULL;
        sd_bus *bus = NULL;
        int number = -1, pipes[2];

        INT(pipe(pipes));
        INT(sd_bus_new(&bus));
        INT(sd_bus_set_address(bus, "unix:path=/tmp/peer,guid=" GUID_TEXT) < 0);
        INT(sd_bus_set_anonymous(bus, anonymous));
        INT(sd_bus_start(bus) < 0);
        /* It goes out with the last word of authentication. */
        INT(sd_bus_emit_signal(bus, "/a", "org.example.A", "Early", "s", "client"));
        INT(sd_bus_call_method(bus, NULL, "/one", "org.example.Test", "Add", NULL, &reply, "ii", 3, 4));
        INT(sd_bus_message_read(reply, "i", &number));
        reply = sd_bus_message_unref(reply);
        printf("sum %d\n", number);
        INT(sd_bus_call_method(bus, NULL, "/one", "org.example.Test", "Descriptor", NULL, &reply, "h", pipes[1]));
        INT(sd_bus_message_read(reply, "i", &number));
        sd_bus_message_unref(reply);
        printf("written %d\n", number);
        state("client", bus);
        sd_bus_close_unref(bus);
        close(pipes[0]);
        close(pipes[1]);
}

static void serve_known(void) {
        serve_one(0);
}

static void serve_anyone(void) {
        serve_one(1);
}

static void call_known(void) {
        call_one(0);
}

static void call_anonymous(void) {
        call_one(1);
}

static void print_bytes(const char *bytes, ssize_t length) {
        for (ssize_t i = 0; i < length; i++)
                if (bytes[i] >= ' ' && bytes[i] <= '~')
                        putchar(bytes[i]);
                else
                        printf("\\x%02x", (unsigned char) bytes[i]);
}

/* What a server says to a client that speaks so. Each text is given at once, or byte by byte. */
static void server_hears(const char *text, size_t length, int anonymous, int fds, int by_byte) {
        int pair[2], r = 0;
        char said[4096];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                abort();
        sd_bus *bus = one(pair[1]);
        sd_bus_set_server(bus, 1, guid());
        sd_bus_set_anonymous(bus, anonymous);
        sd_bus_negotiate_fds(bus, fds);
        r = sd_bus_start(bus);
        for (size_t at = 0; at < length && r >= 0; at += by_byte ? 1 : length) {
                if (send(pair[0], text + at, by_byte ? 1 : length, MSG_NOSIGNAL) < 0)
                        break;
                for (int n = 0; n < 5 && r >= 0; n++)
                        r = sd_bus_process(bus, NULL);
        }
        printf("%d%d ", anonymous, fds);
        print_bytes(text, (ssize_t) (length < 200 ? length : 200));
        printf(" -> ");
        ssize_t heard = recv(pair[0], said, sizeof(said) - 1, MSG_DONTWAIT);
        said[heard > 0 ? heard : 0] = 0;
        /* Which mechanisms a refusal names is left out: the original names all or none. */
        for (char *line = strtok(said, "\r\n"); line; line = strtok(NULL, "\r\n"))
                printf("%s, ", strncmp(line, "REJECTED", 8) == 0 ? "REJECTED" : line);
        printf("failed %d ready %d\n", r < 0, sd_bus_is_ready(bus));
        sd_bus_close_unref(bus);
        close(pair[0]);
}

static void hears(void) {
        char own[64], other[64];
        static const struct { const char *text; size_t length; } said[] = {
#define SAID(text) { text, sizeof(text) - 1 }
                SAID("\0AUTH\r\n"),
                SAID("\0AUTH EXTERNAL\r\n"),
                SAID("\0AUTH EXTERNAL\r\nDATA\r\n"),
                SAID("\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"),
                SAID("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"),
                SAID("\0AUTH EXTERNAL xyz\r\n"),
                SAID("\0AUTH EXTERNAL 3\r\n"),
                SAID("\0AUTH EXTERNAL 78\r\n"),
                SAID("\0AUTH ANONYMOUS\r\n"),
                SAID("\0AUTH ANONYMOUS 78\r\n"),
                SAID("\0AUTH KERBEROS_V4\r\n"),
                SAID("\0NEGOTIATE_UNIX_FD\r\n"),
                SAID("\0NONSENSE\r\n"),
                SAID("\0DATA\r\n"),
                SAID("\0ERROR\r\n"),
                SAID("\0AUTH EXTERNAL\r\nCANCEL\r\n"),
                SAID("\0AUTH EXTERNAL\r\nDATA\r\nCANCEL\r\n"),
                SAID("\0AUTH EXTERNAL\r\nDATA\r\nERROR\r\n"),
                SAID("AUTH EXTERNAL\r\n"),
                SAID("\0AUTH EXTERNAL 78\r\nAUTH EXTERNAL\r\nDATA\r\n"),
        };

        snprintf(own, sizeof(own), "%cAUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n", 0);
        snprintf(other, sizeof(other), "%cAUTH EXTERNAL 31\r\nNEGOTIATE_UNIX_FD\r\n", 0);
        for (int anonymous = 0; anonymous < 2; anonymous++)
                for (int fds = 0; fds < 2; fds++) {
                        for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
                                for (int by_byte = 0; by_byte < 2; by_byte++)
                                        server_hears(said[i].text, said[i].length, anonymous, fds, by_byte);
                        server_hears(own, 1 + strlen(own + 1), anonymous, fds, 0);
                        server_hears(other, 1 + strlen(other + 1), anonymous, fds, 0);
                }
}

/* Clients that begin without leave. The original lets them, once it has asked an anonymous one for something. */
static void leave(void) {
        static const struct { const char *text; size_t length; } said[] = {
                SAID("\0BEGIN\r\n"),
                SAID("\0AUTH EXTERNAL\r\nBEGIN\r\n"),
                SAID("\0AUTH EXTERNAL 78\r\nBEGIN\r\n"),
                SAID("\0AUTH ANONYMOUS\r\nBEGIN\r\n"),
                SAID("\0AUTH ANONYMOUS\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"),
                SAID("\0AUTH EXTERNAL\r\nDATA\r\nCANCEL\r\nBEGIN\r\n"),
                SAID("\0CANCEL\r\nBEGIN\r\n"),
                SAID("\0\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"),
                SAID("AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"),
                SAID("\0AUTH EXTERNAL\nDATA\nBEGIN\n"),
        };

        for (int anonymous = 0; anonymous < 2; anonymous++)
                for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
                        for (int by_byte = 0; by_byte < 2; by_byte++)
                                server_hears(said[i].text, said[i].length, anonymous, 1, by_byte);
}

/* A client that never comes to an end. */
static void talks(void) {
        char line[1024];
        int pair[2], r = 0;
        size_t sent = 0;

        memset(line, 'x', sizeof(line));
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
        sd_bus *bus = one(pair[1]);
        sd_bus_set_server(bus, 1, guid());
        INT(sd_bus_start(bus));
        if (write(pair[0], "", 1) != 1)
                return;
        while (r >= 0 && sent < 1024 * 1024) {
                if (send(pair[0], line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                        break;
                sent += sizeof(line);
                for (int n = 0; n < 3 && r >= 0; n++)
                        r = sd_bus_process(bus, NULL);
        }
        printf("after some 64 KiB %d: %s\n", sent / 1024 >= 64 && sent / 1024 <= 66, error(r));
        sd_bus_close_unref(bus);
        close(pair[0]);
}

static uint64_t now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* When a side that hears nothing gives up: so long after its start, which is between two looks at the clock. */
static void limit(void) {
        struct pair both = two();
        uint64_t until = 0, limit = 90 * 1000000, before = now(), after;

        INT(sd_bus_start(both.server));
        after = now();
        INT(sd_bus_get_timeout(both.server, &until));
        printf("after 90 s: %d\n", until >= before + limit && until <= after + limit);
        close_both(both);
}

/* All that a client has to say, in one packet: also a message behind BEGIN. */
static void packet(void) {
        static const char message[] = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"
                /* a signal: its fixed part, then path, interface and member */
                "l\4\1\1\0\0\0\0\1\0\0\0\x36\0\0\0"
                "\1\1o\0\2\0\0\0/a\0\0\0\0\0\0"
                "\2\1s\0\x0d\0\0\0org.example.A\0\0\0"
                "\3\1s\0\5\0\0\0Early\0\0";
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
        sd_bus *bus = one(pair[1]);
        sd_bus_set_server(bus, 1, guid());
        INT(sd_bus_add_filter(bus, NULL, on_message, (void *) "server hears"));
        INT((int) write(pair[0], message, sizeof(message)));
        INT(sd_bus_start(bus));
        for (int n = 0; n < 10; n++)
                if (sd_bus_process(bus, NULL) < 0)
                        break;
        state("server", bus);
        sd_bus_close_unref(bus);
        close(pair[0]);

        static const char answer[] = "DATA\r\nOK " GUID_TEXT "\r\nAGREE_UNIX_FD\r\n"
                "l\4\1\1\0\0\0\0\1\0\0\0\x36\0\0\0"
                "\1\1o\0\2\0\0\0/a\0\0\0\0\0\0"
                "\2\1s\0\x0d\0\0\0org.example.A\0\0\0"
                "\3\1s\0\5\0\0\0Early\0\0";
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
        bus = one(pair[1]);
        INT(sd_bus_add_filter(bus, NULL, on_message, (void *) "client hears"));
        INT((int) write(pair[0], answer, sizeof(answer)));
        INT(sd_bus_start(bus));
        for (int n = 0; n < 10; n++)
                if (sd_bus_process(bus, NULL) < 0)
                        break;
        state("client", bus);
        sd_bus_close_unref(bus);
        close(pair[0]);
}

/* The signal that tells that a connection stands. */
static void connected(void) {
        for (int i = 0; i < 4; i++) {
                struct pair both = two();
                sd_bus *one = i & 1 ? both.client : both.server;

                INT(sd_bus_set_connected_signal(one, i >> 1));
                INT(sd_bus_match_signal_async(one, NULL, "org.freedesktop.DBus.Local", NULL, "org.freedesktop.DBus.Local", NULL, on_message,
                                              NULL, (void *) "matched"));
                INT(sd_bus_add_filter(one, NULL, on_message, (void *) "hears"));
                INT(sd_bus_start(both.client));
                INT(sd_bus_start(both.server));
                INT(sd_bus_set_connected_signal(one, i >> 1));
                INT(sd_bus_emit_signal(i & 1 ? both.server : both.client, "/a", "org.example.A", "First", NULL));
                settle(both);
                close_both(both);
        }
}

/* One that looks on while two others speak by a bus (DBUS_SYSTEM_BUS_ADDRESS). */
static int calls_seen, answered;

static int seen(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *member = sd_bus_message_get_member(m), *sender = sd_bus_message_get_sender(m);

        (void) e;
        /* The bus takes its name from it, sooner or later. */
        if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
                return 0;
        calls_seen++;
        printf("%s: %s from %s\n", (const char *) userdata, member, sender && sender[0] == ':' ? "somebody" : sender ?: "null");
        return 0;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        (void) userdata;
        (void) e;
        answered += sd_bus_message_is_method_error(m, NULL) == 0;
        return 0;
}

static void turn(sd_bus *bus, int takes) {
        sd_bus_message *m = NULL;

        for (int n = 0; n < 30; n++) {
                if (sd_bus_process(bus, takes ? &m : NULL) <= 0)
                        break;
                m = sd_bus_message_unref(m);
        }
}

static void monitor_with(int takes) {
        sd_bus *bus = NULL, *server = NULL, *client = NULL;

        INT(sd_bus_new(&bus));
        INT(sd_bus_set_address(bus, getenv("DBUS_SYSTEM_BUS_ADDRESS")));
        INT(sd_bus_set_bus_client(bus, 1));
        INT(sd_bus_set_monitor(bus, 1));
        /* It has an object where others are called. */
        INT(sd_bus_add_object_vtable(bus, NULL, "/one", "org.example.Test", table, NULL));
        INT(sd_bus_start(bus) < 0);
        INT(sd_bus_is_monitor(bus));
        INT(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Monitoring", "BecomeMonitor", NULL, NULL,
                               "asu", 1, "interface='org.example.Test'", 0));
        turn(bus, takes);
        INT(sd_bus_add_filter(bus, NULL, seen, (void *) "seen"));
        INT(sd_bus_open_system(&server));
        INT(sd_bus_request_name(server, "org.example.Watched", 0));
        INT(sd_bus_add_object_vtable(server, NULL, "/one", "org.example.Test", table, NULL));
        INT(sd_bus_open_system(&client));
        for (int i = 0; i < 3; i++) {
                INT(sd_bus_call_method_async(client, NULL, "org.example.Watched", "/one", "org.example.Test", "Add", on_answer, NULL, "ii", i, 4));
                for (int n = 0; n < 500 && sd_bus_is_open(bus) > 0 && (answered <= i || calls_seen <= i); n++) {
                        turn(server, 0);
                        turn(client, 0);
                        turn(bus, takes);
                        usleep(10000);
                }
        }
        /* Whatever it has said, the bus has heard by now. */
        for (int n = 0; n < 20; n++) {
                sd_bus_wait(bus, 10000);
                turn(bus, takes);
        }
        INT(sd_bus_is_open(bus));
        INT(answered);
        sd_bus_close_unref(client);
        sd_bus_close_unref(server);
        sd_bus_close_unref(bus);
}

static void monitor(void) {
        monitor_with(1);
}

/* The original answers what it only sees, whereupon the bus throws it out. */
static void monitor_alone(void) {
        monitor_with(0);
}

int main(int argc, char **argv) {
        static const struct { const char *name; void (*run)(void); } groups[] = {
                { "settings", settings }, { "pair", pair }, { "direct", direct }, { "processes", processes }, { "namespace", namespace },
                { "serve", serve_known }, { "serve-anyone", serve_anyone }, { "call", call_known }, { "call-anonymous", call_anonymous },
                { "hears", hears },
                { "leave", leave },
                { "talks", talks }, { "limit", limit }, { "packet", packet }, { "connected", connected }, { "monitor", monitor }, { "monitor-alone", monitor_alone },
        };

        setvbuf(stdout, NULL, _IOLBF, 0);
        for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
                if (argc > 1 && strcmp(argv[1], groups[i].name) == 0) {
                        groups[i].run();
                        return 0;
                }
        return 2;
}
