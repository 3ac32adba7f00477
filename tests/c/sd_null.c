/* Calls each function of a library whose name it reads, with null for everything, in a process of its own.
 * Prints those that ended the process.
 *   sd_null LIBRARY <NAMES */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef long (*function)(void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *);

int main(int argc, char **argv) {
        void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
        char name[128];
        int called = 0;

        if (!library) {
                fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "no library");
                return 2;
        }
        while (fgets(name, sizeof(name), stdin)) {
                function f;
                int status;

                name[strcspn(name, "\n")] = 0;
                *(void **) &f = dlsym(library, name);
                if (!f) {
                        printf("%s is missing\n", name);
                        continue;
                }
                if (fork() == 0) {
                        alarm(30);
                        f(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
                        _exit(0);
                }
                wait(&status);
                called++;
                if (status != 0)
                        printf("%s ended with %x\n", name, status);
        }
        printf("called %d\n", called);
        return 0;
}
