/* What a lookup takes where a clock is too coarse for one: the median of 100 batches.
 *
 *     nss_cost entry COUNT MODULE NAME    gethostbyname4_r of a module, called as the C library does
 *     nss_cost look COUNT FAMILY NAME     getaddrinfo(3): FAMILY is 0 for both, 2 for AF_INET
 *     nss_cost first 1 MODULE NAME        gethostbyname4_r, for the first time in this process, the module being loaded
 *
 * COUNT are in a batch. One line: what came of the last one (the status and the number of addresses), and how many µs it took. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCHES = 100 };

static enum nss_status (*entry)(const char *, struct gaih_addrtuple **, char *, size_t, int *, int *, int32_t *);
static const char *name;
static int family, outcome, addresses;

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void call_entry(void) {
    char buffer[1024];
    int error, h_error;
    struct gaih_addrtuple *found = NULL;
    outcome = entry(name, &found, buffer, sizeof buffer, &error, &h_error, NULL);
    for (addresses = 0; found; found = found->next) addresses++;
}

static void look(void) {
    struct addrinfo *found = NULL, hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    outcome = getaddrinfo(name, NULL, &hints, &found);
    addresses = 0;
    if (outcome) return;
    for (struct addrinfo *a = found; a; a = a->ai_next) addresses++;
    freeaddrinfo(found);
}

static void load(const char *file) {
    char symbol[128];
    const char *base = strstr(file, "libnss_"), *end = base ? strstr(base, ".so") : NULL;
    void *module = dlopen(file, RTLD_NOW);
    if (!module || !end) { fprintf(stderr, "nss_cost: %s\n", module ? file : dlerror()); exit(2); }
    snprintf(symbol, sizeof symbol, "_nss_%.*s_gethostbyname4_r", (int)(end - base - 7), base + 7);
    entry = (typeof(entry))dlsym(module, symbol);
    if (!entry) { fprintf(stderr, "nss_cost: %s\n", dlerror()); exit(2); }
}

static int ascending(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int count = atoi(argv[2]), looking = !strcmp(argv[1], "look"), first = !strcmp(argv[1], "first");
    void (*call)(void) = looking ? look : call_entry;
    double times[BATCHES];
    name = argv[4];
    if (looking) family = atoi(argv[3]);
    else load(argv[3]);
    now_us();
    if (!first) call();
    for (int batch = 0; batch < (first ? 1 : BATCHES); batch++) {
        double begun = now_us();
        for (int i = 0; i < count; i++) call();
        times[batch] = (now_us() - begun) / count;
    }
    if (!first) qsort(times, BATCHES, sizeof *times, ascending);
    printf("%d,%d %.3f\n", outcome, addresses, times[first ? 0 : BATCHES / 2]);
    return 0;
}
