/* What bus_cost.c and dbus_cost.c have in common, which measure the same by two libraries. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define MEBIBYTE ((size_t) 1 << 20)
#define NAME "org.example.Cost"
#define PATH "/org/example/cost"
#define TEXT "a text of some length"

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static char *mebibyte(void) {
    char *bytes = malloc(MEBIBYTE);
    if (!bytes) exit(1);
    memset(bytes, 'x', MEBIBYTE);
    return bytes;
}

/* The time of one of so many, the last of which has come; the process at the other end is ended. */
static double since(double begin, int count, pid_t other) {
    double took = now_ns() - begin;
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    return took / count;
}

/* Of each program: with the library alone, and with another process, `by_bus` by way of the bus. */
static double alone(const char *what, int count);
static double calls(int by_bus, int is_big, int count);
static double signals(int by_bus, int count);

static double measure(const char *what, int count) {
    if (!strcmp(what, "call")) return calls(0, 0, count);
    if (!strcmp(what, "big")) return calls(0, 1, count);
    if (!strcmp(what, "bus-call")) return calls(1, 0, count);
    if (!strcmp(what, "signal")) return signals(0, count);
    if (!strcmp(what, "bus-signal")) return signals(1, count);
    return alone(what, count);
}
