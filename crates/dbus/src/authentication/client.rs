//! The side that connects.

use crate::{
    address::{Guid, guid},
    authentication::{
        Outcome,
        lines::{Lines, command},
    },
    error::{Error, Result},
    hex,
};

/// Who a client says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Whom the kernel says that it is. The server need not know users by the same numbers as the client, as it does not where
    /// they are in different user namespaces.
    Peer,
    /// A user by his number, which must be the one that the kernel says.
    User(u32),
    /// Nobody.
    Anonymous,
}

/// A client. It says all but BEGIN at once, and BEGIN when the server has answered: together with the first message that takes
/// no more time, and there are servers that lose what comes with BEGIN.
#[derive(Clone, Debug)]
pub struct Client {
    output: Vec<u8>,
    lines: Lines,
    identity: Identity,
    descriptors: bool,
    expected: Option<Guid>,
    stage: Stage,
}

/// What the next line of the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// AUTH
    Auth,
    /// DATA, which was asked for.
    Data,
    /// DATA, which was not asked for: an error.
    Stray(Guid),
    /// NEGOTIATE_UNIX_FD
    Negotiate(Guid),
    Done(Outcome),
}

impl Client {
    /// A client that wants to send descriptors or does not, and takes any server or this one.
    pub fn new(identity: Identity, descriptors: bool, expected: Option<Guid>) -> Self {
        let mut output = match identity {
            Identity::Peer => "\0AUTH EXTERNAL\r\nDATA\r\n".to_owned(),
            Identity::User(number) => {
                format!(
                    "\0AUTH EXTERNAL {}\r\n",
                    hex::encode(number.to_string().as_bytes())
                )
            }
            // With something to say, or the server asks for it: "anonymous".
            Identity::Anonymous => "\0AUTH ANONYMOUS 616e6f6e796d6f7573\r\n".to_owned(),
        };
        if descriptors {
            output.push_str("NEGOTIATE_UNIX_FD\r\n");
        }
        Self {
            output: output.into_bytes(),
            lines: Lines::default(),
            identity,
            descriptors,
            expected,
            stage: Stage::Auth,
        }
    }

    /// What is still to be sent. That BEGIN is sent is for the caller to see to before its first message.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// So many bytes of it were sent.
    pub fn sent(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
    }

    /// What came of it, when it is over.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.stage {
            Stage::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Takes what was received, and gives how much of it: the rest are messages.
    ///
    /// # Errors
    /// [`Error::NotPermitted`]: the server refuses, or is another than the expected one; [`Error::Malformed`]: that is no
    /// answer; [`Error::Full`]: it talks too much.
    pub fn input(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut rest = bytes;
        while self.outcome().is_none()
            && let Some(line) = self.lines.take(&mut rest)?
        {
            self.stage = self.answer(&line)?;
            if self.outcome().is_some() {
                self.output.extend_from_slice(b"BEGIN\r\n");
            }
        }
        Ok(bytes.len() - rest.len())
    }

    fn answer(&self, line: &str) -> Result<Stage> {
        let agreed = |server, descriptors| {
            Stage::Done(Outcome {
                server,
                descriptors,
            })
        };
        match (self.stage, command(line)) {
            (Stage::Auth, ("DATA", _)) if self.identity == Identity::Peer => Ok(Stage::Data),
            (Stage::Auth | Stage::Data, ("OK", text)) => {
                let server = guid(text.as_bytes()).map_err(|_| Error::Malformed)?;
                if self.expected.is_some_and(|expected| expected != server) {
                    return Err(Error::NotPermitted);
                }
                Ok(match self.stage {
                    Stage::Auth if self.identity == Identity::Peer => Stage::Stray(server),
                    _ => self.after_ok(server),
                })
            }
            (Stage::Auth | Stage::Data, ("REJECTED" | "ERROR", _)) => Err(Error::NotPermitted),
            (Stage::Stray(server), ("ERROR", _)) => Ok(self.after_ok(server)),
            (Stage::Negotiate(server), ("AGREE_UNIX_FD", _)) => Ok(agreed(server, true)),
            (Stage::Negotiate(server), ("ERROR", _)) => Ok(agreed(server, false)),
            _ => Err(Error::Malformed),
        }
    }

    fn after_ok(&self, server: Guid) -> Stage {
        if self.descriptors {
            Stage::Negotiate(server)
        } else {
            Stage::Done(Outcome {
                server,
                descriptors: false,
            })
        }
    }
}
