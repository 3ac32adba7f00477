/* A bus that takes no connection, or takes it back: what callers see of that. To be run on two libraries, and compared. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("    %s = %d %s\n", #call, r_, error(r_)); } while (0)

#define OK "OK 0123456789abcdef0123456789abcdef\r\n"

/* What a bus does: it waits until a text has come, answers, and hangs up in the end. */
struct lie {
        const char *what;
        struct { const char *until, *answer; } steps[4];
};

static const struct lie lies[] = {
        { "closes unheard", { { "AUTH", NULL } } },
        { "rejects and closes", { { "AUTH", "REJECTED EXTERNAL\r\n" } } },
        { "rejects what it has been told", { { "AUTH", "DATA\r\nREJECTED EXTERNAL\r\n" } } },
        { "has an error", { { "AUTH", "DATA\r\nERROR\r\n" } } },
        { "has no descriptors and closes", { { "AUTH", "DATA\r\n" OK "ERROR\r\n" }, { "BEGIN", NULL } } },
        { "closes after OK", { { "AUTH", "DATA\r\n" OK } } },
        { "closes after BEGIN", { { "AUTH", "DATA\r\n" OK "AGREE_UNIX_FD\r\n" }, { "BEGIN", NULL } } },
        { "closes before Hello is answered", { { "AUTH", "DATA\r\n" OK "AGREE_UNIX_FD\r\n" }, { "Hello", NULL } } },
};

/* It hears nothing before the connection was begun. */
static int begun[2];

static void tell_lies(int fd, const struct lie *lie) {
        char bytes[4096];
        size_t n = 0;

        close(begun[1]);
        if (read(begun[0], bytes, 1) < 0)
                _exit(1);
        /* Clients may say all of this at once. */
        for (size_t i = 0; lie->steps[i].until; i++) {
                while (!memmem(bytes, n, lie->steps[i].until, strlen(lie->steps[i].until))) {
                        ssize_t r = read(fd, bytes + n, sizeof(bytes) - n);

                        if (r <= 0)
                                _exit(0);
                        n += r;
                }
                if (lie->steps[i].answer && write(fd, lie->steps[i].answer, strlen(lie->steps[i].answer)) < 0)
                        _exit(1);
        }
        _exit(0);
}

static sd_bus *connected(const struct lie *lie, pid_t *liar) {
        sd_bus *bus = NULL;
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
        if (pipe2(begun, O_CLOEXEC) < 0)
                exit(3);
        fflush(stdout);
        *liar = -1;
        if (lie) {
                *liar = fork();
                if (*liar == 0) {
                        close(pair[0]);
                        tell_lies(pair[1], lie);
                }
        }
        close(pair[1]);
        sd_bus_new(&bus);
        sd_bus_set_fd(bus, pair[0], pair[0]);
        sd_bus_set_bus_client(bus, 1);
        return bus;
}

static void end(sd_bus *bus, pid_t liar) {
        sd_bus_close_unref(bus);
        if (liar > 0) {
                kill(liar, SIGKILL);
                waitpid(liar, NULL, 0);
        }
}

static int ping(sd_bus *bus) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping", &e, NULL, NULL);

        printf("    %s: %s\n", e.name ?: "none", e.message ?: "none");
        sd_bus_error_free(&e);
        return r;
}

static int processed(sd_bus *bus) {
        int r, n = 0;

        while ((r = sd_bus_process(bus, NULL)) >= 0 && n++ < 50)
                if (r == 0 && (r = sd_bus_wait(bus, 2000000)) <= 0)
                        break;
        return r;
}

static int answered(sd_bus_message *m, void *data, sd_bus_error *e) {
        (void) data, (void) e;
        printf("    answered: %s\n", sd_bus_message_get_error(m) ? sd_bus_message_get_error(m)->name : "without error");
        return 1;
}

static void with(const struct lie *lie) {
        const char *name = NULL;
        sd_bus_message *m = NULL;
        sd_bus *bus;
        pid_t liar;

        printf("%s\n", lie ? lie->what : "closes at once");
        for (int i = 0; i < 6; i++) {
                bus = connected(lie, &liar);
                printf("  %d\n", i);
                INT(sd_bus_start(bus));
                close(begun[0]);
                close(begun[1]);
                switch (i) {
                case 0:
                        INT(sd_bus_get_unique_name(bus, &name));
                        break;
                case 1:
                        INT(ping(bus));
                        break;
                case 2:
                        INT(processed(bus));
                        break;
                case 3:
                        INT(sd_bus_call_method_async(bus, NULL, "org.freedesktop.DBus", "/", "a.b", "C", answered, NULL, NULL));
                        INT(processed(bus));
                        break;
                case 4:
                        INT(sd_bus_flush(bus));
                        break;
                case 5:
                        INT(sd_bus_add_match(bus, NULL, "type='signal'", answered, NULL));
                        INT(sd_bus_request_name(bus, "a.b", 0));
                        break;
                }
                INT(sd_bus_is_open(bus));
                INT(sd_bus_is_ready(bus));
                INT(sd_bus_process(bus, &m));
                INT(sd_bus_is_open(bus));
                INT(sd_bus_get_unique_name(bus, &name));
                INT(ping(bus));
                m = sd_bus_message_unref(m);
                end(bus, liar);
        }
}

int main(void) {
        alarm(100);
        with(NULL);
        for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++)
                with(&lies[i]);
        return 0;
}
