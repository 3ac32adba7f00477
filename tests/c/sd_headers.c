/* What of the headers takes part in a program only where it is used: macros, inline functions, attributes. In both languages. */
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>
#include <systemd/sd-path.h>

/* A second time, and parts of it by themselves. */
#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>
#include <systemd/sd-bus-protocol.h>

struct object {
        unsigned number;
        const char *text;
};

int main(void);
int main(void) {
        __attribute__((cleanup(sd_bus_unrefp))) sd_bus *bus = NULL;
        __attribute__((cleanup(sd_bus_close_unrefp))) sd_bus *closed = NULL;
        __attribute__((cleanup(sd_bus_flush_close_unrefp))) sd_bus *flushed = NULL;
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *message = NULL;
        __attribute__((cleanup(sd_bus_slot_unrefp))) sd_bus_slot *slot = NULL;
        __attribute__((cleanup(sd_event_unrefp))) sd_event *event = NULL;
        __attribute__((cleanup(sd_event_source_unrefp))) sd_event_source *source = NULL;
        __attribute__((cleanup(sd_event_source_disable_unrefp))) sd_event_source *disabled = NULL;
        __attribute__((cleanup(sd_login_monitor_unrefp))) sd_login_monitor *monitor = NULL;
        __attribute__((cleanup(sd_bus_error_free))) sd_bus_error error = SD_BUS_ERROR_NULL;
        const sd_bus_error constant = SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_FAILED, "it failed");
        const sd_id128_t made = SD_ID128_MAKE(5a, 4d, b0, c5, a4, db, 0c, 5a, 4d, b0, c5, a4, db, 0c, 5a, 4d);
        const sd_id128_t all = SD_ID128_ALLF, none = SD_ID128_NULL;
        int wrong = 0;

        wrong |= sd_bus_error_has_names(&constant, "a.b", "c.d");
        wrong |= !sd_bus_error_has_names(&constant, "a.b", SD_BUS_ERROR_FAILED);
        wrong |= sd_id128_in_set(made, all, none);
        wrong |= !sd_id128_in_set(made, all, made);
        wrong |= !sd_id128_is_null(none) || !sd_id128_is_allf(all) || sd_id128_equal(all, made);
        wrong |= SD_BUS_VTABLE_CAPABILITY(21) != (uint64_t) 22 << 40;
        wrong |= SD_BUS_NAME_QUEUE != 4 || SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE != 32 || SD_EVENT_ONESHOT != -1;
        wrong |= SD_BUS_MAXIMUM_NAME_LENGTH != 255 || SD_LISTEN_FDS_START != 3;
        wrong |= SD_BUS_TYPE_DICT_ENTRY_BEGIN != '{' || SD_BUS_MESSAGE_SIGNAL != 4;
        return wrong || bus || closed || flushed || message || slot || event || source || disabled || monitor || error.name;
}

/* Designated initializers: C++ has them since 2020. */
#if !defined(__cplusplus) || __cplusplus >= 202002L

int handler(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int handler(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) m, (void) userdata;
        return sd_bus_error_setf(ret_error, SD_BUS_ERROR_FAILED, "%s %d", "it", 1);
}

extern const sd_bus_vtable table[];
const sd_bus_vtable table[] = {
        SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Plain", "s", "u", handler, 0),
        SD_BUS_METHOD_WITH_OFFSET("Offset", "s", "u", handler, offsetof(struct object, text), 0),
        SD_BUS_METHOD_WITH_NAMES("Named", "s", SD_BUS_PARAM(in), "u", SD_BUS_PARAM(out), handler, 0),
        SD_BUS_METHOD_WITH_ARGS("Pairs", SD_BUS_ARGS("s", in), SD_BUS_RESULT("u", out, "s", more), handler, 0),
        SD_BUS_METHOD_WITH_ARGS("NoPairs", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, handler, 0),
        SD_BUS_PROPERTY("Number", "u", NULL, offsetof(struct object, number), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_WRITABLE_PROPERTY("Text", "s", NULL, NULL, offsetof(struct object, text), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_SIGNAL("Signal", "s", 0),
        SD_BUS_SIGNAL_WITH_NAMES("NamedSignal", "s", SD_BUS_PARAM(in), 0),
        SD_BUS_SIGNAL_WITH_ARGS("PairsSignal", SD_BUS_ARGS("s", in, "u", number), SD_BUS_VTABLE_DEPRECATED),
        SD_BUS_VTABLE_END
};

#endif
