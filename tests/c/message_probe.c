/* Calls functions of sd_bus_message and sd_bus_path, and prints what each answers: to be run on two libraries, and compared.
 *   message_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-bus-vtable.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static sd_bus *bus;

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)

static sd_bus_message *fresh(void) {
        sd_bus_message *m = NULL;

        if (sd_bus_message_new_method_call(bus, &m, "a.b", "/c", "d.e", "F") < 0)
                abort();
        return m;
}

/* A dump without what differs from run to run. */
static int dump_to(FILE *out, sd_bus_message *m, uint64_t flags) {
        char *text = NULL, *line, *rest;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        int r = sd_bus_message_dump(m, f, flags);

        fclose(f);
        for (rest = text; (line = strsep(&rest, "\n"));) {
                char *cut = strstr(line, "  Timestamp=");

                if (cut)
                        *cut = 0;
                fprintf(out, "%s%s\n", line, cut ? " ..." : "");
        }
        free(text);
        return r;
}

static sd_bus_message *full(void) {
        sd_bus_message *m = fresh();

        sd_bus_message_append(m, "ybbnqiuxtd", 1, 1, 0, -2, 3, -4, 5, (int64_t) -6, UINT64_MAX, 8.5);
        sd_bus_message_append(m, "ddddd", 0.1, 1e300, -0.0, 1.0 / 3, 123456789.0);
        sd_bus_message_append(m, "sogsh", "a \"t\"\nx\xc3\xa4\t", "/o", "a{sv}", "", 1);
        sd_bus_message_append(m, "a{sv}as(s(ii))aya(i)avai", 2, "x", "i", 5, "y", "as", 2, "p", "q", 0, "s", 1, 2, 3, 1, 2, 3, 0, 2,
                              "s", "x", "v", "y", 8, 0);
        sd_bus_message_append(m, "aa{sv}v", 1, 0, "(si)", "a", 1);
        return m;
}

static void dump(void) {
        sd_bus_message *m = full(), *reply = NULL;

        INT(dump_to(stdout, m, 0));
        INT(dump_to(stdout, m, SD_BUS_MESSAGE_DUMP_WITH_HEADER));
        INT(sd_bus_message_dump(m, stdout, 4));
        INT(sd_bus_message_dump(m, stdout, UINT64_MAX));
        INT(sd_bus_message_dump(NULL, stdout, 0));
        INT(sd_bus_message_set_allow_interactive_authorization(m, 1));
        INT(sd_bus_message_seal(m, 77, 0));
        INT(dump_to(stdout, m, 0));
        INT(dump_to(stdout, m, SD_BUS_MESSAGE_DUMP_WITH_HEADER));
        INT(sd_bus_message_at_end(m, 1));
        INT(dump_to(stdout, m, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY));
        INT(dump_to(stdout, m, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY | SD_BUS_MESSAGE_DUMP_WITH_HEADER));
        INT(sd_bus_message_rewind(m, 1));
        INT(sd_bus_message_skip(m, "ybbnqiuxtddddddsogsh"));
        INT(sd_bus_message_enter_container(m, 'a', "{sv}"));
        INT(sd_bus_message_enter_container(m, 'e', "sv"));
        INT(sd_bus_message_skip(m, "s"));
        INT(dump_to(stdout, m, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY));
        INT(sd_bus_message_at_end(m, 0));
        INT(sd_bus_message_exit_container(m));
        INT(sd_bus_message_enter_container(m, 'e', "sv"));
        INT(dump_to(stdout, m, 0));
        INT(sd_bus_message_at_end(m, 0));
        INT(sd_bus_message_at_end(m, 1));
        INT(sd_bus_message_dump(m, NULL, 0));
        sd_bus_message_unref(m);

        m = NULL;
        INT(sd_bus_message_new_signal(bus, &m, "/a", "b.c", "D"));
        INT(sd_bus_message_set_sender(m, "x.y"));
        INT(sd_bus_message_seal(m, 5, 0));
        INT(dump_to(stdout, m, SD_BUS_MESSAGE_DUMP_WITH_HEADER));
        INT(dump_to(stdout, m, SD_BUS_MESSAGE_DUMP_SUBTREE_ONLY));
        sd_bus_message_unref(m);
        m = fresh();
        INT(sd_bus_message_seal(m, 6, 0));
        INT(sd_bus_message_new_method_errorf(m, &reply, "a.b", "some %s", "text"));
        INT(sd_bus_message_seal(reply, 7, 0));
        INT(dump_to(stdout, reply, SD_BUS_MESSAGE_DUMP_WITH_HEADER));
        reply = sd_bus_message_unref(reply);
        INT(sd_bus_message_new_method_return(m, &reply));
        INT(sd_bus_message_set_sender(reply, "x.y"));
        INT(sd_bus_message_append(reply, "i", 5));
        INT(sd_bus_message_seal(reply, 7, 0));
        INT(dump_to(stdout, reply, SD_BUS_MESSAGE_DUMP_WITH_HEADER));
        sd_bus_message_unref(reply);
        sd_bus_message_unref(m);
}

/* The form of the time in a dump, and the zone. */
static void time_of_dump(void) {
        sd_bus_message *m = fresh();
        char *text = NULL, *begin, *end;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_dump(m, f, SD_BUS_MESSAGE_DUMP_WITH_HEADER));
        fclose(f);
        begin = strstr(text, "Timestamp=\"");
        end = begin ? strchr(begin + 11, '"') : NULL;
        if (end) {
                *end = 0;
                for (char *p = begin + 11; p < strrchr(begin, ' '); p++)
                        putchar(*p >= '0' && *p <= '9' ? '0' : (*p | 32) >= 'a' && (*p | 32) <= 'z' ? 'a' : *p);
                puts(strrchr(begin, ' '));
        }
        free(text);
        sd_bus_message_unref(m);
}

static int memory_file(const char *text, size_t size) {
        int fd = memfd_create("probe", MFD_ALLOW_SEALING | MFD_CLOEXEC);

        if (fd < 0 || write(fd, text, size) < 0)
                abort();
        return fd;
}

#define MEMFD(text, call) do {                                                                          \
                sd_bus_message *m = fresh();                                                            \
                int fd = memory_file(text, sizeof(text) - 1);                                                             \
                                                                                                        \
                INT(call);                                                                              \
                printf("seals %x\n", fcntl(fd, F_GET_SEALS));                                           \
                INT(sd_bus_message_append(m, "s", "behind"));                                           \
                INT(sd_bus_message_seal(m, 1, 0));                                                      \
                INT(dump_to(stdout, m, 0));                                                             \
                close(fd);                                                                              \
                sd_bus_message_unref(m);                                                                \
        } while (0)

static void memfds(void) {
        int pipes[2], file = open("/tmp/message_probe.file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        sd_bus_message *m;

        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 0, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 0, 8));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 2, 3));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 2, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 0, 9));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 8, 0));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 8, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 9, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 9, 1));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 4, UINT64_MAX - 1));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'y', fd, 0, 0));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'u', fd, 0, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'u', fd, 2, 4));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'u', fd, 0, 6));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 't', fd, 0, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 's', fd, 0, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'h', fd, 0, UINT64_MAX));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'z', fd, 0, UINT64_MAX));
        MEMFD("", sd_bus_message_append_array_memfd(m, 'y', fd, 0, UINT64_MAX));
        MEMFD("", sd_bus_message_append_array_memfd(m, 'y', fd, 0, 0));
        m = fresh();
        INT(sd_bus_message_append_array_memfd(m, 'y', -1, 0, 0));
        INT(sd_bus_message_append_array_memfd(m, 'y', 1000, 0, 0));
        INT(sd_bus_message_append_array_memfd(m, 'y', 1000, 0, UINT64_MAX));
        INT(sd_bus_message_append_array_memfd(NULL, 'y', 0, 0, 0));
        INT(sd_bus_message_append_string_memfd(m, -1, 0, 0));
        INT(sd_bus_message_append_string_memfd(NULL, 0, 0, 0));
        if (pipe(pipes) < 0 || write(file, "text", 4) < 0)
                abort();
        INT(sd_bus_message_append_array_memfd(m, 'y', pipes[0], 0, UINT64_MAX));
        INT(sd_bus_message_append_array_memfd(m, 'y', file, 0, UINT64_MAX));
        uint32_t on[] = { 1, 0 };
        INT(sd_bus_message_append_array(m, 'b', on, sizeof(on)));
        INT(sd_bus_message_open_container(m, 'a', "ay"));
        int twice = memory_file("in an array", 12);
        INT(sd_bus_message_append_array_memfd(m, 'y', twice, 0, UINT64_MAX));
        INT(sd_bus_message_append_array_memfd(m, 'u', twice, 0, UINT64_MAX));
        INT(sd_bus_message_close_container(m));
        INT(sd_bus_message_open_container(m, 'v', "ay"));
        INT(sd_bus_message_append_array_memfd(m, 'y', memory_file("in", 2), 0, UINT64_MAX));
        INT(sd_bus_message_close_container(m));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_append_array_memfd(m, 'y', 0, 0, 0));
        INT(sd_bus_message_append_string_memfd(m, 0, 0, 0));
        INT(sd_bus_message_append_array_memfd(m, 'y', file, 0, UINT64_MAX));
        INT(dump_to(stdout, m, 0));
        sd_bus_message_unref(m);
        unlink("/tmp/message_probe.file");
}

static void print_list(char **list) {
        printf("list %s:", list ? "" : "null");
        for (char **s = list; s && *s; s++)
                printf(" %s,", *s);
        putchar('\n');
}

static char **list_of(const char *first) {
        char **list = calloc(2, sizeof(char *));

        if (!list || !(list[0] = strdup(first)))
                abort();
        return list;
}

static void free_list(char **list) {
        for (char **s = list; s && *s; s++)
                free(*s);
        free(list);
}

#define EXTEND(begin, ...) do {                                                                         \
                sd_bus_message *m = fresh();                                                            \
                char **list = begin;                                                                    \
                                                                                                        \
                INT(sd_bus_message_append(m, __VA_ARGS__));                                             \
                INT(sd_bus_message_seal(m, 1, 0));                                                      \
                for (int n = 0; n < 2; n++) {                                                           \
                        INT(sd_bus_message_read_strv_extend(m, &list));                                 \
                        print_list(list);                                                               \
                }                                                                                       \
                free_list(list);                                                                        \
                sd_bus_message_unref(m);                                                                \
        } while (0)

static void lists(void) {
        sd_bus_message *m = fresh();
        char **list = NULL;

        EXTEND(NULL, "asas", 2, "a", "b", 1, "c");
        EXTEND(list_of("first"), "asas", 2, "a", "b", 0);
        EXTEND(list_of("first"), "ao", 2, "/a", "/b");
        EXTEND(list_of("first"), "ag", 2, "a{sv}", "");
        EXTEND(NULL, "as", 0);
        EXTEND(list_of("first"), "as", 0);
        EXTEND(list_of("first"), "ai", 1, 2);
        EXTEND(list_of("first"), "s", "x");
        EXTEND(list_of("first"), "aas", 1, 1, "x");
        INT(sd_bus_message_append(m, "as", 1, "x"));
        INT(sd_bus_message_read_strv_extend(m, &list));
        INT(sd_bus_message_seal(m, 1, 0));
        sd_bus_message_unref(m);
}

static void priorities(void) {
        sd_bus_message *m = fresh();
        int64_t priority = 77;

        INT(sd_bus_message_set_priority(m, 5));
        INT(sd_bus_message_get_priority(m, &priority));
        printf("%lld\n", (long long) priority);
        INT(sd_bus_message_get_priority(m, NULL));
        INT(sd_bus_message_get_priority(NULL, &priority));
        INT(sd_bus_message_set_priority(NULL, 1));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_set_priority(m, 5));
        INT(sd_bus_message_sensitive(m));
        INT(sd_bus_message_sensitive(NULL));
        sd_bus_message_unref(m);
        for (const char *t = "ybnqiuxtdsogharve(){}z"; *t; t++) {
                printf("%c ", *t);
                INT(sd_bus_can_send(bus, *t));
        }
        INT(sd_bus_can_send(NULL, 's'));
}

#define ENCODE(...) do {                                                                                \
                char *path = NULL;                                                                      \
                int r_ = sd_bus_path_encode_many(&path, __VA_ARGS__);                                   \
                printf("encode(%s) = %d %s %s\n", #__VA_ARGS__, r_, error(r_), path ?: "null");         \
                free(path);                                                                             \
        } while (0)

#define DECODE(path, template) do {                                                                     \
                char *a = NULL, *b = NULL;                                                              \
                int r_ = sd_bus_path_decode_many(path, template, &a, &b);                               \
                printf("decode(%s, %s) = %d %s %s %s\n", #path, #template, r_, error(r_), a ?: "null", b ?: "null"); \
                free(a);                                                                                \
                free(b);                                                                                \
                r_ = sd_bus_path_decode_many(path, template, NULL, NULL);                               \
                printf("to nowhere %d\n", r_);                                                          \
        } while (0)

static void paths(void) {
        static const char *const templates[] = {
                "/prefix/%", "/prefix/%/suffix", "/prefix/%/suffix/%", "/%/%", "%", "/%", "", "/", "/prefix", "/prefix/%/", "/prefix/x%",
                "/prefix/%x", "/prefix%", "//%", "prefix/%", "/prefix/%%", "/prefix/%_%", "/%prefix", "/pre_fix/%",
        };
        static const char *const given[] = {
                "/prefix/one", "/prefix/one/suffix", "/prefix/one/suffix/two", "/prefix", "/prefix/", "/prefix/_", "/prefix/_/suffix/_",
                "/prefix/one/other/two", "/one/two", "/one", "/", "", "x", "/prefix/a_2db", "/prefix/a_zz", "/prefix/xone", "/prefix/onex",
                "/prefixone", "/pre_fix/one", "/prefix/one/suffix/two/three",
        };

        for (size_t i = 0; i < sizeof(templates) / sizeof(*templates); i++) {
                printf("template %s\n", templates[i]);
                ENCODE(templates[i], "one", "two");
                ENCODE(templates[i], "", "");
                ENCODE(templates[i], "a-b", "1/\xc3\xa4");
                for (size_t j = 0; j < sizeof(given) / sizeof(*given); j++) {
                        printf("%s ", given[j]);
                        DECODE(given[j], templates[i]);
                }
        }
        INT(sd_bus_path_encode_many(NULL, "/prefix/%", "one"));
        INT(sd_bus_path_decode_many(NULL, "/prefix/%", NULL));
        INT(sd_bus_path_decode_many("/prefix/one", NULL, NULL));
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) ret_error;
        printf("%s %s\n", (const char *) userdata, sd_bus_message_get_member(m));
        return 0;
}

/* Messages that are put among those that were received. */
static void enqueue(void) {
        sd_bus_message *m = NULL;
        uint64_t n = 0;

        INT(sd_bus_add_filter(bus, NULL, on_message, (void *) "filter"));
        INT(sd_bus_enqueue_for_read(NULL, NULL));
        INT(sd_bus_enqueue_for_read(bus, NULL));
        INT(sd_bus_message_new_signal(bus, &m, "/a", "b.c", "Open"));
        INT(sd_bus_enqueue_for_read(bus, m));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_enqueue_for_read(bus, m));
        INT(sd_bus_enqueue_for_read(bus, m));
        INT(sd_bus_get_n_queued_read(bus, &n));
        printf("queued %d\n", (int) n);
        m = sd_bus_message_unref(m);
        m = fresh();
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_enqueue_for_read(bus, m));
        sd_bus_message_unref(m);
        for (int i = 0; i < 6; i++)
                INT(sd_bus_process(bus, NULL));
        INT(sd_bus_get_n_queued_read(bus, &n));
        printf("queued %d\n", (int) n);
}

/* A word that is not in the program as such. */
static void secret_word(char *word, int which) {
        for (int i = 0; i < 40; i++)
                word[i] = (char) ('A' + (i * 7 + which * 5 + 3) % 26);
        word[40] = 0;
}

/* How often a word is in this process's memory that can be written, but for the place where it is made. */
static int found(const char *word) {
        FILE *maps = fopen("/proc/self/maps", "r");
        static char line[512];
        int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), count = 0;

        while (maps && fgets(line, sizeof(line), maps)) {
                unsigned long begin, end;
                char mode[8];

                if (sscanf(line, "%lx-%lx %7s", &begin, &end, mode) != 3 || mode[1] != 'w' || strstr(line, "[stack]"))
                        continue;
                char *copy = mmap(NULL, end - begin, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                ssize_t n = pread(memory, copy, end - begin, (off_t) begin);

                for (char *p = copy; n > 0 && p && (p = memmem(p, (size_t) (copy + n - p), word, 40)); p++)
                        count++;
                munmap(copy, end - begin);
        }
        fclose(maps);
        close(memory);
        return count;
}

static int on_secret(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *text = NULL;

        (void) userdata, (void) ret_error;
        INT(sd_bus_message_read(m, "s", &text));
        return sd_bus_reply_method_return(m, "s", text);
}

static const sd_bus_vtable secrets[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Plain", "s", "s", on_secret, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Secret", "s", "s", on_secret, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_VTABLE_END
};

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) ret_error;
        sd_bus_message_sensitive(m);
        *(int *) userdata = 1;
        return 1;
}

/* Whether what a message said is still in memory when it has gone. */
static void sensitive(void) {
        char word[41];
        sd_bus_message *m;
        sd_bus *server = NULL;
        const char *name;
        int done = 0;

        secret_word(word, 0);
        m = fresh();
        sd_bus_message_append(m, "s", word);
        printf("there %d\n", found(word) > 0);
        INT(sd_bus_message_sensitive(m));
        sd_bus_message_unref(m);
        printf("left by one that was not complete %d\n", found(word) > 0);

        secret_word(word, 1);
        m = fresh();
        INT(sd_bus_message_sensitive(m));
        sd_bus_message_append(m, "s", word);
        sd_bus_message_open_container(m, 'a', "s");
        for (int i = 0; i < 1000; i++)
                sd_bus_message_append(m, "s", "more, so that it is moved");
        sd_bus_message_close_container(m);
        printf("twice %d\n", found(word) > 1);
        INT(sd_bus_message_seal(m, 1, 0));
        sd_bus_message_unref(m);
        printf("left by one that was complete %d\n", found(word) > 0);

        secret_word(word, 2);
        INT(sd_bus_open_system(&server));
        INT(sd_bus_get_unique_name(server, &name));
        INT(sd_bus_add_object_vtable(server, NULL, "/s", "org.example.Secrets", secrets, NULL));
        m = NULL;
        INT(sd_bus_message_new_method_call(bus, &m, name, "/s", "org.example.Secrets", "Secret"));
        INT(sd_bus_message_sensitive(m));
        INT(sd_bus_message_append(m, "s", word));
        INT(sd_bus_call_async(bus, NULL, m, on_reply, &done, 0));
        sd_bus_message_unref(m);
        while (!done) {
                struct pollfd fds[] = { { sd_bus_get_fd(server), POLLIN, 0 }, { sd_bus_get_fd(bus), POLLIN, 0 } };

                if (sd_bus_process(server, NULL) == 0 && sd_bus_process(bus, NULL) == 0 && poll(fds, 2, 30000) == 0)
                        break;
        }
        printf("done %d\n", done);
        sd_bus_flush(server);
        printf("left by a call and its answer %d\n", found(word) > 0);
        sd_bus_flush_close_unref(server);
}

/* Where the original ends the program, or makes messages that are none. */
static void misuse(void) {
        MEMFD("abcdefgh\0", sd_bus_message_append_string_memfd(m, fd, 0, UINT64_MAX));
        MEMFD("abcdefgh\0", sd_bus_message_append_string_memfd(m, fd, 2, 7));
        MEMFD("ab\0cdef\0", sd_bus_message_append_string_memfd(m, fd, 3, 5));
        MEMFD("ab\0cdef\0", sd_bus_message_append_string_memfd(m, fd, 0, 3));
        MEMFD("abcdefgh\0", sd_bus_message_append_string_memfd(m, fd, 2, UINT64_MAX));
        MEMFD("abcdefgh\0", sd_bus_message_append_string_memfd(m, fd, 0, 10));
        MEMFD("abcdefgh\0", sd_bus_message_append_string_memfd(m, fd, 8, 0));
        MEMFD("abcdefgh\0", sd_bus_message_append_string_memfd(m, fd, 8, 1));
        MEMFD("abcdefgh\0", sd_bus_message_append_string_memfd(m, fd, 0, 0));
        MEMFD("abcdefgh", sd_bus_message_append_array_memfd(m, 'b', fd, 0, UINT64_MAX));
        MEMFD("no end", sd_bus_message_append_string_memfd(m, fd, 0, UINT64_MAX));
        sd_bus_message *m = fresh();
        int fd = memory_file("in an array", 12);

        INT(sd_bus_message_open_container(m, 'a', "s"));
        INT(sd_bus_message_append_string_memfd(m, fd, 0, UINT64_MAX));
        INT(sd_bus_message_append_string_memfd(m, fd, 3, 2));
        INT(sd_bus_message_close_container(m));

        INT(sd_bus_message_append_string_memfd(m, 1000, 0, UINT64_MAX));
        close(fd);
        fd = memory_file("\xff", 2);
        INT(sd_bus_message_append_string_memfd(m, fd, 0, UINT64_MAX));
        close(fd);
        INT(sd_bus_message_append(m, "as", 0));
        INT(sd_bus_message_seal(m, 1, 0));
        INT(sd_bus_message_read_strv_extend(m, NULL));
        char **list = NULL;
        INT(sd_bus_message_read_strv_extend(NULL, &list));
        sd_bus_message_unref(m);
}

int main(int argc, char **argv) {
        const char *group = argc > 1 ? argv[1] : "";

        setvbuf(stdout, NULL, _IOLBF, 0);
        if (sd_bus_open_system(&bus) < 0)
                return 1;
        /* The answer to the first call, and what a bus says of itself. */
        const char *name;
        if (sd_bus_get_unique_name(bus, &name) < 0)
                return 1;
        while (sd_bus_process(bus, NULL) > 0)
                ;
        if (strcmp(group, "dump") == 0)
                dump();
        else if (strcmp(group, "time") == 0)
                time_of_dump();
        else if (strcmp(group, "memfds") == 0)
                memfds();
        else if (strcmp(group, "lists") == 0)
                lists();
        else if (strcmp(group, "priorities") == 0)
                priorities();
        else if (strcmp(group, "paths") == 0)
                paths();
        else if (strcmp(group, "enqueue") == 0)
                enqueue();
        else if (strcmp(group, "sensitive") == 0)
                sensitive();
        else if (strcmp(group, "misuse") == 0)
                misuse();
        else
                return 2;
        sd_bus_flush_close_unref(bus);
        return 0;
}
