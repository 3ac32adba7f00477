//! The call itself.

use unix_call::{Deadline, Fault, Reader, SocketAddrUnix, Stream};

use crate::authentication;
use crate::message::{Header, Kind, Message, Short};
use crate::writer::Writer;

/// A method of a service, and its one argument, a string.
#[derive(Clone, Copy, Debug)]
pub struct Method<'a> {
    /// The service's bus name.
    pub destination: &'a str,
    /// The object.
    pub path: &'a str,
    /// The interface.
    pub interface: &'a str,
    /// The method.
    pub member: &'a str,
    /// The argument: UTF-8 without NUL.
    pub argument: &'a str,
    /// The signature that a reply has, of at most 79 bytes.
    pub reply: &'a str,
}

/// How a call that reached its end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The method returned, and its reply has been read.
    Returned,
    /// The method, or the bus in its stead, failed.
    Failed(ErrorName),
}

/// The name of an error, of at most 80 bytes; a longer one is cut, and so equals none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorName(Short);

impl ErrorName {
    /// The name.
    pub fn as_bytes(&self) -> &[u8] {
        text(&self.0)
    }
}

const HELLO: u32 = 1;
const CALL: u32 = 2;

/// Connects, calls and hangs up. `read` is given the body of the reply.
///
/// # Errors
/// `EACCES` if the bus does not let us in, `EDEADLK` if it is this process; [`Fault`].
pub fn call(
    bus: &SocketAddrUnix,
    deadline: Deadline,
    method: Method<'_>,
    read: &mut dyn FnMut(&mut Message<'_, '_>) -> Result<(), Fault>,
) -> Result<Outcome, Fault> {
    let mut writer = Writer::new();
    writer.push(authentication::COMMANDS);
    let bus_name = "org.freedesktop.DBus";
    let hello = [
        (1, b'o', "/org/freedesktop/DBus"),
        (2, b's', bus_name),
        (3, b's', "Hello"),
        (6, b's', bus_name),
    ];
    writer.method_call(HELLO, &hello, None);
    let fields = [
        (1, b'o', method.path),
        (2, b's', method.interface),
        (3, b's', method.member),
        (6, b's', method.destination),
    ];
    writer.method_call(CALL, &fields, Some(method.argument.as_bytes()));
    let request = writer.finish()?;

    let mut stream = Stream::connect(bus, deadline)?;
    if stream.peer()?.is_this_process() {
        return Err(Fault::System(libc::EDEADLK));
    }
    stream.send_all(request)?;
    reply(&mut Reader::new(&mut stream), method.reply, read)
}

/// Reads all that the bus sends, on to the reply, as [`call`] does.
///
/// # Errors
/// `EACCES` if the bus does not let us in; [`Fault`].
pub fn reply(
    reader: &mut Reader<'_>,
    signature: &str,
    read: &mut dyn FnMut(&mut Message<'_, '_>) -> Result<(), Fault>,
) -> Result<Outcome, Fault> {
    authentication::accept(reader)?;
    loop {
        let (
            mut message,
            Header {
                kind,
                error_name,
                signature: actual,
            },
        ) = Message::open(reader)?;
        match kind {
            Kind::Error { to: HELLO | CALL } => return Ok(Outcome::Failed(ErrorName(error_name))),
            Kind::Return { to: CALL } => {
                if text(&actual) != signature.as_bytes() {
                    return Err(Fault::Shape);
                }
                read(&mut message)?;
                return Ok(Outcome::Returned);
            }
            // The reply to Hello, the signal NameAcquired, and what nobody asked for.
            _ => message.close()?,
        }
    }
}

fn text((bytes, length): &Short) -> &[u8] {
    bytes.get(..*length).unwrap_or_default()
}

#[cfg(test)]
mod tests;
