/* Serves objects on one connection and calls them on another, both its own, and prints what is said: to be run on two libraries,
 * and compared.
 *   object_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>

static sd_bus *server, *client;
static const char *to;

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)

static void print_values(sd_bus_message *m) {
        const char *contents;
        char type;

        while (sd_bus_message_peek_type(m, &type, &contents) > 0) {
                if (strchr("arve", type)) {
                        if (sd_bus_message_enter_container(m, type, contents) <= 0) {
                                printf("?");
                                return;
                        }
                        /* An object a line. */
                        printf("%s%c[", type == 'e' && *contents == 'o' ? "\n  " : "", type);
                        print_values(m);
                        printf("]");
                        sd_bus_message_exit_container(m);
                } else {
                        union { uint8_t y; int b; int16_t n; int32_t i; int64_t x; double d; const char *s; } v = {};

                        if (sd_bus_message_read_basic(m, type, &v) <= 0) {
                                printf("?");
                                return;
                        }
                        if (strchr("sog", type))
                                printf("%c:%s ", type, v.s);
                        else if (type == 'd')
                                printf("d:%g ", v.d);
                        else if (type == 'y')
                                printf("y:%d ", v.y);
                        else if (strchr("xt", type))
                                printf("%c:%lld ", type, (long long) v.x);
                        else
                                printf("%c:%d ", type, v.i);
                }
        }
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);

        (void) ret_error;
        *(int *) userdata = 1;
        if (e)
                printf("error %s: %s\n", e->name, e->message ?: "null");
        else {
                printf("%s ", sd_bus_message_get_signature(m, 1));
                print_values(m);
                putchar('\n');
        }
        return 1;
}

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        printf("signal %s %s: ", sd_bus_message_get_path(m), sd_bus_message_get_member(m));
        print_values(m);
        putchar('\n');
        return 0;
}

/* Both connections go on, until this is no longer 0. */
static void go_on(const int *until) {
        while (!*until) {
                int r = sd_bus_process(server, NULL), q = sd_bus_process(client, NULL);

                if (r < 0 || q < 0) {
                        printf("process %d %d\n", r, q);
                        return;
                }
                if (r == 0 && q == 0) {
                        struct pollfd fds[] = { { sd_bus_get_fd(server), POLLIN, 0 }, { sd_bus_get_fd(client), POLLIN, 0 } };

                        if (poll(fds, 2, 30000) == 0) {
                                printf("nothing comes\n");
                                return;
                        }
                }
        }
}

static void ask(const char *path, const char *interface, const char *member, sd_bus_message *m) {
        int done = 0, r;

        printf("%s %s.%s: ", path, interface ?: "null", member);
        fflush(stdout);
        r = sd_bus_call_async(client, NULL, m, on_reply, &done, 0);
        if (r < 0)
                printf("%d %s\n", r, error(r));
        else
                go_on(&done);
        sd_bus_message_unref(m);
}

/* A call, and its answer in a line. */
#define CALL(path, interface, member, ...) do {                                                         \
                sd_bus_message *m_ = NULL;                                                              \
                                                                                                        \
                sd_bus_message_new_method_call(client, &m_, to, path, interface, member);               \
                sd_bus_message_append(m_, __VA_ARGS__);                                                 \
                ask(path, interface, member, m_);                                                       \
        } while (0)

#define MANAGED(path) CALL(path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "")
#define GET(path, interface, name) CALL(path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name)
#define GET_ALL(path, interface) CALL(path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface)
#define INTROSPECT(path) CALL(path, "org.freedesktop.DBus.Introspectable", "Introspect", "")

/* All that was sent so far has come. */
static void settle(void) {
        sd_bus_message *m = NULL;
        int done = 0;

        sd_bus_flush(server);
        sd_bus_message_new_method_call(server, &m, sd_bus_get_unique_name(client, &to) < 0 ? NULL : to, "/", "org.freedesktop.DBus.Peer",
                                       "Ping");
        sd_bus_get_unique_name(server, &to);
        sd_bus_call_async(server, NULL, m, on_reply, &done, 0);
        sd_bus_message_unref(m);
        go_on(&done);
}

struct thing {
        int number;
        const char *name;
        char *text;
};

static struct thing things[] = { { 1, "one", NULL }, { 2, "two", NULL }, { 3, "three", NULL } };

static int get_name(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *userdata,
                    sd_bus_error *ret_error) {
        (void) bus, (void) path, (void) interface, (void) property, (void) ret_error;
        return sd_bus_message_append(reply, "s", *(const char **) userdata ?: "none");
}

static int get_path(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *userdata,
                    sd_bus_error *ret_error) {
        (void) bus, (void) interface, (void) property, (void) userdata, (void) ret_error;
        return sd_bus_message_append(reply, "s", path);
}

static int get_failing(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                       void *userdata, sd_bus_error *ret_error) {
        (void) bus, (void) path, (void) interface, (void) property, (void) reply, (void) userdata;
        return sd_bus_error_set(ret_error, "org.example.Failed", "as it should");
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *ret_error) {
        (void) bus, (void) path, (void) interface, (void) userdata, (void) ret_error;
        if (strcmp(property, "Empty") == 0)
                return 0;
        if (strcmp(property, "Twice") == 0)
                return sd_bus_message_append(reply, "ii", 1, 2);
        return sd_bus_message_append(reply, "i", 5);
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *member = sd_bus_message_get_member(m);
        int r;

        (void) ret_error;
        if (userdata)
                printf("<%d> ", ((struct thing *) userdata)->number);
        if (strcmp(member, "Wrong") == 0)
                r = sd_bus_reply_method_return(m, "s", "no number");
        else if (strcmp(member, "None") == 0)
                r = sd_bus_reply_method_return(m, NULL);
        else if (strcmp(member, "Later") == 0)
                r = 1;
        else
                r = sd_bus_reply_method_return(m, "i", 7);
        printf("[%d %s] ", r, error(r));
        return r;
}

static const sd_bus_vtable first[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Right", SD_BUS_NO_ARGS, SD_BUS_RESULT("i", number), on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Wrong", SD_BUS_ARGS("s", a_text, "a{sv}", more), SD_BUS_RESULT("i", number, "as", texts), on_call,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("None", NULL, "i", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Number", "i", NULL, offsetof(struct thing, number), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Name", "s", get_name, offsetof(struct thing, name), SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
        SD_BUS_PROPERTY("Secret", "s", get_name, offsetof(struct thing, name), SD_BUS_VTABLE_HIDDEN),
        SD_BUS_PROPERTY("Explicit", "s", get_name, offsetof(struct thing, name), SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Path", "s", get_path, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Old", "s", get_path, 0, SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_WRITABLE_PROPERTY("Text", "s", NULL, NULL, offsetof(struct thing, text), SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("Rang", SD_BUS_ARGS("s", who, "i", often), 0),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable second[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Right", NULL, "i", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Second", "i", NULL, offsetof(struct thing, number), 0),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable more[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("More", NULL, "i", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("More", "i", NULL, offsetof(struct thing, number), 0),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable hidden[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_HIDDEN),
        SD_BUS_METHOD("Right", NULL, "i", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Hidden", "i", NULL, offsetof(struct thing, number), 0),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable failing[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Before", "i", get_number, 0, 0),
        SD_BUS_PROPERTY("Failing", "i", get_failing, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable wrong[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Empty", "i", get_number, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Twice", "i", get_number, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Other", "s", get_number, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_VTABLE_END
};

/* Every flag that introspection tells of, or hides. */
static const sd_bus_vtable flags[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_METHOD("Deprecated", "i", "s", on_call, SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_METHOD("Hidden", "i", "s", on_call, SD_BUS_VTABLE_HIDDEN),
        SD_BUS_METHOD("Unprivileged", "i", "s", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Capability", "i", "s", on_call, SD_BUS_VTABLE_CAPABILITY(21)),
        SD_BUS_METHOD("NoReply", "i", NULL, on_call, SD_BUS_VTABLE_METHOD_NO_REPLY),
        SD_BUS_METHOD("Sensitive", "i", "s", on_call, SD_BUS_VTABLE_SENSITIVE | SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Bare", NULL, NULL, NULL, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Names", "ii(ss)", SD_BUS_PARAM(one) SD_BUS_PARAM(two) SD_BUS_PARAM(three), "a{sv}",
                                 SD_BUS_PARAM(1st), on_call, 0),
        SD_BUS_SIGNAL("Deprecated", "i", SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_SIGNAL("Hidden", "i", SD_BUS_VTABLE_HIDDEN),
        SD_BUS_SIGNAL("Empty", NULL, 0),
        SD_BUS_SIGNAL_WITH_NAMES("Names", "iv", SD_BUS_PARAM(a) SD_BUS_PARAM(a), 0),
        SD_BUS_PROPERTY("Deprecated", "i", get_number, 0, SD_BUS_VTABLE_DEPRECATED | SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Hidden", "i", get_number, 0, SD_BUS_VTABLE_HIDDEN),
        SD_BUS_PROPERTY("Explicit", "i", get_number, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
        SD_BUS_PROPERTY("Sensitive", "i", get_number, 0, SD_BUS_VTABLE_SENSITIVE | SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_WRITABLE_PROPERTY("Privileged", "i", NULL, NULL, offsetof(struct thing, number), 0),
        SD_BUS_WRITABLE_PROPERTY("Unprivileged", "i", NULL, NULL, offsetof(struct thing, number), SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable signals[] = { SD_BUS_VTABLE_START(0), SD_BUS_SIGNAL("A", "s", 0), SD_BUS_VTABLE_END };

#define REFUSED(...) do {                                                                               \
                const sd_bus_vtable refused[] = { SD_BUS_VTABLE_START(0), __VA_ARGS__, SD_BUS_VTABLE_END }; \
                sd_bus_slot *slot = NULL;                                                               \
                sd_bus *bus = NULL;                                                                     \
                int r_;                                                                                 \
                                                                                                        \
                /* Of systemd's bus a table that is refused makes one that, at times, refuses others. */ \
                INT(sd_bus_new(&bus));                                                                  \
                r_ = sd_bus_add_object_vtable(bus, &slot, "/refused", "org.example.Refused", refused, NULL); \
                printf("%s = %d %s\n", #__VA_ARGS__, r_, error(r_));                                    \
                sd_bus_slot_unref(slot);                                                                \
                sd_bus_unref(bus);                                                                      \
        } while (0)

/* Those whose last element begins with x. */
static int find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found, sd_bus_error *ret_error) {
        const char *last = strrchr(path, '/') + 1;

        (void) bus, (void) userdata;
        if (strcmp(last, "error") == 0)
                return sd_bus_error_setf(ret_error, "org.example.Find", "not %s", interface);
        if (strcmp(last, "number") == 0)
                return -ENOMEDIUM;
        if (*last != 'x')
                return 0;
        *ret_found = &things[last[1] == '2' ? 2 : 1];
        return 1;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *ret_error) {
        static const char *const names[] = { "x1", "x2", "none", "x1/deep/xer" };
        size_t n = 0;

        (void) bus;
        if (userdata)
                return sd_bus_error_set(ret_error, "org.example.Enumerate", "none");
        *ret_nodes = calloc(6, sizeof(char *));
        for (; n < 4; n++)
                if (asprintf(*ret_nodes + n, "/o/f/%s", names[n]) < 0)
                        return -ENOMEM;
        if (asprintf(*ret_nodes + n, "%s%sxown", prefix, prefix[1] ? "/" : "") < 0)
                return -ENOMEM;
        return 1;
}

static void add(const char *path, const char *interface, const sd_bus_vtable *vtable, struct thing *thing) {
        int r = sd_bus_add_object_vtable(server, NULL, path, interface, vtable, thing);

        if (r < 0)
                printf("add %s %s %d %s\n", path, interface, r, error(r));
}

static void managed(void) {
        sd_bus_slot *slot = NULL, *again = NULL;
        char *none[] = { NULL }, *some[] = { (char *) "org.example.First", (char *) "org.example.Second", NULL };
        char *unknown[] = { (char *) "org.example.None", NULL }, *invalid[] = { (char *) "x", NULL };

        sd_bus_match_signal(client, NULL, to, NULL, "org.freedesktop.DBus.ObjectManager", NULL, on_signal, NULL);
        INT(sd_bus_add_object_manager(server, &slot, "/o"));
        INT(sd_bus_add_object_manager(server, &again, "/o"));
        INT(sd_bus_add_object_manager(server, NULL, "x"));
        INT(sd_bus_add_node_enumerator(server, NULL, "x", enumerate, NULL));
        INT(sd_bus_add_node_enumerator(server, NULL, "/o/f", NULL, NULL));
        MANAGED("/o");
        MANAGED("/");
        INTROSPECT("/o");
        INT(sd_bus_emit_object_added(server, "/o/a"));
        INT(sd_bus_emit_object_added(server, "/o"));
        settle();
        add("/o/a", "org.example.First", first, &things[0]);
        add("/o/a", "org.example.Second", second, &things[1]);
        add("/o/a", "org.example.First", more, &things[2]);
        add("/o/a", "org.example.Hidden", hidden, &things[2]);
        add("/o/b/c", "org.example.Second", second, &things[1]);
        add("/p/q", "org.example.Second", second, &things[1]);
        add("/o", "org.example.Second", second, &things[2]);
        INT(sd_bus_add_fallback_vtable(server, NULL, "/o/f", "org.example.Second", second, find, NULL));
        INT(sd_bus_add_fallback_vtable(server, NULL, "/o/f", "org.example.More", more, find, NULL));
        MANAGED("/o");
        INT(sd_bus_add_node_enumerator(server, NULL, "/o/f", enumerate, NULL));
        MANAGED("/o");
        MANAGED("/o/a");
        MANAGED("/p");
        MANAGED("/o/f");
        MANAGED("/o/f/x1");
        CALL("/o", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "s", "x");
        CALL("/o", "org.freedesktop.DBus.ObjectManager", "None", "");
        INTROSPECT("/o");
        INTROSPECT("/o/a");
        INTROSPECT("/o/b");
        INTROSPECT("/o/f/x1");
        INTROSPECT("/o/f/none");
        GET_ALL("/o/a", "");
        GET_ALL("/o/a", "org.freedesktop.DBus.Peer");
        GET_ALL("/o/a", "org.freedesktop.DBus.Introspectable");
        GET_ALL("/o/a", "org.freedesktop.DBus.Properties");
        GET_ALL("/o/a", "org.freedesktop.DBus.ObjectManager");
        GET_ALL("/o", "org.freedesktop.DBus.ObjectManager");
        GET_ALL("/o/b", "org.freedesktop.DBus.Peer");
        CALL("/o/b", "org.example.Second", "Right", "");
        GET("/o/b", "org.example.Second", "Second");
        INT(sd_bus_emit_object_added(server, "/o/a"));
        INT(sd_bus_emit_object_added(server, "/o/b/c"));
        INT(sd_bus_emit_object_added(server, "/o/b"));
        INT(sd_bus_emit_object_added(server, "/o"));
        INT(sd_bus_emit_object_added(server, "/o/f/x1"));
        INT(sd_bus_emit_object_added(server, "/o/f/none"));
        INT(sd_bus_emit_object_added(server, "/o/f/error"));
        INT(sd_bus_emit_object_added(server, "/o/nothing"));
        INT(sd_bus_emit_object_added(server, "/p/q"));
        INT(sd_bus_emit_object_added(server, "/"));
        INT(sd_bus_emit_object_added(server, "x"));
        settle();
        INT(sd_bus_emit_object_removed(server, "/o/a"));
        INT(sd_bus_emit_object_removed(server, "/o/b/c"));
        INT(sd_bus_emit_object_removed(server, "/o"));
        INT(sd_bus_emit_object_removed(server, "/o/f/x1"));
        INT(sd_bus_emit_object_removed(server, "/o/f/none"));
        INT(sd_bus_emit_object_removed(server, "/o/nothing"));
        INT(sd_bus_emit_object_removed(server, "/p/q"));
        INT(sd_bus_emit_object_removed(server, "x"));
        settle();
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "org.example.First", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "org.example.First", "org.example.Second", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "org.example.Hidden", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "org.example.First", "org.example.First", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "org.example.None", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "org.example.First", "org.example.None", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "org.freedesktop.DBus.Properties", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", "x", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/a", NULL, NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/f/x2", "org.example.Second", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/o/f/none", "org.example.Second", NULL));
        INT(sd_bus_emit_interfaces_added(server, "/p/q", "org.example.Second", NULL));
        INT(sd_bus_emit_interfaces_added(server, "x", "org.example.Second", NULL));
        INT(sd_bus_emit_interfaces_added_strv(server, "/o/a", some));
        INT(sd_bus_emit_interfaces_added_strv(server, "/o/a", none));
        INT(sd_bus_emit_interfaces_added_strv(server, "/o/a", NULL));
        INT(sd_bus_emit_interfaces_added_strv(server, "/o/a", unknown));
        INT(sd_bus_emit_interfaces_added_strv(server, "/o/a", invalid));
        settle();
        INT(sd_bus_emit_interfaces_removed(server, "/o/a", "org.example.First", NULL));
        INT(sd_bus_emit_interfaces_removed(server, "/o/a", "org.example.First", "org.example.None", NULL));
        INT(sd_bus_emit_interfaces_removed(server, "/o/a", "x", NULL));
        INT(sd_bus_emit_interfaces_removed(server, "/o/a", NULL, NULL));
        INT(sd_bus_emit_interfaces_removed(server, "/p/q", "org.example.First", NULL));
        INT(sd_bus_emit_interfaces_removed_strv(server, "/o/a", some));
        INT(sd_bus_emit_interfaces_removed_strv(server, "/o/a", none));
        INT(sd_bus_emit_interfaces_removed_strv(server, "/o/a", NULL));
        INT(sd_bus_emit_interfaces_removed_strv(server, "/o/a", invalid));
        INT(sd_bus_emit_interfaces_removed_strv(server, "/o/nothing", some));
        settle();
        add("/o/z", "org.example.Failing", failing, NULL);
        MANAGED("/o");
        INT(sd_bus_emit_object_added(server, "/o/z"));
        INT(sd_bus_emit_interfaces_added(server, "/o/z", "org.example.Failing", NULL));
        settle();
        sd_bus_slot_unref(slot);
        INT(sd_bus_emit_object_removed(server, "/o/z"));
        settle();
        sd_bus_slot_unref(again);
        INT(sd_bus_emit_object_removed(server, "/o/z"));
        settle();
        MANAGED("/o");
        INT(sd_bus_add_object_manager(server, &slot, "/"));
        sd_bus_slot_unref(slot);
        INT(sd_bus_add_node_enumerator(server, &slot, "/o/b", enumerate, (void *) 1));
        INTROSPECT("/o/b");
        INTROSPECT("/o");
        sd_bus_slot_unref(slot);
}

/* What the table says, and what functions do. */
static void results(void) {
        sd_bus_message *m = NULL;

        add("/r", "org.example.First", first, &things[0]);
        add("/r", "org.example.Wrong", wrong, NULL);
        add("/r", "org.example.Failing", failing, NULL);
        CALL("/r", "org.example.First", "Right", "");
        CALL("/r", "org.example.First", "None", "");
        CALL("/r", "org.example.First", "Wrong", "sa{sv}", "x", 0);
        CALL("/r", "org.example.First", "Wrong", "s", "x");
        CALL("/r", NULL, "Right", "");
        CALL("/r", NULL, "Nothing", "");
        CALL("/r", "org.freedesktop.DBus.Peer", "Ping", "");
        CALL("/r", "org.freedesktop.DBus.Peer", "None", "");
        CALL("/none", "org.freedesktop.DBus.Peer", "Ping", "");
        CALL("/none", "org.freedesktop.DBus.Peer", "None", "");
        CALL("/r", "org.freedesktop.DBus.Introspectable", "None", "");
        CALL("/r", "org.freedesktop.DBus.Introspectable", "Introspect", "s", "x");
        CALL("/r", "org.freedesktop.DBus.Properties", "GetAll", "");
        CALL("/r", "org.freedesktop.DBus.Properties", "Get", "");
        CALL("/r", "org.freedesktop.DBus.Properties", "Set", "ssv", "org.example.First", "Text", "s", "hello");
        CALL("/r", "org.freedesktop.DBus.Properties", "Set", "ssv", "org.example.First", "Text", "i", 5);
        CALL("/r", "org.freedesktop.DBus.Properties", "Set", "sss", "org.example.First", "Text", "x");
        CALL("/r", "org.freedesktop.DBus.Properties", "Set", "ssvs", "org.example.First", "Text", "s", "again", "x");
        CALL("/r", "org.freedesktop.DBus.Properties", "None", "");
        GET("/r", "org.example.First", "Text");
        GET("/r", "org.example.First", "Secret");
        GET("/r", "org.example.First", "Explicit");
        GET("/r", "org.example.First", "Path");
        GET("/r", "org.example.Wrong", "Empty");
        GET("/r", "org.example.Wrong", "Twice");
        GET("/r", "org.example.Wrong", "Other");
        GET("/r", "", "Text");
        GET("/r", "x", "Text");
        GET_ALL("/r", "org.example.Wrong");
        GET_ALL("/r", "org.example.Failing");
        GET_ALL("/r", "org.example.First");
        GET_ALL("/r", "");
        GET_ALL("/r", "x");
        INTROSPECT("/r");
        INT(sd_bus_emit_properties_changed(server, "/r", "org.example.First", "Number", "Name", NULL));
        INT(sd_bus_emit_properties_changed(server, "/r", "org.example.Failing", "Failing", NULL));
        INT(sd_bus_emit_properties_changed_strv(server, "/r", "org.example.First", NULL));
        /* Nobody waits for this one. */
        sd_bus_message_new_method_call(client, &m, to, "/r", "org.example.First", "Right");
        INT(sd_bus_message_set_expect_reply(m, 0));
        INT(sd_bus_send(client, m, NULL));
        sd_bus_message_unref(m);
        CALL("/r", "org.example.First", "Right", "");
        m = NULL;
        sd_bus_message_new_method_call(client, &m, to, "/r", "org.example.First", "Wrong");
        INT(sd_bus_message_append(m, "sa{sv}", "x", 0));
        INT(sd_bus_message_set_expect_reply(m, 0));
        INT(sd_bus_send(client, m, NULL));
        sd_bus_message_unref(m);
        CALL("/r", "org.example.First", "Right", "");
}

/* What introspection says of flags, and which tables are none. */
static void tables(void) {
        add("/t", "org.example.Flags", flags, &things[0]);
        INTROSPECT("/t");
        GET_ALL("/t", "org.example.Flags");
        GET("/t", "org.example.Flags", "Sensitive");
        CALL("/t", "org.example.Flags", "Sensitive", "i", 5);
        CALL("/t", "org.example.Flags", "Bare", "");
        CALL("/t", "org.example.Flags", "NoReply", "i", 5);
        INT(sd_bus_set_trusted(server, 1));
        REFUSED(SD_BUS_METHOD("a b", NULL, NULL, on_call, 0));
        REFUSED(SD_BUS_METHOD("", NULL, NULL, on_call, 0));
        REFUSED(SD_BUS_METHOD(NULL, NULL, NULL, on_call, 0));
        REFUSED(SD_BUS_METHOD("A", "a", NULL, on_call, 0));
        REFUSED(SD_BUS_METHOD("A", NULL, "{", on_call, 0));
        REFUSED(SD_BUS_METHOD("A", "s", NULL, NULL, 0));
        REFUSED(SD_BUS_METHOD("A", NULL, "s", NULL, 0));
        REFUSED(SD_BUS_METHOD("A", NULL, NULL, on_call, SD_BUS_VTABLE_PROPERTY_CONST));
        REFUSED(SD_BUS_METHOD("A", NULL, NULL, on_call, SD_BUS_VTABLE_PROPERTY_EXPLICIT));
        REFUSED(SD_BUS_METHOD("A", NULL, NULL, on_call, 0), SD_BUS_METHOD("A", "s", NULL, on_call, 0));
        REFUSED(SD_BUS_METHOD("A", NULL, NULL, on_call, 0), SD_BUS_PROPERTY("A", "s", get_name, 0, 0));
        REFUSED(SD_BUS_METHOD("A", NULL, NULL, on_call, 0), SD_BUS_SIGNAL("A", "s", 0), SD_BUS_SIGNAL("A", "s", 0));
        REFUSED(SD_BUS_SIGNAL("A", "a", 0));
        REFUSED(SD_BUS_SIGNAL("A", "s", SD_BUS_VTABLE_UNPRIVILEGED));
        REFUSED(SD_BUS_SIGNAL("A", "s", SD_BUS_VTABLE_METHOD_NO_REPLY));
        REFUSED(SD_BUS_SIGNAL("A", "s", SD_BUS_VTABLE_PROPERTY_EXPLICIT));
        REFUSED(SD_BUS_PROPERTY("A", "ss", get_name, 0, 0));
        REFUSED(SD_BUS_PROPERTY("A", "", get_name, 0, 0));
        REFUSED(SD_BUS_PROPERTY("A", "(ss)", NULL, 0, 0));
        REFUSED(SD_BUS_PROPERTY("A", "as", NULL, 0, 0));
        REFUSED(SD_BUS_PROPERTY("A", "ai", NULL, 0, 0));
        REFUSED(SD_BUS_PROPERTY("A", "s", get_name, 0, SD_BUS_VTABLE_UNPRIVILEGED));
        REFUSED(SD_BUS_PROPERTY("A", "s", get_name, 0, SD_BUS_VTABLE_PROPERTY_CONST | SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE));
        REFUSED(SD_BUS_PROPERTY("A", "s", get_name, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE));
        REFUSED(SD_BUS_PROPERTY("A", "s", get_name, 0, SD_BUS_VTABLE_METHOD_NO_REPLY));
        REFUSED(SD_BUS_WRITABLE_PROPERTY("A", "as", get_name, NULL, 0, 0));
        REFUSED(SD_BUS_WRITABLE_PROPERTY("A", "s", get_name, NULL, 0, SD_BUS_VTABLE_PROPERTY_CONST));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "ii", "a\0", "", "", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "ii", "a\0b\0", "s", "", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "ii", "", "s", "c\0", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "ii", "a\0b\0", "s", "c\0d\0", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "ii", "a\0a\0", "s", "1\0", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "", "", "s", "_c\0", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "", "x\0", "", "", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "i", "a b\0", "", "", on_call, 0));
        REFUSED(SD_BUS_METHOD_WITH_NAMES("A", "i", "a-b\0", "", "", on_call, 0));
        REFUSED(SD_BUS_SIGNAL_WITH_NAMES("A", "ii", "a\0", 0));
        REFUSED(SD_BUS_SIGNAL_WITH_NAMES("A", "ii", "a\0b\0c\0", 0));
        REFUSED(SD_BUS_SIGNAL_WITH_NAMES("A", "i", "a.b\0", 0));
        REFUSED(SD_BUS_SIGNAL_WITH_NAMES("A", "ii", "", 0));
        INT(sd_bus_add_object_vtable(server, NULL, "/twice", "org.example.Signals", signals, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/twice", "org.example.Signals", signals, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/twice", "org.example.Others", signals, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/once", "org.example.Signals", signals, NULL));
        REFUSED({ .type = 'x', .flags = 0, .x = { .end = { 0 } } });
}

static int on_any(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) m, (void) ret_error;
        printf("{%s} ", (char *) userdata);
        return 0;
}

static const sd_bus_vtable above[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Right", NULL, "i", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Above", NULL, "i", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Number", "i", NULL, offsetof(struct thing, number), 0),
        SD_BUS_PROPERTY("Above", "s", get_path, 0, 0),
        SD_BUS_VTABLE_END
};

static int find_any(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found, sd_bus_error *ret_error) {
        printf("(find %s %s) ", path, interface);
        if (strstr(path, "error"))
                return sd_bus_error_setf(ret_error, "org.example.Find", "%s", interface);
        if (strstr(path, "number"))
                return -ENOMEDIUM;
        if (strstr(path, "none"))
                return 0;
        (void) bus;
        *ret_found = userdata;
        return 1;
}

/* What is asked, and in which order. */
static void order(void) {
        sd_bus_slot *signals = NULL;
        static const char *const paths[] = { "/f/g/h", "/f/g/i", "/f/g", "/f", "/g", "/f/g/none", "/f/g/h/error", "/f/g/h/number" };

        INT(sd_bus_add_fallback(server, NULL, "/", on_any, (void *) "root"));
        INT(sd_bus_add_fallback(server, NULL, "/f/g", on_any, (void *) "g"));
        INT(sd_bus_add_fallback(server, NULL, "/f", on_any, (void *) "f"));
        INT(sd_bus_add_object(server, NULL, "/f/g/h", on_any, (void *) "h"));
        INT(sd_bus_add_object(server, NULL, "/f/g/h", on_any, (void *) "h again"));
        INT(sd_bus_add_object(server, NULL, "/f/g/h", on_any, (void *) "h at last"));
        INT(sd_bus_add_object(server, NULL, "/f/g", on_any, (void *) "only g"));
        CALL("/f/g/h", "org.example.First", "Right", "");
        CALL("/f/g/h/i", "org.example.First", "Right", "");
        CALL("/f/g", "org.example.First", "Right", "");
        CALL("/", "org.example.First", "Right", "");
        CALL("/x", "org.freedesktop.DBus.Peer", "Ping", "");
        CALL("/x", "org.freedesktop.DBus.Peer", "None", "");
        add("/f/g/h", "org.example.First", first, &things[0]);
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "org.example.First", above, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "org.freedesktop.DBus.Peer", above, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "org.freedesktop.DBus.Properties", above, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "org.freedesktop.DBus.Introspectable", above, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "org.freedesktop.DBus.ObjectManager", above, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "org.freedesktop.DBus.Other", hidden, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "x", above, NULL));
        INT(sd_bus_add_object_vtable(server, NULL, "/f/g/h", "org.example.X", NULL, NULL));
        INT(sd_bus_add_fallback_vtable(server, NULL, "/f/g/h", "org.example.Other", above, find_any, NULL));
        INT(sd_bus_add_fallback_vtable(server, NULL, "/f/g", "org.example.First", above, find_any, &things[1]));
        INT(sd_bus_add_fallback_vtable(server, NULL, "/f/g", "org.example.Second", second, find_any, &things[1]));
        INT(sd_bus_add_fallback_vtable(server, NULL, "/f", "org.example.First", above, find_any, &things[2]));
        INT(sd_bus_add_fallback_vtable(server, NULL, "/f", "org.example.More", more, find_any, &things[2]));
        INT(sd_bus_add_object_manager(server, NULL, "/f"));
        for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
                sd_bus_match_signal(client, &signals, to, NULL, "org.freedesktop.DBus.ObjectManager", NULL, on_signal, NULL);
                CALL(paths[i], "org.example.First", "Right", "");
                CALL(paths[i], "org.example.First", "Above", "");
                CALL(paths[i], "org.example.First", "Nothing", "");
                CALL(paths[i], "org.example.Second", "Right", "");
                CALL(paths[i], "org.example.None", "Right", "");
                GET(paths[i], "org.example.First", "Number");
                GET(paths[i], "org.example.First", "Above");
                GET(paths[i], "org.example.First", "None");
                GET(paths[i], "org.example.Second", "Second");
                GET_ALL(paths[i], "org.example.First");
                GET_ALL(paths[i], "org.example.Second");
                GET_ALL(paths[i], "org.example.More");
                GET_ALL(paths[i], "org.example.None");
                GET_ALL(paths[i], "");
                INTROSPECT(paths[i]);
                MANAGED(paths[i]);
                INT(sd_bus_emit_object_added(server, paths[i]));
                INT(sd_bus_emit_interfaces_added(server, paths[i], "org.example.First", NULL));
                INT(sd_bus_emit_properties_changed_strv(server, paths[i], "org.example.Second", NULL));
                settle();
                signals = sd_bus_slot_unref(signals);
        }
        INT(sd_bus_add_object_manager(server, NULL, "/f/g/h"));
        MANAGED("/f");
        MANAGED("/f/g/h");
        for (int i = 0; i < 12; i++) {
                char path[32];

                snprintf(path, sizeof(path), "/many/n%d/deep", i * 7 % 12);
                add(path, "org.example.Second", second, &things[1]);
        }
        INTROSPECT("/many");
}

static sd_bus_slot *slots[8];

static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *member = sd_bus_message_get_member(m);

        (void) ret_error;
        printf("{%s %s %d} ", (char *) userdata ?: "null", member, sd_bus_get_current_slot(server) != NULL);
        if (strcmp(member, "DropOwn") == 0)
                slots[0] = sd_bus_slot_unref(slots[0]);
        else if (strcmp(member, "DropNext") == 0)
                slots[1] = sd_bus_slot_unref(slots[1]);
        else if (strcmp(member, "DropAll") == 0)
                for (size_t i = 0; i < 8; i++)
                        slots[i] = sd_bus_slot_unref(slots[i]);
        else if (strcmp(member, "Right") == 0 && strcmp(sd_bus_message_get_path(m), "/add") == 0)
                sd_bus_add_object_vtable(server, &slots[3], "/add", "org.example.Second", second, &things[2]);
        return 0;
}

static int get_dropping(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *userdata,
                        sd_bus_error *ret_error) {
        (void) bus, (void) path, (void) interface, (void) userdata, (void) ret_error;
        printf("(get %s) ", property);
        if (strcmp(property, "DropOwn") == 0)
                slots[0] = sd_bus_slot_unref(slots[0]);
        if (strcmp(property, "Adds") == 0 && !slots[4])
                sd_bus_add_object_vtable(server, &slots[4], "/getters/more", "org.example.Second", second, &things[2]);
        return sd_bus_message_append(reply, "i", 1);
}

static int method_dropping(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) userdata, (void) ret_error;
        printf("(call) ");
        slots[0] = sd_bus_slot_unref(slots[0]);
        return sd_bus_reply_method_return(m, "s", sd_bus_message_get_path(m));
}

static void destroyed(void *userdata) {
        printf("(destroyed %s) ", (char *) userdata ?: "null");
}

static const sd_bus_vtable getters[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Call", NULL, "s", method_dropping, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Before", "i", get_dropping, 0, 0),
        SD_BUS_PROPERTY("DropOwn", "i", get_dropping, 0, 0),
        SD_BUS_PROPERTY("After", "i", get_dropping, 0, 0),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable adding[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Adds", "i", get_dropping, 0, 0),
        SD_BUS_VTABLE_END
};

static int set_dropping(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *value, void *userdata,
                        sd_bus_error *ret_error) {
        int number;

        (void) bus, (void) path, (void) interface, (void) userdata, (void) ret_error;
        printf("(set %s) ", property);
        slots[0] = sd_bus_slot_unref(slots[0]);
        return sd_bus_message_read(value, "i", &number);
}

static const sd_bus_vtable setters[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_WRITABLE_PROPERTY("Set", "i", get_dropping, set_dropping, 0, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};

static const sd_bus_vtable telling[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("DropOwn", "i", get_dropping, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("After", "i", get_dropping, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END
};

/* Finds once, and puts an object there or takes its own slot away. */
static int find_changing(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                         sd_bus_error *ret_error) {
        (void) bus, (void) ret_error;
        printf("(find %s %s) ", path, interface);
        if (strcmp(path, "/find/add") == 0 && !slots[5]) {
                INT(sd_bus_add_object_vtable(server, &slots[5], path, "org.example.Second", second, &things[1]));
                return 0;
        }
        if (strcmp(path, "/find/drop") == 0)
                slots[6] = sd_bus_slot_unref(slots[6]);
        *ret_found = userdata;
        return 1;
}

static int enumerate_dropping(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *ret_error) {
        (void) bus, (void) userdata, (void) ret_error;
        printf("(enumerate %s) ", prefix);
        slots[7] = sd_bus_slot_unref(slots[7]);
        *ret_nodes = calloc(2, sizeof(char *));
        (*ret_nodes)[0] = strdup("/enumerated/one");
        return 1;
}

static void add_getters(void) {
        INT(sd_bus_add_object_vtable(server, &slots[0], "/getters", "org.example.Getters", getters, (void *) "getters"));
        INT(sd_bus_slot_set_destroy_callback(slots[0], destroyed));
}

/* Objects that come and go while they are asked. */
static void changing(void) {
        INT(sd_bus_add_object(server, &slots[0], "/c", on_change, (void *) "first"));
        INT(sd_bus_add_object(server, &slots[1], "/c", on_change, (void *) "second"));
        INT(sd_bus_add_fallback(server, &slots[2], "/", on_change, (void *) "root"));
        for (size_t i = 0; i < 3; i++)
                sd_bus_slot_set_destroy_callback(slots[i], destroyed);
        CALL("/c", "org.example.First", "Right", "");
        CALL("/c", "org.example.First", "DropNext", "");
        CALL("/c", "org.example.First", "DropOwn", "");
        CALL("/c", "org.example.First", "Right", "");
        CALL("/c", "org.example.First", "DropAll", "");
        CALL("/c", "org.example.First", "Right", "");
        INT(sd_bus_add_object(server, &slots[0], "/c", on_change, (void *) "first"));
        INT(sd_bus_add_object(server, &slots[1], "/c", on_change, (void *) "second"));
        INT(sd_bus_add_fallback(server, &slots[2], "/", on_change, (void *) "root"));
        CALL("/c", "org.example.First", "DropAll", "");
        INT(sd_bus_add_object(server, &slots[0], "/add", on_change, (void *) "adds"));
        CALL("/add", "org.example.Second", "Right", "");
        slots[3] = sd_bus_slot_unref(slots[3]);
        CALL("/add", "org.example.Second", "Right", "");
        CALL("/add", "org.example.Second", "DropOwn", "");
        CALL("/add", "org.example.Second", "None", "");
        slots[3] = sd_bus_slot_unref(slots[3]);
        CALL("/add", "org.example.Second", "None", "");
        add_getters();
        CALL("/getters", "org.example.Getters", "Call", "");
        CALL("/getters", "org.example.Getters", "Call", "");
        add_getters();
        GET("/getters", "org.example.Getters", "DropOwn");
        GET("/getters", "org.example.Getters", "DropOwn");
        INT(sd_bus_add_object_vtable(server, &slots[3], "/getters", "org.example.Adding", adding, NULL));
        GET("/getters", "org.example.Adding", "Adds");
        GET_ALL("/getters/more", "org.example.Second");
        slots[4] = sd_bus_slot_unref(slots[4]);
        INT(sd_bus_add_object_manager(server, NULL, "/getters"));
        INT(sd_bus_emit_object_added(server, "/getters"));
        slots[4] = sd_bus_slot_unref(slots[4]);
        add_getters();
        GET_ALL("/getters", "org.example.Getters");
        add_getters();
        GET_ALL("/getters", "");
        INT(sd_bus_add_object_manager(server, NULL, "/"));
        add_getters();
        MANAGED("/");
        add_getters();
        INT(sd_bus_emit_object_added(server, "/getters"));
        add_getters();
        INT(sd_bus_emit_interfaces_added(server, "/getters", "org.example.Getters", NULL));
        INT(sd_bus_add_object_vtable(server, &slots[0], "/telling", "org.example.Telling", telling, NULL));
        INT(sd_bus_emit_properties_changed(server, "/telling", "org.example.Telling", "DropOwn", "After", NULL));
        INT(sd_bus_add_object_vtable(server, &slots[0], "/setters", "org.example.Setters", setters, NULL));
        CALL("/setters", "org.freedesktop.DBus.Properties", "Set", "ssv", "org.example.Setters", "Set", "i", 5);
        CALL("/setters", "org.freedesktop.DBus.Properties", "Set", "ssv", "org.example.Setters", "Set", "i", 5);
        INT(sd_bus_add_fallback_vtable(server, &slots[6], "/find", "org.example.Second", second, find_changing, &things[2]));
        CALL("/find/add", "org.example.Second", "Right", "");
        CALL("/find/add", "org.example.Second", "Right", "");
        GET("/find/add", "org.example.Second", "Second");
        CALL("/find/drop", "org.example.Second", "Right", "");
        CALL("/find/drop", "org.example.Second", "Right", "");
        INT(sd_bus_add_node_enumerator(server, &slots[7], "/enumerated", enumerate_dropping, NULL));
        INTROSPECT("/enumerated");
        for (size_t i = 0; i < 8; i++)
                slots[i] = sd_bus_slot_unref(slots[i]);
}

/* As many objects as the argument says: how long this process is busy with them, in microseconds, in the file that is named. */
static void many(int count, const char *file) {
        sd_bus_slot **all = calloc((size_t) count, sizeof(*all));
        sd_bus_message *m = NULL, *reply = NULL;
        FILE *f = fopen(file, "w");
        clock_t begin = clock();
        int r = 0, objects = 0;
        uint64_t cookie;

        if (!all || !f)
                return;
        sd_bus_add_object_manager(server, NULL, "/many");
        for (int i = 0; i < count && r >= 0; i++) {
                char path[64];

                snprintf(path, sizeof(path), "/many/group%d/object%d", i % 10, i);
                r = sd_bus_add_object_vtable(server, &all[i], path, "org.example.Second", second, &things[1]);
        }
        sd_bus_message_new_method_call(client, &m, to, "/many", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
        sd_bus_send(client, m, &cookie);
        sd_bus_message_unref(m);
        while (!reply || !sd_bus_message_has_signature(reply, "a{oa{sa{sv}}}")) {
                reply = sd_bus_message_unref(reply);
                sd_bus_process(server, NULL);
                sd_bus_process(client, &reply);
        }
        sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
        while (sd_bus_message_skip(reply, "{oa{sa{sv}}}") > 0)
                objects++;
        sd_bus_message_unref(reply);
        for (int i = 0; i < count; i++)
                sd_bus_slot_unref(all[i]);
        free(all);
        printf("added %d objects %d\n", r, objects);
        fprintf(f, "%ld\n", (long) ((clock() - begin) / (CLOCKS_PER_SEC / 1000000)));
        fclose(f);
}

int main(int argc, char **argv) {
        const char *group = argc > 1 ? argv[1] : "";

        setvbuf(stdout, NULL, _IOLBF, 0);
        if (sd_bus_open_system(&server) < 0 || sd_bus_open_system(&client) < 0 || sd_bus_get_unique_name(server, &to) < 0)
                return 1;
        if (strcmp(group, "managed") == 0)
                managed();
        else if (strcmp(group, "results") == 0)
                results();
        else if (strcmp(group, "tables") == 0)
                tables();
        else if (strcmp(group, "order") == 0)
                order();
        else if (strcmp(group, "changing") == 0)
                changing();
        else if (strcmp(group, "many") == 0 && argc > 3)
                many(atoi(argv[2]), argv[3]);
        else
                return 2;
        sd_bus_flush_close_unref(client);
        sd_bus_flush_close_unref(server);
        for (size_t i = 0; i < 3; i++)
                free(things[i].text);
        return 0;
}
