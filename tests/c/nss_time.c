/* Measures lookups, and programs that make one.
 *
 *     nss_time look COUNT NAME            getaddrinfo(3) of NAME, again and again in this process
 *     nss_time run COUNT DATABASE… -- ARG…  getent -s DATABASE ARG…, from its start to its end, its output thrown away;
 *                                           for each DATABASE in turn, so that what else the machine does meets all alike
 *     nss_time trip COUNT -                 a connection to a process that answers 200 bytes to 100 at once: what no lookup by
 *                                           a socket can do without
 *     nss_time least …                      as run, but the least time rather than the median: what it costs undisturbed
 *
 * A line for each: what came of the last one (getaddrinfo's error, or the exit status), and the median time in µs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int look(char **arg) {
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(arg[0], NULL, &hints, &found);
    if (!error) freeaddrinfo(found);
    return error;
}

static struct sockaddr_un trip_to = {.sun_family = AF_UNIX, .sun_path = "\0nss_time"};

static void answer_trips(void) {
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (void *)&trip_to, sizeof trip_to) || listen(listener, 16)) exit(2);
    if (fork()) {
        close(listener);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (char bytes[200] = "";;) {
        int peer = accept(listener, NULL, NULL);
        if (read(peer, bytes, 100) > 0 && write(peer, bytes, sizeof bytes) < 0) exit(2);
        close(peer);
    }
}

static int trip(void) {
    char bytes[200] = "";
    int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = connect(peer, (void *)&trip_to, sizeof trip_to) || write(peer, bytes, 100) != 100 || read(peer, bytes, sizeof bytes) != sizeof bytes;
    close(peer);
    return failed;
}

static int run(char **arg) {
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&child, arg[0], &actions, NULL, arg, environ) || waitpid(child, &status, 0) != child) exit(2);
    posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int ascending(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    int count = atoi(argv[2]), warm_up = count / 20 + 1, ways = 1, outcome = 0;
    int tripping = !strcmp(argv[1], "trip"), least = !strcmp(argv[1], "least"), running = least || !strcmp(argv[1], "run");
    if (tripping) answer_trips();
    char *getent[16] = {"getent", "-s"}, **rest = argv + 3;
    if (running) {
        while (*rest && strcmp(*rest, "--")) rest++;
        ways = rest - (argv + 3);
        for (int i = 3; *rest && i < 15; i++) getent[i] = *++rest;
    }
    double *times = malloc((size_t)count * ways * sizeof *times);
    int outcomes[16];
    for (int i = -warm_up; i < count; i++)
        for (int way = 0; way < ways && way < 16; way++) {
            getent[2] = argv[3 + way];
            double begun = now_us();
            outcome = running ? run(getent) : tripping ? trip() : look(argv + 3);
            if (i >= 0) times[way * count + i] = now_us() - begun;
            outcomes[way] = outcome;
        }
    for (int way = 0; way < ways && way < 16; way++) {
        qsort(times + way * count, count, sizeof *times, ascending);
        printf("%d %.2f\n", outcomes[way], times[way * count + (least ? 0 : count / 2)]);
    }
    return 0;
}
