/* A service: an object with a method, two properties and a signal, which a table describes.
 *
 *   ./server &
 *   gdbus introspect --session --dest org.example.Greeter --object-path /org/example/Greeter */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#define NAME "org.example.Greeter"
#define PATH "/org/example/Greeter"

struct greeter {
        char *greeting;
        uint32_t count;
};

/* A negative errno, and an error that is set, become the caller's error; so does a text that is no text. */
static int greet(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        struct greeter *greeter = userdata;
        sd_bus *bus = sd_bus_message_get_bus(call);
        const char *whom;
        int r;

        r = sd_bus_message_read(call, "s", &whom);
        if (r < 0)
                return r;
        if (!*whom)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "Nobody is no one to greet");

        greeter->count++;
        r = sd_bus_emit_signal(bus, PATH, NAME, "Greeted", "su", whom, greeter->count);
        if (r < 0)
                return r;
        r = sd_bus_emit_properties_changed(bus, PATH, NAME, "Count", NULL);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(call, "ss", greeter->greeting, whom);
}

/* Properties that are no more than a field need no function: without one the library reads and writes the field at that offset. */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Greet", SD_BUS_ARGS("s", whom), SD_BUS_RESULT("s", greeting, "s", greeted), greet,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_WRITABLE_PROPERTY("Greeting", "s", NULL, NULL, offsetof(struct greeter, greeting),
                                 SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Count", "u", NULL, offsetof(struct greeter, count), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_SIGNAL_WITH_ARGS("Greeted", SD_BUS_ARGS("s", whom, "u", count), 0),
        SD_BUS_VTABLE_END
};

static int serve(sd_bus *bus) {
        struct greeter greeter = { strdup("Hello"), 0 };
        int r;

        r = greeter.greeting ? sd_bus_add_object_vtable(bus, NULL, PATH, NAME, vtable, &greeter) : -ENOMEM;
        if (r >= 0)
                /* From here on there are callers. */
                r = sd_bus_request_name(bus, NAME, 0);
        while (r >= 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0) /* There is nothing to do. */
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        free(greeter.greeting);
        return r;
}

int main(void) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_user(&bus);
        if (r >= 0)
                r = serve(bus);
        fprintf(stderr, "server: %s\n", strerror(-r));
        sd_bus_flush_close_unref(bus);
        return EXIT_FAILURE;
}
