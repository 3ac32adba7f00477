/* Looks names up from many threads at once, and says how many lookups a second that makes.
 *
 *     nss_threads THREADS LOOKUPS NAME
 *
 * LOOKUPS in all, each getaddrinfo(3) of NAME. One line of output: lookups that failed, lookups a second. */
#define _GNU_SOURCE
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *name;
static long lookups;
static atomic_long done, failed;
static atomic_int started;
static double begun;
static pthread_barrier_t together;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void look_up(void) {
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(name, NULL, &hints, &found)) atomic_fetch_add(&failed, 1);
    else freeaddrinfo(found);
}

static void *run(void *unused) {
    look_up(); /* the module is loaded, the stack is there */
    pthread_barrier_wait(&together);
    /* The first to go on starts the clock: main may not be let run before all is done. */
    if (!atomic_exchange(&started, 1)) begun = now();
    while (atomic_fetch_add(&done, 1) < lookups) look_up();
    return unused;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int threads = atoi(argv[1]);
    pthread_t *ids = calloc(threads, sizeof *ids);
    lookups = atol(argv[2]);
    name = argv[3];
    pthread_barrier_init(&together, NULL, threads);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, run, NULL)) return 2;
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    printf("%ld %.0f\n", (long)failed, lookups / (now() - begun));
    return 0;
}
