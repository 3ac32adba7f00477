//! One question and its answer by UDP. Whatever else comes to the socket is not seen.

use std::{cell::RefCell, io, net::SocketAddr};

use hickory_proto::op::Message;

use super::{
    cookie::{Check, Cookies},
    socket::Sockets,
    wire::{Datagram, Match},
};

/// More than this many datagrams that are not the answer is somebody guessing: the question is asked over TCP instead.
const FOREIGN: usize = 50;
/// No datagram is longer.
const LARGEST: usize = 1 << 16;

/// How it went.
pub(super) enum Outcome {
    /// The message, and its length in bytes.
    Answer(Box<Message>, usize),
    /// Something that UDP is not good for: over TCP then.
    AskByTcp(Why),
    /// The answer is no DNS message.
    Garbage,
    /// No way there, or nobody listens.
    Unreachable(io::Error),
}

/// Why UDP will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The server changes the case of names, or somebody guessed well.
    WrongCase,
    /// Somebody guesses.
    Guessed,
    /// More than we said that we take.
    TooLong,
}

/// Sends and waits: as long as the caller does.
pub(super) async fn exchange(
    sockets: Sockets,
    server: SocketAddr,
    datagram: &Datagram,
    cookies: &RefCell<Cookies>,
) -> Outcome {
    match talk(sockets, server, datagram, cookies).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Unreachable(error),
    }
}

async fn talk(
    sockets: Sockets,
    server: SocketAddr,
    datagram: &Datagram,
    cookies: &RefCell<Cookies>,
) -> io::Result<Outcome> {
    let socket = sockets.udp(server)?;
    socket.send(datagram.bytes()).await?;
    let mut foreign = 0;
    // One byte more, to see what is too long.
    let mut buffer = vec![0; (datagram.payload + 1).min(LARGEST)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let Some(received) = buffer.get_mut(..length) else {
            continue;
        };
        match datagram.matches(received) {
            Match::Answer if length > datagram.payload => {
                return Ok(Outcome::AskByTcp(Why::TooLong));
            }
            Match::Answer => {}
            Match::WrongCase => return Ok(Outcome::AskByTcp(Why::WrongCase)),
            Match::Foreign => {
                foreign += 1;
                if foreign > FOREIGN {
                    return Ok(Outcome::AskByTcp(Why::Guessed));
                }
                continue;
            }
        }
        datagram.restore(received);
        let Ok(message) = Message::from_vec(received) else {
            return Ok(Outcome::Garbage);
        };
        let check = if datagram.cookie {
            cookies.borrow_mut().check(&message)
        } else {
            Check::Fine
        };
        match check {
            Check::Fine => return Ok(Outcome::Answer(Box::new(message), length)),
            Check::Foreign => foreign += 1,
            // The real answer may follow. If not, the next attempt takes one without.
            Check::Missing => cookies.borrow_mut().forget_server(),
        }
    }
}
