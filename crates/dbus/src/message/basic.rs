//! Values that hold no others.

use std::ffi::CStr;

use crate::types;

/// A value of a basic type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Basic<'a> {
    /// `y`
    Byte(u8),
    /// `b`
    Boolean(bool),
    /// `n`
    Int16(i16),
    /// `q`
    Uint16(u16),
    /// `i`
    Int32(i32),
    /// `u`
    Uint32(u32),
    /// `x`
    Int64(i64),
    /// `t`
    Uint64(u64),
    /// `d`
    Double(f64),
    /// `s`
    String(&'a CStr),
    /// `o`
    ObjectPath(&'a CStr),
    /// `g`
    Signature(&'a CStr),
    /// `h`: which of the descriptors that come with the message, from 0.
    UnixFd(u32),
}

impl Basic<'_> {
    /// The code of its type.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Byte(_) => types::BYTE,
            Self::Boolean(_) => types::BOOLEAN,
            Self::Int16(_) => types::INT16,
            Self::Uint16(_) => types::UINT16,
            Self::Int32(_) => types::INT32,
            Self::Uint32(_) => types::UINT32,
            Self::Int64(_) => types::INT64,
            Self::Uint64(_) => types::UINT64,
            Self::Double(_) => types::DOUBLE,
            Self::String(_) => types::STRING,
            Self::ObjectPath(_) => types::OBJECT_PATH,
            Self::Signature(_) => types::SIGNATURE,
            Self::UnixFd(_) => types::UNIX_FD,
        }
    }
}
