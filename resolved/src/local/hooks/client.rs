//! A Varlink client: one connection, one call at a time. (zlink's client has no bound on what it buffers.)

use std::{io, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

/// The longest message that is taken: a filter that names 10,000 machines fits.
const LONGEST: usize = 1 << 20;

/// A connection to who may be believed.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    received: Vec<u8>,
}

/// One reply to a call.
#[derive(Debug, Deserialize)]
pub(super) struct Reply<T> {
    error: Option<String>,
    parameters: Option<T>,
    /// Others follow.
    #[serde(default)]
    pub continues: bool,
}

impl<T> Reply<T> {
    /// What it says.
    pub fn parameters(self) -> io::Result<T> {
        match self.error {
            Some(error) => Err(io::Error::other(error)),
            None => self
                .parameters
                .ok_or_else(|| io::Error::other("a reply without parameters")),
        }
    }
}

impl Connection {
    /// Connects, if the one who listens there was `owner` as they began to: SO_PEERCRED, unix(7).
    pub async fn open(path: &Path, owner: u32) -> io::Result<Self> {
        let stream = UnixStream::connect(path).await?;
        let uid = stream.peer_cred()?.uid();
        if uid != owner {
            let what = format!("user {uid} listens there, and is not believed");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
        Ok(Self {
            stream,
            received: Vec::new(),
        })
    }

    /// Sends a call; with `more` it may have any number of replies.
    pub async fn send(
        &mut self,
        method: &str,
        parameters: &impl Serialize,
        more: bool,
    ) -> io::Result<()> {
        #[derive(Serialize)]
        struct Call<'a, P> {
            method: &'a str,
            parameters: &'a P,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            more: bool,
        }
        let call = Call {
            method,
            parameters,
            more,
        };
        let mut message = serde_json::to_vec(&call)?;
        message.push(0);
        self.stream.write_all(&message).await
    }

    /// Receives a reply.
    pub async fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Reply<T>> {
        let mut searched = 0;
        loop {
            let unsearched = self.received.get(searched..).unwrap_or_default();
            if let Some(end) = unsearched.iter().position(|byte| *byte == 0) {
                let rest = self.received.split_off(searched + end + 1);
                let message = std::mem::replace(&mut self.received, rest);
                let message = message.strip_suffix(&[0]).unwrap_or(&message);
                return Ok(serde_json::from_slice(message)?);
            }
            searched = self.received.len();
            if searched >= LONGEST {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a message that is too long",
                ));
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Waits until the other end is gone, or sends what nobody asked for.
    pub async fn closed(&mut self) {
        let mut byte = [0];
        // Whatever comes, the connection is of no more use.
        drop(self.stream.read(&mut byte).await);
    }
}
