//! An entry on its way: in a datagram, or in a file that a datagram brings.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::net::{
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, sendmsg_addr,
};

use super::field::{Field, PIECES};
use crate::{Errno, Result};

/// With so many fields an entry needs no memory from the heap: handlers of signals send entries.
const FEW: usize = 32;
/// What is no longer than this is copied together: for the kernel each piece is work of its own.
const SHORT: usize = 1024;
/// How many pieces one call of sendmsg(2) takes (UIO_MAXIOV of the kernel).
const AT_ONCE: usize = 1024;

/// Where entries go.
#[derive(Clone, Debug)]
pub struct Destination(SocketAddrUnix);

impl Destination {
    /// # Errors
    /// ENAMETOOLONG
    pub fn new(path: &str) -> Result<Self> {
        SocketAddrUnix::new(path).map(Self)
    }
}

/// Sends an entry by a socket of datagrams that is not connected. Where there is no journal it is as good as sent.
///
/// # Errors
/// EINVAL for a field that is none, and without any; of the socket.
pub fn send<'a, S: AsFd>(
    open: impl FnOnce() -> Result<S>,
    to: &Destination,
    given: impl ExactSizeIterator<Item = Result<Field<'a>>>,
) -> Result<()> {
    let mut few = [Field::default(); FEW];
    let mut many = Vec::new();
    let fields = match few.get_mut(..given.len()) {
        Some(few) => few,
        None => {
            many.resize(given.len(), Field::default());
            &mut many
        }
    };
    for (place, field) in fields.iter_mut().zip(given) {
        *place = field?;
    }
    match send_fields(open()?.as_fd(), to, fields) {
        Err(Errno::NOENT) => Ok(()),
        sent => sent,
    }
}

fn send_fields(socket: BorrowedFd<'_>, to: &Destination, fields: &[Field<'_>]) -> Result<()> {
    match joined(fields, &mut [0; SHORT]) {
        Some(entry) => send_slices(socket, to, &[IoSlice::new(entry)]),
        None => send_pieces(socket, to, fields),
    }
}

/// The fields one after the other, if there is room for them.
fn joined<'a>(fields: &[Field<'_>], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut end = 0;
    for piece in fields.iter().flat_map(Field::pieces_written) {
        let begin = end;
        end += piece.len();
        room.get_mut(begin..end)?.copy_from_slice(piece);
    }
    room.get(..end)
}

fn send_pieces(socket: BorrowedFd<'_>, to: &Destination, fields: &[Field<'_>]) -> Result<()> {
    let pieces = fields.iter().flat_map(Field::pieces_written);
    let count = pieces.clone().count();
    let mut few = [IoSlice::new(b""); FEW * PIECES];
    let mut many = Vec::new();
    let slices = match few.get_mut(..count) {
        Some(few) => few,
        None => {
            many.resize(count, IoSlice::new(b""));
            &mut many
        }
    };
    for (place, piece) in slices.iter_mut().zip(pieces) {
        *place = IoSlice::new(piece);
    }
    send_slices(socket, to, slices)
}

fn send_slices(socket: BorrowedFd<'_>, to: &Destination, slices: &[IoSlice<'_>]) -> Result<()> {
    let is_too_much = |errno| matches!(errno, Errno::MSGSIZE | Errno::NOBUFS | Errno::AGAIN);
    if slices.len() <= AT_ONCE {
        match send_datagram(socket, to, slices, None) {
            Err(errno) if is_too_much(errno) => super::enlarge(socket),
            sent => return sent,
        }
        match send_datagram(socket, to, slices, None) {
            Err(errno) if is_too_much(errno) => {}
            sent => return sent,
        }
    }
    send_datagram(socket, to, &[], Some(&file(slices)?))
}

fn send_datagram(
    socket: BorrowedFd<'_>,
    to: &Destination,
    slices: &[IoSlice<'_>],
    file: Option<&OwnedFd>,
) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let rights = file.map(|file| [file.as_fd()]);
    if let Some(rights) = &rights {
        control.push(SendAncillaryMessage::ScmRights(rights));
    }
    sendmsg_addr(socket, &to.0, slices, &mut control, SendFlags::NOSIGNAL).map(drop)
}

/// A file in memory that nobody can change any more: the journal takes no other.
fn file(slices: &[IoSlice<'_>]) -> Result<OwnedFd> {
    let file = memfd_create(
        c"journal-entry",
        MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
    )?;
    for slice in slices {
        super::stream::write_all(slice, |bytes| rustix::io::write(&file, bytes))?;
    }
    let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, all)?;
    Ok(file)
}
