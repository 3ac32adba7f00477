/* 128-bit ids, of machines, boots and runs of services: sd-id128(3). */
#ifndef SWITCHYARD_SD_ID128_H
#define SWITCHYARD_SD_ID128_H

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "_sd-common.h"

_SD_BEGIN_DECLARATIONS;

typedef union sd_id128 {
        uint8_t bytes[16];
        uint64_t qwords[2];
} sd_id128_t;

#define SD_ID128_STRING_MAX 33U
#define SD_ID128_UUID_STRING_MAX 37U

char *sd_id128_to_string(sd_id128_t id, char s[_SD_ARRAY_STATIC SD_ID128_STRING_MAX]);
char *sd_id128_to_uuid_string(sd_id128_t id, char s[_SD_ARRAY_STATIC SD_ID128_UUID_STRING_MAX]);
int sd_id128_from_string(const char *s, sd_id128_t *ret);
int sd_id128_string_equal(const char *s, sd_id128_t id);

int sd_id128_randomize(sd_id128_t *ret);
int sd_id128_get_machine(sd_id128_t *ret);
int sd_id128_get_boot(sd_id128_t *ret);
int sd_id128_get_invocation(sd_id128_t *ret);

int sd_id128_get_app_specific(sd_id128_t base, sd_id128_t app_id, sd_id128_t *ret);
int sd_id128_get_machine_app_specific(sd_id128_t app_id, sd_id128_t *ret);
int sd_id128_get_boot_app_specific(sd_id128_t app_id, sd_id128_t *ret);
int sd_id128_get_invocation_app_specific(sd_id128_t app_id, sd_id128_t *ret);

#define SD_ID128_TO_STRING(id) sd_id128_to_string((id), (char[SD_ID128_STRING_MAX]) {0})
#define SD_ID128_TO_UUID_STRING(id) sd_id128_to_uuid_string((id), (char[SD_ID128_UUID_STRING_MAX]) {0})

/* A value, as each of the languages writes it. */
#ifdef __cplusplus
#  define _SD_ID128_VALUE(...) (sd_id128_t __VA_ARGS__)
#else
#  define _SD_ID128_VALUE(...) ((const sd_id128_t) __VA_ARGS__)
#endif

/* An id out of 16 pairs of hexadecimal digits: as an initializer, as a value, and as text. */
#define SD_ID128_ARRAY(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15) \
        { { 0x##v0, 0x##v1, 0x##v2, 0x##v3, 0x##v4, 0x##v5, 0x##v6, 0x##v7, 0x##v8, 0x##v9, 0x##v10, 0x##v11, 0x##v12, 0x##v13, 0x##v14, 0x##v15 } }
#define SD_ID128_MAKE(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15) \
        _SD_ID128_VALUE(SD_ID128_ARRAY(v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15))
#define SD_ID128_MAKE_STR(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
        #a #b #c #d #e #f #g #h #i #j #k #l #m #n #o #p
#define SD_ID128_MAKE_UUID_STR(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) \
        #a #b #c #d "-" #e #f "-" #g #h "-" #i #j "-" #k #l #m #n #o #p

/* For printf(3). */
#define SD_ID128_FORMAT_STR "%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x"
#define SD_ID128_UUID_FORMAT_STR "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x"
#define SD_ID128_FORMAT_VAL(x) (x).bytes[0], (x).bytes[1], (x).bytes[2], (x).bytes[3], (x).bytes[4], (x).bytes[5], (x).bytes[6], (x).bytes[7], (x).bytes[8], (x).bytes[9], (x).bytes[10], (x).bytes[11], (x).bytes[12], (x).bytes[13], (x).bytes[14], (x).bytes[15]

/* The text of an id that is known when the program is compiled. */
#define _SD_ID128_DIGIT(x) ((char) ((x) >= 10 ? 'a' + (x) - 10 : '0' + (x)))
#define SD_ID128_CONST_STR(x) \
        ((const char[SD_ID128_STRING_MAX]) { \
                _SD_ID128_DIGIT((x).bytes[0] >> 4), _SD_ID128_DIGIT((x).bytes[0] & 15), \
                _SD_ID128_DIGIT((x).bytes[1] >> 4), _SD_ID128_DIGIT((x).bytes[1] & 15), \
                _SD_ID128_DIGIT((x).bytes[2] >> 4), _SD_ID128_DIGIT((x).bytes[2] & 15), \
                _SD_ID128_DIGIT((x).bytes[3] >> 4), _SD_ID128_DIGIT((x).bytes[3] & 15), \
                _SD_ID128_DIGIT((x).bytes[4] >> 4), _SD_ID128_DIGIT((x).bytes[4] & 15), \
                _SD_ID128_DIGIT((x).bytes[5] >> 4), _SD_ID128_DIGIT((x).bytes[5] & 15), \
                _SD_ID128_DIGIT((x).bytes[6] >> 4), _SD_ID128_DIGIT((x).bytes[6] & 15), \
                _SD_ID128_DIGIT((x).bytes[7] >> 4), _SD_ID128_DIGIT((x).bytes[7] & 15), \
                _SD_ID128_DIGIT((x).bytes[8] >> 4), _SD_ID128_DIGIT((x).bytes[8] & 15), \
                _SD_ID128_DIGIT((x).bytes[9] >> 4), _SD_ID128_DIGIT((x).bytes[9] & 15), \
                _SD_ID128_DIGIT((x).bytes[10] >> 4), _SD_ID128_DIGIT((x).bytes[10] & 15), \
                _SD_ID128_DIGIT((x).bytes[11] >> 4), _SD_ID128_DIGIT((x).bytes[11] & 15), \
                _SD_ID128_DIGIT((x).bytes[12] >> 4), _SD_ID128_DIGIT((x).bytes[12] & 15), \
                _SD_ID128_DIGIT((x).bytes[13] >> 4), _SD_ID128_DIGIT((x).bytes[13] & 15), \
                _SD_ID128_DIGIT((x).bytes[14] >> 4), _SD_ID128_DIGIT((x).bytes[14] & 15), \
                _SD_ID128_DIGIT((x).bytes[15] >> 4), _SD_ID128_DIGIT((x).bytes[15] & 15), \
                0 })

#define SD_ID128_NULL _SD_ID128_VALUE({ { 0 } })
#define SD_ID128_ALLF \
        _SD_ID128_VALUE({ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } })

static __inline__ int sd_id128_equal(sd_id128_t a, sd_id128_t b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

static __inline__ int sd_id128_is_null(sd_id128_t a) {
        return (a.qwords[0] | a.qwords[1]) == 0;
}

static __inline__ int sd_id128_is_allf(sd_id128_t a) {
        return (a.qwords[0] & a.qwords[1]) == UINT64_MAX;
}

/* Whether an id is among those that follow; SD_ID128_NULL ends them. */
static __inline__ int sd_id128_in_setv(sd_id128_t a, va_list ap) {
        sd_id128_t b = va_arg(ap, sd_id128_t);

        for (; !sd_id128_is_null(b); b = va_arg(ap, sd_id128_t))
                if (sd_id128_equal(a, b))
                        return 1;
        return 0;
}

static __inline__ int sd_id128_in_set_sentinel(sd_id128_t a, ...) {
        va_list ap;
        int found;

        va_start(ap, a);
        found = sd_id128_in_setv(a, ap);
        va_end(ap);
        return found;
}

#define sd_id128_in_set(a, ...) sd_id128_in_set_sentinel(a, __VA_ARGS__, SD_ID128_NULL)

_SD_END_DECLARATIONS;

#endif
