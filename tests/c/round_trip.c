/* One of two that exchange messages with values of every type: as a server, or as the client of one.
 *   round_trip serve            org.example.C serves org.example.Peer at /o, prints what it is told, and ends with Quit
 *   round_trip call NAME        calls the methods of such a server, and prints what it answers
 * The library under test is the one that the loader finds. */
#define _GNU_SOURCE
#include <errno.h>
#include <float.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define INTERFACE "org.example.Peer"
#define TRY(call) must((call), #call)

static int must(int r, const char *what) {
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", what, strerror(-r));
        exit(1);
    }
    return r;
}

static void tell_basic(FILE *to, sd_bus_message *m, char type) {
    union { uint8_t y; int b; int16_t n; uint16_t q; int32_t i; uint32_t u; int64_t x; uint64_t t; double d; const char *s; int h; } at;
    TRY(sd_bus_message_read_basic(m, type, &at));
    fprintf(to, "%c:", type);
    switch (type) {
    case 'y': fprintf(to, "%u", at.y); break;
    case 'b': fprintf(to, "%d", at.b); break;
    case 'n': fprintf(to, "%d", at.n); break;
    case 'q': fprintf(to, "%u", at.q); break;
    case 'i': fprintf(to, "%d", at.i); break;
    case 'u': fprintf(to, "%u", at.u); break;
    case 'x': fprintf(to, "%lld", (long long) at.x); break;
    case 't': fprintf(to, "%llu", (unsigned long long) at.t); break;
    case 'd': fprintf(to, "%016llx", (unsigned long long) at.t); break;
    case 'h': {
        char text[64];
        ssize_t n = pread(at.h, text, sizeof text, 0);
        fprintf(to, "%.*s", n < 0 ? 0 : (int) n, text);
        break;
    }
    default: fprintf(to, "%s", at.s);
    }
}

/* All that is left of a container, each value in its type. What was said of the types of an outer container has to stay
 * valid while inner ones are read. */
static void tell(FILE *to, sd_bus_message *m) {
    const char *contents, *outer = sd_bus_message_get_signature(m, 0);
    char type, *kept = strdup(outer);
    for (const char *space = ""; TRY(sd_bus_message_peek_type(m, &type, &contents)) > 0; space = " ") {
        fputs(space, to);
        if (!strchr("arve", type)) {
            tell_basic(to, m, type);
            continue;
        }
        TRY(sd_bus_message_enter_container(m, type, contents));
        fprintf(to, type == 'v' ? "v<%s>" : type == 'a' ? "a%s" : "", contents);
        fputc(type == 'a' ? '[' : type == 'e' ? '{' : '(', to);
        tell(to, m);
        fputc(type == 'a' ? ']' : type == 'e' ? '}' : ')', to);
        TRY(sd_bus_message_exit_container(m));
    }
    if (strcmp(outer, kept) != 0 || sd_bus_message_get_signature(m, 0) != outer)
        fputs(" <the types have gone>", to);
    free(kept);
}

static char *told(sd_bus_message *m) {
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    fprintf(to, "%s ", sd_bus_message_get_signature(m, 1));
    tell(to, m);
    fclose(to);
    return text;
}

static int file(const char *text) {
    int fd = memfd_create("round-trip", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        exit(1);
    return fd;
}

/* Values of all types, or with descriptors. */
static void append(sd_bus_message *m, unsigned set) {
    if (set == 1) {
        int one = file("one"), two = file("two"), three = file("three");
        TRY(sd_bus_message_append(m, "hahv(sh)", one, 2, two, one, "h", three, "four", two));
        close(one), close(two), close(three);
        return;
    }
    TRY(sd_bus_message_append(m, "ybnqiuxtdsogv", 255, 1, INT16_MIN, UINT16_MAX, INT32_MIN, UINT32_MAX, INT64_MIN, UINT64_MAX,
                              DBL_MAX, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 'x'", "/a/b_1", "a{sa(iv)}", "s", "in a variant"));
    TRY(sd_bus_message_append(m, "ayaiasa(si)", 3, 0, 1, 255, 2, -1, 1, 2, "", "two", 2, "a", 1, "b", 2));
    TRY(sd_bus_message_append(m, "a{sv}", 2, "k", "i", 7, "l", "as", 1, "x"));
    TRY(sd_bus_message_append(m, "(yx(sd)as)aas", 1, INT64_C(-2), "in", 0.5, 1, "z", 2, 1, "p", 0));
    TRY(sd_bus_message_append(m, "a{sa{sv}}av", 1, "dev", 1, "prop", "v", "u", 5, 2, "y", 3, "(ss)", "q", "r"));
    TRY(sd_bus_message_append(m, "a(tt)ad", 0, 1, -2.25));
}

static int quit;

static void shout(sd_bus *bus, unsigned set) {
    sd_bus_message *m;
    TRY(sd_bus_message_new_signal(bus, &m, "/o", INTERFACE, "Shouted"));
    append(m, set);
    TRY(sd_bus_send(bus, m, NULL));
    sd_bus_message_unref(m);
}

static int on_call(sd_bus_message *m, void *data, sd_bus_error *error) {
    (void) data;
    const char *member = sd_bus_message_get_member(m);
    if (!sd_bus_message_is_method_call(m, INTERFACE, NULL))
        return 0;
    if (strcmp(member, "Fail") == 0)
        return sd_bus_error_set(error, "org.example.Failed", "as told");
    sd_bus_message *reply;
    TRY(sd_bus_message_new_method_return(m, &reply));
    uint32_t set;
    if (strcmp(member, "Give") == 0) {
        TRY(sd_bus_message_read(m, "u", &set));
        append(reply, set);
    } else if (strcmp(member, "Take") == 0) {
        char *text = told(m);
        TRY(sd_bus_message_append(reply, "s", text));
        free(text);
    } else if (strcmp(member, "Echo") == 0) {
        TRY(sd_bus_message_copy(reply, m, 1));
    } else if (strcmp(member, "Shout") == 0) {
        TRY(sd_bus_message_read(m, "u", &set));
        shout(sd_bus_message_get_bus(m), set);
    } else if (strcmp(member, "Quit") == 0)
        quit = 1;
    TRY(sd_bus_send(NULL, reply, NULL));
    sd_bus_message_unref(reply);
    return 1;
}

static int on_shout(sd_bus_message *m, void *data, sd_bus_error *error) {
    (void) error;
    char *text = told(m);
    printf("signal %s\n", text);
    free(text);
    ++*(int *) data;
    return 0;
}

static void serve(sd_bus *bus) {
    TRY(sd_bus_add_object(bus, NULL, "/o", on_call, NULL));
    TRY(sd_bus_request_name(bus, "org.example.C", 0));
    while (!quit) {
        int r = TRY(sd_bus_process(bus, NULL));
        if (r == 0)
            TRY(sd_bus_wait(bus, UINT64_MAX));
    }
}

static void call(sd_bus *bus, const char *name) {
    int shouted = 0;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *m, *reply;
    TRY(sd_bus_match_signal(bus, NULL, NULL, "/o", INTERFACE, "Shouted", on_shout, &shouted));
    static const char *const methods[] = {"Give", "Echo", "Take"};
    for (unsigned set = 0; set < 2; set++) {
        for (unsigned i = 0; i < 3; i++) {
            TRY(sd_bus_message_new_method_call(bus, &m, name, "/o", INTERFACE, methods[i]));
            if (i == 0)
                TRY(sd_bus_message_append(m, "u", set));
            else
                append(m, set);
            if (sd_bus_call(bus, m, 0, &error, &reply) < 0) {
                printf("%s: %s: %s\n", methods[i], error.name, error.message);
                exit(1);
            }
            sd_bus_message_unref(m);
            char *text = told(reply);
            printf("%s %s\n", methods[i], text);
            free(text);
            sd_bus_message_unref(reply);
        }
        TRY(sd_bus_call_method(bus, name, "/o", INTERFACE, "Shout", &error, NULL, "u", set));
        while (shouted <= (int) set) {
            if (TRY(sd_bus_process(bus, NULL)) == 0)
                TRY(sd_bus_wait(bus, UINT64_MAX));
        }
    }
    int r = sd_bus_call_method(bus, name, "/o", INTERFACE, "Fail", &error, NULL, NULL);
    printf("Fail %s %s %s\n", strerror(-r), error.name, error.message);
    sd_bus_error_free(&error);
}

int main(int argc, char **argv) {
    sd_bus *bus;
    setvbuf(stdout, NULL, _IOLBF, 0);
    TRY(sd_bus_open_user(&bus));
    if (argc > 2)
        call(bus, argv[2]);
    else
        serve(bus);
    sd_bus_flush_close_unref(bus);
    return 0;
}
