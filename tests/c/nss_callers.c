/* Looks up a host the way programs do that make it hard for an NSS module.
 *
 *     nss_callers CASE [NAME]
 *
 * Ends with status 0 and says what was found, line by line. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <nss.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name = "web";

/* "10.88.0.2 fd00::2", or the error's name. */
static const char *look_up(char *text, size_t size) {
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error) {
        snprintf(text, size, "%s", error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return text;
    }
    text[0] = 0;
    for (struct addrinfo *a = found; a; a = a->ai_next) {
        char host[INET6_ADDRSTRLEN + 20];
        getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
        snprintf(text + strlen(text), size - strlen(text), "%s%s", *text ? " " : "", host);
    }
    freeaddrinfo(found);
    return text;
}

static void say(const char *when) {
    char text[4096];
    look_up(text, sizeof text);
    printf("%s: %s\n", when, text);
    fflush(stdout);
}

static int next_descriptor(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

static void *in_thread(void *when) {
    say(when);
    return NULL;
}

static volatile int done;

/* The module itself: glibc's own getaddrinfo now and then waits for ever in a child of a program with threads, with any
 * module, for a lock that fork(2) caught locked (get_locked_global in resolv/resolv_conf.c). */
static enum nss_status (*module)(const char *, struct gaih_addrtuple **, char *, size_t, int *, int *, int32_t *);

static int finds(void) {
    char buffer[1024];
    int error, h_error;
    struct gaih_addrtuple *found = NULL;
    enum nss_status status = module(name, &found, buffer, sizeof buffer, &error, &h_error, NULL);
    return status == NSS_STATUS_SUCCESS && found->family == AF_INET && found->addr[0] == inet_addr("10.88.0.2");
}

static void *find_for_ever(void *unused) {
    (void)unused;
    while (!done)
        if (!finds()) abort();
    return NULL;
}

static void ignore(int signal) { (void)signal; }

static void descriptors_used(void) {
    struct rlimit limit = {64, 64};
    say("before");
    setrlimit(RLIMIT_NOFILE, &limit);
    int last = -1;
    for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0;) last = fd;
    say("with none left");
    close(last);
    say("with one left");
}

static void small_stack(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, 64 * 1024)) abort();
    pthread_create(&thread, &attributes, in_thread, "on 64 KiB");
    pthread_join(thread, NULL);
}

static void load_module(void) {
    void *library = dlopen("libnss_mymachines.so.2", RTLD_NOW);
    module = library ? (typeof(module))dlsym(library, "_nss_mymachines_gethostbyname4_r") : NULL;
    if (!module) { fprintf(stderr, "%s\n", dlerror()); exit(1); }
}

static void *find_once(void *unused) {
    (void)unused;
    return finds() ? "found" : "not found";
}

/* The least that a thread can have, of which glibc takes its part. The module alone: getaddrinfo needs more. */
static void smallest_stack(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    void *outcome;
    load_module();
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN)) abort();
    pthread_create(&thread, &attributes, find_once, NULL);
    pthread_join(thread, &outcome);
    printf("on %ld KiB: %s\n", (long)PTHREAD_STACK_MIN / 1024, (char *)outcome);
}

static void fork_in_threads(void) {
    pthread_t threads[4];
    load_module();
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, find_for_ever, NULL);
    int good = 0;
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(5);
            _exit(!finds());
        }
        int status;
        waitpid(child, &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    done = 1;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("children: %d of 100\n", good);
}

/* With a daemon that does not answer: the thread is cancelled while it waits. */
static void cancelled(void) {
    int before = next_descriptor();
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        void *value;
        pthread_create(&thread, NULL, in_thread, "cancelled");
        usleep(200000);
        pthread_cancel(thread);
        pthread_join(thread, &value);
    }
    printf("descriptors left: %d\n", next_descriptor() - before);
}

static void signals(void) {
    struct sigaction action = {.sa_handler = ignore}; /* without SA_RESTART */
    struct itimerval often = {{0, 200}, {0, 200}}, never = {0};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 200; i++) {
        char text[4096];
        if (strncmp(look_up(text, sizeof text), "10.88.0.2", 9)) printf("interrupted: %s\n", text);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    say("with signals");
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (argc > 2) name = argv[2];
    alarm(15);
    if (!strcmp(what, "plain")) say("plain");
    else if (!strcmp(what, "secure")) {
        printf("secure: %lu, user %u as %u\n", getauxval(AT_SECURE), getuid(), geteuid());
        say("found");
    }
    else if (!strcmp(what, "descriptors")) descriptors_used();
    else if (!strcmp(what, "closefrom")) {
        say("before");
        closefrom(3);
        say("after");
        printf("next descriptor: %d\n", next_descriptor());
    } else if (!strcmp(what, "standard streams")) {
        int out = fcntl(1, F_DUPFD, 10);
        close(0); close(1); close(2);
        char text[4096];
        look_up(text, sizeof text);
        dprintf(out, "without streams: %s\nnext descriptor: %d\n", text, next_descriptor());
        _exit(0);
    } else if (!strcmp(what, "small stack")) small_stack();
    else if (!strcmp(what, "smallest stack")) smallest_stack();
    else if (!strcmp(what, "fork")) fork_in_threads();
    else if (!strcmp(what, "cancelled")) cancelled();
    else if (!strcmp(what, "signals")) signals();
    else if (!strcmp(what, "chroot")) {
        say("before");
        if (chroot("/var/empty-root") || chdir("/")) { perror("chroot"); return 1; }
        say("after");
    } else return 2;
    return 0;
}
