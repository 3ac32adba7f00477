/* Waits by functions of sd-bus, and prints how each came back: to be run on two libraries, and compared.
 *   wait_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#define LONG (20 * UINT64_C(1000000))
#define SHORT (150 * UINT64_C(1000))

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)
#define MUST(call) do { if ((call) < 0) { printf("%s failed\n", #call); exit(1); } } while (0)

static uint64_t now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* Until a process is in this state, and stays there: it has come to where it waits. */
static void until(pid_t pid, char state) {
        char path[64], line[512];

        snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        for (int seen = 0; seen < 10; usleep(3000)) {
                FILE *f = fopen(path, "re");
                char *name;

                if (!f || !fgets(line, sizeof(line), f))
                        exit(1);
                fclose(f);
                name = strrchr(line, ')');
                seen = name && name[2] == state ? seen + 1 : 0;
        }
}

static void stop_and_continue(pid_t pid) {
        kill(pid, SIGSTOP);
        until(pid, 'T');
        kill(pid, SIGCONT);
}

/* What is done to a caller before its call is answered. */
static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        pid_t caller = getppid();
        const char *what;

        (void) userdata, (void) e;
        MUST(sd_bus_message_read(m, "s", &what));
        until(caller, 'S');
        if (strcmp(what, "signal") == 0)
                kill(caller, SIGUSR1);
        else if (strcmp(what, "default") == 0)
                kill(caller, SIGWINCH);
        else if (strcmp(what, "stop") == 0)
                stop_and_continue(caller);
        else if (strcmp(what, "end") == 0)
                _exit(0);
        if (strcmp(what, "silence") == 0)
                return 1;
        until(caller, 'S');
        return sd_bus_reply_method_return(m, "s", what);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Do", "s", "s", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};

static int by_pipe;

static sd_bus *with(int input, int output) {
        sd_bus *bus;

        MUST(sd_bus_new(&bus));
        MUST(sd_bus_set_fd(bus, input, output));
        MUST(sd_bus_set_anonymous(bus, 1));
        return bus;
}

/* A bus, at whose other end a process does what it is called for. */
static sd_bus *begun(pid_t *other) {
        int there[2], back[2];
        sd_id128_t id = {{1}};
        sd_bus *bus;

        if (by_pipe ? pipe(there) || pipe(back) : socketpair(AF_UNIX, SOCK_STREAM, 0, there))
                exit(1);
        fflush(stdout);
        *other = fork();
        if (*other == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(there[by_pipe]);
                if (by_pipe)
                        close(back[0]);
                bus = with(there[!by_pipe], by_pipe ? back[1] : there[1]);
                MUST(sd_bus_set_server(bus, 1, id));
                MUST(sd_bus_start(bus));
                MUST(sd_bus_add_object_vtable(bus, NULL, "/a", "a.b", vtable, NULL));
                for (;;) {
                        int r = sd_bus_process(bus, NULL);

                        if (r < 0 || (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0))
                                _exit(0);
                }
        }
        close(there[!by_pipe]);
        if (by_pipe)
                close(back[1]);
        bus = with(by_pipe ? back[0] : there[0], there[by_pipe]);
        MUST(sd_bus_start(bus));
        return bus;
}

static void ended(sd_bus *bus, pid_t other) {
        sd_bus_close(bus);
        sd_bus_unref(bus);
        kill(other, SIGKILL);
        waitpid(other, NULL, 0);
}

static sd_bus_message *made(sd_bus *bus, const char *what) {
        sd_bus_message *m;

        MUST(sd_bus_message_new_method_call(bus, &m, NULL, "/a", "a.b", "Do"));
        MUST(sd_bus_message_append(m, "s", what));
        return m;
}

static void call(const char *what, uint64_t usec) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *m, *reply = NULL;
        uint64_t begin;
        pid_t other;
        sd_bus *bus = begun(&other);
        int r;

        m = made(bus, what);
        begin = now();
        r = sd_bus_call(bus, m, usec, &e, &reply);
        printf("call %s = %d %s, %s, not before its time %d\n", what, r, error(r), e.name ?: "no error", r != -ETIMEDOUT || now() - begin >= usec);
        INT(sd_bus_is_open(bus));
        sd_bus_error_free(&e);
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);
        ended(bus, other);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        (void) e;
        *(int *) userdata = 1;
        printf("answered %d\n", sd_bus_message_is_method_error(m, NULL));
        return 1;
}

static void wait_for(const char *what, uint64_t usec) {
        uint64_t begin, timeout;
        sd_bus_message *m;
        int is_answered = 0;
        pid_t other;
        sd_bus *bus = begun(&other);

        /* Until nothing is left to do but to wait. */
        while (!sd_bus_is_ready(bus))
                if (sd_bus_process(bus, NULL) == 0)
                        sd_bus_wait(bus, UINT64_MAX);
        m = made(bus, what);
        MUST(sd_bus_call_async(bus, NULL, m, on_answer, &is_answered, LONG));
        while (sd_bus_process(bus, NULL) > 0);
        begin = now();
        for (int r = -1; r < 0;) {
                r = sd_bus_wait(bus, usec);
                printf("wait %s = %d %s, not before its time %d\n", what, r, error(r), r != 0 || now() - begin >= usec);
        }
        /* What there is to do has not been done. */
        INT(is_answered);
        INT(sd_bus_get_timeout(bus, &timeout));
        while (sd_bus_process(bus, NULL) > 0);
        INT(is_answered);
        INT(sd_bus_is_open(bus));
        sd_bus_message_unref(m);
        ended(bus, other);
}

static void on_signal(int number) {
        (void) number;
}

static void handle(int flags) {
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };

        sigaction(SIGUSR1, &action, NULL);
}

static void waits(void) {
        static const char *const all[] = { "answer", "default", "stop", "end", "silence" };

        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
                uint64_t usec = strcmp(all[i], "silence") ? LONG : SHORT;

                call(all[i], usec);
                wait_for(all[i], usec);
        }
        handle(0);
        /* A handler is there, and has not run. */
        call("stop", LONG);
        wait_for("stop", LONG);
}

/* With handlers that run. */
static void signals(void) {
        handle(0);
        call("signal", LONG);
        wait_for("signal", LONG);
        handle(SA_RESTART);
        call("signal", LONG);
        wait_for("signal", LONG);
}

/* What others see who have the descriptor, too. */
static void descriptor(void) {
        int ends[2];
        sd_bus *bus;

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
                exit(1);
        bus = with(ends[0], ends[0]);
        INT(sd_bus_start(bus));
        printf("waits %d\n", !(fcntl(ends[0], F_GETFL) & O_NONBLOCK));
        printf("is inherited %d\n", !(fcntl(ends[0], F_GETFD) & FD_CLOEXEC));
        close(ends[1]);
        sd_bus_close(bus);
        sd_bus_unref(bus);
}

/* Whether large messages are with the kernel, while nobody reads. */
static void large(void) {
        static char bytes[150 * 1024];
        uint64_t queued;
        sd_bus_message *m;
        pid_t other;
        sd_bus *bus = begun(&other);

        while (!sd_bus_is_ready(bus))
                if (sd_bus_process(bus, NULL) == 0)
                        sd_bus_wait(bus, UINT64_MAX);
        kill(other, SIGSTOP);
        until(other, 'T');
        for (int i = 0; i < 4; i++) {
                MUST(sd_bus_message_new_signal(bus, &m, "/a", "a.b", "C"));
                MUST(sd_bus_message_append_array(m, 'y', bytes, sizeof(bytes)));
                INT(sd_bus_send(bus, m, NULL));
                sd_bus_message_unref(m);
                MUST(sd_bus_get_n_queued_write(bus, &queued));
                printf("queued %d\n", queued > 0);
        }
        kill(other, SIGCONT);
        INT(sd_bus_flush(bus));
        ended(bus, other);
}

int main(int argc, char **argv) {
        if (argc < 2)
                return 2;
        by_pipe = strcmp(argv[1], "pipe") == 0;
        setvbuf(stdout, NULL, _IOLBF, 0);
        if (by_pipe || strcmp(argv[1], "socket") == 0)
                waits();
        else if (strcmp(argv[1], "signals") == 0)
                signals();
        else {
                descriptor();
                large();
        }
        return 0;
}
