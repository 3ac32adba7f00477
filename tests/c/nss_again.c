/* Looks "web" up until it is found, and says after how many seconds that was. */
#include <netdb.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(void) {
    struct addrinfo *found;
    double begun = now();
    while (getaddrinfo("web", NULL, NULL, &found) != 0) usleep(20000);
    printf("%.2f\n", now() - begun);
    return 0;
}
