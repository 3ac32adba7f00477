/* Measures what libdbus costs: the same as bus_cost.c does of sd-bus, in the same words.
 *
 *     dbus_cost WHAT COUNT       WHAT: containers read array call big signal bus-call bus-signal
 *
 * Its functions are declared here, since its headers are no part of what the benchmarks run on. */
#include "cost.h"
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct DBusConnection DBusConnection;
typedef struct DBusMessage DBusMessage;
typedef struct DBusServer DBusServer;
typedef struct DBusWatch DBusWatch;
typedef struct {
    void *reserved[16];
} DBusMessageIter;
typedef struct {
    const char *name, *message;
    void *reserved[4];
} DBusError;
typedef uint32_t dbus_bool_t;
typedef int (*DBusHandleMessageFunction)(DBusConnection *, DBusMessage *, void *);
typedef struct {
    void (*unregister)(DBusConnection *, void *);
    DBusHandleMessageFunction message;
    void *reserved[4];
} DBusObjectPathVTable;

DBusMessage *dbus_message_new_method_call(const char *, const char *, const char *, const char *);
DBusMessage *dbus_message_new_method_return(DBusMessage *);
DBusMessage *dbus_message_new_signal(const char *, const char *, const char *);
void dbus_message_unref(DBusMessage *);
void dbus_message_lock(DBusMessage *);
void dbus_message_set_serial(DBusMessage *, uint32_t);
const char *dbus_message_get_member(DBusMessage *);
dbus_bool_t dbus_message_is_signal(DBusMessage *, const char *, const char *);
void dbus_message_iter_init_append(DBusMessage *, DBusMessageIter *);
dbus_bool_t dbus_message_iter_append_basic(DBusMessageIter *, int, const void *);
dbus_bool_t dbus_message_iter_append_fixed_array(DBusMessageIter *, int, const void *, int);
dbus_bool_t dbus_message_iter_open_container(DBusMessageIter *, int, const char *, DBusMessageIter *);
dbus_bool_t dbus_message_iter_close_container(DBusMessageIter *, DBusMessageIter *);
dbus_bool_t dbus_message_iter_init(DBusMessage *, DBusMessageIter *);
int dbus_message_iter_get_arg_type(DBusMessageIter *);
void dbus_message_iter_recurse(DBusMessageIter *, DBusMessageIter *);
dbus_bool_t dbus_message_iter_next(DBusMessageIter *);
void dbus_message_iter_get_basic(DBusMessageIter *, void *);
void dbus_message_iter_get_fixed_array(DBusMessageIter *, void *, int *);
DBusConnection *dbus_bus_get_private(int, DBusError *);
int dbus_bus_request_name(DBusConnection *, const char *, unsigned, DBusError *);
void dbus_bus_add_match(DBusConnection *, const char *, DBusError *);
DBusConnection *dbus_connection_open_private(const char *, DBusError *);
DBusConnection *dbus_connection_ref(DBusConnection *);
DBusMessage *dbus_connection_send_with_reply_and_block(DBusConnection *, DBusMessage *, int, DBusError *);
dbus_bool_t dbus_connection_send(DBusConnection *, DBusMessage *, uint32_t *);
void dbus_connection_flush(DBusConnection *);
dbus_bool_t dbus_connection_read_write_dispatch(DBusConnection *, int);
dbus_bool_t dbus_connection_add_filter(DBusConnection *, DBusHandleMessageFunction, void *, void *);
dbus_bool_t dbus_connection_register_object_path(DBusConnection *, const char *, const DBusObjectPathVTable *, void *);
DBusServer *dbus_server_listen(const char *, DBusError *);
void dbus_server_set_new_connection_function(DBusServer *, void (*)(DBusServer *, DBusConnection *, void *), void *, void *);
dbus_bool_t dbus_server_set_watch_functions(DBusServer *, dbus_bool_t (*)(DBusWatch *, void *), void (*)(DBusWatch *, void *),
                                            void (*)(DBusWatch *, void *), void *, void *);
int dbus_watch_get_unix_fd(DBusWatch *);
dbus_bool_t dbus_watch_handle(DBusWatch *, unsigned);


static void must(int done, const char *what) {
    if (done) return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}
#define MUST(call) must((call) != 0, #call)

static DBusMessage *begun(const char *member) {
    DBusMessage *m = dbus_message_new_method_call(NAME, PATH, NAME, member);
    MUST(m != NULL);
    return m;
}

/* As it is when it is sent. */
static void seal(DBusMessage *m) {
    dbus_message_set_serial(m, 1);
    dbus_message_lock(m);
}

static void append(DBusMessageIter *array, const char *key, char type, const void *value) {
    char contents[2] = {type};
    DBusMessageIter entry, variant;
    MUST(dbus_message_iter_open_container(array, 'e', NULL, &entry));
    MUST(dbus_message_iter_append_basic(&entry, 's', &key));
    MUST(dbus_message_iter_open_container(&entry, 'v', contents, &variant));
    MUST(dbus_message_iter_append_basic(&variant, type, value));
    MUST(dbus_message_iter_close_container(&entry, &variant));
    MUST(dbus_message_iter_close_container(array, &entry));
}

static DBusMessage *by_containers(void) {
    const char *name = TEXT, *path = PATH;
    uint32_t count = 7, active = 1;
    uint64_t size = (uint64_t) 1 << 40;
    double ratio = 0.5;
    DBusMessage *m = begun("Method");
    DBusMessageIter all, array;
    dbus_message_iter_init_append(m, &all);
    MUST(dbus_message_iter_open_container(&all, 'a', "{sv}", &array));
    append(&array, "Name", 's', &name);
    append(&array, "Path", 'o', &path);
    append(&array, "Count", 'u', &count);
    append(&array, "Size", 't', &size);
    append(&array, "Active", 'b', &active);
    append(&array, "Ratio", 'd', &ratio);
    MUST(dbus_message_iter_close_container(&all, &array));
    seal(m);
    return m;
}

static void read_all(DBusMessage *m) {
    union {
        const char *text;
        uint64_t number;
    } value;
    DBusMessageIter all, array, entry, variant;
    const char *key;
    int values = 0;
    MUST(dbus_message_iter_init(m, &all));
    dbus_message_iter_recurse(&all, &array);
    while (dbus_message_iter_get_arg_type(&array) == 'e') {
        dbus_message_iter_recurse(&array, &entry);
        dbus_message_iter_get_basic(&entry, &key);
        dbus_message_iter_next(&entry);
        dbus_message_iter_recurse(&entry, &variant);
        dbus_message_iter_get_arg_type(&variant);
        dbus_message_iter_get_basic(&variant, &value);
        dbus_message_iter_next(&array);
        values++;
    }
    if (values != 6) exit(1);
}

static void append_array(DBusMessage *m, const char *bytes) {
    DBusMessageIter all, array;
    dbus_message_iter_init_append(m, &all);
    MUST(dbus_message_iter_open_container(&all, 'a', "y", &array));
    MUST(dbus_message_iter_append_fixed_array(&array, 'y', &bytes, MEBIBYTE));
    MUST(dbus_message_iter_close_container(&all, &array));
}

static double alone(const char *what, int count) {
    DBusMessage *whole = by_containers();
    char *bytes = mebibyte();
    double begin = now_ns();
    for (int i = 0; i < count; i++) {
        if (!strcmp(what, "containers")) dbus_message_unref(by_containers());
        else if (!strcmp(what, "read")) read_all(whole);
        else {
            DBusMessage *m = begun("Method");
            append_array(m, bytes);
            seal(m);
            dbus_message_unref(m);
        }
    }
    return (now_ns() - begin) / count;
}

static void append_text(DBusMessage *m, const char *text) {
    DBusMessageIter all;
    dbus_message_iter_init_append(m, &all);
    MUST(dbus_message_iter_append_basic(&all, 's', &text));
}

static const char *text_of(DBusMessage *m) {
    DBusMessageIter all;
    const char *text = NULL;
    if (dbus_message_iter_init(m, &all)) dbus_message_iter_get_basic(&all, &text);
    return text;
}

static const char *array_of(DBusMessage *m) {
    DBusMessageIter all, array;
    const char *bytes;
    int size;
    MUST(dbus_message_iter_init(m, &all));
    dbus_message_iter_recurse(&all, &array);
    dbus_message_iter_get_fixed_array(&array, &bytes, &size);
    return bytes;
}

static int answer(DBusConnection *bus, DBusMessage *m, void *data) {
    DBusMessage *reply = dbus_message_new_method_return(m);
    (void) data;
    MUST(reply != NULL);
    if (!strcmp(dbus_message_get_member(m), "AnswerBig")) append_array(reply, array_of(m));
    else append_text(reply, text_of(m));
    MUST(dbus_connection_send(bus, reply, NULL));
    dbus_message_unref(reply);
    return 0;
}

static const DBusObjectPathVTable object = {.message = answer};
static DBusConnection *accepted;
static DBusWatch *listener;
static int begin_asked;

static int filter(DBusConnection *bus, DBusMessage *m, void *left) {
    (void) bus;
    if (dbus_message_is_signal(m, NAME, "Begin")) begin_asked = 1;
    else if (dbus_message_is_signal(m, NAME, "Signal")) {
        if (!text_of(m)) exit(1);
        if (left) --*(int *) left;
    } else return 1;
    return 0;
}

static void accept_one(DBusServer *server, DBusConnection *bus, void *data) {
    (void) server, (void) data;
    accepted = dbus_connection_ref(bus);
}

static dbus_bool_t add_watch(DBusWatch *watch, void *data) {
    (void) data;
    listener = watch;
    return 1;
}

static void ignore_watch(DBusWatch *watch, void *data) {
    (void) watch, (void) data;
}

static void serve(DBusConnection *bus, int signals) {
    MUST(dbus_connection_add_filter(bus, filter, NULL, NULL));
    MUST(dbus_connection_register_object_path(bus, PATH, &object, NULL));
    while (dbus_connection_read_write_dispatch(bus, -1)) {
        if (!begin_asked) continue;
        begin_asked = 0;
        for (int i = 0; i < signals; i++) {
            DBusMessage *m = dbus_message_new_signal(PATH, NAME, "Signal");
            append_text(m, TEXT);
            MUST(dbus_connection_send(bus, m, NULL));
            dbus_message_unref(m);
            if (i % 16 == 15) dbus_connection_flush(bus);
        }
        dbus_connection_flush(bus);
    }
}

static DBusConnection *meet(int by_bus, pid_t *server, int signals) {
    char address[64];
    int ready[2];
    char byte;
    snprintf(address, sizeof address, "unix:abstract=dbus_cost-%d", getpid());
    if (pipe(ready)) exit(1);
    *server = fork();
    if (*server == 0) {
        DBusConnection *bus = NULL;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (by_bus) {
            MUST(bus = dbus_bus_get_private(0, NULL));
            MUST(dbus_bus_request_name(bus, NAME, 0, NULL) > 0);
            dbus_bus_add_match(bus, "type='signal',interface='" NAME "',member='Begin'", NULL);
            dbus_connection_flush(bus);
            if (write(ready[1], "", 1) != 1) exit(1);
        } else {
            DBusServer *end = dbus_server_listen(address, NULL);
            MUST(end != NULL);
            dbus_server_set_new_connection_function(end, accept_one, NULL, NULL);
            MUST(dbus_server_set_watch_functions(end, add_watch, ignore_watch, ignore_watch, NULL, NULL));
            if (write(ready[1], "", 1) != 1) exit(1);
            while (!accepted) {
                struct pollfd readable = {.fd = dbus_watch_get_unix_fd(listener), .events = POLLIN};
                poll(&readable, 1, -1);
                dbus_watch_handle(listener, 1);
            }
            bus = accepted;
        }
        serve(bus, signals);
        exit(0);
    }
    if (read(ready[0], &byte, 1) != 1) exit(1);
    DBusConnection *bus = by_bus ? dbus_bus_get_private(0, NULL) : dbus_connection_open_private(address, NULL);
    MUST(bus != NULL);
    return bus;
}

static double calls(int by_bus, int is_big, int count) {
    pid_t server;
    DBusConnection *bus = meet(by_bus, &server, 0);
    char *bytes = mebibyte();
    double begin = 0;
    for (int i = -count / 10 - 1; i < count; i++) {
        if (i == 0) begin = now_ns();
        DBusMessage *m = begun(is_big ? "AnswerBig" : "Answer");
        if (is_big) append_array(m, bytes);
        else append_text(m, TEXT);
        DBusMessage *reply = dbus_connection_send_with_reply_and_block(bus, m, 25000, NULL);
        MUST(reply != NULL);
        if (is_big ? !array_of(reply) : !text_of(reply)) exit(1);
        dbus_message_unref(m);
        dbus_message_unref(reply);
    }
    return since(begin, count, server);
}

static double signals(int by_bus, int count) {
    pid_t server;
    DBusConnection *bus = meet(by_bus, &server, count);
    int left = count;
    double begin = 0;
    MUST(dbus_connection_add_filter(bus, filter, &left, NULL));
    if (by_bus) dbus_bus_add_match(bus, "type='signal',interface='" NAME "',member='Signal'", NULL);
    dbus_connection_flush(bus);
    for (int i = 0; i < 2; i++) {
        begin = now_ns();
        left = count;
        DBusMessage *m = dbus_message_new_signal(PATH, NAME, "Begin");
        MUST(dbus_connection_send(bus, m, NULL));
        dbus_connection_flush(bus);
        dbus_message_unref(m);
        while (left > 0 && dbus_connection_read_write_dispatch(bus, -1)) {}
    }
    return since(begin, count, server);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    printf("%.0f\n", measure(argv[1], atoi(argv[2])));
    return 0;
}
