/* Writes to a journal of its own and prints what comes there, a line for each: to be run on two libraries, and compared. /run is
 * the sandbox's.
 *   journal_probe GROUP */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include <systemd/sd-journal.h>

/* What the compiler warns of is asked for, too. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-zero-length"

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); fflush(stdout); } while (0)

static int journal = -1, streams = -1;

static int listen_at(const char *path, int type) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        strcpy(a.sun_path, path);
        unlink(path);
        if (bind(fd, (struct sockaddr *) &a, sizeof(a)) < 0 || (type == SOCK_STREAM && listen(fd, 9) < 0))
                exit(3);
        return fd;
}

static void open_journal(void) {
        mkdir("/run/systemd", 0755);
        mkdir("/run/systemd/journal", 0755);
        journal = listen_at("/run/systemd/journal/socket", SOCK_DGRAM);
        streams = listen_at("/run/systemd/journal/stdout", SOCK_STREAM);
}

/* Bytes as text; of many that are the same how many they are. */
static void print(const unsigned char *bytes, size_t n) {
        for (size_t i = 0; i < n;) {
                size_t same = 1;

                while (i + same < n && bytes[i + same] == bytes[i])
                        same++;
                if (same > 20)
                        printf("{%zu*%c}", same, bytes[i]);
                else
                        for (size_t k = 0; k < same; k++)
                                if (bytes[i] == '\n')
                                        printf("|");
                                else if (bytes[i] < ' ' || bytes[i] > '~')
                                        printf("\\%02x", bytes[i]);
                                else
                                        putchar(bytes[i]);
                i += same;
        }
        putchar('\n');
}

/* All that has come. */
static void got(void) {
        static unsigned char bytes[16 << 20];

        for (;;) {
                char control[CMSG_SPACE(sizeof(int))];
                struct iovec to = { bytes, sizeof(bytes) };
                struct msghdr m = { .msg_iov = &to, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
                ssize_t n = recvmsg(journal, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
                struct cmsghdr *c;

                if (n < 0)
                        break;
                printf("  got %zd: ", n);
                c = CMSG_FIRSTHDR(&m);
                if (c && c->cmsg_type == SCM_RIGHTS) {
                        int fd;
                        struct stat st;
                        unsigned char *all;

                        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
                        fstat(fd, &st);
                        printf("a file of %zd, seals %x: ", (ssize_t) st.st_size, (unsigned) fcntl(fd, F_GET_SEALS) & 15);
                        all = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
                        if (all == MAP_FAILED)
                                exit(3);
                        print(all, st.st_size);
                        munmap(all, st.st_size);
                        close(fd);
                } else
                        print(bytes, n);
        }
        fflush(stdout);
}

#define SAID(call) do { INT(call); got(); } while (0)

static int printv(int priority, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = sd_journal_printv(priority, format, ap);
        va_end(ap);
        return r;
}

static void text(void) {
        char *large = malloc(3 * LINE_MAX);

        memset(large, 'x', 3 * LINE_MAX);
        large[3 * LINE_MAX - 1] = 0;
        SAID(sd_journal_print(LOG_INFO, "plain %d", 7));
        SAID(printv(LOG_INFO, "%s %s", "from", "elsewhere"));
        SAID(sd_journal_print(LOG_EMERG, "  spaces \t\r\n \n"));
        SAID(sd_journal_print(LOG_DEBUG, " \n"));
        SAID(sd_journal_print(LOG_DEBUG, "%s", ""));
        SAID(sd_journal_print(LOG_DEBUG, "two\nlines\n"));
        SAID(sd_journal_print(LOG_DEBUG, "a=b=c \xff\x01"));
        SAID(sd_journal_print(-1, "x"));
        SAID(sd_journal_print(8, "x"));
        SAID(sd_journal_print(LOG_USER | LOG_INFO, "x"));
        SAID(sd_journal_print(LOG_INFO, NULL));
        SAID(sd_journal_print(LOG_INFO, "%s", large));
        SAID(sd_journal_print_with_location(3, "CODE_FILE=f.c", "CODE_LINE=12", "fn", "text"));
        SAID(sd_journal_print_with_location(3, "FILE", "CODE_LINE=12", "fn", "text"));
        SAID(sd_journal_print_with_location(3, "X=", "LINE=", "", "text"));
        SAID(sd_journal_print_with_location(3, "X=a\nb", "LINE=1", "f\ng", "text"));
        errno = EBUSY;
        SAID(sd_journal_print(LOG_INFO, "%m"));
        errno = ENOENT;
        sd_journal_print(LOG_INFO, "x");
        INT(errno);
        got();
        free(large);
}

static void fields(void) {
        char many[600][8];
        struct iovec v[600];

        SAID(sd_journal_send("MESSAGE=%s", "text", "PRIORITY=%i", 5, NULL));
        SAID(sd_journal_send("MESSAGE=a  \n", "OTHER= \t", "BINARY=x\ny\n", NULL));
        SAID(sd_journal_send("A=%d %ld %lld %hd %hhd %zu %jd %td %c %lc", 1, 2L, 3LL, 4, 5, (size_t) 6, (intmax_t) 7, (ptrdiff_t) 8, 'c',
                             (wint_t) 'w', "B=%f %g %Lf %e %a", 1.5, 2.5, 3.5L, 4.5, 0.5, "C=%s %ls %p %%", "s", L"wide",
                             (void *) 16, "D=%*d %-*.*f|", 5, 42, 8, 2, 3.14159, "E=%2$s %1$s", "one", "two", "F=%x %o %u %X", 255, 8,
                             9u, 255u, "G=end", NULL));
        errno = EBUSY;
        SAID(sd_journal_send("A=%m", "B=%d %m", 1, NULL));
        SAID(sd_journal_send("no field", NULL));
        SAID(sd_journal_send("MESSAGE=x", "=x", NULL));
        SAID(sd_journal_send("A\nB=x", NULL));
        SAID(sd_journal_send("a b=lower", "_X=trusted", "1=digit", NULL));
        SAID(sd_journal_send("X=", NULL));
        SAID(sd_journal_send("X=\n", NULL));
        SAID(sd_journal_send("=", NULL));
        SAID(sd_journal_send("", NULL));
        SAID(sd_journal_send("SYSLOG_IDENTIFIER=own", "MESSAGE=x", NULL));
        SAID(sd_journal_send("SYSLOG_IDENTIFIERX=own", "MESSAGE=x", NULL));
        SAID(sd_journal_send("XSYSLOG_IDENTIFIER=own", "MESSAGE=x", NULL));
        SAID(sd_journal_send_with_location("CODE_FILE=f.c", "CODE_LINE=12", "fn", "MESSAGE=%s", "x", "A=b", NULL));
        SAID(sd_journal_send_with_location("CODE_FILE", "CODE_LINE=12", "fn", "MESSAGE=%s", "x", NULL));

        v[0] = (struct iovec) { "MESSAGE=x \n", 11 };
        v[1] = (struct iovec) { "BIN=\0\1\377\n\0", 9 };
        v[2] = (struct iovec) { "ZERO=a\0b", 8 };
        SAID(sd_journal_sendv(v, 3));
        SAID(sd_journal_sendv(v, 0));
        SAID(sd_journal_sendv(v, -1));
        SAID(sd_journal_sendv(NULL, 0));
        SAID(sd_journal_sendv(NULL, 1));
        SAID(sd_journal_sendv_with_location("CODE_FILE=f.c", "CODE_LINE=12", "fn", v, 2));
        SAID(sd_journal_sendv_with_location("CODE_FILE=f.c", "CODE_LINE=12", "fn", v, 0));
        SAID(sd_journal_sendv_with_location("CODE_FILE=f.c", "CODE_LINE=12", "fn", v, -1));
        SAID(sd_journal_sendv_with_location("CODE_FILE=f.c", "CODE_LINE=12", "fn", NULL, 0));
        v[1] = (struct iovec) { "A", 1 };
        SAID(sd_journal_sendv(v, 2));
        v[1] = (struct iovec) { NULL, 9 };
        SAID(sd_journal_sendv(v, 2));
        v[1] = (struct iovec) { "A=", 0 };
        SAID(sd_journal_sendv(v, 2));
        v[1] = (struct iovec) { "A=b", 2 };
        SAID(sd_journal_sendv(v, 2));
        for (int i = 0; i < 600; i++) {
                snprintf(many[i], sizeof(many[i]), "A=%d", i);
                v[i] = (struct iovec) { many[i], strlen(many[i]) };
        }
        SAID(sd_journal_sendv(v, 33));
        SAID(sd_journal_sendv(v, 100));
        program_invocation_short_name = "bad\nname";
        SAID(sd_journal_print(LOG_INFO, "x"));
        program_invocation_short_name = "a \"quoted\" name";
        SAID(sd_journal_print(LOG_INFO, "x"));
        program_invocation_short_name = "a b\xc3\xa4";
        SAID(sd_journal_print(LOG_INFO, "x"));
}

/* More than one call of sendmsg(2) takes. */
static void many(void) {
        static char texts[2000][16];
        static struct iovec v[2000];

        for (int i = 0; i < 2000; i++) {
                snprintf(texts[i], sizeof(texts[i]), "A%d=%d", i, i);
                v[i] = (struct iovec) { texts[i], strlen(texts[i]) };
        }
        SAID(sd_journal_sendv(v, 2000));
}

#undef sd_journal_perror
#undef sd_journal_print
#undef sd_journal_send
#undef sd_journal_sendv

/* Without the macros. */
static void without(void) {
        struct iovec v = { "MESSAGE=x", 9 };

        SAID(sd_journal_print(LOG_INFO, "%s", "x"));
        SAID(sd_journal_send("MESSAGE=%d", 1, "B=c", NULL));
        SAID(sd_journal_sendv(&v, 1));
        SAID(sd_journal_sendv(NULL, 1));
        SAID(sd_journal_sendv(&v, 0));
        SAID(sd_journal_send(NULL));
        SAID(sd_journal_print(LOG_INFO, NULL));
        for (int i = 0; i < 3; i++) {
                const char *message = (const char *[]) { "what", "", NULL }[i];

                errno = EACCES;
                SAID(sd_journal_perror(message));
                errno = EACCES;
                SAID(sd_journal_perror_with_location("CODE_FILE=f.c", "CODE_LINE=12", "fn", message));
        }
        errno = 12345;
        SAID(sd_journal_perror("what"));
        errno = 0;
        SAID(sd_journal_perror("what"));
        errno = EACCES;
        sd_journal_perror("what");
        INT(errno);
        got();
}

static void big(void) {
        size_t sizes[] = { 100000, 200000, 300000, 1 << 20, 20 << 20 };

        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                char *bytes = malloc(sizes[i]);
                struct iovec v[2] = { { bytes, sizes[i] }, { "MESSAGE=x", 9 } };

                memset(bytes, 'x', sizes[i]);
                memcpy(bytes, "BIG=", 4);
                SAID(sd_journal_sendv(v, 2));
                bytes[1000] = '\n';
                SAID(sd_journal_sendv(v, 2));
                free(bytes);
        }
}

static void stream(const char *name, int priority, int prefixes) {
        char bytes[1000];
        int fd = sd_journal_stream_fd(name, priority, prefixes), peer;
        ssize_t n;

        printf("%s %d %d: %d %s\n", name ?: "null", priority, prefixes, fd >= 0, error(fd));
        if (fd < 0)
                return;
        printf("  %x %x\n", (unsigned) fcntl(fd, F_GETFL), (unsigned) fcntl(fd, F_GETFD));
        dprintf(fd, "a line\n");
        close(fd);
        peer = accept(streams, NULL, NULL);
        while ((n = read(peer, bytes, sizeof(bytes))) > 0)
                print((unsigned char *) bytes, n);
        close(peer);
}

static void all_streams(void) {
        stream("name", LOG_INFO, 0);
        stream("name", LOG_EMERG, 5);
        stream("", LOG_DEBUG, 1);
        stream(NULL, LOG_DEBUG, 1);
        stream("name", 8, 1);
        stream("name", -1, 1);
}

static void nobody(void) {
        unlink("/run/systemd/journal/socket");
        unlink("/run/systemd/journal/stdout");
        INT(sd_journal_print(LOG_INFO, "x"));
        INT(sd_journal_send("MESSAGE=x", NULL));
        INT(sd_journal_send("MESSAGE", NULL));
        INT(sd_journal_perror("x"));
        INT(sd_journal_stream_fd("x", 1, 1));
        open_journal();
        close(journal);
        close(streams);
        /* Its socket was left behind. */
        INT(sd_journal_print(LOG_INFO, "x"));
        INT(sd_journal_stream_fd("x", 1, 1));
}

/* Which numbers are descriptors. */
static void open_numbers(char is_open[99]) {
        for (int fd = 0; fd < 99; fd++)
                is_open[fd] = fcntl(fd, F_GETFD) >= 0;
}

/* The descriptor that has come since; they are to be one. */
static int come(const char before[99]) {
        char now[99];
        int found = -1, count = 0;

        open_numbers(now);
        for (int fd = 0; fd < 99; fd++)
                if (now[fd] && !before[fd]) {
                        found = fd;
                        count++;
                }
        printf("come: %d\n", count);
        return found;
}

static void ended(pid_t child) {
        int status;

        waitpid(child, &status, 0);
        printf("ended with %d\n", status);
        fflush(stdout);
}

/* Its socket is one for all entries, also of a child, of who is in another root, and of a journal that is another then. */
static void kept(void) {
        char before[99];
        pid_t child;
        int fd;

        open_numbers(before);
        SAID(sd_journal_sendv(&(struct iovec) { "X", 1 }, 1));
        come(before);
        for (int i = 0; i < 40; i++) {
                sd_journal_send("MESSAGE=%d", i, NULL);
                got();
        }
        fd = come(before);
        printf("above: %d, flags: %d\n", fd > 2, fcntl(fd, F_GETFD));
        fflush(stdout);
        child = fork();
        if (child == 0)
                _exit(-sd_journal_send("MESSAGE=child", NULL));
        ended(child);
        got();
        SAID(sd_journal_send("MESSAGE=parent", NULL));
        close(journal);
        SAID(sd_journal_send("MESSAGE=nobody", NULL));
        journal = listen_at("/run/systemd/journal/socket", SOCK_DGRAM);
        SAID(sd_journal_send("MESSAGE=another", NULL));
        come(before);
        fflush(stdout);
        mkdir("/tmp/empty", 0755);
        child = fork();
        if (child == 0)
                _exit(chroot("/tmp/empty") ? 99 : -sd_journal_send("MESSAGE=elsewhere", NULL));
        ended(child);
        got();
}

static void *sender(void *barrier) {
        pthread_barrier_wait(barrier);
        for (long i = 0; i < 100; i++)
                if (sd_journal_print(LOG_INFO, "x"))
                        return (void *) 1;
        return NULL;
}

/* What has been written to a socket's other end. */
static int stray(int fd) {
        char bytes[1000];

        return recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

/* The original writes to whatever has the number of its socket then, or fails. */
static void taken(void) {
        char before[99], byte;
        int fd, pair[2], file;
        pid_t child;

        open_numbers(before);
        SAID(sd_journal_send("MESSAGE=first", NULL));
        fd = come(before);
        close(fd);
        SAID(sd_journal_send("MESSAGE=closed", NULL));
        fd = come(before);
        for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
                socketpair(AF_UNIX, type, 0, pair);
                dup2(pair[0], fd);
                SAID(sd_journal_send("MESSAGE=a socket", NULL));
                printf("stray: %d, open: %d\n", stray(pair[1]), fcntl(fd, F_GETFD));
                close(pair[0]);
                close(pair[1]);
                close(fd);
                fd = come(before);
        }
        /* Even one of the same kind. */
        dup2(socket(AF_UNIX, SOCK_DGRAM, 0), fd);
        SAID(sd_journal_send("MESSAGE=the same kind", NULL));
        close(fd);
        file = memfd_create("file", 0);
        fd = come(before);
        dup2(file, fd);
        SAID(sd_journal_send("MESSAGE=a file", NULL));
        printf("size: %d\n", (int) lseek(file, 0, SEEK_END));
        fflush(stdout);

        /* Without standard streams, whose numbers stay free. */
        child = fork();
        if (child == 0) {
                closefrom(0);
                if (sd_journal_send("MESSAGE=daemon", NULL) || fcntl(0, F_GETFD) >= 0 || fcntl(1, F_GETFD) >= 0)
                        _exit(1);
                _exit(fcntl(2, F_GETFD) >= 0);
        }
        ended(child);
        got();

        /* Who closes it again and again has one for each entry in the end. */
        open_numbers(before);
        for (int i = 0; i < 40; i++) {
                closefrom(journal + 2);
                open_numbers(before);
                if (sd_journal_send("MESSAGE=x", NULL) || recv(journal, &byte, 1, 0) != 1)
                        printf("%d: lost\n", i);
        }
        come(before);
}

/* Threads that are the first, all at once. */
static void threads(void) {
        char before[99], byte;
        pthread_barrier_t barrier;
        pthread_t all[8];

        open_numbers(before);
        pthread_barrier_init(&barrier, NULL, 8);
        for (int i = 0; i < 8; i++)
                pthread_create(&all[i], NULL, sender, &barrier);
        for (int i = 0; i < 800; i++)
                recv(journal, &byte, 1, 0);
        for (int i = 0; i < 8; i++) {
                void *answer;

                pthread_join(all[i], &answer);
                printf("failed: %d\n", answer != NULL);
        }
        come(before);
}

/* What the original has not, and no program that runs on it may want. */
static void namespaces(void) {
        int (*stream)(const char *, const char *, int, int) = dlsym(RTLD_DEFAULT, "sd_journal_stream_fd_with_namespace");
        char bytes[1000];
        int fd, peer;

        mkdir("/run/systemd/journal.one", 0755);
        streams = listen_at("/run/systemd/journal.one/stdout", SOCK_STREAM);
        INT(stream("two", "x", 1, 1));
        INT(stream("../x", "x", 1, 1));
        INT(stream("", "x", 1, 1));
        INT(stream("one", "x", 8, 1));
        fd = stream("one", "x", 1, 1);
        printf("%d\n", fd >= 0);
        close(fd);
        peer = accept(streams, NULL, NULL);
        print((unsigned char *) bytes, read(peer, bytes, sizeof(bytes)));
}

int main(int argc, char *argv[]) {
        const char *group = argc > 1 ? argv[1] : "";

        program_invocation_short_name = "probe";
        if (strcmp(group, "nobody") == 0) {
                nobody();
                return 0;
        }
        open_journal();
        if (strcmp(group, "text") == 0)
                text();
        else if (strcmp(group, "fields") == 0)
                fields();
        else if (strcmp(group, "many") == 0)
                many();
        else if (strcmp(group, "without") == 0)
                without();
        else if (strcmp(group, "big") == 0)
                big();
        else if (strcmp(group, "streams") == 0)
                all_streams();
        else if (strcmp(group, "kept") == 0)
                kept();
        else if (strcmp(group, "taken") == 0)
                taken();
        else if (strcmp(group, "threads") == 0)
                threads();
        else if (strcmp(group, "namespaces") == 0)
                namespaces();
        else
                return 2;
        return 0;
}
