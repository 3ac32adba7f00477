/* Looks machines up from many threads at once, and counts what is said.
 *
 *     nss_load THREADS LOOKUPS MACHINES
 *
 * LOOKUPS in all, of names pN (registered all the time), cN (that come and go) and xN (of none), N below MACHINES. The
 * address of pN is 10.77.H.L and that of cN 10.78.H.L, where N is 256 H + L. Where there is 192.0.2.1 for a name, from a
 * service after nss-mymachines, machined could not be asked; then the thread waits for 20 ms, as it would to try again.
 *
 * One line of output: how often each was FOUND, of NONE or UNASKED; how often it was WRONG; the slowest lookup in ms; and by
 * how many the descriptors and the resident kB have grown since each thread has made a few. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 20 };

static long lookups, machines;
static atomic_long found, none, unasked, wrong, slowest_us;
static pthread_barrier_t warm, measured;

static long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void mistake(const char *name, const char *what) {
    if (atomic_fetch_add(&wrong, 1) < 5) fprintf(stderr, "%s: %s\n", name, what);
}

static void look_up(char kind, long number) {
    char name[64], right[64], text[INET6_ADDRSTRLEN];
    snprintf(name, sizeof name, "%c%ld", kind, number);
    snprintf(right, sizeof right, "10.%d.%ld.%ld", kind == 'p' ? 77 : 78, number / 256, number % 256);
    struct addrinfo *list = NULL, hints = {.ai_socktype = SOCK_STREAM};
    long begun = now_us();
    int error = getaddrinfo(name, NULL, &hints, &list);
    long took = now_us() - begun, before = atomic_load(&slowest_us);
    while (took > before && !atomic_compare_exchange_weak(&slowest_us, &before, took)) {}
    if (error == EAI_NONAME || error == EAI_NODATA) {
        atomic_fetch_add(&none, 1);
        if (kind == 'p') mistake(name, gai_strerror(error)); /* it is there */
        return;
    }
    if (error) return mistake(name, gai_strerror(error));
    getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    int alone = !list->ai_next;
    freeaddrinfo(list);
    if (!strcmp(text, "192.0.2.1")) {
        atomic_fetch_add(&unasked, 1);
        usleep(20000);
    } else if (kind != 'x' && alone && !strcmp(text, right)) atomic_fetch_add(&found, 1);
    else mistake(name, text);
}

static void *thread(void *argument) {
    unsigned seed = (unsigned)(size_t)argument;
    for (long i = 0; i < lookups; i++) {
        if (i == WARM_UP) {
            pthread_barrier_wait(&warm);
            pthread_barrier_wait(&measured);
        }
        look_up("ppccx"[rand_r(&seed) % 5], rand_r(&seed) % machines);
    }
    return NULL;
}

static int descriptors(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) count++;
    closedir(dir);
    return count;
}

static long resident_kb(void) {
    char line[256];
    long kb = -1;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && kb < 0 && fgets(line, sizeof line, file)) sscanf(line, "Rss: %ld", &kb);
    if (file) fclose(file);
    return kb;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    long threads = atol(argv[1]);
    lookups = atol(argv[2]) / threads + 1;
    machines = atol(argv[3]);
    pthread_t *all = calloc(threads, sizeof *all);
    pthread_barrier_init(&warm, NULL, threads + 1);
    pthread_barrier_init(&measured, NULL, threads + 1);
    for (long i = 0; i < threads; i++)
        if (pthread_create(&all[i], NULL, thread, (void *)(i + 1))) return 2;
    pthread_barrier_wait(&warm);
    resident_kb(); /* what it takes itself */
    int fds = descriptors();
    long kb = resident_kb();
    pthread_barrier_wait(&measured);
    for (long i = 0; i < threads; i++) pthread_join(all[i], NULL);
    printf("found=%ld none=%ld unasked=%ld wrong=%ld slowest=%ld fds=%+d kb=%+ld\n", found, none, unasked, wrong,
           slowest_us / 1000, descriptors() - fds, resident_kb() - kb);
    return 0;
}
