/* Measures what sd-bus costs.
 *
 *     bus_cost build COUNT        a call with a{sv} of six is appended, sealed and freed: by one format
 *     bus_cost containers COUNT   the same, container by container and value by value
 *     bus_cost read COUNT         that message is read, value by value
 *     bus_cost array COUNT        an array of a mebibyte is appended and sealed
 *     bus_cost memcpy COUNT       a mebibyte is copied to memory of its own
 *     bus_cost call COUNT         a call of a text, answered by a text, from one process to another by a socket
 *     bus_cost big COUNT          the same with a mebibyte
 *     bus_cost signal COUNT       a signal with a text, from one process to another
 *     bus_cost bus-call COUNT     as call, by way of the bus at DBUS_SESSION_BUS_ADDRESS
 *     bus_cost bus-signal COUNT   as signal, by way of that bus
 *     bus_cost raw-call COUNT     as many bytes as call's there and back, by the socket alone
 *     bus_cost raw-steps COUNT    the same by the system calls that a call of sd-bus can't do without
 *     bus_cost raw-big COUNT      as many bytes as big's
 *     bus_cost raw-signal COUNT   as many bytes as signal's, one after the other
 *
 * It says the time of one in ns. */
#include "cost.h"
#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

/* Of the messages of these: header and body. */
#define CALL_BYTES 160
#define RETURN_BYTES 64
#define SIGNAL_BYTES 144

static void must(int answer, const char *what) {
    if (answer >= 0) return;
    fprintf(stderr, "%s: %s\n", what, strerror(-answer));
    exit(1);
}
#define MUST(call) must((call), #call)

static sd_bus *some_bus(void) {
    sd_bus *bus;
    int ends[2];
    MUST(sd_bus_new(&bus));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) exit(1);
    MUST(sd_bus_set_fd(bus, ends[0], ends[0]));
    MUST(sd_bus_start(bus));
    return bus;
}

static sd_bus_message *begun(sd_bus *bus) {
    sd_bus_message *m;
    MUST(sd_bus_message_new_method_call(bus, &m, NAME, PATH, NAME, "Method"));
    return m;
}

static sd_bus_message *by_format(sd_bus *bus) {
    sd_bus_message *m = begun(bus);
    MUST(sd_bus_message_append(m, "a{sv}", 6, "Name", "s", TEXT, "Path", "o", PATH, "Count", "u", 7u, "Size", "t",
                               (uint64_t) 1 << 40, "Active", "b", 1, "Ratio", "d", 0.5));
    MUST(sd_bus_message_seal(m, 1, 0));
    return m;
}

static void append(sd_bus_message *m, const char *key, char type, const void *value) {
    char contents[2] = {type};
    MUST(sd_bus_message_open_container(m, 'e', "sv"));
    MUST(sd_bus_message_append_basic(m, 's', key));
    MUST(sd_bus_message_open_container(m, 'v', contents));
    MUST(sd_bus_message_append_basic(m, type, value));
    MUST(sd_bus_message_close_container(m));
    MUST(sd_bus_message_close_container(m));
}

static sd_bus_message *by_containers(sd_bus *bus) {
    uint32_t count = 7;
    uint64_t size = (uint64_t) 1 << 40;
    int active = 1;
    double ratio = 0.5;
    sd_bus_message *m = begun(bus);
    MUST(sd_bus_message_open_container(m, 'a', "{sv}"));
    append(m, "Name", 's', TEXT);
    append(m, "Path", 'o', PATH);
    append(m, "Count", 'u', &count);
    append(m, "Size", 't', &size);
    append(m, "Active", 'b', &active);
    append(m, "Ratio", 'd', &ratio);
    MUST(sd_bus_message_close_container(m));
    MUST(sd_bus_message_seal(m, 1, 0));
    return m;
}

static void read_all(sd_bus_message *m) {
    union {
        const char *text;
        uint64_t number;
    } value;
    const char *key, *contents;
    char type;
    int values = 0;
    MUST(sd_bus_message_rewind(m, 1));
    MUST(sd_bus_message_enter_container(m, 'a', "{sv}"));
    while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
        MUST(sd_bus_message_read_basic(m, 's', &key));
        MUST(sd_bus_message_peek_type(m, &type, &contents));
        MUST(sd_bus_message_enter_container(m, 'v', contents));
        MUST(sd_bus_message_read_basic(m, contents[0], &value));
        MUST(sd_bus_message_exit_container(m));
        MUST(sd_bus_message_exit_container(m));
        values++;
    }
    MUST(sd_bus_message_exit_container(m));
    if (values != 6) exit(1);
}

/* What is measured without another process. */
static double alone(const char *what, int count) {
    sd_bus *bus = some_bus();
    sd_bus_message *whole = by_format(bus);
    char *bytes = mebibyte();
    double begin = now_ns();
    for (int i = 0; i < count; i++) {
        if (!strcmp(what, "build")) sd_bus_message_unref(by_format(bus));
        else if (!strcmp(what, "containers")) sd_bus_message_unref(by_containers(bus));
        else if (!strcmp(what, "read")) read_all(whole);
        else if (!strcmp(what, "array")) {
            sd_bus_message *m = begun(bus);
            MUST(sd_bus_message_append_array(m, 'y', bytes, MEBIBYTE));
            MUST(sd_bus_message_seal(m, 1, 0));
            sd_bus_message_unref(m);
        } else {
            char *copy = malloc(MEBIBYTE);
            memcpy(copy, bytes, MEBIBYTE);
            __asm__ volatile("" : : "r"(copy) : "memory");
            free(copy);
        }
    }
    return (now_ns() - begin) / count;
}

static void child(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int answer(sd_bus_message *m, void *data, sd_bus_error *error) {
    const char *text;
    (void) data, (void) error;
    MUST(sd_bus_message_read(m, "s", &text));
    return sd_bus_reply_method_return(m, "s", text);
}

static int answer_big(sd_bus_message *m, void *data, sd_bus_error *error) {
    sd_bus_message *reply;
    const void *bytes;
    size_t size;
    (void) data, (void) error;
    MUST(sd_bus_message_read_array(m, 'y', &bytes, &size));
    MUST(sd_bus_message_new_method_return(m, &reply));
    MUST(sd_bus_message_append_array(reply, 'y', bytes, size));
    MUST(sd_bus_send(NULL, reply, NULL));
    sd_bus_message_unref(reply);
    return 1;
}

static int counted(sd_bus_message *m, void *data, sd_bus_error *error) {
    const char *text;
    (void) error;
    MUST(sd_bus_message_read(m, "s", &text));
    --*(int *) data;
    return 1;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Answer", "s", "s", answer, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("AnswerBig", "ay", "ay", answer_big, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static void turn(sd_bus *bus) {
    int done;
    MUST(done = sd_bus_process(bus, NULL));
    if (!done) MUST(sd_bus_wait(bus, UINT64_MAX));
}

/* Two ends of a connection: by the bus, or by a socket. */
static void meet(int by_bus, sd_bus **client, pid_t *server, void (*serve)(sd_bus *, int), int argument) {
    int ends[2], ready[2];
    char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) || pipe(ready)) exit(1);
    *server = fork();
    if (*server == 0) {
        sd_bus *bus;
        child();
        close(ends[0]);
        close(ready[0]);
        if (by_bus) {
            MUST(sd_bus_open_user(&bus));
            MUST(sd_bus_request_name(bus, NAME, 0));
        } else {
            sd_id128_t id = {{1}};
            MUST(sd_bus_new(&bus));
            MUST(sd_bus_set_fd(bus, ends[1], ends[1]));
            MUST(sd_bus_set_server(bus, 1, id));
            MUST(sd_bus_start(bus));
        }
        MUST(sd_bus_add_object_vtable(bus, NULL, PATH, NAME, vtable, NULL));
        if (write(ready[1], "", 1) != 1) exit(1);
        serve(bus, argument);
        exit(0);
    }
    close(ends[1]);
    if (read(ready[0], &byte, 1) != 1) exit(1);
    if (by_bus) {
        MUST(sd_bus_open_user(client));
    } else {
        MUST(sd_bus_new(client));
        MUST(sd_bus_set_fd(*client, ends[0], ends[0]));
        MUST(sd_bus_start(*client));
    }
}

static void serve_calls(sd_bus *bus, int argument) {
    (void) argument;
    for (;;) turn(bus);
}

static double calls(int by_bus, int is_big, int count) {
    sd_bus *bus;
    pid_t server;
    char *bytes = mebibyte();
    double begin = 0;
    meet(by_bus, &bus, &server, serve_calls, 0);
    for (int i = -count / 10 - 1; i < count; i++) {
        sd_bus_message *m, *reply;
        if (i == 0) begin = now_ns();
        MUST(sd_bus_message_new_method_call(bus, &m, by_bus ? NAME : NULL, PATH, NAME, is_big ? "AnswerBig" : "Answer"));
        if (is_big) {
            const void *same;
            size_t size;
            MUST(sd_bus_message_append_array(m, 'y', bytes, MEBIBYTE));
            MUST(sd_bus_call(bus, m, 0, NULL, &reply));
            MUST(sd_bus_message_read_array(reply, 'y', &same, &size));
        } else {
            const char *same;
            MUST(sd_bus_message_append(m, "s", TEXT));
            MUST(sd_bus_call(bus, m, 0, NULL, &reply));
            MUST(sd_bus_message_read(reply, "s", &same));
        }
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);
    }
    return since(begin, count, server);
}

/* The child sends as soon as it is called. */
static int sent;

static int send_all(sd_bus_message *m, void *data, sd_bus_error *error) {
    (void) m, (void) error;
    *(int *) data = 1;
    return 1;
}

static void serve_signals(sd_bus *bus, int count) {
    MUST(sd_bus_add_match(bus, NULL, "type='signal',interface='" NAME "',member='Begin'", send_all, &sent));
    for (;;) {
        while (!sent) turn(bus);
        sent = 0;
        for (int i = 0; i < count; i++) {
            MUST(sd_bus_emit_signal(bus, PATH, NAME, "Signal", "s", TEXT));
            /* As a program does that sends what happens: it does not let its queue grow. */
            if (i % 16 == 15) MUST(sd_bus_flush(bus));
        }
        MUST(sd_bus_flush(bus));
    }
}

static double signals(int by_bus, int count) {
    sd_bus *bus;
    pid_t server;
    double begin = 0;
    meet(by_bus, &bus, &server, serve_signals, count);
    int left = count;
    MUST(sd_bus_add_match(bus, NULL, "type='signal',interface='" NAME "',member='Signal'", counted, &left));
    MUST(sd_bus_flush(bus));
    /* Once as a trial. */
    for (int i = 0; i < 2; i++) {
        begin = now_ns();
        left = count;
        MUST(sd_bus_emit_signal(bus, PATH, NAME, "Begin", NULL));
        while (left > 0) turn(bus);
    }
    return since(begin, count, server);
}

static void take(int from, char *bytes, size_t size) {
    while (size) {
        ssize_t count = recv(from, bytes, size, 0);
        if (count <= 0) exit(1);
        size -= count;
    }
}

static void give(int to, const char *bytes, size_t size) {
    while (size) {
        ssize_t count = send(to, bytes, size, MSG_NOSIGNAL);
        if (count <= 0) exit(1);
        size -= count;
        bytes += count;
    }
}

/* What has come, as a program reads it that takes descriptors, too. Whether anything has. */
static int take_now(int from, char *bytes, size_t size) {
    char control[CMSG_SPACE(253 * sizeof(int))];
    struct iovec piece = {bytes, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count == 0 || (count < 0 && errno != EAGAIN)) exit(1);
    return count > 0;
}

static void wait_for(int from, const struct timespec *timeout) {
    struct pollfd one = {.fd = from, .events = POLLIN};
    if (ppoll(&one, 1, timeout, NULL) < 0) exit(1);
}

/* A caller waits for so long; who answers waits, for ever, only when there is nothing to read. */
static double steps(int count) {
    const struct timespec timeout = {.tv_sec = 25};
    int ends[2];
    char bytes[4096];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        child();
        close(ends[0]);
        for (;;) {
            while (!take_now(ends[1], bytes, sizeof bytes)) wait_for(ends[1], NULL);
            give(ends[1], bytes, RETURN_BYTES);
        }
    }
    close(ends[1]);
    double begin = now_ns();
    for (int i = 0; i < count; i++) {
        give(ends[0], bytes, CALL_BYTES);
        do wait_for(ends[0], &timeout);
        while (!take_now(ends[0], bytes, sizeof bytes));
    }
    return since(begin, count, pid);
}

static double raw(const char *what, int count) {
    int ends[2], is_big = !strcmp(what, "raw-big"), is_signal = !strcmp(what, "raw-signal");
    char *bytes = mebibyte();
    size_t there = is_big ? MEBIBYTE : is_signal ? SIGNAL_BYTES : CALL_BYTES, back = is_big ? MEBIBYTE : RETURN_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        child();
        close(ends[0]);
        if (is_signal)
            for (int i = 0; i < count; i++) give(ends[1], bytes, there);
        else
            for (;;) {
                take(ends[1], bytes, there);
                give(ends[1], bytes, back);
            }
        exit(0);
    }
    close(ends[1]);
    double begin = now_ns();
    for (int i = 0; i < count; i++) {
        if (is_signal) {
            take(ends[0], bytes, there);
            continue;
        }
        give(ends[0], bytes, there);
        take(ends[0], bytes, back);
    }
    return since(begin, count, pid);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int count = atoi(argv[2]);
    double took = !strcmp(argv[1], "raw-steps")  ? steps(count)
                  : strncmp(argv[1], "raw-", 4) == 0 ? raw(argv[1], count)
                                                     : measure(argv[1], count);
    printf("%.0f\n", took);
    return 0;
}
