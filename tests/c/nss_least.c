/* The least that can be loaded as a module: libnss_least.so.2. It needs nothing of the C library, has no relocations and, by nss_least.ld,
 * no page that is written. Its one answer is an address of IPv6 for whatever name. */
#include <netdb.h>
#include <nss.h>
#include <sys/socket.h>

static const unsigned char address[16] = {0x20, 1, 0x0d, 0xb8, [15] = 0x10};

enum nss_status _nss_least_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size, int *error,
                                            int *h_error) {
    char **pointers = (void *)(((unsigned long)buffer + 15) & ~15ul), *copy = (char *)(pointers + 4);
    if (family != AF_INET6 || size < 128) { *error = 0; *h_error = NO_DATA; return NSS_STATUS_NOTFOUND; }
    for (volatile int i = 0; i < 16; i++) copy[i] = address[i];
    pointers[0] = copy;
    pointers[1] = pointers[2] = 0;
    *host = (struct hostent){.h_name = (char *)name, .h_aliases = pointers + 2, .h_addrtype = family, .h_length = 16, .h_addr_list = pointers};
    return NSS_STATUS_SUCCESS;
}
