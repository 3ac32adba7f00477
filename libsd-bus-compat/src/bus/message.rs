//! A message: one that is being written, or one that is complete and being read.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use dbus::connection::Incoming;
use dbus::message::Header;
use dbus::{Basic, Builder, Cursor, Kind};
use rustix::io::fcntl_dupfd_cloexec;

use super::errno;
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// The number of a message that nobody has sent, and that tells what has become of a call or of the connection.
pub const MADE_UP: u32 = u32::MAX;

/// How many descriptors may go with one.
const DESCRIPTORS: usize = 1024;

/// A complete message with its descriptors, as it goes into a queue.
#[derive(Clone, Debug)]
pub struct Sealed(Shared<Parts>);

#[derive(Debug, Default)]
struct Parts {
    message: dbus::Message,
    descriptors: Vec<OwnedFd>,
    is_sensitive: AtomicBool,
}

impl Drop for Parts {
    fn drop(&mut self) {
        if *self.is_sensitive.get_mut() {
            self.message.erase();
        }
    }
}

impl Sealed {
    /// The next one of what was received, if it is there as a whole.
    ///
    /// # Errors
    /// As [`Incoming::next_message`].
    pub fn next(of: &mut Incoming<OwnedFd>) -> dbus::Result<Option<Self>> {
        if !of.is_ready() {
            return Ok(None);
        }
        let next = Shared::filled(Parts::default, |parts| {
            let descriptors = of.next_message_to(&mut parts.message)?;
            parts.descriptors = descriptors.unwrap_or_default();
            Ok(())
        });
        next.map(|parts| Some(Self(parts)))
    }

    /// One that was made here.
    pub fn new(message: dbus::Message, descriptors: Vec<OwnedFd>) -> Self {
        Self(Shared::new(Parts {
            message,
            descriptors,
            is_sensitive: AtomicBool::new(false),
        }))
    }

    /// Its bytes.
    pub fn message(&self) -> &dbus::Message {
        &self.0.message
    }

    /// What comes with them.
    pub fn descriptors(&self) -> &[OwnedFd] {
        &self.0.descriptors
    }

    /// Has its bytes erased before their memory is given back.
    pub fn set_sensitive(&self) {
        self.0.is_sensitive.store(true, Ordering::Relaxed);
    }

    /// One of those, which stays the message's.
    ///
    /// # Errors
    /// EBADMSG if there is none of this number.
    pub fn descriptor(&self, index: u32) -> Result<BorrowedFd<'_>> {
        let index = usize::try_from(index).map_err(|_| Errno::BADMSG)?;
        let descriptor = self.descriptors().get(index);
        descriptor.map(AsFd::as_fd).ok_or(Errno::BADMSG)
    }
}

impl AsRef<dbus::Message> for Sealed {
    fn as_ref(&self) -> &dbus::Message {
        self.message()
    }
}

/// A message in one of its two states.
#[derive(Debug)]
pub enum Message {
    /// It can be appended to.
    Open {
        /// What was appended.
        builder: Builder,
        /// Copies of the descriptors in it.
        descriptors: Vec<OwnedFd>,
        /// The types that it must have, if it becomes no error.
        result: Option<Shared<CString>>,
    },
    /// It can be read and sent.
    Complete {
        /// What is read.
        sealed: Sealed,
        /// Where.
        cursor: Cursor,
        /// The types that its answer must have.
        answer: Option<Shared<CString>>,
    },
}

impl Message {
    /// One to append to.
    #[inline]
    pub fn open(builder: Builder) -> Self {
        Self::Open {
            builder,
            descriptors: Vec::new(),
            result: None,
        }
    }

    /// Says that it answers this call.
    ///
    /// # Errors
    /// EPERM unless it can be appended to and the call is complete; as [`Builder::answer`].
    pub fn answer(&mut self, call: &Self) -> Result<()> {
        let Self::Complete { sealed, answer, .. } = call else {
            return Err(Errno::PERM);
        };
        let Self::Open {
            builder, result, ..
        } = self
        else {
            return Err(Errno::PERM);
        };
        builder.answer(sealed.message().header()).map_err(errno)?;
        result.clone_from(answer);
        if call.is_sensitive() {
            builder.set_sensitive();
        }
        Ok(())
    }

    /// One to read, from its beginning.
    #[inline]
    pub fn complete(sealed: Sealed) -> Self {
        let cursor = sealed.message().cursor();
        Self::Complete {
            sealed,
            cursor,
            answer: None,
        }
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        match self {
            Self::Open { builder, .. } => builder.header(),
            Self::Complete { sealed, .. } => sealed.message().header(),
        }
    }

    /// To append.
    ///
    /// # Errors
    /// EPERM if it is complete.
    pub fn builder(&mut self) -> Result<&mut Builder> {
        match self {
            Self::Open { builder, .. } => Ok(builder),
            Self::Complete { .. } => Err(Errno::PERM),
        }
    }

    /// To read.
    ///
    /// # Errors
    /// EPERM if it is not complete.
    pub fn reader(&mut self) -> Result<(&mut Cursor, &Sealed)> {
        match self {
            Self::Open { .. } => Err(Errno::PERM),
            Self::Complete { sealed, cursor, .. } => Ok((cursor, sealed)),
        }
    }

    /// As it goes into a queue.
    ///
    /// # Errors
    /// EPERM if it is not complete.
    pub fn sealed(&self) -> Result<&Sealed> {
        match self {
            Self::Open { .. } => Err(Errno::PERM),
            Self::Complete { sealed, .. } => Ok(sealed),
        }
    }

    /// Says which types its answer must have.
    pub fn expect_answer(&mut self, types: &Shared<CString>) {
        if let Self::Complete { answer, .. } = self {
            *answer = Some(Shared::clone(types));
        }
    }

    /// Has its bytes erased before their memory is given back.
    pub fn set_sensitive(&mut self) {
        match self {
            Self::Open { builder, .. } => builder.set_sensitive(),
            Self::Complete { sealed, .. } => sealed.set_sensitive(),
        }
    }

    fn is_sensitive(&self) -> bool {
        match self {
            Self::Open { builder, .. } => builder.is_sensitive(),
            Self::Complete { sealed, .. } => sealed.0.is_sensitive.load(Ordering::Relaxed),
        }
    }

    /// Whether it is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }

    /// Makes it complete, under this number.
    ///
    /// # Errors
    /// EPERM if it is; EBADMSG if a container is open; ENOMSG if it is an answer of other types than it must have.
    pub fn seal(&mut self, serial: u32) -> Result<()> {
        let Self::Open {
            builder,
            descriptors,
            result,
        } = self
        else {
            return Err(Errno::PERM);
        };
        let types = result.as_ref().map(|types| types.to_bytes());
        if builder.header().kind() == Kind::MethodReturn
            && types.is_some_and(|types| types != builder.signature())
        {
            return Err(Errno::NOMSG);
        }
        let is_sensitive = builder.is_sensitive();
        let parts = Shared::filled(Parts::default, |parts| {
            builder.seal_to(serial, &mut parts.message)?;
            parts.descriptors = std::mem::take(descriptors);
            *parts.is_sensitive.get_mut() = is_sensitive;
            Ok(())
        });
        *self = Self::complete(Sealed(parts.map_err(errno)?));
        Ok(())
    }

    /// Appends a value.
    ///
    /// # Errors
    /// As [`Builder::append_basic`].
    pub fn append_basic(&mut self, value: Basic<'_>) -> Result<()> {
        self.builder()?.append_basic(value).map_err(errno)
    }

    /// Appends a copy of a descriptor.
    ///
    /// # Errors
    /// EBADF; as [`Builder::append_basic`].
    pub fn append_descriptor(&mut self, descriptor: BorrowedFd<'_>) -> Result<()> {
        let Self::Open {
            builder,
            descriptors,
            ..
        } = self
        else {
            return Err(Errno::PERM);
        };
        if descriptors.len() >= DESCRIPTORS {
            return Err(Errno::NOBUFS);
        }
        let copy = fcntl_dupfd_cloexec(descriptor, 3)?;
        let index = u32::try_from(descriptors.len()).map_err(|_| Errno::NOBUFS)?;
        builder.append_basic(Basic::UnixFd(index)).map_err(errno)?;
        descriptors.push(copy);
        Ok(())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        if let Self::Open { builder, .. } = self
            && builder.is_sensitive()
        {
            builder.erase();
        }
    }
}
