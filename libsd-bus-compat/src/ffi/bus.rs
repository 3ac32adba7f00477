//! sd-bus.h

mod arguments;
mod attach;
mod call;
mod connection;
mod convenience;
mod creds;
mod dispatch;
mod elsewhere;
mod ending;
mod error;
mod identity;
mod matches;
mod message;
mod message_append;
mod message_dump;
mod message_get;
mod message_memfd;
mod message_new;
mod message_read;
mod name;
mod names;
mod object;
mod open;
mod property;
mod role;
mod settings;
mod slot;
mod track;
mod tracked;
mod vtable;

/// What the macros of sd-bus-vtable.h refer to, so that a program can tell which they are: the format that has names of arguments.
#[unsafe(no_mangle)]
pub static sd_bus_object_vtable_format: std::ffi::c_uint = 242;
