/* Waits for memory to be short, by files and sockets of its own: prints what happens, a line for each. In the folder /tmp/pressure.
 *   pressure_probe GROUP */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#pragma GCC diagnostic ignored "-Wunused-result"

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

#define INT(call) do { int r_ = (call); printf("%s = %d %s\n", #call, r_, error(r_)); fflush(stdout); } while (0)

static int told(sd_event_source *s, void *userdata) {
        (void) s;
        printf("told: %s\n", (const char *) userdata);
        return 0;
}

static int other(sd_event_source *s, void *userdata) {
        (void) s, (void) userdata;
        return 0;
}

static void add(const char *watch, const char *write) {
        sd_event *e = NULL;
        sd_event_source *s = NULL;

        watch ? setenv("MEMORY_PRESSURE_WATCH", watch, 1) : unsetenv("MEMORY_PRESSURE_WATCH");
        write ? setenv("MEMORY_PRESSURE_WRITE", write, 1) : unsetenv("MEMORY_PRESSURE_WRITE");
        sd_event_new(&e);
        printf("-- %s %s\n", watch ?: "null", write ?: "null");
        INT(sd_event_add_memory_pressure(e, &s, told, "x"));
        if (s) {
                INT(sd_event_source_set_memory_pressure_type(s, "full"));
                INT(sd_event_source_set_memory_pressure_period(s, 1, 2));
        }
        s = sd_event_source_unref(s);
        e = sd_event_unref(e);
}

static void errors(void) {
        sd_event *e = NULL;
        sd_event_source *s = NULL;
        const char *path;
        int enabled;

        sd_event_new(&e);
        add("/dev/null", NULL);
        add("relative", NULL);
        add("", NULL);
        add("/tmp/../tmp/pressure/fifo", NULL);
        add("/tmp/pressure/nothing", NULL);
        add("/tmp/pressure", NULL);
        add("/tmp/pressure/file", NULL);
        add("/tmp/pressure/fifo", "!!!");
        add("/tmp/pressure/fifo", "Zm9v");
        add("/tmp/pressure/fifo", NULL);
        add("/tmp/pressure/link", NULL);
        add("/tmp/pressure/dead", NULL);
        INT(sd_event_add_memory_pressure(NULL, &s, told, NULL));
        sd_event_add_defer(e, &s, other, NULL);
        INT(sd_event_source_set_memory_pressure_type(s, "full"));
        INT(sd_event_source_set_memory_pressure_period(s, 1, 2));
        INT(sd_event_source_get_inotify_path(s, &path));
        s = sd_event_source_unref(s);
        INT(sd_event_source_set_memory_pressure_type(NULL, "full"));
        INT(sd_event_source_set_memory_pressure_period(NULL, 1, 2));
        INT(sd_event_source_get_inotify_path(NULL, &path));
        setenv("MEMORY_PRESSURE_WATCH", "/tmp/pressure/fifo", 1);
        INT(sd_event_add_memory_pressure(e, &s, told, "x"));
        INT(sd_event_source_get_enabled(s, &enabled));
        printf("%d\n", enabled);
        s = sd_event_source_unref(s);
        INT(sd_event_trim_memory());
        INT(sd_event_exit(e, 0));
        INT(sd_event_loop(e));
        INT(sd_event_add_memory_pressure(e, &s, told, "x"));
        e = sd_event_unref(e);
}

static void by_fifo(void) {
        sd_event *e = NULL;
        sd_event_source *s = NULL;
        char bytes[100] = "";
        int fd, enabled;

        setenv("MEMORY_PRESSURE_WATCH", "/tmp/pressure/fifo", 1);
        setenv("MEMORY_PRESSURE_WRITE", "", 1);
        fd = open("/tmp/pressure/fifo", O_RDWR | O_NONBLOCK);
        sd_event_new(&e);
        INT(sd_event_add_memory_pressure(e, &s, told, "fifo"));
        INT(sd_event_run(e, 0));
        INT(write(fd, "x", 1));
        INT(sd_event_run(e, 1000000));
        INT(sd_event_run(e, 0));
        INT(write(fd, "x", 1));
        INT(write(fd, "x", 1));
        INT(sd_event_source_set_enabled(s, SD_EVENT_ONESHOT));
        INT(sd_event_run(e, 1000000));
        INT(sd_event_run(e, 0));
        INT(write(fd, "x", 1));
        INT(sd_event_run(e, 0));
        INT(sd_event_source_set_enabled(s, SD_EVENT_ON));
        INT(sd_event_run(e, 1000000));
        INT(sd_event_source_get_enabled(s, &enabled));
        s = sd_event_source_unref(s);
        INT(read(fd, bytes, 1));
        /* What is done if nobody says what. */
        INT(sd_event_add_memory_pressure(e, &s, NULL, NULL));
        INT(write(fd, "x", 1));
        INT(sd_event_run(e, 1000000));
        s = sd_event_source_unref(s);
        e = sd_event_unref(e);
        close(fd);
}

static void by_socket(void) {
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/tmp/pressure/socket" };
        int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd, enabled;
        char bytes[100] = "";
        sd_event *e = NULL;
        sd_event_source *s = NULL;

        unlink(a.sun_path);
        bind(listener, (struct sockaddr *) &a, sizeof(a));
        listen(listener, 3);
        setenv("MEMORY_PRESSURE_WATCH", a.sun_path, 1);
        setenv("MEMORY_PRESSURE_WRITE", "c29tZSAxIDIA", 1);
        sd_event_new(&e);
        INT(sd_event_add_memory_pressure(e, &s, told, "socket"));
        fd = accept(listener, NULL, NULL);
        INT(sd_event_source_set_memory_pressure_type(s, "full"));
        INT(sd_event_run(e, 0));
        INT(read(fd, bytes, sizeof(bytes)));
        printf("%s\n", bytes);
        INT(write(fd, "now", 3));
        INT(sd_event_run(e, 1000000));
        INT(sd_event_run(e, 0));
        close(fd);
        /* It has no more to tell, and the loop waits without it. */
        for (int n = 0; n < 3; n++)
                sd_event_run(e, 1000);
        INT(sd_event_source_get_enabled(s, &enabled));
        s = sd_event_source_unref(s);
        e = sd_event_unref(e);
        close(listener);
}

/* What is asked of the kernel, where it tells. */
static void by_kernel(void) {
        sd_event *e = NULL;
        sd_event_source *s = NULL;

        unsetenv("MEMORY_PRESSURE_WATCH");
        unsetenv("MEMORY_PRESSURE_WRITE");
        sd_event_new(&e);
        INT(sd_event_add_memory_pressure(e, &s, told, "kernel"));
        if (!s)
                return;
        INT(sd_event_source_set_memory_pressure_type(s, NULL));
        INT(sd_event_source_set_memory_pressure_type(s, "other"));
        INT(sd_event_source_set_memory_pressure_type(s, "some"));
        INT(sd_event_source_set_memory_pressure_type(s, "full"));
        INT(sd_event_source_set_memory_pressure_type(s, "full"));
        INT(sd_event_source_set_memory_pressure_period(s, 0, 2000000));
        INT(sd_event_source_set_memory_pressure_period(s, 1000, 0));
        INT(sd_event_source_set_memory_pressure_period(s, UINT64_MAX, 2000000));
        INT(sd_event_source_set_memory_pressure_period(s, 3000000, 2000000));
        INT(sd_event_source_set_memory_pressure_period(s, 500000, 2000000));
        INT(sd_event_source_set_memory_pressure_period(s, 500000, 2000000));
        INT(sd_event_run(e, 0));
        INT(sd_event_source_set_memory_pressure_type(s, "some"));
        INT(sd_event_source_set_memory_pressure_period(s, 500000, 2000000));
        s = sd_event_source_unref(s);
        e = sd_event_unref(e);
}

static int changed(sd_event_source *s, const struct inotify_event *event, void *userdata) {
        (void) s, (void) event, (void) userdata;
        return 0;
}

static void paths(void) {
        sd_event *e = NULL;
        sd_event_source *s = NULL;
        const char *path = NULL;

        sd_event_new(&e);
        chdir("/tmp");
        INT(sd_event_add_inotify(e, &s, "pressure/link", IN_MODIFY, changed, NULL));
        INT(sd_event_source_get_inotify_path(s, NULL));
        INT(sd_event_source_get_inotify_path(s, &path));
        printf("%s\n", path);
        s = sd_event_source_unref(s);
        INT(sd_event_add_inotify_fd(e, &s, open("/tmp/pressure", O_PATH), IN_CREATE, changed, NULL));
        INT(sd_event_source_get_inotify_path(s, &path));
        printf("%s\n", path);
        INT(sd_event_run(e, 0));
        INT(sd_event_source_get_inotify_path(s, &path));
        s = sd_event_source_unref(s);
        e = sd_event_unref(e);
}

int main(int argc, char *argv[]) {
        const char *group = argc > 1 ? argv[1] : "";

        signal(SIGPIPE, SIG_IGN);
        mkdir("/tmp/pressure", 0755);
        mkfifo("/tmp/pressure/fifo", 0600);
        close(open("/tmp/pressure/file", O_CREAT | O_WRONLY, 0600));
        symlink("fifo", "/tmp/pressure/link");
        symlink("nothing", "/tmp/pressure/dead");
        if (strcmp(group, "errors") == 0)
                errors();
        else if (strcmp(group, "fifo") == 0)
                by_fifo();
        else if (strcmp(group, "socket") == 0)
                by_socket();
        else if (strcmp(group, "kernel") == 0)
                by_kernel();
        else if (strcmp(group, "paths") == 0)
                paths();
        else
                return 2;
        return 0;
}
