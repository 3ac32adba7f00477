//! The boundary to C: all pointers of the caller's, and all `unsafe` of this crate.

mod boundary;
mod buffer;
mod hosts;
mod users;

pub(crate) use buffer::{Buffer, Text, Tuple};
pub use hosts::{AddressTuple, by_address, by_name_hostent, by_name_tuples};
pub use libc::{group as group_entry, hostent, passwd};
pub use users::{group, user};
