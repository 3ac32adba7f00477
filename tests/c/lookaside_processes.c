/* Asks what the map of resolved knows, in processes of all kinds, while resolved is stopped.
 *
 *     lookaside_processes CASE PID DIRECTORY
 *
 * PID is resolved's. This process asks until the answers are in the map, stops resolved, and has a child say what it finds. What that
 * says is worth something if this one, which has the map already, found everything there just before and just after: else the
 * status is 3, and it is to be done again. DIRECTORY has the program once more: as "setuid", which is root's, and "static". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <nss.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *const *arguments;

static enum nss_status (*by_name)(const char *, struct gaih_addrtuple **, char *, size_t, int *, int *, int32_t *);
static enum nss_status (*by_address)(const void *, socklen_t, int, struct hostent *, char *, size_t, int *, int *, int32_t *);

static void fail(const char *what) { perror(what); _exit(1); }

static void load_module(void) {
    void *library = dlopen("libnss_resolve.so.2", RTLD_NOW);
    if (!library) fail(dlerror());
    by_name = (typeof(by_name))dlsym(library, "_nss_resolve_gethostbyname4_r");
    by_address = (typeof(by_address))dlsym(library, "_nss_resolve_gethostbyaddr2_r");
}

static const char *status_name(enum nss_status status) {
    return status == NSS_STATUS_TRYAGAIN ? "TRYAGAIN" : status == NSS_STATUS_UNAVAIL ? "UNAVAIL"
         : status == NSS_STATUS_NOTFOUND ? "NOTFOUND" : "SUCCESS";
}

/* What the entry points of the module make of three questions: "right", or the status of the first that was not answered. Makes no
 * call of its own. */
static const char *module(void) {
    char buffer[1024];
    int error, h_error, families = 0;
    struct gaih_addrtuple *found = NULL;
    enum nss_status status = by_name("name.test", &found, buffer, sizeof buffer, &error, &h_error, NULL);
    if (status != NSS_STATUS_SUCCESS) return status_name(status);
    static const unsigned char v4[] = {192, 0, 2, 10}, v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 0x10};
    for (; found; found = found->next) {
        int inet = found->family == AF_INET;
        if (memcmp(found->addr, inet ? v4 : v6, inet ? 4 : 16)) return "a wrong address";
        families |= inet ? 1 : 2;
    }
    if (families != 3) return "not all addresses";
    found = NULL;
    status = by_name("nope.test", &found, buffer, sizeof buffer, &error, &h_error, NULL);
    if (status == NSS_STATUS_SUCCESS) return "a name that is none";
    if (status != NSS_STATUS_NOTFOUND || h_error != HOST_NOT_FOUND) return status_name(status);
    struct hostent host;
    status = by_address(v4, 4, AF_INET, &host, buffer, sizeof buffer, &error, &h_error, NULL);
    if (status != NSS_STATUS_SUCCESS) return status_name(status);
    return strcmp(host.h_name, "name.test") ? "a wrong name" : "right";
}

/* The same of the C library. One address of one family is all that it does not sort, for which it asks the kernel. */
static const char *libc(void) {
    struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    int error = getaddrinfo("name.test", NULL, &hints, &found);
    if (error) return error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
    struct sockaddr_in *address = (void *)found->ai_addr;
    int right = address->sin_addr.s_addr == inet_addr("192.0.2.10") && !found->ai_next;
    freeaddrinfo(found);
    return right ? "right" : "wrong";
}

static int is_right(const char *said) { return !strcmp(said, "right"); }

/* Without stdio, which may want memory. */
static void say(const char *what, const char *said) {
    char line[256];
    size_t length = 0;
    for (const char *part = what; *part; part++) line[length++] = *part;
    line[length++] = ':';
    line[length++] = ' ';
    for (const char *part = said; *part && length < sizeof line - 1; part++) line[length++] = *part;
    line[length++] = '\n';
    if (write(1, line, length) < 0) _exit(1);
}

static void say_both(void) {
    say("module", module());
    say("libc", libc());
}

/* Runs `body` in a child; how that ended, if not well. */
static void in_child(void (*body)(void)) {
    int status;
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) { body(); _exit(0); }
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    if (WIFSIGNALED(status)) say("ended by", strsignal(WTERMSIG(status)));
    else if (status) say("ended", "with an error");
}

/* Becomes the program anew, which then has no map yet. */
static void again(const char *file, const char *what) {
    execl(file, file, what, arguments[2], arguments[3], (char *)NULL);
    fail(file);
}

static void fresh(void) { again("/proc/self/exe", "fresh"); }

static void in_fresh_by_vfork(void) {
    int status;
    pid_t child = vfork();
    if (child == 0) { execl("/proc/self/exe", "again", "fresh", arguments[2], arguments[3], (char *)NULL); _exit(1); }
    waitpid(child, &status, 0);
    if (status) say("ended", "with an error");
}

static volatile int done;

static void *ask_for_ever(void *unused) {
    (void)unused;
    while (!done)
        if (!is_right(module())) _exit(1);
    return NULL;
}

/* By the module alone: getaddrinfo may wait for ever in such a child, for a lock that fork(2) caught locked. */
static void fork_in_threads(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, ask_for_ever, NULL)) fail("pthread_create");
    int right = 0, status;
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) { alarm(5); _exit(!is_right(module())); }
        if (waitpid(child, &status, 0) == child && status == 0) right++;
    }
    done = 1;
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    say("all children", right == 50 ? "right" : "not all right");
}

static void *ask_often(void *wrong) {
    for (int i = 0; i < 1000; i++)
        if (!is_right(module())) return wrong;
    return is_right(libc()) ? NULL : wrong;
}

static void small_stacks(void) {
    pthread_t threads[16];
    pthread_attr_t attributes;
    void *outcome;
    int right = 0;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, 64 * 1024)) fail("pthread_attr_setstacksize");
    for (int i = 0; i < 16; i++)
        if (pthread_create(&threads[i], &attributes, ask_often, "wrong")) fail("pthread_create");
    for (int i = 0; i < 16; i++)
        if (pthread_join(threads[i], &outcome) == 0 && !outcome) right++;
    say("16 threads", right == 16 ? "right" : "not all right");
}

static void become(uid_t user) {
    if (setgid(user) || setuid(user)) fail("setuid");
}

static void nobody(void) { become(65534); say_both(); }
static void fresh_nobody(void) { become(65534); fresh(); }
static void setuid_program(void) {
    char file[256];
    become(1000);
    snprintf(file, sizeof file, "%s/setuid", arguments[3]);
    again(file, "fresh");
}

static void static_program(void) {
    char file[256];
    snprintf(file, sizeof file, "%s/static", arguments[3]);
    again(file, "libc");
}

static void enter_root(void) {
    if (chroot("/var/empty-root") || chdir("/")) fail("chroot");
}

static void root(void) { enter_root(); say_both(); }
static void fresh_root(void) { again("/proc/self/exe", "new in a chroot"); }

/* A user namespace in which the machine's root is nobody; its own is user 100000. */
static void enter_namespace(void) {
    int go[2];
    if (pipe(go)) fail("pipe");
    pid_t me = getpid(), outside = fork();
    if (outside == 0) {
        char byte, path[64];
        if (read(go[0], &byte, 1) != 1) _exit(1);
        for (int i = 0; i < 2; i++) {
            snprintf(path, sizeof path, "/proc/%d/%cid_map", me, "ug"[i]);
            FILE *map = fopen(path, "w");
            if (!map || fputs("0 100000 1000", map) < 0 || fclose(map)) _exit(1);
        }
        _exit(0);
    }
    int status;
    if (unshare(CLONE_NEWUSER)) { say("no namespace", strerror(errno)); _exit(0); }
    if (write(go[1], "", 1) != 1 || waitpid(outside, &status, 0) != outside || status) fail("uid_map");
    if (setgid(0) || setuid(0)) fail("setuid");
    close(go[0]);
    close(go[1]);
    struct stat map;
    if (stat("/run/switchyard/resolve.map", &map)) fail("stat");
    say("owner", map.st_uid == 65534 ? "nobody" : "somebody");
}

static void namespace(void) { enter_namespace(); say_both(); }
static void fresh_in_namespace(void) { enter_namespace(); fresh(); }

static void strict(void) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)) fail("prctl");
    for (int i = 0; i < 1000; i++)
        if (!is_right(module())) syscall(SYS_exit, 1);
    say("module", module());
    syscall(SYS_exit, 0);
}

static void getpid_when_strict(void) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)) fail("prctl");
    syscall(SYS_getpid);
    say("the mode", "lets all pass");
}

/* The end of the process for all calls but these, or, with `deny`, for these alone. */
static void filter(const int *calls, int count, int deny) {
    struct sock_filter program[32] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    int length = 1;
    for (int i = 0; i < count; i++) {
        program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1);
        program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, deny ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ALLOW);
    }
    program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, deny ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
    struct sock_fprog fprog = {.len = length, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog)) fail("seccomp");
}

static const int ends[] = {SYS_write, SYS_exit, SYS_exit_group};

static void filtered(void) { filter(ends, 3, 0); say("module", module()); }
static void getpid_when_filtered(void) { filter(ends, 3, 0); syscall(SYS_getpid); say("the filter", "lets all pass"); }

static void without_files(void) {
    const int calls[] = {SYS_socket, SYS_connect, SYS_openat, SYS_mmap};
    filter(calls, 4, 1);
    say_both();
}

static void limit_descriptors(rlim_t most) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) fail("getrlimit");
    limit.rlim_cur = most;
    if (setrlimit(RLIMIT_NOFILE, &limit)) fail("setrlimit");
}

static void no_descriptors(void) { limit_descriptors(0); say_both(); }
static void fresh_without_descriptors(void) { again("/proc/self/exe", "new without descriptors"); }

/* A file is looked for once a second. */
static void new_without_descriptors(void) {
    limit_descriptors(0);
    say("with none", module());
    limit_descriptors(64);
    const char *said = module();
    for (int i = 0; i < 200 && !is_right(said); i++) {
        usleep(10000);
        said = module();
    }
    say("with some", said);
}

struct kind {
    const char *name;
    void (*children[2])(void);
    /* What is to be seen when resolved goes on. */
    void (*afterwards)(void);
};

static const struct kind kinds[] = {
    {"fork", {say_both}, NULL},
    {"fork in threads", {fork_in_threads}, NULL},
    {"vfork", {in_fresh_by_vfork}, NULL},
    {"exec", {fresh}, NULL},
    {"setuid", {nobody, fresh_nobody}, NULL},
    {"setuid program", {setuid_program}, NULL},
    {"static program", {static_program}, NULL},
    {"chroot", {root, fresh_root}, NULL},
    {"user namespace", {namespace, fresh_in_namespace}, fresh_in_namespace},
    {"seccomp strict", {strict, getpid_when_strict}, NULL},
    {"seccomp filter", {filtered, getpid_when_filtered}, NULL},
    {"without files", {without_files}, NULL},
    {"descriptors", {no_descriptors, fresh_without_descriptors}, NULL},
    {"small stacks", {small_stacks}, NULL},
};

static int is_stopped(pid_t pid) {
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) fail(path);
    fclose(file);
    return state == 'T';
}

static int run(const struct kind *kind, pid_t resolved) {
    load_module();
    /* The first asks the name server, the second the cache, which the map learns from. */
    for (int i = 0; i < 3; i++)
        if (!is_right(module()) || !is_right(libc())) return 3;
    if (kill(resolved, SIGSTOP)) fail("kill");
    while (!is_stopped(resolved)) usleep(1000);
    int knows = is_right(module()) && is_right(libc());
    for (int i = 0; i < 2 && knows && kind->children[i]; i++) in_child(kind->children[i]);
    knows = knows && is_right(module()) && is_right(libc());
    if (kill(resolved, SIGCONT)) fail("kill");
    if (knows && kind->afterwards) in_child(kind->afterwards);
    return knows ? 0 : 3;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    arguments = argv;
    alarm(30);
    if (!strcmp(argv[1], "libc")) { say("libc", libc()); return 0; }
    if (!strcmp(argv[1], "fresh")) {
        if (getauxval(AT_SECURE)) say("secure", geteuid() == 0 && getuid() == 1000 ? "root by user 1000" : "somebody");
        load_module();
        say_both();
        return 0;
    }
    if (!strcmp(argv[1], "new in a chroot")) { load_module(); enter_root(); say("module", module()); return 0; }
    if (!strcmp(argv[1], "new without descriptors")) { load_module(); new_without_descriptors(); return 0; }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(argv[1], kinds[i].name)) return run(&kinds[i], atoi(argv[2]));
    return 2;
}
