/* A client: calls a method, listens to a signal, reads and sets a property of the server beside this.
 *
 *   ./client [WHOM] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#define NAME "org.example.Greeter"
#define PATH "/org/example/Greeter"

/* What the compiler lets go of where a variable ends, whichever way. Without this extension of C: sd_bus_unref(bus) and so on. */
#define cleanup(function) __attribute__((cleanup(function)))

static int on_greeted(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        const char *whom;
        uint32_t count;
        int r;

        (void) error;
        r = sd_bus_message_read(signal, "su", &whom, &count);
        if (r < 0)
                return r;
        printf("signal: %s was greeted, which makes %u\n", whom, count);
        ++*(int *) userdata;
        return 0;
}

static int greet(sd_bus *bus, const char *whom) {
        sd_bus_error error cleanup(sd_bus_error_free) = SD_BUS_ERROR_NULL;
        sd_bus_message *reply cleanup(sd_bus_message_unrefp) = NULL;
        const char *greeting, *greeted;
        int r;

        r = sd_bus_call_method(bus, NAME, PATH, NAME, "Greet", &error, &reply, "s", whom);
        if (r < 0) {
                printf("error: %s: %s\n", error.name, error.message);
                return r;
        }
        /* The texts are the message's, and go with it. */
        r = sd_bus_message_read(reply, "ss", &greeting, &greeted);
        if (r < 0)
                return r;
        printf("%s, %s!\n", greeting, greeted);
        return 0;
}

static int run(sd_bus *bus, const char *whom) {
        sd_bus_error error cleanup(sd_bus_error_free) = SD_BUS_ERROR_NULL;
        int told = 0, r;
        uint32_t count;

        /* With no place for a slot the callback stays as long as the bus. */
        r = sd_bus_match_signal(bus, NULL, NAME, PATH, NAME, "Greeted", on_greeted, &told);
        if (r < 0)
                return r;
        r = greet(bus, whom);
        if (r < 0)
                return r;
        r = sd_bus_set_property(bus, NAME, PATH, NAME, "Greeting", &error, "s", "Good morning");
        if (r < 0)
                return r;
        r = greet(bus, whom);
        if (r < 0)
                return r;
        r = sd_bus_get_property_trivial(bus, NAME, PATH, NAME, "Count", &error, 'u', &count);
        if (r < 0)
                return r;
        printf("property: %u greetings\n", count);

        /* What came while calls were waited for is handed over now. */
        while (told < 2) {
                r = sd_bus_process(bus, NULL);
                if (r < 0)
                        return r;
                if (r == 0) {
                        r = sd_bus_wait(bus, 5 * UINT64_C(1000000));
                        if (r <= 0)
                                return r < 0 ? r : -ETIMEDOUT;
                }
        }
        /* Nobody: what the server answers is an error with a name. */
        return greet(bus, "") < 0 ? 0 : -1;
}

int main(int argc, char **argv) {
        sd_bus *bus cleanup(sd_bus_flush_close_unrefp) = NULL;
        int r;

        r = sd_bus_open_user(&bus);
        if (r >= 0)
                r = run(bus, argc > 1 ? argv[1] : "world");
        if (r < 0)
                fprintf(stderr, "client: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
