//! The call itself.

use unix_call::{Deadline, Fault, Reader, SocketAddrUnix, Stream};

use crate::{Members, Request, Scanner};

/// Who may hold any socket: he could be any other user, too.
const ROOT: u32 = 0;

/// A daemon that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// The path of its socket.
    pub path: &'a str,
    /// The user who must hold it, if not root, as our user namespace numbers him.
    pub uid: u32,
}

/// How a call that reached its end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The method returned, and its parameters have been read.
    Returned,
    /// The method failed. What has been read of any parameters counts for nothing.
    Failed(ErrorName),
}

/// The name of an error with its interface, of at most 128 bytes; a longer one is cut, and so
/// equals none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorName {
    bytes: [u8; 128],
    length: usize,
}

impl ErrorName {
    fn new(name: &[u8]) -> Self {
        let mut new = Self {
            bytes: [0; 128],
            length: 0,
        };
        for (place, byte) in new.bytes.iter_mut().zip(name) {
            *place = *byte;
            new.length += 1;
        }
        new
    }

    /// The name.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Connects, calls and hangs up. `read` is given the reply's `parameters`, the object yet to be
/// opened, and may stop with [`Fault::Shape`].
///
/// # Errors
/// `ENOENT` if the server has no socket, `ECONNREFUSED` if nobody listens on it, `EPERM` if it is
/// held by neither the server's user nor root, `EDEADLK` if it is held by this process; [`Fault`].
pub fn call(
    server: Server<'_>,
    deadline: Deadline,
    request: &mut Request,
    read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>,
) -> Result<Outcome, Fault> {
    let mut stream = begin(server, deadline, request)?;
    reply(&mut Reader::new(&mut stream), read)
}

/// Connects and sends the request.
pub(crate) fn begin(
    server: Server<'_>,
    deadline: Deadline,
    request: &mut Request,
) -> Result<Stream, Fault> {
    let request = request.finish()?;
    let mut stream = Stream::connect(&SocketAddrUnix::new(server.path)?, deadline)?;
    let peer = stream.peer()?;
    if peer.uid != server.uid && peer.uid != ROOT {
        return Err(Fault::System(libc::EPERM));
    }
    if peer.is_this_process() {
        return Err(Fault::System(libc::EDEADLK));
    }
    stream.send_all(request)?;
    Ok(stream)
}

/// Reads one reply, as [`call`] does.
///
/// # Errors
/// [`Fault::Protocol`] if it is none, [`Fault::Shape`] if it is none to this question; what the source says.
pub fn reply(
    reader: &mut Reader<'_>,
    read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>,
) -> Result<Outcome, Fault> {
    let scanner = &mut Scanner::new(reader);
    let mut error = None;
    // A reply without parameters answers nothing that is asked here.
    let mut parameters = Err(Fault::Shape);
    let mut members = Members::open(scanner, &[b"parameters", b"error", b"continues"])?;
    while let Some(member) = members.next(scanner)? {
        match member {
            0 => {
                // They may be those of an error whose name is yet to come: another shape is no
                // fault before the end.
                let depth = scanner.depth();
                parameters = read(scanner);
                match parameters {
                    Ok(()) | Err(Fault::Shape) => scanner.leave(depth)?,
                    fault => fault?,
                }
            }
            1 => error = Some(ErrorName::new(scanner.string()?)),
            // Nobody asked for `more`, so there is nothing that could continue.
            _ => match scanner.token()? {
                crate::Token::Bool(false) | crate::Token::Null => {}
                _ => return Err(Fault::Protocol),
            },
        }
    }
    scanner.end_of_message()?;
    match error {
        Some(name) => Ok(Outcome::Failed(name)),
        None => parameters.map(|()| Outcome::Returned),
    }
}

#[cfg(test)]
mod tests;
