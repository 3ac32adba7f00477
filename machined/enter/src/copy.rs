//! Copies, by two processes: one reads a tree, one writes it, and each is inside the root that it works on. Between them go
//! names, numbers and open files over a socket, so that neither ever has a descriptor of the other's directories, and the one
//! that is in the container has no more rights than the container's root.

use std::os::fd::BorrowedFd;

use crate::{
    fault::{Fault, errno},
    packet::malformed,
    socket,
};

mod cancel;
mod data;
mod entry;
mod metadata;
mod receive;
mod send;
mod staging;

pub use entry::Message;
pub use metadata::Rules;
pub use receive::receive;
pub use send::send;

/// How many directories deep a tree may be; each holds a descriptor.
const MAX_DEPTH: usize = 512;

fn tell(socket: BorrowedFd<'_>, message: &Message, fds: &[BorrowedFd<'_>]) -> Result<(), Fault> {
    socket::send(socket, &message.encode()?, fds).map_err(Fault::to("pass on what was read"))
}

fn hear(socket: BorrowedFd<'_>) -> Result<(Message, Vec<std::os::fd::OwnedFd>), Fault> {
    cancel::wait(socket)?;
    let (message, fds) = socket::receive(socket).map_err(Fault::to("receive what was read"))?;
    if message.is_empty() {
        return Err(Fault::new(
            "The reading half of the copy ended early",
            rustix::io::Errno::PIPE,
        ));
    }
    Ok((Message::decode(&message).map_err(|_| malformed())?, fds))
}

fn io(error: &std::io::Error) -> rustix::io::Errno {
    errno(error)
}

#[cfg(test)]
mod tests;
