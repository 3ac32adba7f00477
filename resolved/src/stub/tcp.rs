//! Queries by TCP: RFC 7766. Several may be under way on one connection; replies go as they are ready.

use std::{io, rc::Rc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Resolve,
    serve::{Asked, Server, Verdict, verdict},
    sockets::Profile,
};

/// Connections to one listener at a time.
const MOST_CONNECTIONS: usize = 128;
/// Queries of one connection at a time; what comes beyond is read later.
const MOST_QUERIES: usize = 32;
/// A connection on which no query is under way and none comes is closed. A client that does not read is not waited for longer.
const IDLE: Duration = Duration::from_secs(30);
/// After an error of the listener (no more descriptors): it may pass.
const PAUSE: Duration = Duration::from_millis(100);
/// What is read at a time.
const CHUNK: usize = 2048;

/// Accepts connections to one listener.
pub(super) async fn listen<R: Resolve>(
    server: Rc<Server<R>>,
    listener: TcpListener,
    profile: Profile,
) {
    let mut connections = FuturesUnordered::new();
    loop {
        let accepted = tokio::select! {
            Some(ended) = connections.next() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "A connection to the stub broke");
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) if profile.admits(peer) && connections.len() < MOST_CONNECTIONS => {
                connections.push(serve(&server, stream, profile));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "The stub can't accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn serve<R: Resolve>(
    server: &Server<R>,
    mut stream: TcpStream,
    profile: Profile,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.split();
    let mut received = Vec::new();
    let mut chunk = vec![0; CHUNK];
    let mut running = FuturesUnordered::new();
    let mut idle = Instant::now() + IDLE;
    let mut ended = false;
    loop {
        while running.len() < MOST_QUERIES
            && let Some(packet) = next_message(&mut received)
        {
            idle = Instant::now() + IDLE;
            running.push(answer(server, packet, profile));
        }
        if ended && running.is_empty() {
            return Ok(());
        }
        tokio::select! {
            Some(reply) = running.next() => {
                if let Some(reply) = reply {
                    timeout(IDLE, writer.write_all(&framed(&reply))).await??;
                }
                idle = Instant::now() + IDLE;
            }
            count = reader.read(&mut chunk), if !ended && running.len() < MOST_QUERIES => {
                match count? {
                    0 => ended = true,
                    count => received.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                }
            }
            () = sleep_until(idle), if running.is_empty() => return Ok(()),
        }
    }
}

async fn answer<R: Resolve>(
    server: &Server<R>,
    packet: Vec<u8>,
    profile: Profile,
) -> Option<Vec<u8>> {
    match verdict(&packet, profile) {
        Verdict::Ignore => None,
        Verdict::Reply(reply) => Some(reply),
        Verdict::LookUp => {
            let asked = Asked {
                packet: &packet,
                profile,
                stream: true,
                prefetch: false,
            };
            server.look_up(asked).await
        }
    }
}

/// Takes the first whole message: two bytes of length, and as many (RFC 1035, 4.2.2).
fn next_message(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (length, rest) = received.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let message = rest.get(..length)?.to_vec();
    received.drain(..2 + length);
    Some(message)
}

fn framed(message: &[u8]) -> Vec<u8> {
    // No reply is longer: see `limit` in `serve`.
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(2 + message.len());
    bytes.extend(length.to_be_bytes());
    bytes.extend(message);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_in_any_pieces() {
        let mut received = vec![0];
        assert_eq!(next_message(&mut received), None);
        received.extend([3, b'a', b'b']);
        assert_eq!(next_message(&mut received), None);
        received.extend([b'c', 0, 0, 0, 1]);
        assert_eq!(next_message(&mut received).unwrap(), b"abc");
        assert_eq!(next_message(&mut received).unwrap(), b"");
        assert_eq!(next_message(&mut received), None);
        received.push(b'd');
        assert_eq!(next_message(&mut received).unwrap(), b"d");
        assert!(received.is_empty());
        assert_eq!(framed(b"xy"), [0, 2, b'x', b'y']);
    }
}
