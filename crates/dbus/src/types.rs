//! Type codes (D-Bus specification, "Type System"), and how values of a type lie in a message.

/// An octet.
pub const BYTE: u8 = b'y';
/// 0 or 1 in 32 bits.
pub const BOOLEAN: u8 = b'b';
/// A signed 16-bit number.
pub const INT16: u8 = b'n';
/// An unsigned 16-bit number.
pub const UINT16: u8 = b'q';
/// A signed 32-bit number.
pub const INT32: u8 = b'i';
/// An unsigned 32-bit number.
pub const UINT32: u8 = b'u';
/// A signed 64-bit number.
pub const INT64: u8 = b'x';
/// An unsigned 64-bit number.
pub const UINT64: u8 = b't';
/// A double of IEEE 754.
pub const DOUBLE: u8 = b'd';
/// UTF-8 without NUL.
pub const STRING: u8 = b's';
/// The path of an object.
pub const OBJECT_PATH: u8 = b'o';
/// A sequence of types.
pub const SIGNATURE: u8 = b'g';
/// The index of a descriptor that comes with the message.
pub const UNIX_FD: u8 = b'h';
/// Any number of values of one type.
pub const ARRAY: u8 = b'a';
/// A value that brings its type.
pub const VARIANT: u8 = b'v';
/// A structure, as sd-bus and the specification name it; in signatures it is in parentheses.
pub const STRUCT: u8 = b'r';
/// A key and a value; in signatures it is in braces.
pub const DICT_ENTRY: u8 = b'e';

/// Whether values of this type hold no others.
pub const fn is_basic(code: u8) -> bool {
    matches!(
        code,
        BYTE | BOOLEAN
            | INT16
            | UINT16
            | INT32
            | UINT32
            | INT64
            | UINT64
            | DOUBLE
            | STRING
            | OBJECT_PATH
            | SIGNATURE
            | UNIX_FD
    )
}

/// Whether it is one of those that hold others, by the code that stands for it outside signatures.
pub const fn is_container(code: u8) -> bool {
    matches!(code, ARRAY | VARIANT | STRUCT | DICT_ENTRY)
}

/// Whether any bytes are such a value: these may go to and from arrays as they lie in memory.
pub const fn is_plain(code: u8) -> bool {
    matches!(
        code,
        BYTE | INT16 | UINT16 | INT32 | UINT32 | INT64 | UINT64 | DOUBLE
    )
}

/// How many bytes a value has, where that is the same for all of this type.
pub const fn fixed_size(code: u8) -> Option<usize> {
    match code {
        BYTE => Some(1),
        INT16 | UINT16 => Some(2),
        BOOLEAN | INT32 | UINT32 | UNIX_FD => Some(4),
        INT64 | UINT64 | DOUBLE => Some(8),
        _ => None,
    }
}

/// What the place of a value is a multiple of, by the first code of its type in a signature; 1 for what is no type.
pub const fn alignment(code: u8) -> usize {
    match code {
        INT16 | UINT16 => 2,
        BOOLEAN | INT32 | UINT32 | UNIX_FD | STRING | OBJECT_PATH | ARRAY => 4,
        INT64 | UINT64 | DOUBLE | STRUCT | DICT_ENTRY | b'(' | b'{' => 8,
        _ => 1,
    }
}
