/* Has sd-bus follow who is on the bus, and prints what each function answers: to be run on two libraries, and compared.
 *   track_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); } while (0)
#define TEXT(call) do { const char *s_ = (call); printf("%s = %s\n", #call, s_ ?: "null"); } while (0)

static sd_bus *open_bus(void) {
        sd_bus *bus = NULL;
        int r = sd_bus_open_system(&bus);

        if (r < 0) {
                printf("open = %d %s\n", r, error(r));
                exit(1);
        }
        return bus;
}

/* One on the bus whose connection lives in this process: it does not have to be served. */
static sd_bus *peer(char name[64], const char *well_known) {
        sd_bus *bus = open_bus();
        const char *unique = NULL;

        if (sd_bus_get_unique_name(bus, &unique) < 0)
                exit(1);
        snprintf(name, 64, "%s", unique);
        if (well_known && sd_bus_request_name(bus, well_known, SD_BUS_NAME_ALLOW_REPLACEMENT) < 0)
                exit(1);
        return bus;
}

static int emptied(sd_bus_track *track, void *userdata) {
        printf("emptied: %s, count %u\n", (const char *) userdata, sd_bus_track_count(track));
        return 1;
}

/* The other library calls a handler that answers 0 again and again. */
static int answers_nothing(sd_bus_track *track, void *userdata) {
        (void) track;
        printf("called: %s\n", (const char *) userdata);
        return 0;
}

static int failing(sd_bus_track *track, void *userdata) {
        (void) track;
        printf("failing: %s\n", (const char *) userdata);
        return -EUCLEAN;
}

static void destroyed(void *userdata) {
        printf("destroyed: %s\n", (const char *) userdata);
}

/* So many things to do. */
static void turns(sd_bus *bus, int count) {
        for (int i = 0; i < count; i++) {
                int r;

                while ((r = sd_bus_process(bus, NULL)) == 0)
                        sd_bus_wait(bus, UINT64_MAX);
                printf("process = %d %s\n", r, error(r));
                if (r < 0)
                        return;
        }
}

/* Whether somebody has a name. What the bus has sent before it answers is here then. */
static int is_there(sd_bus *bus, const char *name) {
        return sd_bus_get_name_creds(bus, name, 0, NULL) >= 0;
}

/* All that the bus has sent until now, and what comes of it. */
static void settle(sd_bus *bus) {
        int r;

        is_there(bus, "org.example.Nobody");
        while ((r = sd_bus_process(bus, NULL)) > 0)
                ;
        printf("settled: %d %s\n", r, error(r));
}

/* A peer leaves; the bus sees that in its own time. */
static void leave(sd_bus *bus, sd_bus *peer, const char *name) {
        sd_bus_close_unref(peer);
        for (int i = 0; i < 1000 && is_there(bus, name); i++)
                usleep(10000);
}

static void nulls(void) {
        sd_bus_track *t = NULL;
        sd_bus_destroy_t callback;
        sd_bus_message *m = NULL;
        sd_bus *bus = NULL;
        int pair[2];

        INT(sd_bus_track_new(NULL, &t, emptied, NULL));
        INT(sd_bus_track_new(SD_BUS_DEFAULT_SYSTEM, &t, emptied, NULL));
        INT(sd_bus_track_ref(NULL) == NULL);
        INT(sd_bus_track_unref(NULL) == NULL);
        INT(sd_bus_track_get_bus(NULL) == NULL);
        INT(sd_bus_track_get_userdata(NULL) == NULL);
        INT(sd_bus_track_set_userdata(NULL, &t) == NULL);
        INT(sd_bus_track_add_sender(NULL, NULL));
        INT(sd_bus_track_remove_sender(NULL, NULL));
        INT(sd_bus_track_add_name(NULL, "a.b"));
        INT(sd_bus_track_add_name(NULL, NULL));
        INT(sd_bus_track_remove_name(NULL, "a.b"));
        INT(sd_bus_track_remove_name(NULL, NULL));
        INT(sd_bus_track_set_recursive(NULL, 1));
        INT(sd_bus_track_get_recursive(NULL));
        INT(sd_bus_track_count(NULL));
        INT(sd_bus_track_count_sender(NULL, NULL));
        INT(sd_bus_track_count_name(NULL, "a.b"));
        INT(sd_bus_track_count_name(NULL, "x"));
        INT(sd_bus_track_count_name(NULL, NULL));
        TEXT(sd_bus_track_contains(NULL, "a.b"));
        TEXT(sd_bus_track_contains(NULL, NULL));
        TEXT(sd_bus_track_first(NULL));
        TEXT(sd_bus_track_next(NULL));
        INT(sd_bus_track_set_destroy_callback(NULL, destroyed));
        INT(sd_bus_track_get_destroy_callback(NULL, &callback));
        printf("no client\n");
        sd_bus_new(&bus);
        INT(sd_bus_track_new(bus, NULL, emptied, NULL));
        INT(sd_bus_track_new(bus, &t, emptied, NULL));
        printf("not begun\n");
        sd_bus_set_bus_client(bus, 1);
        INT(sd_bus_track_new(bus, NULL, emptied, NULL));
        INT(sd_bus_track_new(bus, &t, emptied, "one"));
        INT(sd_bus_track_get_bus(t) == bus);
        INT(sd_bus_track_add_name(t, ":1.1"));
        INT(sd_bus_track_add_name(t, "a.b"));
        INT(sd_bus_track_add_name(t, "x"));
        INT(sd_bus_track_add_name(t, ""));
        INT(sd_bus_track_add_name(t, NULL));
        INT(sd_bus_track_add_sender(t, NULL));
        INT(sd_bus_track_remove_sender(t, NULL));
        INT(sd_bus_track_count_sender(t, NULL));
        INT(sd_bus_track_remove_name(t, "a.b"));
        INT(sd_bus_track_remove_name(t, "x"));
        INT(sd_bus_track_remove_name(t, ""));
        INT(sd_bus_track_remove_name(t, NULL));
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_count_name(t, "a.b"));
        INT(sd_bus_track_count_name(t, "x"));
        INT(sd_bus_track_count_name(t, NULL));
        TEXT(sd_bus_track_contains(t, "a.b"));
        TEXT(sd_bus_track_contains(t, "x"));
        TEXT(sd_bus_track_contains(t, NULL));
        TEXT(sd_bus_track_first(t));
        TEXT(sd_bus_track_next(t));
        INT(sd_bus_track_get_recursive(t));
        INT(sd_bus_track_set_recursive(t, 0));
        INT(sd_bus_track_set_recursive(t, 5));
        INT(sd_bus_track_get_recursive(t));
        INT(sd_bus_track_set_recursive(t, 1));
        INT(sd_bus_track_remove_name(t, "a.b"));
        TEXT(sd_bus_track_get_userdata(t));
        TEXT(sd_bus_track_set_userdata(t, "two"));
        TEXT(sd_bus_track_set_userdata(t, NULL));
        TEXT(sd_bus_track_set_userdata(t, "three"));
        INT(sd_bus_track_get_destroy_callback(t, &callback));
        INT(callback == NULL);
        INT(sd_bus_track_get_destroy_callback(t, NULL));
        INT(sd_bus_track_set_destroy_callback(t, destroyed));
        INT(sd_bus_track_get_destroy_callback(t, &callback));
        INT(callback == destroyed);
        INT(sd_bus_track_get_destroy_callback(t, NULL));
        INT(sd_bus_track_ref(t) == t);
        INT(sd_bus_track_unref(t) == NULL);
        printf("begun, with nobody there\n");
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        INT(sd_bus_set_fd(bus, pair[0], pair[0]));
        INT(sd_bus_start(bus) >= 0);
        INT(sd_bus_message_new_signal(bus, &m, "/", "a.b", "C"));
        INT(sd_bus_track_add_sender(t, m));
        INT(sd_bus_track_count_sender(t, m));
        INT(sd_bus_track_remove_sender(t, m));
        sd_bus_message_unref(m);
        /* A track that is new is empty. */
        for (int i = 0; i < 4; i++)
                INT(sd_bus_process(bus, NULL));
        printf("over\n");
        sd_bus_close(bus);
        INT(sd_bus_process(bus, NULL));
        INT(sd_bus_track_add_name(t, ":1.1"));
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_unref(t) == NULL);
        sd_bus_unref(bus);
        close(pair[1]);
}

static int in_pair(const void *a, const void *b) {
        return strcmp(*(const char **) a, *(const char **) b);
}

/* The names of two in any order, as theirs come out of a table of hashes. */
static void print_all(sd_bus_track *t) {
        const char *all[16];
        int count = 0;

        for (const char *name = sd_bus_track_first(t); name && count < 16; name = sd_bus_track_next(t))
                all[count++] = name;
        qsort(all, count, sizeof(*all), in_pair);
        for (int i = 0; i < count; i++)
                printf(" %s", all[i][0] == ':' ? ":unique" : all[i]);
        printf(", %d of %u\n", count, sd_bus_track_count(t));
}

/* Names that are there, and are counted. */
static void names(void) {
        sd_bus *bus = open_bus(), *one, *two;
        char first[64], second[64];
        sd_bus_track *t = NULL;

        one = peer(first, "org.example.One");
        two = peer(second, NULL);
        INT(sd_bus_track_new(bus, &t, emptied, "plain"));
        INT(sd_bus_track_add_name(t, "org.example.Nobody"));
        INT(sd_bus_track_add_name(t, ":1.9999"));
        INT(sd_bus_track_add_name(t, "org.freedesktop.DBus.Local"));
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_add_name(t, "org.example.One"));
        INT(sd_bus_track_add_name(t, second));
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_count_name(t, first));
        INT(sd_bus_track_count_name(t, "org.example.One"));
        INT(sd_bus_track_count_name(t, "org.example.Nobody"));
        INT(sd_bus_track_contains(t, first) != NULL && strcmp(sd_bus_track_contains(t, first), first) == 0);
        INT(sd_bus_track_contains(t, first) == first);
        TEXT(sd_bus_track_contains(t, "org.example.Nobody"));
        INT(sd_bus_track_set_recursive(t, 0));
        INT(sd_bus_track_set_recursive(t, 1));
        print_all(t);
        TEXT(sd_bus_track_next(t));
        INT(sd_bus_track_first(t) != NULL);
        INT(sd_bus_track_remove_name(t, "org.example.Nobody"));
        INT(sd_bus_track_next(t) != NULL);
        INT(sd_bus_track_remove_name(t, second));
        TEXT(sd_bus_track_next(t));
        INT(sd_bus_track_first(t) != NULL);
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_next(t) != NULL);
        INT(sd_bus_track_first(t) != NULL);
        INT(sd_bus_track_add_name(t, second));
        TEXT(sd_bus_track_next(t));
        print_all(t);
        INT(sd_bus_track_remove_name(t, second));
        INT(sd_bus_track_remove_name(t, second));
        INT(sd_bus_track_remove_name(t, first));
        INT(sd_bus_track_remove_name(t, "org.example.One"));
        INT(sd_bus_track_count(t));
        settle(bus);
        settle(bus);
        /* Full again before anybody was told that it is empty. */
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_remove_name(t, first));
        INT(sd_bus_track_add_name(t, second));
        settle(bus);
        INT(sd_bus_track_remove_name(t, second));
        INT(sd_bus_track_add_name(t, "org.example.Nobody"));
        settle(bus);
        INT(sd_bus_track_unref(t) == NULL);

        printf("counted\n");
        INT(sd_bus_track_new(bus, &t, emptied, "recursive"));
        INT(sd_bus_track_set_recursive(t, 1));
        for (int i = 0; i < 3; i++)
                INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_add_name(t, second));
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_count_name(t, first));
        INT(sd_bus_track_set_recursive(t, 1));
        INT(sd_bus_track_set_recursive(t, 0));
        print_all(t);
        INT(sd_bus_track_first(t) != NULL);
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_remove_name(t, first));
        INT(sd_bus_track_next(t) != NULL);
        INT(sd_bus_track_remove_name(t, first));
        INT(sd_bus_track_count_name(t, first));
        INT(sd_bus_track_remove_name(t, second));
        INT(sd_bus_track_remove_name(t, second));
        INT(sd_bus_track_remove_name(t, first));
        INT(sd_bus_track_remove_name(t, first));
        INT(sd_bus_track_remove_name(t, first));
        settle(bus);
        INT(sd_bus_track_unref(t) == NULL);

        printf("new ones\n");
        INT(sd_bus_track_new(bus, &t, emptied, "new"));
        settle(bus);
        INT(sd_bus_track_unref(t) == NULL);
        INT(sd_bus_track_new(bus, &t, emptied, "gone before"));
        INT(sd_bus_track_unref(t) == NULL);
        settle(bus);
        INT(sd_bus_track_new(bus, &t, NULL, NULL));
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_remove_name(t, first));
        settle(bus);
        INT(sd_bus_track_unref(t) == NULL);
        INT(sd_bus_track_new(bus, &t, failing, "once"));
        settle(bus);
        settle(bus);
        INT(sd_bus_track_unref(t) == NULL);
        sd_bus_close_unref(one);
        sd_bus_close_unref(two);
        sd_bus_close_unref(bus);
}

static int watched(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *name, *old, *new;

        (void) userdata;
        (void) ret_error;
        if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
                return 0;
        if (name[0] != ':')
                printf("changed: %s%s%s\n", name, *old ? " left" : "", *new ? " taken" : "");
        return 0;
}

/* Names leave, each by itself or with who has them. */
static void leaving(void) {
        sd_bus *bus = open_bus(), *one, *two, *three;
        char first[64], second[64], third[64];
        sd_bus_track *t = NULL, *u = NULL, *v = NULL;

        one = peer(first, "org.example.One");
        two = peer(second, "org.example.Two");
        three = peer(third, NULL);
        INT(sd_bus_track_new(bus, &t, emptied, "unique"));
        INT(sd_bus_track_new(bus, &u, emptied, "well-known"));
        INT(sd_bus_track_new(bus, &v, emptied, "recursive"));
        INT(sd_bus_track_set_recursive(v, 1));
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_add_name(t, second));
        INT(sd_bus_track_add_name(u, "org.example.One"));
        INT(sd_bus_track_add_name(u, "org.example.Two"));
        for (int i = 0; i < 3; i++)
                INT(sd_bus_track_add_name(v, "org.example.Two"));
        INT(sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", NULL, "org.freedesktop.DBus", "NameOwnerChanged", watched, NULL));
        settle(bus);
        printf("a name is given up\n");
        INT(sd_bus_release_name(one, "org.example.One"));
        settle(bus);
        printf("%u %u %u\n", sd_bus_track_count(t), sd_bus_track_count(u), sd_bus_track_count(v));
        printf("a peer leaves\n");
        leave(bus, two, second);
        settle(bus);
        printf("%u %u %u\n", sd_bus_track_count(t), sd_bus_track_count(u), sd_bus_track_count(v));
        INT(sd_bus_track_remove_name(v, "org.example.Two"));
        printf("another too\n");
        leave(bus, one, first);
        settle(bus);
        printf("%u %u %u\n", sd_bus_track_count(t), sd_bus_track_count(u), sd_bus_track_count(v));
        /* A name that changes hands is lost, too. */
        printf("another takes a name\n");
        INT(sd_bus_request_name(three, "org.example.One", SD_BUS_NAME_ALLOW_REPLACEMENT));
        INT(sd_bus_track_add_name(u, "org.example.One"));
        INT(sd_bus_track_add_name(u, third));
        settle(bus);
        INT(sd_bus_request_name(bus, "org.example.One", SD_BUS_NAME_REPLACE_EXISTING));
        settle(bus);
        printf("%u, %d\n", sd_bus_track_count(u), sd_bus_track_count_name(u, "org.example.One"));
        INT(sd_bus_track_add_name(u, "org.example.One"));
        INT(sd_bus_track_first(u) != NULL);
        leave(bus, three, third);
        settle(bus);
        TEXT(sd_bus_track_next(u));
        print_all(u);
        sd_bus_track_unref(t);
        sd_bus_track_unref(u);
        sd_bus_track_unref(v);
        sd_bus_close_unref(bus);
}

static sd_bus_track *kept;
static sd_bus_slot *slot;

static int unref_self(sd_bus_track *track, void *userdata) {
        printf("unref: %s\n", (const char *) userdata);
        kept = sd_bus_track_unref(kept);
        printf("still %u\n", sd_bus_track_count(track));
        return 0;
}

static int add_again(sd_bus_track *track, void *userdata) {
        printf("again: %d\n", sd_bus_track_add_name(track, userdata));
        return 1;
}

static int make_another(sd_bus_track *track, void *userdata) {
        printf("another: %s %d\n", (const char *) userdata, sd_bus_track_new(sd_bus_track_get_bus(track), &kept, emptied, "made in a handler"));
        return 7;
}

static int close_it(sd_bus_track *track, void *userdata) {
        printf("close: %s\n", (const char *) userdata);
        sd_bus_close(sd_bus_track_get_bus(track));
        return 1;
}

/* Handlers that do things to tracks. */
static void handlers(void) {
        sd_bus *bus = open_bus(), *one, *two;
        char first[64], second[64];
        sd_bus_track *t = NULL;
        uint64_t until;

        one = peer(first, NULL);
        two = peer(second, NULL);
        INT(sd_bus_track_new(bus, &kept, unref_self, "self"));
        INT(sd_bus_track_set_destroy_callback(kept, destroyed));
        settle(bus);
        INT(sd_bus_track_new(bus, &t, add_again, second));
        INT(sd_bus_track_add_name(t, first));
        leave(bus, one, first);
        settle(bus);
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_unref(t) == NULL);
        INT(sd_bus_track_new(bus, &t, make_another, "one"));
        settle(bus);
        INT(sd_bus_track_unref(t) == NULL);
        kept = sd_bus_track_unref(kept);
        printf("in what order\n");
        sd_bus_track *all[3];
        static char *const labels[] = { "first", "second", "third" };
        for (int i = 0; i < 3; i++)
                INT(sd_bus_track_new(bus, all + i, emptied, labels[i]));
        /* Who waits for the bus is not to wait now. */
        until = 77;
        INT(sd_bus_get_timeout(bus, &until));
        printf("until %" PRIu64 "\n", until);
        INT(sd_bus_get_events(bus) >= 0);
        INT(sd_bus_wait(bus, 0));
        turns(bus, 3);
        INT(sd_bus_process(bus, NULL));
        for (int i = 0; i < 3; i++)
                INT(sd_bus_track_add_name(all[i], second));
        settle(bus);
        until = 77;
        INT(sd_bus_get_timeout(bus, &until));
        printf("until the end %d\n", until == UINT64_MAX);
        for (int i = 0; i < 3; i++)
                INT(sd_bus_track_remove_name(all[i], second));
        turns(bus, 3);
        for (int i = 0; i < 3; i++)
                sd_bus_track_unref(all[i]);
        INT(sd_bus_track_new(bus, &t, close_it, "the bus"));
        INT(sd_bus_process(bus, NULL));
        INT(sd_bus_process(bus, NULL));
        INT(sd_bus_track_unref(t) == NULL);
        sd_bus_close_unref(two);
        sd_bus_unref(bus);
}

static int sent(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        sd_bus_track *t = userdata;

        (void) ret_error;
        if (!sd_bus_message_is_method_call(m, "a.b", "C"))
                return 0;
        INT(sd_bus_track_count_sender(t, m));
        INT(sd_bus_track_add_sender(t, m));
        INT(sd_bus_track_add_sender(t, m));
        INT(sd_bus_track_count_sender(t, m));
        INT(sd_bus_track_contains(t, sd_bus_message_get_sender(m)) != NULL);
        INT(sd_bus_track_remove_sender(t, m));
        INT(sd_bus_track_remove_sender(t, m));
        INT(sd_bus_track_remove_sender(t, m));
        INT(sd_bus_track_add_sender(t, m));
        return 1;
}

/* Who has sent a message. */
static void senders(void) {
        sd_bus *bus = open_bus(), *one, *other = open_bus();
        char first[64];
        const char *own;
        sd_bus_track *t = NULL, *u = NULL;
        sd_bus_message *m = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;

        one = peer(first, NULL);
        if (sd_bus_get_unique_name(bus, &own) < 0)
                return;
        INT(sd_bus_track_new(bus, &t, emptied, "plain"));
        INT(sd_bus_track_new(bus, &u, emptied, "recursive"));
        INT(sd_bus_track_set_recursive(u, 1));
        INT(sd_bus_add_filter(bus, &slot, sent, t));
        for (int i = 0; i < 2; i++) {
                printf("called\n");
                INT(sd_bus_call_method_async(one, NULL, own, "/", "a.b", "C", NULL, NULL, NULL));
                is_there(one, own);
                settle(bus);
                slot = sd_bus_slot_unref(slot);
                INT(sd_bus_add_filter(bus, &slot, sent, u));
        }
        sd_bus_slot_unref(slot);
        printf("%u %u\n", sd_bus_track_count(t), sd_bus_track_count(u));
        leave(bus, one, first);
        settle(bus);
        printf("%u %u\n", sd_bus_track_count(t), sd_bus_track_count(u));
        printf("of another bus, and of nobody\n");
        INT(sd_bus_call_method(other, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", &e, &m, NULL));
        INT(sd_bus_track_add_sender(t, m));
        INT(sd_bus_track_count_sender(t, m));
        INT(sd_bus_track_remove_sender(t, m));
        m = sd_bus_message_unref(m);
        INT(sd_bus_message_new_signal(bus, &m, "/", "a.b", "C"));
        INT(sd_bus_track_add_sender(t, m));
        INT(sd_bus_track_count_sender(t, m));
        INT(sd_bus_track_remove_sender(t, m));
        m = sd_bus_message_unref(m);
        sd_bus_track_unref(t);
        sd_bus_track_unref(u);
        sd_bus_close_unref(other);
        sd_bus_close_unref(bus);
}

static int at_end(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        printf("%s\n", sd_bus_message_get_member(m) ?: sd_bus_message_get_error(m)->name);
        return 1;
}

/* The connection ends. */
static void closing(void) {
        sd_bus *bus = open_bus(), *one;
        char first[64];
        sd_bus_track *t = NULL, *u = NULL, *v = NULL, *w = NULL;

        one = peer(first, NULL);
        INT(sd_bus_track_new(bus, &t, emptied, "two names"));
        INT(sd_bus_track_new(bus, &u, emptied, "empty"));
        INT(sd_bus_track_new(bus, &v, emptied, "one name"));
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_add_name(t, "org.freedesktop.DBus.Local"));
        INT(sd_bus_track_add_name(v, first));
        settle(bus);
        INT(sd_bus_track_new(bus, &w, emptied, "empty, and not told"));
        INT(sd_bus_call_method_async(bus, NULL, first, "/", "a.b", "C", at_end, NULL, NULL));
        INT(sd_bus_add_match(bus, NULL, "interface='org.freedesktop.DBus.Local'", at_end, NULL) >= 0);
        shutdown(sd_bus_get_fd(bus), SHUT_RDWR);
        for (int i = 0; i < 10; i++) {
                int r = sd_bus_process(bus, NULL);

                printf("process = %d %s\n", r, error(r));
                if (r < 0)
                        break;
        }
        printf("%u %u %u %u\n", sd_bus_track_count(t), sd_bus_track_count(u), sd_bus_track_count(v), sd_bus_track_count(w));
        INT(sd_bus_track_add_name(t, first));
        INT(sd_bus_track_remove_name(t, first));
        INT(sd_bus_track_new(bus, &kept, emptied, "late"));
        INT(sd_bus_track_add_name(kept, first));
        INT(sd_bus_process(bus, NULL));
        sd_bus_track_unref(t);
        sd_bus_track_unref(u);
        sd_bus_track_unref(v);
        sd_bus_track_unref(w);
        kept = sd_bus_track_unref(kept);
        sd_bus_unref(bus);

        printf("closed by ourselves, with tracks that live on\n");
        bus = open_bus();
        INT(sd_bus_track_new(bus, &t, emptied, "on"));
        INT(sd_bus_track_set_destroy_callback(t, destroyed));
        INT(sd_bus_track_add_name(t, first));
        sd_bus_close_unref(bus);
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_get_bus(t) == bus);
        INT(sd_bus_process(sd_bus_track_get_bus(t), NULL));
        INT(sd_bus_track_unref(t) == NULL);
        sd_bus_close_unref(one);
}

static int dropping(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) m;
        (void) ret_error;
        if (slot)
                printf("%s\n", (const char *) userdata);
        slot = sd_bus_slot_unref(slot);
        kept = sd_bus_track_unref(kept);
        return 0;
}

/* What a callback takes away is not called for the same message any more. */
static void taken_away(void) {
        sd_bus *bus = open_bus(), *one;
        char first[64];

        one = peer(first, "org.example.One");
        INT(sd_bus_add_filter(bus, NULL, dropping, "drops the rest"));
        INT(sd_bus_match_signal(bus, &slot, "org.freedesktop.DBus", NULL, "org.freedesktop.DBus", "NameOwnerChanged", watched, NULL));
        INT(sd_bus_track_new(bus, &kept, emptied, "dropped"));
        INT(sd_bus_track_set_destroy_callback(kept, destroyed));
        INT(sd_bus_track_add_name(kept, first));
        leave(bus, one, first);
        settle(bus);
        sd_bus_close_unref(bus);
}

static void weak(void) {
        sd_bus *bus = open_bus(), *one;
        char first[64];
        sd_bus_track *t = NULL;

        one = peer(first, NULL);
        INT(sd_bus_track_new(bus, &t, answers_nothing, "once"));
        settle(bus);
        INT(sd_bus_track_add_name(t, first));
        leave(bus, one, first);
        settle(bus);
        INT(sd_bus_track_add_name(t, "org.freedesktop.DBus"));
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_unref(t) == NULL);
        sd_bus_close_unref(bus);
}

/* In a process that was forked nothing is done. */
static void forked(void) {
        sd_bus *bus = open_bus(), *one;
        char first[64];
        sd_bus_track *t = NULL;

        one = peer(first, NULL);
        INT(sd_bus_track_new(bus, &t, emptied, "forked"));
        INT(sd_bus_track_set_destroy_callback(t, destroyed));
        INT(sd_bus_track_add_name(t, first));
        fflush(stdout);
        if (fork() == 0) {
                sd_bus_track *u = NULL;

                INT(sd_bus_track_new(bus, &u, emptied, "another"));
                INT(sd_bus_track_add_name(t, "org.example.One"));
                INT(sd_bus_track_count(t));
                fflush(stdout);
                _exit(0);
        }
        wait(NULL);
        INT(sd_bus_track_count(t));
        INT(sd_bus_track_unref(t) == NULL);
        sd_bus_close_unref(one);
        sd_bus_close_unref(bus);
}

static const struct { const char *name; void (*run)(void); } groups_of_tests[] = {
        { "nulls", nulls }, { "names", names }, { "leaving", leaving }, { "handlers", handlers }, { "senders", senders },
        { "closing", closing }, { "taken_away", taken_away }, { "forked", forked },
        { "weak", weak },
};

int main(int argc, char **argv) {
        const char *group = argc > 1 ? argv[1] : "";

        setvbuf(stdout, NULL, _IOLBF, 0);
        for (size_t i = 0; i < sizeof(groups_of_tests) / sizeof(*groups_of_tests); i++)
                if (strcmp(group, groups_of_tests[i].name) == 0) {
                        groups_of_tests[i].run();
                        return 0;
                }
        return 2;
}
