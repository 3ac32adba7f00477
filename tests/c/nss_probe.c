/* Calls one entry point of one NSS module, ours or another, as glibc would, and says what came of it.
 *
 *     nss_probe [-b SIZE] [-o OFFSET] [-n COUNT] [-g] MODULE SERVICE FUNCTION ARGUMENT
 *
 * MODULE is what dlopen(3) takes. FUNCTION is 1, 2, 3 or 4 (gethostbyname_r to 4_r), with -6 after 2 or 3 for AF_INET6
 * (2-6), addr, addr2, pwnam, pwuid, grnam or grgid. The buffer grows as long as the module asks for it, unless -b gives its
 * size; it begins OFFSET bytes beyond an aligned address and ends where an unmapped page begins. With -n the call is made
 * COUNT times, and the descriptors, the resident memory and the median time are said, too. -g fills *pat beforehand.
 *
 * One line of output: STATUS errno=N h_errno=N, and for an answer its fields in the order of the C structures. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct call {
    void *function;
    const char *kind, *argument;
    int family, given;
    char *buffer;
    size_t size;
    /* What came of it. */
    int error, h_error, kept_errno;
    int32_t ttl;
    struct gaih_addrtuple *tuples, first;
    struct hostent host;
    struct passwd user;
    struct group group;
    char *canonical;
};

static void die(const char *what) { fprintf(stderr, "nss_probe: %s\n", what); exit(2); }

static enum nss_status once(struct call *c) {
    unsigned char address[16];
    socklen_t length = c->family == AF_INET6 ? 16 : 4;
    c->error = c->h_error = 0;
    c->ttl = -1;
    c->canonical = NULL;
    memset(&c->first, 0x55, sizeof c->first);
    c->tuples = c->given ? &c->first : NULL;
    errno = 4242; /* a module must leave errno alone */
    enum nss_status status;
    if (!strcmp(c->kind, "4")) {
        enum nss_status (*f)(const char *, struct gaih_addrtuple **, char *, size_t, int *, int *, int32_t *) = c->function;
        status = f(c->argument, &c->tuples, c->buffer, c->size, &c->error, &c->h_error, &c->ttl);
    } else if (!strcmp(c->kind, "3")) {
        enum nss_status (*f)(const char *, int, struct hostent *, char *, size_t, int *, int *, int32_t *, char **) = c->function;
        status = f(c->argument, c->family, &c->host, c->buffer, c->size, &c->error, &c->h_error, &c->ttl, &c->canonical);
    } else if (!strcmp(c->kind, "2")) {
        enum nss_status (*f)(const char *, int, struct hostent *, char *, size_t, int *, int *) = c->function;
        status = f(c->argument, c->family, &c->host, c->buffer, c->size, &c->error, &c->h_error);
    } else if (!strcmp(c->kind, "1")) {
        enum nss_status (*f)(const char *, struct hostent *, char *, size_t, int *, int *) = c->function;
        status = f(c->argument, &c->host, c->buffer, c->size, &c->error, &c->h_error);
    } else if (!strncmp(c->kind, "addr", 4)) {
        if (inet_pton(c->family, c->argument, address) != 1) die("no address");
        enum nss_status (*f)(const void *, socklen_t, int, struct hostent *, char *, size_t, int *, int *, int32_t *) = c->function;
        enum nss_status (*g)(const void *, socklen_t, int, struct hostent *, char *, size_t, int *, int *) = c->function;
        status = c->kind[4] ? f(address, length, c->family, &c->host, c->buffer, c->size, &c->error, &c->h_error, &c->ttl)
                            : g(address, length, c->family, &c->host, c->buffer, c->size, &c->error, &c->h_error);
    } else {
        enum nss_status (*name)(const char *, void *, char *, size_t, int *) = c->function;
        enum nss_status (*id)(uint32_t, void *, char *, size_t, int *) = c->function;
        void *result = c->kind[0] == 'p' ? (void *)&c->user : &c->group;
        status = strstr(c->kind, "nam") ? name(c->argument, result, c->buffer, c->size, &c->error)
                                        : id(strtoul(c->argument, NULL, 10), result, c->buffer, c->size, &c->error);
    }
    c->kept_errno = errno == 4242;
    return status;
}

static int inside(const struct call *c, const void *pointer, size_t size) {
    return (const char *)pointer >= c->buffer && (const char *)pointer + size <= c->buffer + c->size;
}

static void print_address(const struct call *c, int family, const void *address) {
    char text[INET6_ADDRSTRLEN];
    printf(" %s%s", inet_ntop(family, address, text, sizeof text), inside(c, address, family == AF_INET ? 4 : 16) ? "" : "(outside)");
}

static void print_answer(const struct call *c) {
    if (!strcmp(c->kind, "4")) {
        printf(" ttl=%d name=%s", c->ttl, c->tuples->name);
        for (struct gaih_addrtuple *t = c->tuples; t; t = t->next) {
            char text[INET6_ADDRSTRLEN];
            if ((uintptr_t)t % _Alignof(struct gaih_addrtuple)) printf(" (misaligned)");
            if (t != &c->first && !inside(c, t, sizeof *t)) printf(" (outside)");
            printf(" %s", inet_ntop(t->family, t->addr, text, sizeof text));
            if (t->scopeid) printf("%%%u", t->scopeid);
        }
    } else if (c->kind[0] == 'p') {
        const struct passwd *p = &c->user;
        printf(" %s:%s:%u:%u:%s:%s:%s", p->pw_name, p->pw_passwd, p->pw_uid, p->pw_gid, p->pw_gecos, p->pw_dir, p->pw_shell);
    } else if (c->kind[0] == 'g') {
        printf(" %s:%s:%u:", c->group.gr_name, c->group.gr_passwd, c->group.gr_gid);
        for (char **member = c->group.gr_mem; *member; member++) printf("%s,", *member);
    } else {
        const struct hostent *h = &c->host;
        if ((uintptr_t)h->h_addr_list % sizeof(char *) || (uintptr_t)h->h_aliases % sizeof(char *)) printf(" (misaligned)");
        printf(" ttl=%d name=%s family=%d length=%d", c->ttl, h->h_name, h->h_addrtype, h->h_length);
        if (c->canonical) printf(" canonical=%s", c->canonical);
        for (char **alias = h->h_aliases; *alias; alias++) printf(" alias=%s", *alias);
        for (char **address = h->h_addr_list; *address; address++) print_address(c, h->h_addrtype, *address);
    }
}

static int descriptors(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) count++;
    closedir(dir);
    return count;
}

/* Counted page by page: the quick figure of statm may be off by a quarter of a megabyte. */
static long resident_kb(void) {
    char line[256];
    long kb = -1;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && kb < 0 && fgets(line, sizeof line, file)) sscanf(line, "Rss: %ld", &kb);
    if (kb < 0) die("smaps_rollup");
    fclose(file);
    return kb;
}

static int ascending(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* A buffer that ends where an unmapped page begins, at OFFSET beyond an aligned address. */
static char *map_buffer(size_t size, size_t offset) {
    size_t page = sysconf(_SC_PAGESIZE), whole = (size + 16 + 2 * page) / page * page;
    char *memory = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + whole, page, PROT_NONE)) die("mmap");
    char *buffer = memory + whole - size;
    while ((uintptr_t)buffer % 16 != offset) buffer--;
    memset(memory, 0xAA, whole);
    return buffer;
}

int main(int argc, char **argv) {
    size_t size = 0, offset = 0;
    int count = 1, option;
    struct call c = {.family = AF_INET};
    while ((option = getopt(argc, argv, "b:o:n:g")) != -1)
        switch (option) {
        case 'b': size = strtoul(optarg, NULL, 10) + 1; break;
        case 'o': offset = strtoul(optarg, NULL, 10); break;
        case 'n': count = atoi(optarg); break;
        case 'g': c.given = 1; break;
        default: return 2;
        }
    if (argc - optind != 4) die("usage: nss_probe [-b SIZE] [-o OFFSET] [-n COUNT] [-g] MODULE SERVICE FUNCTION ARGUMENT");
    char **arg = argv + optind, kind[16], symbol[128];
    snprintf(kind, sizeof kind, "%s", arg[2]);
    if (strstr(kind, "-6")) { *strstr(kind, "-6") = 0; c.family = AF_INET6; }
    if (strchr(arg[3], ':') && !strncmp(kind, "addr", 4)) c.family = AF_INET6;
    if (kind[0] >= '1' && kind[0] <= '4') snprintf(symbol, sizeof symbol, "_nss_%s_gethostbyname%s_r", arg[1], kind[0] == '1' ? "" : kind);
    else snprintf(symbol, sizeof symbol, "_nss_%s_get%s%s_r", arg[1], kind[0] == 'a' ? "hostby" : "", kind);
    double before = now_us();
    void *module = dlopen(arg[0], RTLD_NOW);
    if (!module) die(dlerror());
    double opened = now_us() - before;
    if (!(c.function = dlsym(module, symbol))) die(dlerror());
    c.kind = kind;
    c.argument = arg[3];

    c.size = size ? size - 1 : 1024;
    c.buffer = map_buffer(c.size, offset);
    double *times = malloc(count * sizeof *times);
    for (int i = 0; i < count; i++) times[i] = 1; /* resident from now on */
    enum nss_status status = once(&c); /* one to warm up, and to find the size */
    while (!size && status == NSS_STATUS_TRYAGAIN && c.error == ERANGE) {
        c.size *= 2;
        c.buffer = map_buffer(c.size, offset);
        status = once(&c);
    }
    resident_kb(); /* what it takes itself */
    int fds = descriptors();
    long resident = resident_kb();
    for (int i = 0; i < count && count > 1; i++) {
        before = now_us();
        status = once(&c);
        times[i] = now_us() - before;
    }
    fds = descriptors() - fds;
    resident = resident_kb() - resident;
    const char *names[] = {"TRYAGAIN", "UNAVAIL", "NOTFOUND", "SUCCESS"};
    printf("%s errno=%d h_errno=%d%s", names[status + 2], c.error, c.h_error, c.kept_errno ? "" : " (errno changed)");
    if (status == NSS_STATUS_SUCCESS) print_answer(&c);
    if (count > 1) {
        qsort(times, count, sizeof *times, ascending);
        printf("\nfds=%+d kb=%+ld dlopen=%.0fus median=%.2fus", fds, resident, opened, times[count / 2]);
    }
    putchar('\n');
    return 0;
}
