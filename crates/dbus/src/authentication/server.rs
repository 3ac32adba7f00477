//! The side that was connected to.

use crate::{
    address::Guid,
    authentication::{
        Outcome,
        lines::{Lines, command},
    },
    error::{Error, Result},
    hex,
};

/// A server, and what it lets in.
#[derive(Clone, Debug)]
pub struct Server {
    output: Vec<u8>,
    lines: Lines,
    guid: Guid,
    peer: Option<u32>,
    anonymous: bool,
    descriptors: bool,
    agreed: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// For the byte that brings the credentials.
    Nul,
    Auth,
    /// For the identity of EXTERNAL.
    Identity,
    /// For what ANONYMOUS has to say, which is for a log at most.
    Trace,
    Begin,
    Done,
}

impl Server {
    /// A server with this GUID. `peer` is the user whom the kernel names, who is let in by EXTERNAL; `anonymous` lets in
    /// everyone, whoever he says he is; `descriptors` is whether the socket can pass them.
    pub fn new(guid: Guid, peer: Option<u32>, anonymous: bool, descriptors: bool) -> Self {
        Self {
            output: Vec::new(),
            lines: Lines::default(),
            guid,
            peer,
            anonymous,
            descriptors,
            agreed: false,
            stage: Stage::Nul,
        }
    }

    /// What is still to be sent.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// So many bytes of it were sent.
    pub fn sent(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
    }

    /// What came of it, when the client has begun.
    pub fn outcome(&self) -> Option<Outcome> {
        (self.stage == Stage::Done).then_some(Outcome {
            server: self.guid,
            descriptors: self.agreed,
        })
    }

    /// Takes what was received, and gives how much of it: the rest are messages.
    ///
    /// # Errors
    /// [`Error::NotPermitted`]: the client begins without leave; [`Error::Malformed`]: it does not speak this;
    /// [`Error::Full`]: it talks too much.
    pub fn input(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut rest = bytes;
        if self.stage == Stage::Nul {
            match bytes {
                [0, after @ ..] => rest = after,
                [] => return Ok(0),
                _ => return Err(Error::Malformed),
            }
            self.stage = Stage::Auth;
        }
        while self.stage != Stage::Done
            && let Some(line) = self.lines.take(&mut rest)?
        {
            self.command(&line)?;
        }
        Ok(bytes.len() - rest.len())
    }

    fn command(&mut self, line: &str) -> Result<()> {
        match (self.stage, command(line)) {
            (Stage::Begin, ("BEGIN", _)) => self.stage = Stage::Done,
            (_, ("BEGIN", _)) => return Err(Error::NotPermitted),
            (Stage::Auth, ("AUTH", mechanism)) => self.mechanism(mechanism),
            (Stage::Identity, ("DATA", identity)) => self.external(identity),
            (Stage::Trace, ("DATA", _)) => self.accept(),
            (Stage::Begin, ("NEGOTIATE_UNIX_FD", _)) if self.descriptors => {
                self.agreed = true;
                self.say("AGREE_UNIX_FD");
            }
            (Stage::Identity | Stage::Trace | Stage::Begin, ("CANCEL", _)) | (_, ("ERROR", _)) => {
                self.reject();
            }
            _ => self.say("ERROR"),
        }
        Ok(())
    }

    fn mechanism(&mut self, mechanism: &str) {
        match command(mechanism) {
            ("EXTERNAL", "") => self.ask(Stage::Identity),
            ("EXTERNAL", identity) => self.external(identity),
            ("ANONYMOUS", "") if self.anonymous => self.ask(Stage::Trace),
            ("ANONYMOUS", _) if self.anonymous => self.accept(),
            _ => self.reject(),
        }
    }

    fn ask(&mut self, stage: Stage) {
        self.stage = stage;
        self.say("DATA");
    }

    /// No identity is the one that the kernel says.
    fn external(&mut self, identity: &str) {
        let is_peer = |user| self.peer == Some(user);
        let is_let_in = match hex::decode(identity) {
            Some(text) if text.is_empty() => self.anonymous || self.peer.is_some(),
            Some(text) => number(&text).is_some_and(|user| self.anonymous || is_peer(user)),
            None => false,
        };
        if is_let_in {
            self.accept();
        } else {
            self.reject();
        }
    }

    fn accept(&mut self) {
        self.stage = Stage::Begin;
        let line = format!("OK {}", hex::encode(&self.guid));
        self.say(&line);
    }

    fn reject(&mut self) {
        self.stage = Stage::Auth;
        self.agreed = false;
        self.say(match (self.peer, self.anonymous) {
            (Some(_), true) => "REJECTED EXTERNAL ANONYMOUS",
            (Some(_), false) => "REJECTED EXTERNAL",
            (None, true) => "REJECTED ANONYMOUS",
            (None, false) => "REJECTED",
        });
    }

    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

/// A user's number in decimal digits.
fn number(text: &[u8]) -> Option<u32> {
    let text = str::from_utf8(text).ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}
