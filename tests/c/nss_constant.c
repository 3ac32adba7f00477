/* A module that knows its answers: libnss_constant.so.2. What it costs to ask it is what the C library takes for itself.
 *
 * Of "name…" it has an address of each family, of "v4only…" one; there are no other names. */
#include <netdb.h>
#include <nss.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>

static const unsigned char v4[] = {192, 0, 2, 10}, v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 0x10};

static int is(const char *name, const char *start) { return !strncmp(name, start, strlen(start)); }

static enum nss_status none(int *error, int *h_error) {
    *error = ENOENT;
    *h_error = HOST_NOT_FOUND;
    return NSS_STATUS_NOTFOUND;
}

static struct gaih_addrtuple *put(struct gaih_addrtuple *at, char *name, int family, const void *address, size_t size) {
    at->next = NULL;
    at->name = name;
    at->family = family;
    at->scopeid = 0;
    memcpy(at->addr, address, size);
    return at;
}

enum nss_status _nss_constant_gethostbyname4_r(const char *name, struct gaih_addrtuple **found, char *buffer, size_t size, int *error,
                                               int *h_error, int32_t *ttl) {
    int two = is(name, "name");
    if (!two && !is(name, "v4only")) return none(error, h_error);
    size_t length = strlen(name) + 1, start = (length + 15) & ~(size_t)15;
    if (size < start + 2 * sizeof **found) { *error = ERANGE; *h_error = NETDB_INTERNAL; return NSS_STATUS_TRYAGAIN; }
    char *copy = memcpy(buffer, name, length);
    struct gaih_addrtuple *tuples = (void *)(buffer + start), *last = tuples;
    if (two) {
        put(tuples, copy, AF_INET6, v6, sizeof v6);
        last = put(tuples + 1, copy, AF_INET, v4, sizeof v4);
        tuples->next = last;
    } else put(tuples, copy, AF_INET, v4, sizeof v4);
    if (*found) **found = *tuples;
    else *found = tuples;
    if (ttl) *ttl = 0;
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_constant_gethostbyname3_r(const char *name, int family, struct hostent *host, char *buffer, size_t size, int *error,
                                               int *h_error, int32_t *ttl, char **canonical) {
    int inet = family == AF_INET;
    if (!is(name, "name") && !(inet && is(name, "v4only"))) return none(error, h_error);
    size_t length = strlen(name) + 1, start = (length + 15) & ~(size_t)15;
    if (size < start + 3 * sizeof(char *) + 16) { *error = ERANGE; *h_error = NETDB_INTERNAL; return NSS_STATUS_TRYAGAIN; }
    char **pointers = (void *)(buffer + start), *address = (char *)(pointers + 3);
    host->h_name = memcpy(buffer, name, length);
    host->h_addrtype = family;
    host->h_length = inet ? 4 : 16;
    pointers[0] = memcpy(address, inet ? v4 : v6, host->h_length);
    pointers[1] = pointers[2] = NULL;
    host->h_addr_list = pointers;
    host->h_aliases = pointers + 2;
    if (ttl) *ttl = 0;
    if (canonical) *canonical = host->h_name;
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_constant_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size, int *error,
                                               int *h_error) {
    return _nss_constant_gethostbyname3_r(name, family, host, buffer, size, error, h_error, NULL, NULL);
}
