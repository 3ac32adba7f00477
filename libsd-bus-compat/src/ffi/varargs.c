/* The functions that take `...`. None has a meaning of its own: each makes text of its arguments, and hands it on. */

#define _GNU_SOURCE
#include <errno.h>
#include <printf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

/* What is left of a function's arguments. Rust takes one after the other, as what it knows them to be. */
struct arguments {
        va_list list;
};

int compat_next_int(struct arguments *arguments);
int64_t compat_next_long(struct arguments *arguments);
double compat_next_double(struct arguments *arguments);
void *compat_next_pointer(struct arguments *arguments);

int compat_next_int(struct arguments *arguments) {
        return va_arg(arguments->list, int);
}

int64_t compat_next_long(struct arguments *arguments) {
        return va_arg(arguments->list, int64_t);
}

double compat_next_double(struct arguments *arguments) {
        return va_arg(arguments->list, double);
}

void *compat_next_pointer(struct arguments *arguments) {
        return va_arg(arguments->list, void *);
}

/* In Rust: each takes the list where the function of that name takes `...`. */
int compat_message_append(sd_bus_message *m, const char *types, struct arguments *arguments);
int compat_message_read(sd_bus_message *m, const char *types, struct arguments *arguments);
int compat_error_has_names(const sd_bus_error *e, struct arguments *arguments);
int compat_error_set_errno_text(sd_bus_error *e, int error, const char *message);
int compat_call_method(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                       sd_bus_error *error, sd_bus_message **reply, const char *types, struct arguments *arguments);
int compat_call_method_async(sd_bus *bus, sd_bus_slot **slot, const char *destination, const char *path, const char *interface,
                             const char *member, sd_bus_message_handler_t callback, void *userdata, const char *types,
                             struct arguments *arguments);
int compat_set_property(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                        sd_bus_error *error, const char *type, struct arguments *arguments);
int compat_reply_method_return(sd_bus_message *call, const char *types, struct arguments *arguments);
int compat_emit_signal(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                       const char *types, struct arguments *arguments);

int compat_emit_properties_changed(sd_bus *bus, const char *path, const char *interface, const char *name,
                                   struct arguments *arguments);
int compat_emit_interfaces_added(sd_bus *bus, const char *path, const char *interface, struct arguments *arguments);
int compat_emit_interfaces_removed(sd_bus *bus, const char *path, const char *interface, struct arguments *arguments);
int compat_path_encode_many(char **out, const char *path_template, struct arguments *arguments);
int compat_path_decode_many(const char *path, const char *path_template, struct arguments *arguments);

/* CALL with `arguments`, a copy of the va_list `list`. */
#define WITH_LIST(list_, call) do {                     \
                struct arguments arguments;             \
                int answer_;                            \
                                                        \
                va_copy(arguments.list, list_);         \
                answer_ = (call);                       \
                va_end(arguments.list);                 \
                return answer_;                         \
        } while (0)

/* The same in a function that takes `...` behind LAST. */
#define WITH_ARGUMENTS(last, call) do {                 \
                struct arguments arguments;             \
                int answer_;                            \
                                                        \
                va_start(arguments.list, last);         \
                answer_ = (call);                       \
                va_end(arguments.list);                 \
                return answer_;                         \
        } while (0)

int sd_bus_message_appendv(sd_bus_message *m, const char *types, va_list ap) {
        WITH_LIST(ap, compat_message_append(m, types, &arguments));
}

int sd_bus_message_append(sd_bus_message *m, const char *types, ...) {
        WITH_ARGUMENTS(types, compat_message_append(m, types, &arguments));
}

int sd_bus_message_readv(sd_bus_message *m, const char *types, va_list ap) {
        WITH_LIST(ap, compat_message_read(m, types, &arguments));
}

int sd_bus_message_read(sd_bus_message *m, const char *types, ...) {
        WITH_ARGUMENTS(types, compat_message_read(m, types, &arguments));
}

int sd_bus_call_methodv(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                        sd_bus_error *ret_error, sd_bus_message **reply, const char *types, va_list ap) {
        WITH_LIST(ap, compat_call_method(bus, destination, path, interface, member, ret_error, reply, types, &arguments));
}

int sd_bus_call_method(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                       sd_bus_error *ret_error, sd_bus_message **reply, const char *types, ...) {
        WITH_ARGUMENTS(types, compat_call_method(bus, destination, path, interface, member, ret_error, reply, types, &arguments));
}

int sd_bus_call_method_asyncv(sd_bus *bus, sd_bus_slot **slot, const char *destination, const char *path, const char *interface,
                              const char *member, sd_bus_message_handler_t callback, void *userdata, const char *types,
                              va_list ap) {
        WITH_LIST(ap, compat_call_method_async(bus, slot, destination, path, interface, member, callback, userdata, types,
                                               &arguments));
}

int sd_bus_call_method_async(sd_bus *bus, sd_bus_slot **slot, const char *destination, const char *path, const char *interface,
                             const char *member, sd_bus_message_handler_t callback, void *userdata, const char *types, ...) {
        WITH_ARGUMENTS(types, compat_call_method_async(bus, slot, destination, path, interface, member, callback, userdata, types,
                                                       &arguments));
}

int sd_bus_set_propertyv(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                         sd_bus_error *ret_error, const char *type, va_list ap) {
        WITH_LIST(ap, compat_set_property(bus, destination, path, interface, member, ret_error, type, &arguments));
}

int sd_bus_set_property(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                        sd_bus_error *ret_error, const char *type, ...) {
        WITH_ARGUMENTS(type, compat_set_property(bus, destination, path, interface, member, ret_error, type, &arguments));
}

int sd_bus_reply_method_returnv(sd_bus_message *call, const char *types, va_list ap) {
        WITH_LIST(ap, compat_reply_method_return(call, types, &arguments));
}

int sd_bus_reply_method_return(sd_bus_message *call, const char *types, ...) {
        WITH_ARGUMENTS(types, compat_reply_method_return(call, types, &arguments));
}

int sd_bus_emit_signalv(sd_bus *bus, const char *path, const char *interface, const char *member, const char *types, va_list ap) {
        WITH_LIST(ap, compat_emit_signal(bus, NULL, path, interface, member, types, &arguments));
}

int sd_bus_emit_signal(sd_bus *bus, const char *path, const char *interface, const char *member, const char *types, ...) {
        WITH_ARGUMENTS(types, compat_emit_signal(bus, NULL, path, interface, member, types, &arguments));
}

int sd_bus_emit_signal_tov(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                           const char *types, va_list ap) {
        WITH_LIST(ap, compat_emit_signal(bus, destination, path, interface, member, types, &arguments));
}

int sd_bus_emit_signal_to(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                          const char *types, ...) {
        WITH_ARGUMENTS(types, compat_emit_signal(bus, destination, path, interface, member, types, &arguments));
}

int sd_bus_emit_properties_changed(sd_bus *bus, const char *path, const char *interface, const char *name, ...) {
        WITH_ARGUMENTS(name, compat_emit_properties_changed(bus, path, interface, name, &arguments));
}

int sd_bus_emit_interfaces_added(sd_bus *bus, const char *path, const char *interface, ...) {
        WITH_ARGUMENTS(interface, compat_emit_interfaces_added(bus, path, interface, &arguments));
}

int sd_bus_emit_interfaces_removed(sd_bus *bus, const char *path, const char *interface, ...) {
        WITH_ARGUMENTS(interface, compat_emit_interfaces_removed(bus, path, interface, &arguments));
}

int sd_bus_path_encode_many(char **out, const char *path_template, ...) {
        WITH_ARGUMENTS(path_template, compat_path_encode_many(out, path_template, &arguments));
}

int sd_bus_path_decode_many(const char *path, const char *path_template, ...) {
        WITH_ARGUMENTS(path_template, compat_path_decode_many(path, path_template, &arguments));
}

int sd_bus_error_has_names_sentinel(const sd_bus_error *e, ...) {
        WITH_ARGUMENTS(e, compat_error_has_names(e, &arguments));
}

/* The functions that take a format of printf(3) make text of it: NAME(..., text) is called with that, and null for no format. */
static char *formatted(int error, const char *format, va_list list) {
        char *text = NULL;

        /* For %m. */
        errno = error < 0 ? -error : error;
        return format && vasprintf(&text, format, list) >= 0 ? text : NULL;
}

#define WITH_TEXT(error, format, list, call) do {       \
                int saved_ = errno, answer_;            \
                char *text;                             \
                                                        \
                text = formatted(error, format, list);  \
                errno = saved_;                         \
                if (format && !text)                    \
                        return -ENOMEM;                 \
                answer_ = (call);                       \
                free(text);                             \
                return answer_;                         \
        } while (0)

#define WITH_VARIADIC(last, call) do {                  \
                va_list ap;                             \
                int answer_;                            \
                                                        \
                va_start(ap, last);                     \
                answer_ = (call);                       \
                va_end(ap);                             \
                return answer_;                         \
        } while (0)

int sd_bus_error_setfv(sd_bus_error *e, const char *name, const char *format, va_list ap) {
        WITH_TEXT(0, format, ap, sd_bus_error_set(e, name, text));
}

int sd_bus_error_setf(sd_bus_error *e, const char *name, const char *format, ...) {
        WITH_VARIADIC(format, sd_bus_error_setfv(e, name, format, ap));
}

int sd_bus_error_set_errnofv(sd_bus_error *e, int error, const char *format, va_list ap) {
        WITH_TEXT(error, format, ap, compat_error_set_errno_text(e, error, text));
}

int sd_bus_error_set_errnof(sd_bus_error *e, int error, const char *format, ...) {
        WITH_VARIADIC(format, sd_bus_error_set_errnofv(e, error, format, ap));
}

/* An error in place of its text: NAME for one, or 0 and its number. */
static int new_method_error(sd_bus_message *call, sd_bus_message **m, const char *name, int error, const char *text) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r;

        if (name)
                sd_bus_error_set(&e, name, text);
        else
                compat_error_set_errno_text(&e, error, text);
        r = m ? sd_bus_message_new_method_error(call, m, &e) : sd_bus_reply_method_error(call, &e);
        sd_bus_error_free(&e);
        return r;
}

static int new_method_errorv(sd_bus_message *call, sd_bus_message **m, const char *name, int error, const char *format,
                             va_list ap) {
        WITH_TEXT(error, format, ap, new_method_error(call, m, name, error, text));
}

int sd_bus_message_new_method_errorf(sd_bus_message *call, sd_bus_message **m, const char *name, const char *format, ...) {
        if (!m || !name)
                return -EINVAL;
        WITH_VARIADIC(format, new_method_errorv(call, m, name, 0, format, ap));
}

int sd_bus_message_new_method_errnof(sd_bus_message *call, sd_bus_message **m, int error, const char *format, ...) {
        if (!m)
                return -EINVAL;
        WITH_VARIADIC(format, new_method_errorv(call, m, NULL, error, format, ap));
}

int sd_bus_reply_method_errorfv(sd_bus_message *call, const char *name, const char *format, va_list ap) {
        if (!name)
                return sd_bus_reply_method_error(call, NULL);
        return new_method_errorv(call, NULL, name, 0, format, ap);
}

int sd_bus_reply_method_errorf(sd_bus_message *call, const char *name, const char *format, ...) {
        WITH_VARIADIC(format, sd_bus_reply_method_errorfv(call, name, format, ap));
}

int sd_bus_reply_method_errnofv(sd_bus_message *call, int error, const char *format, va_list ap) {
        return new_method_errorv(call, NULL, NULL, error, format, ap);
}

int sd_bus_reply_method_errnof(sd_bus_message *call, int error, const char *format, ...) {
        WITH_VARIADIC(format, sd_bus_reply_method_errnofv(call, error, format, ap));
}

static int notify_formatted(pid_t pid, int unset, const int *fds, unsigned n_fds, const char *format, va_list arguments) {
        char *state = NULL;
        int answer;

        if (format && vasprintf(&state, format, arguments) < 0)
                return -ENOMEM;
        answer = sd_pid_notify_with_fds(pid, unset, state, fds, n_fds);
        free(state);
        return answer;
}

int sd_notifyf(int unset, const char *format, ...) {
        va_list arguments;
        int answer;

        va_start(arguments, format);
        answer = notify_formatted(0, unset, NULL, 0, format, arguments);
        va_end(arguments);
        return answer;
}

int sd_pid_notifyf(pid_t pid, int unset, const char *format, ...) {
        va_list arguments;
        int answer;

        va_start(arguments, format);
        answer = notify_formatted(pid, unset, NULL, 0, format, arguments);
        va_end(arguments);
        return answer;
}

int sd_pid_notifyf_with_fds(pid_t pid, int unset, const int *fds, size_t n_fds, const char *format, ...) {
        va_list arguments;
        int answer;

        va_start(arguments, format);
        answer = notify_formatted(pid, unset, fds, (unsigned) n_fds, format, arguments);
        va_end(arguments);
        return answer;
}

/* In Rust. FILE, LINE and FUNCTION are null in functions without a place. */
int compat_journal_print(int priority, const char *file, const char *line, const char *function, const char *message);
int compat_journal_send(const char *file, const char *line, const char *function, const char *const *texts, size_t count);

int sd_journal_printv_with_location(int priority, const char *file, const char *line, const char *function, const char *format,
                                    va_list ap) {
        WITH_TEXT(errno, format, ap, compat_journal_print(priority, file, line, function, text));
}

int sd_journal_print_with_location(int priority, const char *file, const char *line, const char *function, const char *format,
                                   ...) {
        WITH_VARIADIC(format, sd_journal_printv_with_location(priority, file, line, function, format, ap));
}

int sd_journal_printv(int priority, const char *format, va_list ap) {
        return sd_journal_printv_with_location(priority, NULL, NULL, NULL, format, ap);
}

int sd_journal_print(int priority, const char *format, ...) {
        WITH_VARIADIC(format, sd_journal_printv(priority, format, ap));
}

/* Goes over the arguments of a format: where vprintf(3) leaves a list nobody knows. */
static int pass_over(const char *format, struct arguments *arguments) {
        size_t count = parse_printf_format(format, 0, NULL);
        int *types = calloc(count + 1, sizeof(int));

        if (!types)
                return -ENOMEM;
        parse_printf_format(format, count, types);
        for (size_t i = 0; i < count; i++) {
                int flags = types[i] & PA_FLAG_MASK;

                if (flags & PA_FLAG_PTR) {
                        va_arg(arguments->list, void *);
                        continue;
                }
                switch (types[i] & ~PA_FLAG_MASK) {
                case PA_INT:
                        if (flags & PA_FLAG_LONG_LONG)
                                va_arg(arguments->list, long long);
                        else if (flags & PA_FLAG_LONG)
                                va_arg(arguments->list, long);
                        else
                                va_arg(arguments->list, int);
                        break;
                case PA_WCHAR:
                        va_arg(arguments->list, wint_t);
                        break;
                case PA_CHAR:
                        va_arg(arguments->list, int);
                        break;
                case PA_DOUBLE:
                case PA_FLOAT:
                        if (flags & PA_FLAG_LONG_DOUBLE)
                                va_arg(arguments->list, long double);
                        else
                                va_arg(arguments->list, double);
                        break;
                case PA_STRING:
                case PA_WSTRING:
                case PA_POINTER:
                        va_arg(arguments->list, void *);
                        break;
                default:
                        free(types);
                        return -EINVAL;
                }
        }
        free(types);
        return 0;
}

/* Makes a text of each format and its arguments; null ends them. */
static int journal_send(const char *file, const char *line, const char *function, const char *format, struct arguments *arguments) {
        int saved = errno, answer = 0;
        char **texts = NULL;
        size_t count = 0;

        for (; format && answer >= 0; format = va_arg(arguments->list, const char *)) {
                char **more = realloc(texts, (count + 1) * sizeof(*texts));
                va_list copy;

                if (!more) {
                        answer = -ENOMEM;
                        break;
                }
                texts = more;
                va_copy(copy, arguments->list);
                texts[count] = formatted(saved, format, copy);
                va_end(copy);
                answer = texts[count++] ? pass_over(format, arguments) : -ENOMEM;
        }
        errno = saved;
        if (answer >= 0)
                answer = compat_journal_send(file, line, function, (const char *const *) texts, count);
        while (count > 0)
                free(texts[--count]);
        free(texts);
        return answer;
}

int sd_journal_send_with_location(const char *file, const char *line, const char *function, const char *format, ...) {
        WITH_ARGUMENTS(format, journal_send(file, line, function, format, &arguments));
}

int sd_journal_send(const char *format, ...) {
        WITH_ARGUMENTS(format, journal_send(NULL, NULL, NULL, format, &arguments));
}
