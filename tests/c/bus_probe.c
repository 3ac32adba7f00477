/* Calls functions of sd-bus and prints what each answers, a line for each: to be run on two libraries, and compared.
 *   bus_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)
#define TEXT(call) do { const char *s_ = (call); printf("%s = %s\n", #call, s_ ?: "null"); } while (0)

static void print_error(const char *what, int r, const sd_bus_error *e) {
        printf("%s = %d %s: %s, %s\n", what, r, error(r), e->name ?: "null", e->message ?: "null");
}

static const sd_bus_error_map own[] = {
        SD_BUS_ERROR_MAP("org.example.One", ENODATA),
        SD_BUS_ERROR_MAP("org.example.Two", EUNATCH),
        SD_BUS_ERROR_MAP_END
};
static const sd_bus_error_map wrong[] = { SD_BUS_ERROR_MAP("org.example.Three", -1), SD_BUS_ERROR_MAP_END };
static const sd_bus_error_map nameless[] = { SD_BUS_ERROR_MAP(NULL, 1), SD_BUS_ERROR_MAP_END };

static void errors(void) {
        static const char *const names[] = {
                SD_BUS_ERROR_FAILED, SD_BUS_ERROR_NO_MEMORY, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_IO_ERROR, SD_BUS_ERROR_BAD_ADDRESS, SD_BUS_ERROR_NOT_SUPPORTED,
                SD_BUS_ERROR_LIMITS_EXCEEDED, SD_BUS_ERROR_ACCESS_DENIED, SD_BUS_ERROR_AUTH_FAILED, SD_BUS_ERROR_NO_SERVER,
                SD_BUS_ERROR_TIMEOUT, SD_BUS_ERROR_NO_NETWORK, SD_BUS_ERROR_ADDRESS_IN_USE, SD_BUS_ERROR_DISCONNECTED,
                SD_BUS_ERROR_INVALID_ARGS, SD_BUS_ERROR_FILE_NOT_FOUND, SD_BUS_ERROR_FILE_EXISTS, SD_BUS_ERROR_UNKNOWN_METHOD,
                SD_BUS_ERROR_UNKNOWN_OBJECT, SD_BUS_ERROR_UNKNOWN_INTERFACE, SD_BUS_ERROR_UNKNOWN_PROPERTY,
                SD_BUS_ERROR_PROPERTY_READ_ONLY, SD_BUS_ERROR_UNIX_PROCESS_ID_UNKNOWN, SD_BUS_ERROR_INVALID_SIGNATURE,
                SD_BUS_ERROR_INCONSISTENT_MESSAGE, SD_BUS_ERROR_MATCH_RULE_NOT_FOUND, SD_BUS_ERROR_MATCH_RULE_INVALID,
                SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, "org.freedesktop.machine1.NoSuchMachine",
                "org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.DBus.Error.TimedOut", "System.Error.ENXIO",
                "System.Error.EWOULDBLOCK", "System.Error.ENOTSUP", "System.Error.X", "System.Error.", "org.example.One", "x", "",
        };
        sd_bus_error e = SD_BUS_ERROR_NULL, f = SD_BUS_ERROR_NULL;

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                int r = sd_bus_error_set(&e, names[i], "a text");

                print_error("set", r, &e);
                INT(sd_bus_error_get_errno(&e));
                INT(sd_bus_error_set(&e, names[0], NULL));
                INT(sd_bus_error_set_const(NULL, names[i], NULL));
                sd_bus_error_free(&e);
        }
        for (int i = -3; i < 140; i++) {
                int r = sd_bus_error_set_errno(&e, i);

                print_error("set_errno", r, &e);
                INT(sd_bus_error_get_errno(&e));
                sd_bus_error_free(&e);
                INT(sd_bus_error_set_errno(NULL, i));
        }
        INT(sd_bus_error_add_map(NULL));
        INT(sd_bus_error_add_map(wrong));
        INT(sd_bus_error_add_map(nameless));
        INT(sd_bus_error_add_map(own));
        INT(sd_bus_error_add_map(own));
        INT(sd_bus_error_set_const(&e, "org.example.Two", "text"));
        INT(sd_bus_error_is_set(&e));
        INT(sd_bus_error_is_set(&f));
        INT(sd_bus_error_is_set(NULL));
        INT(sd_bus_error_has_name(&e, "org.example.Two"));
        INT(sd_bus_error_has_name(&e, "org.example.One"));
        INT(sd_bus_error_has_name(&e, NULL));
        INT(sd_bus_error_has_name(&f, NULL));
        INT(sd_bus_error_has_name(NULL, NULL));
        INT(sd_bus_error_has_names(&e, "a", "org.example.Two", "b"));
        INT(sd_bus_error_has_names(&e, "a", "b"));
        INT(sd_bus_error_has_names(&f, "a"));
        INT(sd_bus_error_has_names(NULL, "a"));
        print_error("copy", sd_bus_error_copy(&f, &e), &f);
        INT(sd_bus_error_copy(&f, &e));
        INT(sd_bus_error_copy(NULL, &e));
        INT(sd_bus_error_copy(&f, NULL));
        sd_bus_error_free(&f);
        print_error("move", sd_bus_error_move(&f, &e), &f);
        print_error("moved", 0, &e);
        print_error("move nothing", sd_bus_error_move(&f, &e), &f);
        INT(sd_bus_error_move(NULL, &e));
        print_error("setf", sd_bus_error_setf(&e, "org.example.One", "%d %s", 7, "x"), &e);
        INT(sd_bus_error_setf(&e, "org.example.One", "%d %s", 7, "x"));
        print_error("copy", sd_bus_error_copy(&f, &e), &f);
        sd_bus_error_free(&f);
        INT(sd_bus_error_setf(NULL, "org.example.One", "%d", 7));
        INT(sd_bus_error_setf(NULL, NULL, "%d", 7));
        sd_bus_error_free(&e);
        print_error("setf", sd_bus_error_setf(&e, NULL, "%d", 7), &e);
        print_error("setf", sd_bus_error_setf(&e, "org.example.One", NULL), &e);
        sd_bus_error_free(&e);
        errno = ENXIO;
        print_error("set_errnof", sd_bus_error_set_errnof(&e, EPERM, "%s: %m", "x"), &e);
        INT(errno);
        INT(sd_bus_error_set_errnof(&e, EPERM, "x"));
        sd_bus_error_free(&e);
        print_error("set_errnof", sd_bus_error_set_errnof(&e, -EPERM, NULL), &e);
        sd_bus_error_free(&e);
        print_error("set_errnof", sd_bus_error_set_errnof(&e, 0, "x"), &e);
        print_error("set_errnof", sd_bus_error_set_errnof(NULL, EPERM, "x"), &e);
        sd_bus_error_free(NULL);
}

static void names(void) {
        static const char *const all[] = {
                "", "a", "a.b", "a.b.c", ".a", "a.", "a..b", "a.1", "1.a", ":1.1", ":a", "a-b.c", "a_b.c", "a b", "/", "/a", "/a/", "//", "/a/b_1",
                "/a-b", "org.freedesktop.DBus", "\xc3\xa4.b",
        };
        char *s = NULL;

        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
                printf("%s: %d %d %d %d\n", all[i], sd_bus_interface_name_is_valid(all[i]), sd_bus_service_name_is_valid(all[i]),
                       sd_bus_member_name_is_valid(all[i]), sd_bus_object_path_is_valid(all[i]));
        INT(sd_bus_interface_name_is_valid(NULL));
        INT(sd_bus_object_path_is_valid(NULL));
        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
                int r = sd_bus_path_encode("/x", all[i], &s);

                printf("encode %s = %d %s\n", all[i], r, r >= 0 ? s : "");
                if (r >= 0)
                        free(s);
                r = sd_bus_path_encode(all[i], "x", &s);
                printf("encode below %s = %d %s\n", all[i], r, r >= 0 ? s : "");
                if (r >= 0)
                        free(s);
                s = NULL;
                r = sd_bus_path_decode(all[i], "/a", &s);
                printf("decode %s = %d %s\n", all[i], r, r > 0 ? s : "");
                if (r > 0)
                        free(s);
                s = NULL;
                r = sd_bus_path_decode("/a/b_2dc", all[i], &s);
                printf("decode below %s = %d %s\n", all[i], r, r > 0 ? s : "");
                if (r > 0)
                        free(s);
        }
        INT(sd_bus_path_encode(NULL, "x", &s));
        INT(sd_bus_path_encode("/x", NULL, &s));
        INT(sd_bus_path_encode("/x", "x", NULL));
        INT(sd_bus_path_decode(NULL, "/x", &s));
        INT(sd_bus_path_decode("/x", "/x", NULL));
}

/* A connection that was started, to nobody. */
static sd_bus *to_nobody(void) {
        sd_bus *bus = NULL;
        int pair[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        INT(sd_bus_new(&bus));
        INT(sd_bus_set_fd(bus, pair[0], pair[0]));
        INT(sd_bus_start(bus));
        return bus;
}

/* Everything that a reader sees, by peeking. */
static void print_values(sd_bus_message *m, int depth) {
        for (;;) {
                const char *contents;
                char type;
                int r = sd_bus_message_peek_type(m, &type, &contents);

                printf("%*speek %d %s", 2 * depth, "", r, error(r));
                if (r <= 0) {
                        putchar('\n');
                        return;
                }
                printf(" %c %s\n", type, contents ?: "null");
                if (strchr("arve", type)) {
                        r = sd_bus_message_enter_container(m, type, contents);
                        printf("%*senter %d %s at_end %d\n", 2 * depth, "", r, error(r), sd_bus_message_at_end(m, 0));
                        if (r <= 0)
                                return;
                        print_values(m, depth + 1);
                        r = sd_bus_message_exit_container(m);
                        printf("%*sexit %d %s\n", 2 * depth, "", r, error(r));
                        if (r < 0)
                                return;
                } else {
                        union { uint8_t y; int b; int16_t n; uint16_t q; int32_t i; uint32_t u; int64_t x; uint64_t t; double d; const char *s; } v = {};

                        r = sd_bus_message_read_basic(m, type, &v);
                        printf("%*sread %d %s ", 2 * depth, "", r, error(r));
                        if (strchr("sog", type))
                                puts(v.s);
                        else if (type == 'd')
                                printf("%g\n", v.d);
                        else if (type == 'h')
                                puts("a descriptor");
                        else
                                printf("%" PRIu64 "\n", v.t);
                        if (r <= 0)
                                return;
                }
        }
}

/* Makes it complete and prints all of it. */
static void print_message(sd_bus_message *m) {
        static uint64_t cookie = 1;

        INT(sd_bus_message_seal(m, cookie++, 0));
        TEXT(sd_bus_message_get_signature(m, 1));
        INT(sd_bus_message_is_empty(m));
        print_values(m, 0);
        INT(sd_bus_message_at_end(m, 1));
        INT(sd_bus_message_rewind(m, 1));
}

static sd_bus_message *fresh(sd_bus *bus) {
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(bus, &m, "a.b", "/c", "d.e", "F");

        if (r < 0)
                printf("new %d\n", r);
        return m;
}

#define APPEND(...) do {                                                                                \
                sd_bus_message *m = fresh(bus);                                                         \
                int r_ = sd_bus_message_append(m, __VA_ARGS__);                                         \
                printf("append(%s) = %d %s\n", #__VA_ARGS__, r_, error(r_));                            \
                if (r_ >= 0)                                                                            \
                        print_message(m);                                                               \
                sd_bus_message_unref(m);                                                                \
        } while (0)

static void appended(sd_bus *bus) {
        APPEND("y", 255);
        APPEND("b", 7);
        APPEND("nq", -2, 65535);
        APPEND("iu", -2, 4294967295u);
        APPEND("xt", INT64_C(-2), UINT64_MAX);
        APPEND("d", 1.5);
        APPEND("s", "text");
        APPEND("s", NULL);
        APPEND("s", "\xff");
        APPEND("s", "\xc3\xa4");
        APPEND("o", "/a");
        APPEND("o", "a");
        APPEND("o", NULL);
        APPEND("g", "a{sv}");
        APPEND("g", "a{");
        APPEND("g", NULL);
        APPEND("h", 1);
        APPEND("hsh", 1, "x", 2);
        APPEND("h", 99);
        APPEND("h", -1);
        APPEND("as", 0);
        APPEND("as", 2, "x", "y");
        APPEND("a{sv}", 2, "one", "i", 1, "two", "as", 2, "x", "y");
        APPEND("a{sv}", 0);
        APPEND("(is)", 1, "x");
        APPEND("(i(sa(b)))", 1, "x", 2, 1, 0);
        APPEND("v", "s", "x");
        APPEND("v", "v", "v", "i", 7);
        APPEND("v", NULL);
        APPEND("v", "");
        APPEND("v", "ii", 1, 2);
        APPEND("aai", 2, 1, 5, 2, 6, 7);
        APPEND("at", 3, UINT64_C(1), UINT64_C(2), UINT64_C(3));
        APPEND("aax", 1, 0);
        APPEND("a(yt)", 2, 1, UINT64_C(2), 3, UINT64_C(4));
        APPEND("");
        APPEND("z");
        APPEND("iz", 1);
        APPEND("(");
        APPEND("()");
        APPEND("a");
        APPEND("{si}", "x", 1);
        APPEND("i)", 1);
        INT(sd_bus_message_append(NULL, "i", 1));
        sd_bus_message *m = fresh(bus);
        INT(sd_bus_message_append(m, NULL));
        INT(sd_bus_message_read(m, "i", NULL));
        INT(sd_bus_message_rewind(m, 1));
        INT(sd_bus_message_at_end(m, 1));
        INT(sd_bus_message_peek_type(m, NULL, NULL));
        INT(sd_bus_message_skip(m, NULL));
        INT(sd_bus_message_exit_container(m));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_append(m, "i", 1));
        INT(sd_bus_message_open_container(m, 'a', "i"));
        INT(sd_bus_message_close_container(m));
        INT(sd_bus_message_set_destination(m, "x.y"));
        INT(sd_bus_message_set_expect_reply(m, 0));
        INT(sd_bus_message_set_auto_start(m, 0));
        sd_bus_message_unref(m);
}

static void containers(sd_bus *bus) {
        uint64_t numbers[] = { 1, 2, 3 };
        char *list[] = { (char *) "x", (char *) "y", NULL };
        sd_bus_message *m = fresh(bus), *copy = fresh(bus);
        struct iovec pieces[] = { { numbers, 8 }, { numbers + 1, 16 } };
        const char *contents;
        const void *array;
        void *space;
        char **strv = NULL, *text, type;
        size_t size;
        int32_t i = 7;
        int fd = 1;

        INT(sd_bus_message_open_container(m, 'a', "{"));
        INT(sd_bus_message_open_container(m, 'x', "i"));
        INT(sd_bus_message_open_container(m, 'a', NULL));
        INT(sd_bus_message_open_container(m, 'e', "si"));
        INT(sd_bus_message_close_container(m));
        INT(sd_bus_message_open_container(m, 'a', "{sv}"));
        INT(sd_bus_message_append_basic(m, 's', "x"));
        INT(sd_bus_message_open_container(m, 'r', "sv"));
        INT(sd_bus_message_open_container(m, 'e', "sv"));
        TEXT(sd_bus_message_get_signature(m, 0));
        TEXT(sd_bus_message_get_signature(m, 1));
        INT(sd_bus_message_append_basic(m, 'i', &i));
        INT(sd_bus_message_append_basic(m, 's', "key"));
        INT(sd_bus_message_close_container(m));
        INT(sd_bus_message_append(m, "v", "i", 7));
        INT(sd_bus_message_append(m, "v", "i", 7));
        INT(sd_bus_message_close_container(m));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_close_container(m));
        INT(sd_bus_message_append_array(m, 't', numbers, sizeof(numbers)));
        INT(sd_bus_message_append_array(m, 't', numbers, 7));
        INT(sd_bus_message_append_array(m, 's', numbers, 8));
        INT(sd_bus_message_append_array(m, 'b', numbers, 8));
        INT(sd_bus_message_append_array(m, 'h', numbers, 8));
        INT(sd_bus_message_append_array(m, 't', NULL, 8));
        INT(sd_bus_message_append_array(m, 't', NULL, 0));
        INT(sd_bus_message_append_array_iovec(m, 't', pieces, 2));
        INT(sd_bus_message_append_array_iovec(m, 't', NULL, 1));
        INT(sd_bus_message_append_array_iovec(m, 't', NULL, 0));
        INT(sd_bus_message_append_array_space(m, 'u', 8, &space));
        memcpy(space, "abcdefgh", 8);
        INT(sd_bus_message_append_array_space(m, 'u', 7, &space));
        INT(sd_bus_message_append_array_space(m, 'u', 8, NULL));
        INT(sd_bus_message_append_string_space(m, 3, &text));
        memcpy(text, "abc", 3);
        INT(sd_bus_message_append_string_space(m, 3, NULL));
        INT(sd_bus_message_append_strv(m, list));
        INT(sd_bus_message_append_strv(m, NULL));
        INT(sd_bus_message_append_string_iovec(m, (struct iovec[]) { { (char *) "ab", 2 }, { NULL, 2 }, { (char *) "c", 1 } }, 3));
        INT(sd_bus_message_append_string_iovec(m, NULL, 0));
        INT(sd_bus_message_append_string_iovec(m, NULL, 1));
        INT(sd_bus_message_append_basic(m, 'h', &fd));
        INT(sd_bus_message_append_basic(m, 'v', &i));
        INT(sd_bus_message_append_basic(m, 0, &i));
        INT(sd_bus_message_copy(copy, m, 1));
        print_message(m);
        INT(sd_bus_message_copy(copy, m, 0));
        INT(sd_bus_message_copy(copy, m, 1));
        INT(sd_bus_message_copy(copy, m, 1));
        print_message(copy);

        INT(sd_bus_message_enter_container(m, 's', NULL));
        INT(sd_bus_message_rewind(m, 1));
        INT(sd_bus_message_verify_type(m, 'a', "{sv}"));
        INT(sd_bus_message_verify_type(m, 'a', "s"));
        INT(sd_bus_message_verify_type(m, 0, "{sv}"));
        INT(sd_bus_message_verify_type(m, 'a', NULL));
        INT(sd_bus_message_verify_type(m, 0, NULL));
        INT(sd_bus_message_enter_container(m, 'a', "s"));
        INT(sd_bus_message_enter_container(m, 'r', NULL));
        INT(sd_bus_message_enter_container(m, 's', NULL));
        INT(sd_bus_message_enter_container(m, 'a', NULL));
        INT(sd_bus_message_exit_container(m));
        INT(sd_bus_message_peek_type(m, &type, &contents));
        printf("%c %s\n", type, contents);
        INT(sd_bus_message_enter_container(m, 'e', "sv"));
        INT(sd_bus_message_read_basic(m, 'i', &i));
        INT(sd_bus_message_read_basic(m, 's', NULL));
        INT(sd_bus_message_exit_container(m));
        INT(sd_bus_message_rewind(m, 0));
        INT(sd_bus_message_skip(m, "sv"));
        INT(sd_bus_message_at_end(m, 0));
        INT(sd_bus_message_at_end(m, 1));
        INT(sd_bus_message_exit_container(m));
        INT(sd_bus_message_enter_container(m, 'e', NULL));
        INT(sd_bus_message_enter_container(m, 'e', "sv"));
        INT(sd_bus_message_enter_container(m, 'a', "s"));
        INT(sd_bus_message_read_basic(m, 's', NULL));
        INT(sd_bus_message_exit_container(m));
        INT(sd_bus_message_exit_container(m));
        INT(sd_bus_message_read_array(m, 'u', &array, &size));
        INT(sd_bus_message_read_array(m, 't', &array, &size));
        printf("%zu %" PRIu64 "\n", size, ((uint64_t *) array)[2]);
        INT(sd_bus_message_read_array(m, 't', &array, &size));
        printf("%zu\n", size);
        INT(sd_bus_message_read_strv(m, &strv));
        INT(sd_bus_message_skip(m, "at"));
        INT(sd_bus_message_skip(m, "s"));
        INT(sd_bus_message_skip(m, NULL));
        INT(sd_bus_message_skip(m, "au"));
        INT(sd_bus_message_skip(m, "sas"));
        INT(sd_bus_message_rewind(m, 1));
        INT(sd_bus_message_skip(m, "a{sv}atatatatau"));
        INT(sd_bus_message_skip(m, "s"));
        INT(sd_bus_message_read_strv(m, &strv));
        if (strv) {
                printf("%s %s %s\n", strv[0], strv[1], strv[2] ?: "null");
                free(strv[0]);
                free(strv[1]);
                free(strv);
        }
        INT(sd_bus_message_read_strv(m, &strv));
        printf("%s\n", strv ? "list" : "null");
        INT(sd_bus_message_read_strv(m, &strv));
        INT(sd_bus_message_read_basic(m, 'h', &fd));
        INT(fcntl(fd, F_GETFD));
        INT(sd_bus_message_read_basic(m, 'h', &fd));
        INT(sd_bus_message_skip(m, NULL));
        INT(sd_bus_message_peek_type(m, &type, &contents));
        INT(sd_bus_message_enter_container(m, 'a', "s"));
        sd_bus_message_unref(m);
        sd_bus_message_unref(copy);
}

static void read_back(sd_bus *bus) {
        sd_bus_message *m = fresh(bus);
        const char *s = "unset", *t = "unset", *k[2] = { "unset", "unset" };
        int32_t i = 0, j[3] = { 0 };
        uint8_t y = 0;
        int b = 0;
        double d = 0;

        INT(sd_bus_message_append(m, "ibsdy(is)a{si}vas", 7, 1, "text", 1.5, 3, 8, "in", 2, "k", 1, "l", 2, "s", "var", 2, "x", "y"));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_read(m, "ibsdy", &i, &b, &s, &d, &y));
        printf("%d %d %s %g %d\n", i, b, s, d, y);
        INT(sd_bus_message_read(m, "(is)", &i, &s));
        INT(sd_bus_message_read(m, "a{si}", 2, &k[0], &j[0], &k[1], &j[1]));
        printf("%d %s %s %d %s %d\n", i, s, k[0], j[0], k[1], j[1]);
        INT(sd_bus_message_read(m, "v", "s", &t));
        INT(sd_bus_message_read(m, "as", 2, NULL, &t));
        printf("%s\n", t);
        INT(sd_bus_message_read(m, "i", &i));
        INT(sd_bus_message_read(m, ""));
        INT(sd_bus_message_read(m, NULL));
        INT(sd_bus_message_read(m, "z", &i));
        INT(sd_bus_message_rewind(m, 1));
        INT(sd_bus_message_read(m, "s", &s));
        INT(sd_bus_message_read(m, "is", &i, &s));
        INT(sd_bus_message_read(m, "bsdy(is)", NULL, NULL, NULL, NULL, NULL, NULL));
        INT(sd_bus_message_read(m, "a{si}", 1, &s, &i));
        INT(sd_bus_message_rewind(m, 1));
        INT(sd_bus_message_skip(m, "ibsdy(is)"));
        INT(sd_bus_message_read(m, "a{si}", 3, NULL, &i, NULL, &i, NULL, &i));
        INT(sd_bus_message_rewind(m, 1));
        INT(sd_bus_message_skip(m, "ibsdy(is)a{si}"));
        INT(sd_bus_message_read(m, "v", "i", &i));
        INT(sd_bus_message_read(m, "v", NULL));
        INT(sd_bus_message_read(m, "v", "s", &s));
        INT(sd_bus_message_enter_container(m, 'a', "s"));
        INT(sd_bus_message_read(m, "s", &s));
        INT(sd_bus_message_read(m, "s", &s));
        INT(sd_bus_message_read(m, "s", &s));
        INT(sd_bus_message_read(m, "ss", &s, &t));
        INT(sd_bus_message_exit_container(m));
        sd_bus_message_unref(m);
}

static void print_header(sd_bus_message *m) {
        uint64_t cookie = 77;
        uint8_t type = 77;

        INT(sd_bus_message_get_type(m, &type));
        printf("type %d\n", type);
        INT(sd_bus_message_get_cookie(m, &cookie));
        INT(sd_bus_message_get_reply_cookie(m, &cookie));
        TEXT(sd_bus_message_get_path(m));
        TEXT(sd_bus_message_get_interface(m));
        TEXT(sd_bus_message_get_member(m));
        TEXT(sd_bus_message_get_destination(m));
        TEXT(sd_bus_message_get_sender(m));
        TEXT(sd_bus_message_get_signature(m, 1));
        INT(sd_bus_message_get_monotonic_usec(m, &cookie));
        INT(sd_bus_message_get_realtime_usec(m, &cookie));
        INT(sd_bus_message_get_seqnum(m, &cookie));
        INT(sd_bus_message_get_seqnum(m, NULL));
        INT(sd_bus_message_get_expect_reply(m));
        INT(sd_bus_message_get_auto_start(m));
        INT(sd_bus_message_get_allow_interactive_authorization(m));
        INT(sd_bus_message_is_signal(m, NULL, NULL));
        INT(sd_bus_message_is_signal(m, "d.e", "F"));
        INT(sd_bus_message_is_method_call(m, NULL, NULL));
        INT(sd_bus_message_is_method_call(m, "d.e", "F"));
        INT(sd_bus_message_is_method_call(m, "d.e", "G"));
        INT(sd_bus_message_is_method_error(m, NULL));
        INT(sd_bus_message_is_method_error(m, "x.y"));
        INT(sd_bus_message_get_errno(m));
        printf("error %s\n", sd_bus_message_get_error(m) ? sd_bus_message_get_error(m)->name : "null");
        INT(sd_bus_message_has_signature(m, "s"));
        INT(sd_bus_message_has_signature(m, NULL));
        INT(sd_bus_message_has_signature(m, ""));
        INT(sd_bus_message_get_bus(m) != NULL);
}

static void headers(sd_bus *bus) {
        static const char *const texts[] = { NULL, "", "a", "a.b", ":1.1", "/", "/a", "a/b", "1" };
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL, *r = NULL;

        INT(sd_bus_message_new_method_call(NULL, &m, "a.b", "/c", "d.e", "F"));
        INT(sd_bus_message_new_method_call(bus, NULL, "a.b", "/c", "d.e", "F"));
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                const char *t = texts[i];

#define NEW(call) do { printf("%s: ", t ?: "NULL"); INT(call); m = sd_bus_message_unref(m); } while (0)
                NEW(sd_bus_message_new_method_call(bus, &m, t, "/c", "d.e", "F"));
                NEW(sd_bus_message_new_method_call(bus, &m, "a.b", t, "d.e", "F"));
                NEW(sd_bus_message_new_method_call(bus, &m, "a.b", "/c", t, "F"));
                NEW(sd_bus_message_new_method_call(bus, &m, "a.b", "/c", "d.e", t));
                NEW(sd_bus_message_new_signal(bus, &m, t, "d.e", "F"));
                NEW(sd_bus_message_new_signal(bus, &m, "/c", t, "F"));
                NEW(sd_bus_message_new_signal(bus, &m, "/c", "d.e", t));
                m = fresh(bus);
                printf("%s: ", t ?: "NULL");
                INT(sd_bus_message_set_sender(m, t));
                printf("%s: ", t ?: "NULL");
                INT(sd_bus_message_set_destination(m, t));
                m = sd_bus_message_unref(m);
        }
        for (int type = 0; type < 6; type++) {
                printf("type %d ", type);
                if (type > 0)
                        INT(sd_bus_message_new(bus, &m, type));
                if (m)
                        print_header(m);
                m = sd_bus_message_unref(m);
        }
        m = fresh(bus);
        print_header(m);
        INT(sd_bus_message_set_expect_reply(m, 0));
        INT(sd_bus_message_set_auto_start(m, 0));
        INT(sd_bus_message_set_allow_interactive_authorization(m, 1));
        print_header(m);
        INT(sd_bus_message_set_expect_reply(m, 1));
        INT(sd_bus_message_new_method_return(m, &r));
        INT(sd_bus_message_seal(m, 0, 0));
        INT(sd_bus_message_seal(m, UINT64_C(1) << 32, 0));
        m = sd_bus_message_unref(m);
        m = fresh(bus);
        INT(sd_bus_message_set_sender(m, ":1.7"));
        INT(sd_bus_message_seal(m, 5, 0));
        print_header(m);
        INT(sd_bus_message_new_method_return(m, &r));
        print_header(r);
        INT(sd_bus_message_set_expect_reply(r, 1));
        INT(sd_bus_message_seal(r, 6, 0));
        print_header(r);
        r = sd_bus_message_unref(r);
        INT(sd_bus_message_new_method_error(m, &r, NULL));
        INT(sd_bus_message_new_method_error(m, &r, &e));
        INT(sd_bus_error_set(&e, "x.y", "a text"));
        INT(sd_bus_message_new_method_error(m, &r, &e));
        print_header(r);
        INT(sd_bus_message_seal(r, 7, 0));
        print_header(r);
        print_values(r, 0);
        r = sd_bus_message_unref(r);
        INT(sd_bus_message_new_method_errorf(m, &r, "x.y", "%d", 7));
        print_message(r);
        r = sd_bus_message_unref(r);
        INT(sd_bus_message_new_method_errno(m, &r, EPERM, NULL));
        print_header(r);
        print_message(r);
        r = sd_bus_message_unref(r);
        INT(sd_bus_message_new_method_errno(m, &r, EPERM, &e));
        print_header(r);
        r = sd_bus_message_unref(r);
        INT(sd_bus_message_new_method_errnof(m, &r, ENXIO, "%s", "x"));
        print_header(r);
        print_message(r);
        r = sd_bus_message_unref(r);
        INT(sd_bus_message_new_method_return(NULL, &r));
        m = sd_bus_message_unref(m);
        INT(sd_bus_message_new_signal(bus, &m, "/c", "d.e", "F"));
        print_header(m);
        INT(sd_bus_message_set_expect_reply(m, 1));
        INT(sd_bus_message_set_destination(m, "a.b"));
        INT(sd_bus_message_seal(m, 8, 0));
        INT(sd_bus_message_new_method_return(m, &r));
        INT(sd_bus_message_new_method_error(m, &r, &e));
        m = sd_bus_message_unref(m);
        sd_bus_error_free(&e);
}

static void states(void) {
        sd_bus_message *m = NULL;
        sd_bus *bus = NULL;
        uint64_t t = 7;
        const char *s;

        INT(sd_bus_new(NULL));
        INT(sd_bus_new(&bus));
        INT(sd_bus_message_new_method_call(bus, &m, "a.b", "/c", "d.e", "F"));
        INT(sd_bus_is_open(bus));
        INT(sd_bus_is_ready(bus));
        INT(sd_bus_get_fd(bus));
        INT(sd_bus_get_events(bus));
        INT(sd_bus_get_timeout(bus, &t));
        INT(sd_bus_process(bus, NULL));
        INT(sd_bus_wait(bus, 0));
        INT(sd_bus_flush(bus));
        INT(sd_bus_get_address(bus, &s));
        INT(sd_bus_set_address(bus, NULL));
        INT(sd_bus_set_address(bus, "unix:path=/tmp/nobody"));
        INT(sd_bus_get_address(bus, &s));
        INT(sd_bus_get_description(bus, &s));
        INT(sd_bus_set_description(bus, "x"));
        INT(sd_bus_get_description(bus, &s));
        INT(sd_bus_get_scope(bus, &s));
        INT(sd_bus_is_bus_client(bus));
        INT(sd_bus_set_bus_client(bus, 7));
        INT(sd_bus_is_bus_client(bus));
        INT(sd_bus_is_anonymous(bus));
        INT(sd_bus_set_anonymous(bus, 1));
        INT(sd_bus_is_trusted(bus));
        INT(sd_bus_set_trusted(bus, 1));
        INT(sd_bus_is_trusted(bus));
        INT(sd_bus_negotiate_fds(bus, 0));
        INT(sd_bus_get_allow_interactive_authorization(bus));
        INT(sd_bus_set_allow_interactive_authorization(bus, 1));
        INT(sd_bus_get_allow_interactive_authorization(bus));
        INT(sd_bus_get_method_call_timeout(bus, &t));
        printf("%" PRIu64 "\n", t);
        INT(sd_bus_set_method_call_timeout(bus, 5));
        INT(sd_bus_get_method_call_timeout(bus, &t));
        printf("%" PRIu64 "\n", t);
        INT(sd_bus_set_method_call_timeout(bus, 0));
        INT(sd_bus_get_method_call_timeout(bus, &t));
        printf("%" PRIu64 "\n", t);
        INT(sd_bus_get_n_queued_read(bus, &t));
        INT(sd_bus_get_n_queued_read(bus, NULL));
        INT(sd_bus_get_n_queued_write(bus, &t));
        INT(sd_bus_get_unique_name(bus, &s));
        INT(sd_bus_request_name(bus, "a.b", 0));
        INT(sd_bus_release_name(bus, "a.b"));
        INT(sd_bus_set_fd(bus, -1, -1));
        INT(sd_bus_start(bus));
        INT(sd_bus_is_open(bus));
        INT(sd_bus_start(bus));
        INT(sd_bus_set_address(bus, "unix:path=/tmp/nobody"));
        INT(sd_bus_unref(bus) == NULL);
        bus = to_nobody();
        INT(sd_bus_is_open(bus));
        INT(sd_bus_is_ready(bus));
        INT(sd_bus_get_fd(bus) >= 0);
        INT(sd_bus_get_events(bus));
        INT(sd_bus_set_address(bus, "unix:path=/tmp/nobody"));
        INT(sd_bus_set_bus_client(bus, 1));
        INT(sd_bus_set_description(bus, "x"));
        INT(sd_bus_start(bus));
        INT(sd_bus_wait(bus, 1));
        INT(sd_bus_process(bus, NULL));
        INT(sd_bus_get_unique_name(bus, &s));
        INT(sd_bus_request_name(bus, "a.b", 0));
        INT(sd_bus_get_n_queued_write(bus, &t));
        printf("%" PRIu64 "\n", t);
        sd_bus_close(bus);
        INT(sd_bus_is_open(bus));
        INT(sd_bus_get_fd(bus));
        INT(sd_bus_process(bus, NULL));
        INT(sd_bus_wait(bus, 0));
        INT(sd_bus_message_new_method_call(bus, &m, "a.b", "/c", "d.e", "F"));
        INT(sd_bus_send(bus, m, NULL));
        INT(sd_bus_call(bus, m, 0, NULL, NULL));
        INT(sd_bus_message_unref(m) == NULL);
        if (fork() == 0) {
                INT(sd_bus_is_open(bus));
                INT(sd_bus_process(bus, NULL));
                INT(sd_bus_start(bus));
                exit(0);
        }
        wait(NULL);
        INT(sd_bus_close_unref(bus) == NULL);
        INT(sd_bus_start(NULL));
        INT(sd_bus_process(NULL, NULL));
        INT(sd_bus_is_open(NULL));
        INT(sd_bus_unref(NULL) == NULL);
        INT(sd_bus_flush_close_unref(NULL) == NULL);
        INT(sd_bus_message_unref(NULL) == NULL);
        INT(sd_bus_slot_unref(NULL) == NULL);
}

#define DRIVER "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"
#define MACHINED "org.freedesktop.machine1", "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager"

static int heard;

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *name, *old, *new;
        int r;

        /* It comes at any time, and two processes print. */
        if (sd_bus_message_is_signal(m, NULL, "NameAcquired"))
                return 0;
        heard++;
        printf("%s: %s %s %s error %d\n", (char *) userdata, sd_bus_message_get_interface(m) ?: "null", sd_bus_message_get_member(m) ?: "null",
               sd_bus_message_get_signature(m, 1), sd_bus_message_is_method_error(m, NULL));
        if (sd_bus_message_is_signal(m, NULL, "NameOwnerChanged")) {
                r = sd_bus_message_read(m, "sss", &name, &old, &new);
                printf("read %d %s %d %d\n", r, name[0] == ':' ? ":" : name, !!*old, !!*new);
        }
        if (sd_bus_message_is_method_error(m, NULL))
                print_error("failed", -sd_bus_message_get_errno(m), sd_bus_message_get_error(m));
        if (sd_bus_message_is_method_call(m, "org.example.Test", "Add")) {
                int32_t a, b;

                r = sd_bus_message_read(m, "ii", &a, &b);
                if (r < 0)
                        return r;
                return sd_bus_reply_method_return(m, "i", a + b);
        }
        if (sd_bus_message_is_method_call(m, "org.example.Test", "Fail"))
                return sd_bus_error_setf(ret_error, "org.example.Failed", "failed %d", 7);
        if (sd_bus_message_is_method_call(m, "org.example.Test", "Errno"))
                return -ENOSPC;
        if (sd_bus_message_is_method_call(m, "org.example.Test", "Errorf"))
                return sd_bus_reply_method_errorf(m, "org.example.F", "%s", "text");
        if (sd_bus_message_is_method_call(m, "org.example.Test", "Pass")) {
                int fd;

                r = sd_bus_message_read(m, "h", &fd);
                if (r < 0)
                        return r;
                r = (int) write(fd, "passed\n", 7);
                return sd_bus_reply_method_return(m, "h", fd);
        }
        return 0;
}

/* Goes on until a number of messages were heard, 30 s at most. */
static void until(sd_bus *bus, int number) {
        for (int i = 0; heard < number && i < 3000; i++) {
                int r = sd_bus_process(bus, NULL);

                if (r < 0) {
                        printf("process %d %s\n", r, error(r));
                        return;
                }
                if (r == 0)
                        sd_bus_wait(bus, 10000);
        }
        printf("heard %d\n", heard);
}

static void destroyed(void *userdata) {
        printf("destroyed %s\n", (char *) userdata);
}

static void print_call(sd_bus *bus, const char *what, int r, sd_bus_error *e, sd_bus_message **reply) {
        print_error(what, r, e);
        sd_bus_error_free(e);
        if (r >= 0 && *reply) {
                TEXT(sd_bus_message_get_signature(*reply, 1));
                INT(sd_bus_message_get_bus(*reply) == bus);
        }
        *reply = sd_bus_message_unref(*reply);
}

#define CALL(...) do {                                                                  \
                int r_ = sd_bus_call_method(bus, __VA_ARGS__);                          \
                print_call(bus, #__VA_ARGS__, r_, &e, &reply);                          \
        } while (0)

static void client(void) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        sd_bus *bus = NULL;
        const char *name = NULL;
        char *text = NULL, **list = NULL;
        uint64_t number = 0;
        sd_id128_t id;

        INT(sd_bus_open_system(&bus));
        INT(sd_bus_get_unique_name(bus, &name));
        printf("%.3s\n", name);
        INT(sd_bus_is_ready(bus));
        INT(sd_bus_get_bus_id(bus, &id));
        INT(sd_bus_get_scope(bus, &name));
        TEXT(name);
        INT(sd_bus_is_bus_client(bus));
        INT(sd_bus_is_trusted(bus));
        INT(sd_bus_get_timeout(bus, &number) + (number == UINT64_MAX));
        CALL(DRIVER, "GetNameOwner", &e, &reply, "s", "org.freedesktop.machine1");
        CALL(DRIVER, "GetNameOwner", &e, &reply, "s", "no.such.name");
        CALL(DRIVER, "GetNameOwner", &e, &reply, "i", 7);
        CALL(DRIVER, "GetNameOwner", NULL, NULL, "s", "org.freedesktop.DBus");
        CALL(DRIVER, "NoSuchMethod", &e, &reply, NULL);
        CALL("no.such.name", "/", "no.such", "Name", &e, &reply, NULL);
        CALL(MACHINED, "ListMachines", &e, &reply, "");
        CALL(MACHINED, "GetMachine", &e, &reply, "s", "web");
        CALL(MACHINED, "GetMachine", &e, &reply, "s", "none");
        CALL(MACHINED, "GetMachineAddresses", &e, &reply, "s", "web");
        INT(sd_bus_call_method(bus, MACHINED, "ListMachines", &e, &reply, NULL));
        INT(sd_bus_message_enter_container(reply, 'a', "(ssso)"));
        for (;;) {
                const char *machine, *class, *service, *path;
                int r = sd_bus_message_read(reply, "(ssso)", &machine, &class, &service, &path);

                printf("read %d %s\n", r, error(r));
                if (r <= 0)
                        break;
                printf("%s %s %s %s\n", machine, class, service, path);
        }
        INT(sd_bus_message_exit_container(reply));
        INT(sd_bus_message_at_end(reply, 1));
        reply = sd_bus_message_unref(reply);
        INT(sd_bus_get_property_string(bus, MACHINED, "PoolPath", &e, &text));
        TEXT(text);
        free(text);
        INT(sd_bus_get_property_trivial(bus, MACHINED, "PoolUsage", &e, 't', &number));
        INT(sd_bus_get_property_trivial(bus, MACHINED, "PoolUsage", &e, 's', &number));
        print_error("wrong", sd_bus_get_property_trivial(bus, MACHINED, "PoolUsage", &e, 'i', &number), &e);
        sd_bus_error_free(&e);
        print_error("none", sd_bus_get_property_string(bus, MACHINED, "None", &e, &text), &e);
        sd_bus_error_free(&e);
        INT(sd_bus_get_property_strv(bus, DRIVER, "Features", &e, &list));
        for (char **text_ = list; text_ && *text_; text_++)
                free(*text_);
        free(list);
        print_error("features", 0, &e);
        sd_bus_error_free(&e);
        INT(sd_bus_get_property(bus, DRIVER, "Interfaces", &e, &reply, "as"));
        if (reply)
                TEXT(sd_bus_message_get_signature(reply, 0));
        sd_bus_error_free(&e);
        reply = sd_bus_message_unref(reply);
        print_error("set", sd_bus_set_property(bus, MACHINED, "PoolPath", &e, "s", "x"), &e);
        sd_bus_error_free(&e);
        INT(sd_bus_flush_close_unref(bus) == NULL);
}

/* On a bus where everybody may have every name. */
static void peers(void) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL, *reply = NULL;
        sd_bus_slot *slot = NULL;
        sd_bus *bus = NULL, *second = NULL;
        const char *name = NULL;
        uint64_t cookie = 0;

        INT(sd_bus_open_system(&bus));
        INT(sd_bus_request_name(bus, "org.example.Probe", 0));
        INT(sd_bus_request_name(bus, "org.example.Probe", 0));
        INT(sd_bus_request_name(bus, ":1.1", 0));
        INT(sd_bus_request_name(bus, "x", 0));
        INT(sd_bus_request_name(bus, "org.example.Probe", 8));
        INT(sd_bus_open_system(&second));
        INT(sd_bus_request_name(second, "org.example.Probe", 0));
        INT(sd_bus_request_name(second, "org.example.Probe", SD_BUS_NAME_QUEUE));
        INT(sd_bus_release_name(second, "org.example.Probe"));
        INT(sd_bus_release_name(second, "org.example.Probe"));
        INT(sd_bus_release_name(second, "org.example.None"));

        INT(sd_bus_match_signal(bus, &slot, "org.freedesktop.DBus", NULL, "org.freedesktop.DBus", "NameOwnerChanged", on_message, (void *) "match"));
        INT(sd_bus_slot_set_destroy_callback(slot, destroyed));
        INT(sd_bus_slot_get_destroy_callback(slot, NULL));
        INT(sd_bus_slot_get_floating(slot));
        INT(sd_bus_slot_get_bus(slot) == bus);
        TEXT((char *) sd_bus_slot_get_userdata(slot));
        TEXT((char *) sd_bus_slot_set_userdata(slot, (void *) "matched"));
        INT(sd_bus_slot_set_description(slot, "a slot"));
        INT(sd_bus_slot_get_description(slot, &name));
        TEXT(name);
        INT(sd_bus_request_name(second, "org.example.Second", 0));
        until(bus, 1);
        slot = sd_bus_slot_unref(slot);
        INT(sd_bus_release_name(second, "org.example.Second"));
        INT(sd_bus_add_match(bus, NULL, "type='signal',member='Floating'", on_message, (void *) "floating"));
        INT(sd_bus_add_match(bus, &slot, "type='signal',sender='org.freedesktop.DBus.Local'", on_message, (void *) "local"));
        slot = sd_bus_slot_unref(slot);
        INT(sd_bus_add_match(bus, &slot, "nonsense", on_message, NULL));
        INT(sd_bus_add_match(bus, &slot, NULL, on_message, NULL));
        INT(sd_bus_add_match_async(bus, &slot, "type='signal',member='Async'", on_message, on_message, (void *) "async"));
        until(bus, 2);
        INT(sd_bus_emit_signal(second, "/a", "org.example.Test", "Async", "si", "x", 7));
        INT(sd_bus_flush(second));
        until(bus, 3);
        INT(sd_bus_emit_signal(second, "/a", "org.example.Test", "Floating", NULL));
        INT(sd_bus_emit_signal(second, "/a", "org.example.Test", "Not a member", NULL));
        INT(sd_bus_flush(second));
        until(bus, 4);
        slot = sd_bus_slot_unref(slot);

        INT(sd_bus_message_new_method_call(bus, &m, DRIVER, "GetId"));
        INT(sd_bus_call_async(bus, &slot, m, on_message, (void *) "answer", 0));
        INT(sd_bus_message_get_cookie(m, &cookie));
        m = sd_bus_message_unref(m);
        until(bus, 5);
        slot = sd_bus_slot_unref(slot);
        INT(sd_bus_call_method_async(bus, NULL, DRIVER, "GetNameOwner", on_message, (void *) "floating answer", "s", "no.such.name"));
        until(bus, 6);
        INT(sd_bus_call_method_async(bus, &slot, DRIVER, "GetId", on_message, (void *) "dropped", NULL));
        slot = sd_bus_slot_unref(slot);

        /* The second connection serves by a filter, in another process; the first calls it. */
        fflush(stdout);
        sd_bus_flush_close_unref(second);
        second = NULL;
        int ready[2], passed[2];
        INT(pipe(ready));
        INT(pipe(passed));
        /* What it says is shown when it is gone: both say things at the same time. */
        FILE *said = tmpfile();
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                dup2(fileno(said), STDOUT_FILENO);
                setvbuf(stdout, NULL, _IOLBF, 0);
                INT(sd_bus_open_system(&second));
                INT(sd_bus_add_filter(second, NULL, on_message, (void *) "filter"));
                INT(sd_bus_request_name(second, "org.example.Server", 0));
                close(ready[1]);
                heard = 0;
                for (;;) {
                        if (sd_bus_process(second, NULL) < 0)
                                break;
                        sd_bus_wait(second, 100000);
                }
                exit(0);
        }
        close(ready[1]);
        INT((int) read(ready[0], &cookie, 1));
#define SERVER "org.example.Server", "/org/example/Test", "org.example.Test"
        CALL(SERVER, "Add", &e, &reply, "ii", 3, 4);
        CALL(SERVER, "Add", &e, &reply, "s", "x");
        CALL(SERVER, "Fail", &e, &reply, NULL);
        CALL(SERVER, "Errno", &e, &reply, NULL);
        CALL(SERVER, "Errorf", &e, &reply, NULL);
        CALL(SERVER, "Nothing", &e, &reply, NULL);
        CALL(SERVER, "Pass", &e, &reply, "h", passed[1]);
        CALL("org.example.Server", "/", "org.freedesktop.DBus.Peer", "Ping", &e, &reply, NULL);
        CALL("org.example.Server", "/", "org.freedesktop.DBus.Peer", "GetMachineId", &e, &reply, NULL);
        CALL("org.example.Server", "/", "org.freedesktop.DBus.Peer", "Pong", &e, &reply, NULL);
        char word[8] = "";
        INT((int) read(passed[0], word, 7));
        printf("%s", word);
        kill(pid, SIGSTOP);
        INT(sd_bus_message_new_method_call(bus, &m, SERVER, "Add"));
        INT(sd_bus_message_append(m, "ii", 1, 2));
        print_call(bus, "late", sd_bus_call(bus, m, 100000, &e, &reply), &e, &reply);
        m = sd_bus_message_unref(m);
        INT(sd_bus_message_new_method_call(bus, &m, SERVER, "Add"));
        INT(sd_bus_call_async(bus, NULL, m, on_message, (void *) "late answer", 100000));
        m = sd_bus_message_unref(m);
        until(bus, 7);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        rewind(said);
        char line[512];
        while (fgets(line, sizeof line, said))
                fputs(line, stdout);
        fclose(said);
        INT(sd_bus_request_name_async(bus, NULL, "org.example.Async", 0, on_message, (void *) "requested"));
        until(bus, 8);
        INT(sd_bus_request_name_async(bus, NULL, "x", 0, on_message, NULL));
        INT(sd_bus_release_name_async(bus, &slot, "org.example.Async", on_message, (void *) "released"));
        until(bus, 9);
        slot = sd_bus_slot_unref(slot);
        INT(sd_bus_open_system(&second));
        INT(sd_bus_request_name_async(second, NULL, "org.example.Probe", 0, NULL, NULL));
        for (int i = 0; sd_bus_is_open(second) > 0 && i < 3000; i++)
                if (sd_bus_process(second, NULL) == 0)
                        sd_bus_wait(second, 10000);
        INT(sd_bus_is_open(second));
        second = sd_bus_flush_close_unref(second);
        INT(sd_bus_message_new_signal(bus, &m, "/a", "b.c", "D"));
        print_call(bus, "no call", sd_bus_call(bus, m, 0, &e, &reply), &e, &reply);
        INT(sd_bus_send(bus, m, &cookie));
        INT(sd_bus_send(NULL, m, NULL));
        INT(sd_bus_send_to(bus, m, "a.b", NULL));
        m = sd_bus_message_unref(m);
        INT(sd_bus_default_system(&second));
        sd_bus *third = NULL;
        INT(sd_bus_is_open(SD_BUS_DEFAULT_SYSTEM));
        INT(sd_bus_is_open(SD_BUS_DEFAULT_USER));
        INT(sd_bus_get_scope(SD_BUS_DEFAULT_SYSTEM, &name));
        INT(sd_bus_list_names(second, NULL, NULL));
        char **acquired = NULL, **activatable = NULL;
        INT(sd_bus_list_names(second, &acquired, &activatable));
        for (size_t i = 0; acquired && acquired[i]; i++) {
                if (strcmp(acquired[i], "org.example.Probe") == 0 || strcmp(acquired[i], "org.freedesktop.DBus") == 0)
                        printf("%s\n", acquired[i]);
                free(acquired[i]);
        }
        for (size_t i = 0; activatable && activatable[i]; i++) {
                printf("%s\n", activatable[i]);
                free(activatable[i]);
        }
        free(acquired);
        free(activatable);
        INT(sd_bus_default_system(&third));
        INT(second == third);
        INT(second == bus);
        sd_bus_unref(third);
        INT(sd_bus_flush_close_unref(second) == NULL);
        INT(sd_bus_flush(bus));
        INT(sd_bus_flush_close_unref(bus) == NULL);
}

struct object {
        int32_t number;
        int on;
        uint8_t byte;
        uint64_t large;
        double real;
        char *text;
        char **list;
        int32_t own;
};

static int method_add(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        struct object *o = userdata;
        int32_t a, b;
        int r;

        (void) ret_error;
        r = sd_bus_message_read(m, "ii", &a, &b);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "i", a + b + o->number);
}

static int method_offset(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) ret_error;
        return sd_bus_reply_method_return(m, "i", *(int32_t *) userdata);
}

static int method_fail(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) m, (void) userdata;
        return sd_bus_error_set_errnof(ret_error, ENOSPC, "no room for %d", 7);
}

static int method_change(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        struct object *o = userdata;
        int r;

        (void) ret_error;
        o->number++;
        r = sd_bus_emit_properties_changed(sd_bus_message_get_bus(m), "/org/example/One", "org.example.Test", "Number", "Secret", NULL);
        return sd_bus_reply_method_return(m, "i", r);
}

static int method_change_wrong(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        sd_bus *bus = sd_bus_message_get_bus(m);

        (void) userdata, (void) ret_error;
        return sd_bus_reply_method_return(m, "iiiii",
                sd_bus_emit_properties_changed(bus, "/org/example/One", "org.example.Test", "None", NULL),
                sd_bus_emit_properties_changed(bus, "/org/example/One", "org.example.Test", "Constant", NULL),
                sd_bus_emit_properties_changed(bus, "/org/example/One", "org.example.None", "Number", NULL),
                sd_bus_emit_properties_changed(bus, "/org/example/None", "org.example.Test", "Number", NULL),
                sd_bus_emit_properties_changed_strv(bus, "/org/example/One", "org.example.Test", (char *[]) { NULL }));
}

static int get_square(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *ret_error) {
        (void) bus, (void) path, (void) interface, (void) property, (void) ret_error;
        return sd_bus_message_append(reply, "i", *(int32_t *) userdata * *(int32_t *) userdata);
}

static int get_failing(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                       void *userdata, sd_bus_error *ret_error) {
        (void) bus, (void) path, (void) interface, (void) reply, (void) userdata;
        return sd_bus_error_setf(ret_error, "org.example.Failed", "no %s", property);
}

static int set_square(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *value,
                      void *userdata, sd_bus_error *ret_error) {
        int32_t square;
        int r;

        (void) bus, (void) path, (void) interface, (void) property;
        r = sd_bus_message_read(value, "i", &square);
        if (r < 0)
                return r;
        if (square < 0)
                return sd_bus_error_set_const(ret_error, "org.example.Negative", "negative");
        *(int32_t *) userdata = square / 2;
        return 1;
}

static int find_odd(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found, sd_bus_error *ret_error) {
        struct object *o = userdata;
        size_t length = strlen(path);

        (void) bus, (void) interface;
        if (strcmp(path, "/org/example/many/error") == 0)
                return sd_bus_error_set_errno(ret_error, EBUSY);
        if (length % 2 == 0)
                return 0;
        *ret_found = o;
        return 1;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Add", "ii", SD_BUS_PARAM(a) SD_BUS_PARAM(b), "i", SD_BUS_PARAM(sum), method_add, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_OFFSET("Offset", NULL, "i", method_offset, offsetof(struct object, own), SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Fail", "", "", method_fail, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_METHOD("Nothing", "", "", NULL, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
        SD_BUS_METHOD("Change", "", "i", method_change, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ChangeWrong", "", "iiiii", method_change_wrong, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Hidden", "", "i", method_offset, SD_BUS_VTABLE_HIDDEN | SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Privileged", "", "i", method_offset, 0),
        SD_BUS_SIGNAL("Happened", "sa{sv}", 0),
        SD_BUS_SIGNAL_WITH_NAMES("Named", "si", SD_BUS_PARAM(what) SD_BUS_PARAM(many), SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_PROPERTY("Number", "i", NULL, offsetof(struct object, number), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Secret", "i", NULL, offsetof(struct object, own), SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
        SD_BUS_PROPERTY("Constant", "s", NULL, offsetof(struct object, text), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("List", "as", NULL, offsetof(struct object, list), 0),
        SD_BUS_PROPERTY("Byte", "y", NULL, offsetof(struct object, byte), SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("On", "b", NULL, offsetof(struct object, on), SD_BUS_VTABLE_HIDDEN),
        SD_BUS_PROPERTY("Real", "d", NULL, offsetof(struct object, real), 0),
        SD_BUS_WRITABLE_PROPERTY("Large", "t", NULL, NULL, offsetof(struct object, large), 0),
        SD_BUS_WRITABLE_PROPERTY("Text", "s", NULL, NULL, offsetof(struct object, text), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_WRITABLE_PROPERTY("Square", "i", get_square, set_square, offsetof(struct object, number), SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_VTABLE_END
};
static const sd_bus_vtable second_vtable[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_PROPERTY("Failing", "i", get_failing, 0, 0),
        SD_BUS_VTABLE_END
};
static const sd_bus_vtable hidden_vtable[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_HIDDEN),
        SD_BUS_METHOD("Offset", NULL, "i", method_offset, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END
};
static const sd_bus_vtable wrong_vtable[] = { SD_BUS_METHOD("Add", "ii", "i", method_add, 0), SD_BUS_VTABLE_END };
static const sd_bus_vtable wrong_member[] = { SD_BUS_VTABLE_START(0), SD_BUS_METHOD("A-", "", "", method_add, 0), SD_BUS_VTABLE_END };
static const sd_bus_vtable wrong_types[] = { SD_BUS_VTABLE_START(0), SD_BUS_METHOD("A", "z", "", method_add, 0), SD_BUS_VTABLE_END };

#define WRONG(name, ...) static const sd_bus_vtable name[] = { SD_BUS_VTABLE_START(0), __VA_ARGS__, SD_BUS_VTABLE_END }
WRONG(wrong_handler, SD_BUS_METHOD("A", "s", "", NULL, 0));
WRONG(wrong_result, SD_BUS_METHOD("A", "", "s", NULL, 0));
WRONG(wrong_method_flag, SD_BUS_METHOD("A", "", "", method_add, SD_BUS_VTABLE_PROPERTY_CONST));
WRONG(wrong_property, SD_BUS_PROPERTY("A", "ai", NULL, 0, 0));
WRONG(wrong_empty, SD_BUS_PROPERTY("A", "", NULL, 0, 0));
WRONG(wrong_two, SD_BUS_PROPERTY("A", "ii", get_square, 0, 0));
WRONG(wrong_flags, SD_BUS_PROPERTY("A", "i", NULL, 0, SD_BUS_VTABLE_PROPERTY_CONST | SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE));
WRONG(wrong_unprivileged, SD_BUS_PROPERTY("A", "i", NULL, 0, SD_BUS_VTABLE_UNPRIVILEGED));
WRONG(wrong_no_reply, SD_BUS_PROPERTY("A", "i", NULL, 0, SD_BUS_VTABLE_METHOD_NO_REPLY));
WRONG(wrong_explicit, SD_BUS_PROPERTY("A", "i", NULL, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT | SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE));
WRONG(wrong_writable, SD_BUS_WRITABLE_PROPERTY("A", "i", NULL, NULL, 0, SD_BUS_VTABLE_PROPERTY_CONST));
WRONG(wrong_set, SD_BUS_WRITABLE_PROPERTY("A", "as", NULL, NULL, 0, 0));
WRONG(wrong_signal, SD_BUS_SIGNAL("A", "s", SD_BUS_VTABLE_UNPRIVILEGED));
WRONG(wrong_signal_types, SD_BUS_SIGNAL("A", "z", 0));
WRONG(good_signal, SD_BUS_SIGNAL("A", NULL, 0), SD_BUS_SIGNAL("A", NULL, 0));
WRONG(twice, SD_BUS_METHOD("A", "", "", NULL, 0), SD_BUS_METHOD("A", "", "", NULL, 0));
WRONG(twice_property, SD_BUS_PROPERTY("A", "i", NULL, 0, 0), SD_BUS_PROPERTY("A", "i", NULL, 0, 0));

static void serve(int ready) {
        char *list[] = { (char *) "x", (char *) "y", NULL };
        struct object o = { 7, 1, 200, UINT64_MAX, 1.5, strdup("text"), list, 42 };
        sd_bus_slot *slot = NULL;
        sd_bus *bus = NULL;
        int32_t own = 43;

        INT(sd_bus_open_system(&bus));
        INT(sd_bus_add_object_vtable(bus, &slot, "/org/example/One", "org.example.Test", vtable, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/org/example/One", "org.example.Test", vtable, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/org/example/One", "org.example.Second", second_vtable, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/org/example/One/below", "org.example.Hidden", hidden_vtable, &own));
        INT(sd_bus_add_fallback_vtable(bus, NULL, "/org/example/many", "org.example.Test", vtable, find_odd, &o));
        INT(sd_bus_add_object(bus, NULL, "/org/example/Calls", on_message, (void *) "object"));
        INT(sd_bus_add_fallback(bus, NULL, "/org/example/fall", on_message, (void *) "fallback"));
        INT(sd_bus_add_object_vtable(bus, NULL, "x", "org.example.Test", vtable, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/x", "x", vtable, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/x", "org.freedesktop.DBus.Properties", vtable, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/x", "org.example.X", wrong_vtable, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/x", "org.example.X", wrong_member, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/x", "org.example.X", wrong_types, &o));
        INT(sd_bus_add_object_vtable(bus, NULL, "/x", "org.example.X", NULL, &o));
        INT(sd_bus_add_object(bus, NULL, "/x", NULL, NULL));
        const sd_bus_vtable *const tables[] = {
                wrong_handler, wrong_result, wrong_method_flag, wrong_property, wrong_empty, wrong_two, wrong_flags, wrong_unprivileged,
                wrong_no_reply, wrong_explicit, wrong_writable, wrong_set, wrong_signal, wrong_signal_types, good_signal, twice, twice_property,
        };
        for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
                char path[16];

                snprintf(path, sizeof(path), "/t%zu", i);
                INT(sd_bus_add_object_vtable(bus, NULL, path, "org.example.X", tables[i], &o));
        }
        INT(sd_bus_slot_get_userdata(slot) == &o);
        INT(sd_bus_request_name(bus, "org.example.Server", 0));
        fflush(stdout);
        close(ready);
        for (;;) {
                if (sd_bus_process(bus, NULL) < 0)
                        exit(1);
                sd_bus_wait(bus, 100000);
        }
}

/* An answer, with all that is in it. */
#define SHOW(...) do {                                                                  \
                int r_ = sd_bus_call_method(bus, "org.example.Server", __VA_ARGS__);    \
                print_error(#__VA_ARGS__, r_, &e);                                      \
                sd_bus_error_free(&e);                                                  \
                if (reply)                                                              \
                        print_values(reply, 1);                                         \
                reply = sd_bus_message_unref(reply);                                    \
        } while (0)
#define ONE "/org/example/One", "org.example.Test"
#define PROPERTIES(path) path, "org.freedesktop.DBus.Properties"
#define INTROSPECT(path) SHOW(path, "org.freedesktop.DBus.Introspectable", "Introspect", &e, &reply, NULL)

static void objects(void) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        sd_bus *bus = NULL;
        int ready[2];
        char byte;

        if (pipe(ready) < 0)
                return;
        pid_t pid = fork();
        if (pid == 0) {
                close(ready[0]);
                serve(ready[1]);
        }
        close(ready[1]);
        INT((int) read(ready[0], &byte, 1));
        INT(sd_bus_open_system(&bus));
        INT(sd_bus_match_signal(bus, NULL, "org.example.Server", NULL, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                on_message, (void *) "changed"));
        SHOW(ONE, "Add", &e, &reply, "ii", 1, 2);
        SHOW(ONE, "Add", &e, &reply, "i", 1);
        SHOW(ONE, "Add", &e, &reply, NULL);
        SHOW(ONE, "Offset", &e, &reply, NULL);
        SHOW(ONE, "Fail", &e, &reply, NULL);
        SHOW(ONE, "Nothing", &e, &reply, NULL);
        SHOW(ONE, "Hidden", &e, &reply, NULL);
        SHOW(ONE, "Privileged", &e, &reply, NULL);
        SHOW(ONE, "None", &e, &reply, NULL);
        SHOW("/org/example/One", "org.example.None", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example/None", "org.example.Test", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example", "org.example.Test", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example/many/a", "org.example.Test", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example/many/ab", "org.example.Test", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example/many/error", "org.example.Test", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example/One/below", "org.example.Hidden", "Offset", &e, &reply, NULL);
        SHOW("/org/example/Calls", "org.example.Test", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example/Calls", "org.example.Test", "Fail", &e, &reply, NULL);
        SHOW("/org/example/Calls", "org.example.Test", "None", &e, &reply, NULL);
        SHOW("/org/example/fall/a/b", "org.example.Test", "Add", &e, &reply, "ii", 1, 2);
        SHOW("/org/example/fall/a/b", "org.example.Test", "None", &e, &reply, NULL);
        static const char *const names[] = {
                "Number", "Secret", "Constant", "List", "Byte", "On", "Real", "Large", "Text", "Square", "None", "", "a b",
        };
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                printf("property %s\n", names[i]);
                SHOW(PROPERTIES("/org/example/One"), "Get", &e, &reply, "ss", "org.example.Test", names[i]);
                SHOW(PROPERTIES("/org/example/One"), "Set", &e, &reply, "ssv", "org.example.Test", names[i], "i", 8);
        }
        SHOW(PROPERTIES("/org/example/One"), "Set", &e, &reply, "ssv", "org.example.Test", "Text", "s", "other");
        SHOW(PROPERTIES("/org/example/One"), "Get", &e, &reply, "ss", "org.example.Test", "Text");
        SHOW(PROPERTIES("/org/example/One"), "Set", &e, &reply, "ssv", "org.example.Test", "Large", "t", UINT64_C(5));
        SHOW(PROPERTIES("/org/example/One"), "Get", &e, &reply, "ss", "org.example.Test", "Large");
        SHOW(PROPERTIES("/org/example/One"), "Set", &e, &reply, "ssv", "org.example.Test", "Square", "i", -1);
        SHOW(PROPERTIES("/org/example/One"), "Get", &e, &reply, "ss", "org.example.Second", "Failing");
        SHOW(PROPERTIES("/org/example/One"), "Get", &e, &reply, "ss", "org.example.None", "Number");
        SHOW(PROPERTIES("/org/example/One"), "Get", &e, &reply, "ss", "x", "Number");
        SHOW(PROPERTIES("/org/example/One"), "Get", &e, &reply, "s", "org.example.Test");
        SHOW(PROPERTIES("/org/example/One"), "GetAll", &e, &reply, "s", "org.example.Test");
        SHOW(PROPERTIES("/org/example/One"), "GetAll", &e, &reply, "s", "org.example.Second");
        SHOW(PROPERTIES("/org/example/One"), "GetAll", &e, &reply, "s", "org.example.None");
        SHOW(PROPERTIES("/org/example/One"), "GetAll", &e, &reply, "s", "");
        SHOW(PROPERTIES("/org/example/One/below"), "GetAll", &e, &reply, "s", "");
        SHOW(PROPERTIES("/org/example/many/a"), "GetAll", &e, &reply, "s", "org.example.Test");
        SHOW(PROPERTIES("/org/example/None"), "GetAll", &e, &reply, "s", "org.example.Test");
        SHOW(PROPERTIES("/org/example/One"), "None", &e, &reply, NULL);
        SHOW(ONE, "Change", &e, &reply, NULL);
        until(bus, 1);
        SHOW(ONE, "ChangeWrong", &e, &reply, NULL);
        INTROSPECT("/org/example/One");
        INTROSPECT("/org/example/One/below");
        INTROSPECT("/org/example");
        INTROSPECT("/org/example/many/a");
        INTROSPECT("/org/example/many");
        INTROSPECT("/");
        INTROSPECT("/none");
        sd_bus_flush_close_unref(bus);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

/* Where the original ends the program. */
static void misuse(sd_bus *bus) {
        sd_bus_message *m = fresh(bus);

        INT(sd_bus_message_append_string_iovec(m, (struct iovec[]) { { (char *) "\xff", 1 } }, 1));
        INT(sd_bus_message_append_basic(m, 'i', NULL));
        sd_bus_message_unref(m);
}

/* Peers that do not speak as they should, or go away. */
static void liars(void) {
        static const struct { const char *text; size_t length; } said[] = {
#define SAID(text) { text, sizeof(text) - 1 }
#define OK_ "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n"
                SAID(""), SAID("garbage\r\n"), SAID("REJECTED EXTERNAL\r\n"), SAID("ERROR\r\n"), SAID("OK\r\n"), SAID("DATA\r\nOK x\r\n"),
                SAID("DATA\r\nREJECTED\r\n"), SAID("\0\0\0\0\r\n"), SAID("\r\n"), SAID(OK_), SAID(OK_ "garbage that is no message"),
                SAID(OK_ "l\1\0\1\377\377\377\377\1\0\0\0\0\0\0\0"), SAID(OK_ "l\1\0\1\0\0\0\0\0\0\0\0\0\0\0\0"),
                SAID(OK_ "l\4\1\1\0\0\0\0\1\0\0\0\0\0\0\0"),
        };

        for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
                for (int hang_up = 0; hang_up < 2; hang_up++) {
                        sd_bus *bus = NULL;
                        int pair[2], r = 0, n;

                        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
                        sd_bus_new(&bus);
                        sd_bus_set_fd(bus, pair[0], pair[0]);
                        sd_bus_start(bus);
                        if (write(pair[1], said[i].text, said[i].length) < 0)
                                return;
                        if (hang_up)
                                shutdown(pair[1], SHUT_WR);
                        for (n = 0; n < 20 && r >= 0; n++)
                                r = sd_bus_process(bus, NULL);
                        printf("%zu %d: open %d ended %d\n", i, hang_up, sd_bus_is_open(bus) > 0, n < 20);
                        sd_bus_close_unref(bus);
                        close(pair[1]);
                }
}

static void with_nobody(void (*test)(sd_bus *bus)) {
        sd_bus *bus = to_nobody();

        test(bus);
        sd_bus_close_unref(bus);
}

int main(int argc, char **argv) {
        const char *group = argc > 1 ? argv[1] : "";

        setvbuf(stdout, NULL, _IOLBF, 0);
        if (strcmp(group, "errors") == 0)
                errors();
        else if (strcmp(group, "names") == 0)
                names();
        else if (strcmp(group, "append") == 0)
                with_nobody(appended);
        else if (strcmp(group, "containers") == 0)
                with_nobody(containers);
        else if (strcmp(group, "read") == 0)
                with_nobody(read_back);
        else if (strcmp(group, "headers") == 0)
                with_nobody(headers);
        else if (strcmp(group, "states") == 0)
                states();
        else if (strcmp(group, "client") == 0)
                client();
        else if (strcmp(group, "peers") == 0)
                peers();
        else if (strcmp(group, "objects") == 0)
                objects();
        else if (strcmp(group, "liars") == 0)
                liars();
        else if (strcmp(group, "misuse") == 0)
                with_nobody(misuse);
        else
                return 2;
        return 0;
}
