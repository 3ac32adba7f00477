//! A call, in the hands of the method that answers it.

use std::{io, os::fd::BorrowedFd};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{failure::Failure, parameters, peer::Peer, stream::Stream};

/// Proof that a call was answered: only [`Call::reply`] makes one.
#[derive(Debug)]
pub struct Answer(());

/// A call, to be answered once.
#[derive(Debug)]
pub struct Call<'c> {
    pub(crate) method: &'c str,
    pub(crate) parameters: Option<&'c RawValue>,
    pub(crate) more: bool,
    pub(crate) oneway: bool,
    pub(crate) peer: &'c Peer,
    pub(crate) stream: &'c Stream,
    pub(crate) buffer: &'c mut Vec<u8>,
}

impl<'c> Call<'c> {
    /// The full name of the method.
    pub fn method(&self) -> &'c str {
        self.method
    }

    /// Reads the parameters.
    ///
    /// # Errors
    /// `InvalidParameter`, which names the one that is missing or wrong.
    pub fn parameters<T: Deserialize<'c>>(&self) -> Result<T, Failure> {
        parameters::read(self.parameters)
    }

    /// Whether the caller takes more than one reply.
    pub fn more(&self) -> bool {
        self.more
    }

    /// Who calls.
    pub fn peer(&self) -> &'c Peer {
        self.peer
    }

    /// Sends a reply that others follow. Only for a caller who takes [`Self::more`].
    ///
    /// # Errors
    /// Where the peer is gone, or has not read for too long.
    pub async fn update(&mut self, parameters: &impl Serialize) -> Result<(), Failure> {
        let reply = zlink::Reply::new(Some(parameters)).set_continues(Some(true));
        self.send(&reply, &[]).await
    }

    /// Answers the call.
    ///
    /// # Errors
    /// Where the peer is gone, or has not read for too long.
    pub async fn reply(self, parameters: &impl Serialize) -> Result<Answer, Failure> {
        self.reply_with_fds(parameters, &[]).await
    }

    /// Answers the call and passes descriptors; the parameters name them by their index.
    ///
    /// # Errors
    /// Where the peer is gone, or has not read for too long.
    pub async fn reply_with_fds(
        mut self,
        parameters: &impl Serialize,
        fds: &[BorrowedFd<'_>],
    ) -> Result<Answer, Failure> {
        self.send(&zlink::Reply::new(Some(parameters)), fds).await?;
        Ok(Answer(()))
    }

    /// Answers the call with an empty object.
    ///
    /// # Errors
    /// Where the peer is gone, or has not read for too long.
    pub async fn done(self) -> Result<Answer, Failure> {
        #[derive(Serialize)]
        struct Nothing {}
        self.reply(&Nothing {}).await
    }

    /// Waits until the peer hangs up: for a call that goes on sending updates.
    pub async fn closed(&self) -> Failure {
        match self.stream.closed().await {
            Ok(()) => Failure::Disconnected(io::ErrorKind::ConnectionReset.into()),
            Err(error) => Failure::Disconnected(error),
        }
    }

    /// Waits until the peer has closed its end: nobody is there to take an answer. One that has only said that it sends
    /// no more, as a shell's pipe does, still reads.
    pub async fn abandoned(&self) {
        // A socket that can't be waited for says so when the answer is sent.
        if self.stream.hung_up().await.is_err() {
            std::future::pending().await
        }
    }

    pub(crate) async fn send(
        &mut self,
        message: &impl Serialize,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), Failure> {
        if self.oneway {
            return Ok(());
        }
        send(self.stream, self.buffer, message, fds)
            .await
            .map_err(Failure::Disconnected)
    }
}

/// Sends one message and the NUL byte that ends it.
pub(crate) async fn send(
    stream: &Stream,
    buffer: &mut Vec<u8>,
    message: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    buffer.clear();
    serde_json::to_writer(&mut *buffer, message)?;
    buffer.push(0);
    let result = stream.send(buffer, fds).await;
    // A connection that got a big reply once does not keep its size for ever.
    buffer.shrink_to(4096);
    result
}
