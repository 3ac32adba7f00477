/* Containers: which there are, the addresses of each, as machined knows them, and who is on the bus inside, as that bus says.
 *
 *   ./container             as root, who may go into containers */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#define cleanup(function) __attribute__((cleanup(function)))

#define NAME "org.freedesktop.machine1"
#define PATH "/org/freedesktop/machine1"
#define MANAGER "org.freedesktop.machine1.Manager"

/* a(iay): of each address its family and its bytes. */
static int addresses(sd_bus *bus, const char *machine) {
        sd_bus_error error cleanup(sd_bus_error_free) = SD_BUS_ERROR_NULL;
        sd_bus_message *reply cleanup(sd_bus_message_unrefp) = NULL;
        int r;

        r = sd_bus_call_method(bus, NAME, PATH, MANAGER, "GetMachineAddresses", &error, &reply, "s", machine);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'a', "(iay)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(reply, 'r', "iay")) > 0) {
                char text[INET6_ADDRSTRLEN];
                const void *bytes;
                size_t size;
                int family;

                r = sd_bus_message_read(reply, "i", &family);
                if (r < 0)
                        return r;
                r = sd_bus_message_read_array(reply, 'y', &bytes, &size);
                if (r < 0)
                        return r;
                if (size == (family == AF_INET ? 4 : 16) && inet_ntop(family, bytes, text, sizeof(text)))
                        printf("%s %s\n", machine, text);
                r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        return r;
}

/* A connection to the bus of a container: who has a name there. */
static int names(const char *machine) {
        sd_bus_message *reply cleanup(sd_bus_message_unrefp) = NULL;
        sd_bus *bus cleanup(sd_bus_flush_close_unrefp) = NULL;
        const char *name;
        int r;

        r = sd_bus_open_system_machine(&bus, machine);
        if (r < 0)
                return r;
        r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames", NULL,
                               &reply, NULL);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(reply, "s", &name)) > 0)
                if (*name != ':')
                        printf("%s %s\n", machine, name);
        return r;
}

/* a(ssso): name, class, service, object path. */
static int machines(sd_bus *bus) {
        sd_bus_error error cleanup(sd_bus_error_free) = SD_BUS_ERROR_NULL;
        sd_bus_message *reply cleanup(sd_bus_message_unrefp) = NULL;
        const char *name, *class;
        int r;

        r = sd_bus_call_method(bus, NAME, PATH, MANAGER, "ListMachines", &error, &reply, NULL);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'a', "(ssso)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(reply, "(ssso)", &name, &class, NULL, NULL)) > 0) {
                if (strcmp(class, "container") != 0)
                        continue;
                r = addresses(bus, name);
                if (r >= 0)
                        r = names(name);
                if (r < 0)
                        fprintf(stderr, "container: %s: %s\n", name, strerror(-r));
        }
        return r;
}

int main(void) {
        sd_bus *bus cleanup(sd_bus_flush_close_unrefp) = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = machines(bus);
        if (r < 0)
                fprintf(stderr, "container: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
