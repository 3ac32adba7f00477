/* What the headers of this folder share. */
#ifndef SWITCHYARD_SD_COMMON_H
#define SWITCHYARD_SD_COMMON_H

typedef void (*_sd_destroy_t)(void *userdata);

#ifndef _sd_printf_
#  ifdef __GNUC__
#    define _sd_printf_(format, first) __attribute__((__format__(printf, format, first)))
#  else
#    define _sd_printf_(format, first)
#  endif
#endif

#ifndef _sd_sentinel_
#  ifdef __GNUC__
#    define _sd_sentinel_ __attribute__((__sentinel__))
#  else
#    define _sd_sentinel_
#  endif
#endif

#ifndef _sd_deprecated_
#  ifdef __GNUC__
#    define _sd_deprecated_ __attribute__((__deprecated__))
#  else
#    define _sd_deprecated_
#  endif
#endif

#ifndef _SD_STRINGIFY
#  define _SD_XSTRINGIFY(x) #x
#  define _SD_STRINGIFY(x) _SD_XSTRINGIFY(x)
#endif

/* Both want a semicolon behind them, so they end in a declaration. */
#ifndef _SD_BEGIN_DECLARATIONS
#  ifdef __cplusplus
#    define _SD_BEGIN_DECLARATIONS extern "C" { struct _sd_semicolon_
#    define _SD_END_DECLARATIONS } struct _sd_semicolon_
#  else
#    define _SD_BEGIN_DECLARATIONS struct _sd_semicolon_
#    define _SD_END_DECLARATIONS struct _sd_semicolon_
#  endif
#endif

/* The length of an array parameter, where the language can say it. */
#ifndef _SD_ARRAY_STATIC
#  if !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L
#    define _SD_ARRAY_STATIC static
#  else
#    define _SD_ARRAY_STATIC
#  endif
#endif

/* FUNCp takes the variable's address, as __attribute__((cleanup)) wants it. */
#define _SD_DEFINE_POINTER_CLEANUP_FUNC(type, func)     \
        static __inline__ void func##p(type **variable) { \
                if (*variable)                          \
                        func(*variable);                \
        }                                               \
        struct _sd_semicolon_

/* Enumerations have 64 bits, so that they can grow. */
#define _SD_ENUM_FORCE_S64(id)                  \
        _SD_##id##_INT64_MIN = INT64_MIN,       \
        _SD_##id##_INT64_MAX = INT64_MAX

#endif
