/* What an object of D-Bus has: sd_bus_add_object_vtable(3). */
#ifndef SWITCHYARD_SD_BUS_VTABLE_H
#define SWITCHYARD_SD_BUS_VTABLE_H

#include <inttypes.h>
#include <stddef.h>

#include "_sd-common.h"
#include "sd-bus.h"

_SD_BEGIN_DECLARATIONS;

/* Kinds of entries. */
enum {
        _SD_BUS_VTABLE_START = '<',
        _SD_BUS_VTABLE_END = '>',
        _SD_BUS_VTABLE_METHOD = 'M',
        _SD_BUS_VTABLE_SIGNAL = 'S',
        _SD_BUS_VTABLE_PROPERTY = 'P',
        _SD_BUS_VTABLE_WRITABLE_PROPERTY = 'W'
};

/* Flags of an entry; those of the first are of the interface. */
__extension__ enum {
        SD_BUS_VTABLE_DEPRECATED = UINT64_C(1) << 0,
        SD_BUS_VTABLE_HIDDEN = UINT64_C(1) << 1,
        SD_BUS_VTABLE_UNPRIVILEGED = UINT64_C(1) << 2,
        SD_BUS_VTABLE_METHOD_NO_REPLY = UINT64_C(1) << 3,
        SD_BUS_VTABLE_PROPERTY_CONST = UINT64_C(1) << 4,
        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE = UINT64_C(1) << 5,
        SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION = UINT64_C(1) << 6,
        SD_BUS_VTABLE_PROPERTY_EXPLICIT = UINT64_C(1) << 7,
        SD_BUS_VTABLE_SENSITIVE = UINT64_C(1) << 8,
        SD_BUS_VTABLE_ABSOLUTE_OFFSET = UINT64_C(1) << 9,
        _SD_BUS_VTABLE_CAPABILITY_MASK = UINT64_C(0xFFFF) << 40
};

/* The capability that a caller must have who is another user. */
#define SD_BUS_VTABLE_CAPABILITY(x) ((uint64_t) (((x) + 1) & 0xFFFF) << 40)

/* What the entries hold, told in the first. */
enum {
        _SD_BUS_VTABLE_PARAM_NAMES = 1 << 0
};

extern const unsigned sd_bus_object_vtable_format;

/* Programs are compiled with its layout: it does not change. What an entry does not use must be 0. */
struct sd_bus_vtable {
        __extension__ uint8_t type : 8;
        __extension__ uint64_t flags : 56;
        union {
                struct {
                        size_t element_size;
                        uint64_t features;
                        const unsigned *vtable_format_reference;
                } start;
                struct {
                        size_t _reserved;
                } end;
                struct {
                        const char *member;
                        const char *signature;
                        const char *result;
                        sd_bus_message_handler_t handler;
                        size_t offset;
                        const char *names;
                } method;
                struct {
                        const char *member;
                        const char *signature;
                        const char *names;
                } signal;
                struct {
                        const char *member;
                        const char *signature;
                        sd_bus_property_get_t get;
                        sd_bus_property_set_t set;
                        size_t offset;
                } property;
        } x;
};

#define SD_BUS_VTABLE_START(_flags) { \
        .type = _SD_BUS_VTABLE_START, \
        .flags = _flags, \
        .x = { .start = { sizeof(sd_bus_vtable), _SD_BUS_VTABLE_PARAM_NAMES, &sd_bus_object_vtable_format } } }

/* Names of arguments, one after the other. */
#define SD_BUS_PARAM(x) #x "\0"

#define SD_BUS_METHOD_WITH_NAMES_OFFSET(_member, _signature, _in_names, _result, _out_names, _handler, _offset, _flags) { \
        .type = _SD_BUS_VTABLE_METHOD, \
        .flags = _flags, \
        .x = { .method = { _member, _signature, _result, _handler, _offset, _in_names _out_names } } }
#define SD_BUS_METHOD_WITH_OFFSET(_member, _signature, _result, _handler, _offset, _flags) \
        SD_BUS_METHOD_WITH_NAMES_OFFSET(_member, _signature, "", _result, "", _handler, _offset, _flags)
#define SD_BUS_METHOD_WITH_NAMES(_member, _signature, _in_names, _result, _out_names, _handler, _flags) \
        SD_BUS_METHOD_WITH_NAMES_OFFSET(_member, _signature, _in_names, _result, _out_names, _handler, 0, _flags)
#define SD_BUS_METHOD(_member, _signature, _result, _handler, _flags) \
        SD_BUS_METHOD_WITH_NAMES_OFFSET(_member, _signature, "", _result, "", _handler, 0, _flags)

#define SD_BUS_SIGNAL_WITH_NAMES(_member, _signature, _out_names, _flags) { \
        .type = _SD_BUS_VTABLE_SIGNAL, \
        .flags = _flags, \
        .x = { .signal = { _member, _signature, _out_names } } }
#define SD_BUS_SIGNAL(_member, _signature, _flags) SD_BUS_SIGNAL_WITH_NAMES(_member, _signature, "", _flags)

/* The same with arguments that are told as pairs of a type and a name: SD_BUS_ARGS("s", name, "u", number). */
#define SD_BUS_ARGS(...) __VA_ARGS__
#define SD_BUS_RESULT(...) __VA_ARGS__
#define SD_BUS_NO_ARGS SD_BUS_ARGS(NULL)
#define SD_BUS_NO_RESULT SD_BUS_RESULT(NULL)
#define SD_BUS_METHOD_WITH_ARGS_OFFSET(_member, _args, _result, _handler, _offset, _flags) \
        SD_BUS_METHOD_WITH_NAMES_OFFSET(_member, _SD_TYPES(_args), _SD_NAMES(_args), _SD_TYPES(_result), \
                                        _SD_NAMES(_result) "\0", _handler, _offset, _flags)
#define SD_BUS_METHOD_WITH_ARGS(_member, _args, _result, _handler, _flags) \
        SD_BUS_METHOD_WITH_ARGS_OFFSET(_member, _SD_LIST(_args), _SD_LIST(_result), _handler, 0, _flags)
#define SD_BUS_SIGNAL_WITH_ARGS(_member, _args, _flags) \
        SD_BUS_SIGNAL_WITH_NAMES(_member, _SD_TYPES(_args), _SD_NAMES(_args) "\0", _flags)

/* The types of a list of pairs, and their names, as text. */
#define _SD_LIST(...) __VA_ARGS__
#define _SD_TYPES(...) _SD_PAIRS(_SD_TYPE, __VA_ARGS__)
#define _SD_NAMES(...) _SD_PAIRS(_SD_NAME, __VA_ARGS__)
#define _SD_TYPE(type, name) type
#define _SD_NAME(type, name) SD_BUS_PARAM(name)
#define _SD_TYPE_OF_NONE(none) none
#define _SD_NAME_OF_NONE(none)

/* F of each pair, 25 at most; one word alone is no pair: NULL for no types. */
#define _SD_PAIRS(f, ...) _SD_PAIRS_OF(__VA_ARGS__, \
        _SD_PAIRS_25, _SD_PAIRS_odd, _SD_PAIRS_24, _SD_PAIRS_odd, _SD_PAIRS_23, _SD_PAIRS_odd, _SD_PAIRS_22, _SD_PAIRS_odd, \
        _SD_PAIRS_21, _SD_PAIRS_odd, _SD_PAIRS_20, _SD_PAIRS_odd, _SD_PAIRS_19, _SD_PAIRS_odd, _SD_PAIRS_18, _SD_PAIRS_odd, \
        _SD_PAIRS_17, _SD_PAIRS_odd, _SD_PAIRS_16, _SD_PAIRS_odd, _SD_PAIRS_15, _SD_PAIRS_odd, _SD_PAIRS_14, _SD_PAIRS_odd, \
        _SD_PAIRS_13, _SD_PAIRS_odd, _SD_PAIRS_12, _SD_PAIRS_odd, _SD_PAIRS_11, _SD_PAIRS_odd, _SD_PAIRS_10, _SD_PAIRS_odd, \
        _SD_PAIRS_9, _SD_PAIRS_odd, _SD_PAIRS_8, _SD_PAIRS_odd, _SD_PAIRS_7, _SD_PAIRS_odd, _SD_PAIRS_6, _SD_PAIRS_odd, \
        _SD_PAIRS_5, _SD_PAIRS_odd, _SD_PAIRS_4, _SD_PAIRS_odd, _SD_PAIRS_3, _SD_PAIRS_odd, _SD_PAIRS_2, _SD_PAIRS_odd, \
        _SD_PAIRS_1, _SD_PAIRS_0, 0)(f, __VA_ARGS__)
#define _SD_PAIRS_OF(_01, _02, _03, _04, _05, _06, _07, _08, _09, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _20, _21, \
        _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, _34, _35, _36, _37, _38, _39, _40, _41, _42, _43, _44, _45, \
        _46, _47, _48, _49, _50, chosen, ...) chosen
#define _SD_PAIRS_0(f, none) f##_OF_NONE(none)
#define _SD_PAIRS_1(f, type, name) f(type, name)
#define _SD_PAIRS_2(f, type, name, ...) f(type, name) _SD_PAIRS_1(f, __VA_ARGS__)
#define _SD_PAIRS_3(f, type, name, ...) f(type, name) _SD_PAIRS_2(f, __VA_ARGS__)
#define _SD_PAIRS_4(f, type, name, ...) f(type, name) _SD_PAIRS_3(f, __VA_ARGS__)
#define _SD_PAIRS_5(f, type, name, ...) f(type, name) _SD_PAIRS_4(f, __VA_ARGS__)
#define _SD_PAIRS_6(f, type, name, ...) f(type, name) _SD_PAIRS_5(f, __VA_ARGS__)
#define _SD_PAIRS_7(f, type, name, ...) f(type, name) _SD_PAIRS_6(f, __VA_ARGS__)
#define _SD_PAIRS_8(f, type, name, ...) f(type, name) _SD_PAIRS_7(f, __VA_ARGS__)
#define _SD_PAIRS_9(f, type, name, ...) f(type, name) _SD_PAIRS_8(f, __VA_ARGS__)
#define _SD_PAIRS_10(f, type, name, ...) f(type, name) _SD_PAIRS_9(f, __VA_ARGS__)
#define _SD_PAIRS_11(f, type, name, ...) f(type, name) _SD_PAIRS_10(f, __VA_ARGS__)
#define _SD_PAIRS_12(f, type, name, ...) f(type, name) _SD_PAIRS_11(f, __VA_ARGS__)
#define _SD_PAIRS_13(f, type, name, ...) f(type, name) _SD_PAIRS_12(f, __VA_ARGS__)
#define _SD_PAIRS_14(f, type, name, ...) f(type, name) _SD_PAIRS_13(f, __VA_ARGS__)
#define _SD_PAIRS_15(f, type, name, ...) f(type, name) _SD_PAIRS_14(f, __VA_ARGS__)
#define _SD_PAIRS_16(f, type, name, ...) f(type, name) _SD_PAIRS_15(f, __VA_ARGS__)
#define _SD_PAIRS_17(f, type, name, ...) f(type, name) _SD_PAIRS_16(f, __VA_ARGS__)
#define _SD_PAIRS_18(f, type, name, ...) f(type, name) _SD_PAIRS_17(f, __VA_ARGS__)
#define _SD_PAIRS_19(f, type, name, ...) f(type, name) _SD_PAIRS_18(f, __VA_ARGS__)
#define _SD_PAIRS_20(f, type, name, ...) f(type, name) _SD_PAIRS_19(f, __VA_ARGS__)
#define _SD_PAIRS_21(f, type, name, ...) f(type, name) _SD_PAIRS_20(f, __VA_ARGS__)
#define _SD_PAIRS_22(f, type, name, ...) f(type, name) _SD_PAIRS_21(f, __VA_ARGS__)
#define _SD_PAIRS_23(f, type, name, ...) f(type, name) _SD_PAIRS_22(f, __VA_ARGS__)
#define _SD_PAIRS_24(f, type, name, ...) f(type, name) _SD_PAIRS_23(f, __VA_ARGS__)
#define _SD_PAIRS_25(f, type, name, ...) f(type, name) _SD_PAIRS_24(f, __VA_ARGS__)

#define SD_BUS_PROPERTY(_member, _signature, _get, _offset, _flags) { \
        .type = _SD_BUS_VTABLE_PROPERTY, \
        .flags = _flags, \
        .x = { .property = { _member, _signature, _get, NULL, _offset } } }
#define SD_BUS_WRITABLE_PROPERTY(_member, _signature, _get, _set, _offset, _flags) { \
        .type = _SD_BUS_VTABLE_WRITABLE_PROPERTY, \
        .flags = _flags, \
        .x = { .property = { _member, _signature, _get, _set, _offset } } }

#define SD_BUS_VTABLE_END { \
        .type = _SD_BUS_VTABLE_END, \
        .flags = 0, \
        .x = { .end = { 0 } } }

_SD_END_DECLARATIONS;

#endif
