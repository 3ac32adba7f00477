//! A connection to a bus that is not to be trusted: no message of its is longer than an answer has to be, nor are all of them
//! together.
//!
//! zbus takes messages of up to 128 MiB, as the D-Bus specification lets a bus send them, and makes room for one as soon as
//! its header says how long it will be. So the header is looked at here first.

use std::{
    io,
    mem::MaybeUninit,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::net,
    },
};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use zbus::{
    Connection,
    connection::{
        Builder,
        socket::{ReadHalf, Socket, Split, WriteHalf},
    },
    export::async_trait::async_trait,
};

/// The longest message, in bytes: what is asked here is answered with a path or the text of an error.
const LONGEST: u64 = 64 * 1024;

/// All of them together. A bus also tells of names, which nobody here has asked for.
const MOST: u64 = 1024 * 1024;

/// What a message begins with, up to the length of its header fields.
const HEADER: usize = 16;

/// The longest answers to the authentication.
const HANDSHAKE: u64 = 1024;

/// More descriptors go with no message of ours.
const MAX_FDS: usize = 4;

/// Connects as root, whom it takes for root in its own user namespace.
pub async fn connect(socket: OwnedFd) -> zbus::Result<Connection> {
    let socket = net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    let mut stream = UnixStream::from_std(socket)?;
    let guid = authenticate(&mut stream).await?;
    let connection = Builder::authenticated_socket(Bounded(stream), guid.as_str())
        .build()
        .await?;
    let bus = "org.freedesktop.DBus";
    connection
        .call_method(Some(bus), "/org/freedesktop/DBus", Some(bus), "Hello", &())
        .await?;
    Ok(connection)
}

/// The client's part of the authentication protocol of the D-Bus specification; gives the GUID of the bus.
async fn authenticate(stream: &mut UnixStream) -> io::Result<String> {
    // EXTERNAL, as the user whose number is 0: "30" are its digits in hexadecimal.
    stream
        .write_all(b"\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\n")
        .await?;
    let refused = || io::Error::new(io::ErrorKind::InvalidData, "the bus refuses");
    let mut answers = stream.take(HANDSHAKE);
    let mut said = Vec::new();
    while said.windows(2).filter(|end| end == b"\r\n").count() < 2 {
        // Byte by byte would do as well; a bus has no more to say before it is told to begin.
        if answers.read_buf(&mut said).await? == 0 {
            return Err(refused());
        }
    }
    let said = String::from_utf8(said).map_err(|_| refused())?;
    let [ok, "AGREE_UNIX_FD", ""] = *said.split("\r\n").collect::<Vec<_>>() else {
        return Err(refused());
    };
    let guid = ok.strip_prefix("OK ").ok_or_else(refused)?.to_owned();
    stream.write_all(b"BEGIN\r\n").await?;
    Ok(guid)
}

#[derive(Debug)]
struct Bounded(UnixStream);

impl Socket for Bounded {
    type ReadHalf = Reader;
    type WriteHalf = Writer;

    fn split(self) -> Split<Reader, Writer> {
        let (read, write) = self.0.into_split();
        let reader = Reader {
            socket: read,
            frame: Frame::default(),
            left: MOST,
        };
        Split::new(reader, Writer(write))
    }
}

#[derive(Debug)]
struct Reader {
    socket: OwnedReadHalf,
    frame: Frame,
    /// Bytes that may come yet, over all messages.
    left: u64,
}

#[async_trait]
impl ReadHalf for Reader {
    async fn recvmsg(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        let most = buffer.len().min(self.frame.wanted());
        let part = buffer.get_mut(..most).unwrap_or_default();
        // Without a place for them the kernel closes descriptors that come along: unix(7).
        let length = self.socket.read(part).await?;
        let too_much = || io::Error::new(io::ErrorKind::InvalidData, "the bus says too much");
        let count = u64::try_from(length).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(count).ok_or_else(too_much)?;
        self.frame.take(part.get(..length).unwrap_or_default());
        match self.frame.length() <= LONGEST {
            true => Ok((length, Vec::new())),
            false => Err(too_much()),
        }
    }

    fn can_pass_unix_fd(&self) -> bool {
        true
    }
}

/// Where in a message the stream is.
#[derive(Debug, Default)]
struct Frame {
    /// The header of the current message, as far as it has come.
    header: Vec<u8>,
    /// Bytes of the current message that have come after that.
    rest: u64,
}

impl Frame {
    /// How many bytes may be read without passing the end of the header or of the message.
    fn wanted(&self) -> usize {
        match self.header.len() {
            HEADER => usize::try_from(self.length() - self.end()).unwrap_or(usize::MAX),
            length => HEADER - length,
        }
    }

    fn end(&self) -> u64 {
        HEADER as u64 + self.rest
    }

    /// The length of the current message; 0 before it is known.
    fn length(&self) -> u64 {
        let Some(header) = self.header.first_chunk::<HEADER>() else {
            return 0;
        };
        let [order, _, _, _, b0, b1, b2, b3, _, _, _, _, f0, f1, f2, f3] = *header;
        // Any other byte order than the two is an error that zbus tells.
        let number = |bytes| match order {
            b'B' => u32::from_be_bytes(bytes),
            _ => u32::from_le_bytes(bytes),
        };
        let (body, fields) = (number([b0, b1, b2, b3]), number([f0, f1, f2, f3]));
        (HEADER as u64 + u64::from(fields)).next_multiple_of(8) + u64::from(body)
    }

    /// Takes in at most as many bytes as are [`Self::wanted`].
    fn take(&mut self, bytes: &[u8]) {
        if self.header.len() < HEADER {
            self.header.extend(bytes);
        } else {
            self.rest += bytes.len() as u64;
        }
        if self.header.len() == HEADER && self.end() >= self.length() {
            *self = Self::default();
        }
    }
}

#[derive(Debug)]
struct Writer(OwnedWriteHalf);

#[async_trait]
impl WriteHalf for Writer {
    async fn sendmsg(&mut self, buffer: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
        let socket: &UnixStream = self.0.as_ref();
        let send = || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let bytes = [io::IoSlice::new(buffer)];
            Ok(sendmsg(socket, &bytes, &mut control, SendFlags::NOSIGNAL)?)
        };
        socket.async_io(Interest::WRITABLE, send).await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }

    fn can_pass_unix_fd(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(order: u8, body: [u8; 4], fields: [u8; 4]) -> Vec<u8> {
        let mut header = vec![order, 2, 0, 1];
        header.extend(body);
        header.extend([0; 4]);
        header.extend(fields);
        header
    }

    #[test]
    fn messages_one_after_the_other() {
        let mut frame = Frame::default();
        for _ in 0..2 {
            assert_eq!(frame.wanted(), HEADER);
            let header = header(b'l', [5, 0, 0, 0], [3, 0, 0, 0]);
            frame.take(&header[..10]);
            assert_eq!((frame.wanted(), frame.length()), (6, 0));
            frame.take(&header[10..]);
            // The fields are padded to eight.
            assert_eq!((frame.wanted(), frame.length()), (13, 29));
            frame.take(&[0; 12]);
            frame.take(&[0; 1]);
        }
        frame.take(&header(b'B', [0, 0, 1, 0], [0, 0, 0, 8]));
        assert_eq!(frame.length(), 16 + 8 + 256);
        let mut frame = Frame::default();
        frame.take(&header(b'l', [0xff; 4], [0xff; 4]));
        assert!(frame.length() > LONGEST);
    }
}
