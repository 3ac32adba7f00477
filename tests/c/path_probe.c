/* Prints the paths that sd-path knows, a line for each: to be run on two libraries, and compared.
 *   path_probe FIRST LAST [SUFFIX]    all in numbers */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-path.h>

static const char *error(int r) {
        return r < 0 ? strerrorname_np(-r) ?: "?" : "";
}

int main(int argc, char *argv[]) {
        const char *suffix = argc > 3 ? argv[3] : NULL;

        if (argc < 3)
                return 2;
        for (uint64_t type = strtoull(argv[1], NULL, 10); type <= strtoull(argv[2], NULL, 10); type++) {
                char *path = NULL, **paths = NULL;
                int r = sd_path_lookup(type, suffix, &path);

                printf("%" PRIu64 ": %d %s %s\n", type, r, error(r), path ?: "null");
                free(path);
                r = sd_path_lookup_strv(type, suffix, &paths);
                printf("%" PRIu64 " by parts: %d %s", type, r, error(r));
                for (char **p = paths; p && *p; p++) {
                        printf(" %s", *p);
                        free(*p);
                }
                printf("\n");
                free(paths);
        }
        printf("null: %s", error(sd_path_lookup(0, suffix, NULL)));
        printf(" %s\n", error(sd_path_lookup_strv(0, suffix, NULL)));
        return 0;
}
