/* Prints a table of sd-bus-vtable.h as it lies in memory: to be compiled with two headers, and compared. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>

static int handler(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) m, (void) userdata, (void) ret_error;
        return 0;
}

static int access(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *m, void *userdata,
                  sd_bus_error *ret_error) {
        (void) bus, (void) path, (void) interface, (void) property, (void) m, (void) userdata, (void) ret_error;
        return 0;
}

#define EXPANDED expanded_to_this

static const sd_bus_vtable table[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_DEPRECATED | SD_BUS_VTABLE_CAPABILITY(21)),
        SD_BUS_METHOD("Plain", "si", "as", handler, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Empty", "", "", NULL, SD_BUS_VTABLE_HIDDEN),
        SD_BUS_METHOD("Null", NULL, NULL, NULL, SD_BUS_VTABLE_METHOD_NO_REPLY),
        SD_BUS_METHOD_WITH_OFFSET("Offset", "s", NULL, handler, 24, SD_BUS_VTABLE_ABSOLUTE_OFFSET),
        SD_BUS_METHOD_WITH_NAMES("Names", "si", SD_BUS_PARAM(one) SD_BUS_PARAM(two), "as", SD_BUS_PARAM(three), handler,
                                 SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_NAMES_OFFSET("NamesOffset", "s", SD_BUS_PARAM(EXPANDED), NULL, , handler, 8, 0),
        SD_BUS_METHOD_WITH_ARGS("Pairs", SD_BUS_ARGS("s", text, "a{sv}", values), SD_BUS_RESULT("(ii)", both, "b", EXPANDED), handler,
                                SD_BUS_VTABLE_CAPABILITY(0)),
        SD_BUS_METHOD_WITH_ARGS("NoPairs", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, handler, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("NoResult", SD_BUS_ARGS("s", text), SD_BUS_NO_RESULT, handler, 0),
        SD_BUS_METHOD_WITH_ARGS_OFFSET("NoArgs", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", text), handler, 40, 0),
        SD_BUS_METHOD_WITH_ARGS("Most", SD_BUS_ARGS("y", a1, "y", a2, "y", a3, "y", a4, "y", a5, "y", a6, "y", a7, "y", a8, "y", a9,
                                "y", a10, "y", a11, "y", a12, "y", a13, "y", a14, "y", a15, "y", a16, "y", a17, "y", a18, "y", a19,
                                "y", a20, "y", a21, "y", a22, "y", a23, "y", a24, "y", a25), SD_BUS_NO_RESULT, handler, 0),
        SD_BUS_SIGNAL("Signal", "s", SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_SIGNAL_WITH_NAMES("SignalNames", "si", SD_BUS_PARAM(one) SD_BUS_PARAM(two), 0),
        SD_BUS_SIGNAL_WITH_ARGS("SignalPairs", SD_BUS_ARGS("s", one, "i", two), 0),
        SD_BUS_SIGNAL_WITH_ARGS("SignalNoPairs", SD_BUS_NO_ARGS, 0),
        SD_BUS_PROPERTY("Property", "s", access, 16, SD_BUS_VTABLE_PROPERTY_CONST | SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Bare", "i", NULL, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_WRITABLE_PROPERTY("Writable", "s", access, access, 32, SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
        SD_BUS_VTABLE_END
};

static void text(const char *name, const char *text) {
        printf(" %s %s", name, text ? text : "null");
}

/* Up to the two zeroes that end them. */
static void names(const char *names) {
        printf(" names");
        if (!names)
                printf(" null");
        else
                for (; *names; names += strlen(names) + 1)
                        printf(" %s,", names);
        putchar('\n');
}

int main(void) {
        printf("size %zu: start %zu %zu %zu method %zu %zu signal %zu property %zu %zu\n", sizeof(sd_bus_vtable),
               offsetof(sd_bus_vtable, x.start.element_size), offsetof(sd_bus_vtable, x.start.features),
               offsetof(sd_bus_vtable, x.start.vtable_format_reference), offsetof(sd_bus_vtable, x.method.offset),
               offsetof(sd_bus_vtable, x.method.names), offsetof(sd_bus_vtable, x.signal.names),
               offsetof(sd_bus_vtable, x.property.set), offsetof(sd_bus_vtable, x.property.offset));
        for (const sd_bus_vtable *v = table;; v++) {
                unsigned long long head;
                size_t words[(sizeof(*v) - sizeof(head)) / sizeof(size_t)];

                memcpy(&head, v, sizeof(head));
                memcpy(words, (const char *) v + sizeof(head), sizeof(words));
                printf("%c %016llx", v->type, head);
                switch (v->type) {
                case _SD_BUS_VTABLE_START:
                        printf(" %zu %llu %d %zx %zx %zx\n", v->x.start.element_size, (unsigned long long) v->x.start.features,
                               v->x.start.vtable_format_reference == &sd_bus_object_vtable_format, words[3], words[4], words[5]);
                        break;
                case _SD_BUS_VTABLE_METHOD:
                        printf(" M %s", v->x.method.member);
                        text("signature", v->x.method.signature);
                        text("result", v->x.method.result);
                        printf(" handler %d offset %zu", v->x.method.handler == handler, v->x.method.offset);
                        names(v->x.method.names);
                        break;
                case _SD_BUS_VTABLE_SIGNAL:
                        printf(" %s", v->x.signal.member);
                        text("signature", v->x.signal.signature);
                        printf(" rest %zx %zx %zx", words[3], words[4], words[5]);
                        names(v->x.signal.names);
                        break;
                case _SD_BUS_VTABLE_PROPERTY:
                case _SD_BUS_VTABLE_WRITABLE_PROPERTY:
                        printf(" %s", v->x.property.member);
                        text("signature", v->x.property.signature);
                        printf(" get %d set %d offset %zu rest %zx\n", v->x.property.get == access, v->x.property.set == access,
                               v->x.property.offset, words[5]);
                        break;
                default:
                        printf(" %zx %zx %zx %zx %zx %zx\n", words[0], words[1], words[2], words[3], words[4], words[5]);
                        return 0;
                }
        }
}
