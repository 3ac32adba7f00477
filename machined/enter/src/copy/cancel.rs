//! Whether the copy is still wanted: machined shuts its half of our standard input down when it is not.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

use crate::fault::Fault;

/// Goes on, unless the copy is not wanted any more.
///
/// # Errors
/// ECANCELED.
pub fn check() -> Result<(), Errno> {
    // POLLRDHUP comes of sockets alone, so anything else in the place of machined's cancels nothing.
    let stdin = rustix::stdio::stdin();
    let mut machined = [PollFd::from_borrowed_fd(stdin, PollFlags::RDHUP)];
    poll(&mut machined, Some(&rustix::event::Timespec::default()))?;
    is_wanted(&machined[0])
}

/// Waits until there is something to read, or the copy is not wanted any more.
///
/// # Errors
/// ECANCELED.
pub fn wait(socket: BorrowedFd<'_>) -> Result<(), Fault> {
    let stdin = rustix::stdio::stdin();
    let mut both = [
        PollFd::from_borrowed_fd(stdin, PollFlags::RDHUP),
        PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN),
    ];
    let waited = loop {
        match poll(&mut both, None) {
            Err(Errno::INTR) => {}
            waited => break waited,
        }
    };
    waited
        .and_then(|_| is_wanted(&both[0]))
        .map_err(Fault::to("go on with the copy"))
}

fn is_wanted(machined: &PollFd<'_>) -> Result<(), Errno> {
    match machined.revents().contains(PollFlags::RDHUP) {
        true => Err(Errno::CANCELED),
        false => Ok(()),
    }
}
