//! A message: one that is being written, or one that is complete and being read.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dbus::message::Header;
use dbus::{Basic, Builder, Cursor, Kind};
use rustix::io::fcntl_dupfd_cloexec;

use super::errno;
use crate::{Errno, Result};

/// The number of a message that nobody has sent, and that tells what has become of a call or of the connection.
pub const MADE_UP: u32 = u32::MAX;

/// How many descriptors may go with one.
const DESCRIPTORS: usize = 1024;

/// A complete message with its descriptors, as it goes into a queue.
#[derive(Clone, Debug)]
pub struct Sealed(Arc<Parts>);

#[derive(Debug)]
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
    /// One that was received.
    pub fn new(message: dbus::Message, descriptors: Vec<OwnedFd>) -> Self {
        Self(Arc::new(Parts {
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
        result: Option<Arc<CStr>>,
    },
    /// It can be read and sent.
    Complete {
        /// What is read.
        sealed: Sealed,
        /// Where.
        cursor: Cursor,
        /// The types that its answer must have.
        answer: Option<Arc<CStr>>,
    },
}

impl Message {
    /// One to append to.
    pub fn open(builder: Builder) -> Self {
        Self::Open {
            builder,
            descriptors: Vec::new(),
            result: None,
        }
    }

    /// One to append to, in answer to this one.
    pub fn answer(call: &Self, builder: Builder) -> Self {
        let mut answer = Self::open(builder);
        if let (Self::Open { result, .. }, Self::Complete { answer, .. }) = (&mut answer, call) {
            *result = answer.clone();
        }
        if call.is_sensitive() {
            answer.set_sensitive();
        }
        answer
    }

    /// One to read, from its beginning.
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
    pub fn expect_answer(&mut self, types: &Arc<CStr>) {
        if let Self::Complete { answer, .. } = self {
            *answer = Some(Arc::clone(types));
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
        let types = result.as_deref().map(CStr::to_bytes);
        if builder.header().kind() == Kind::MethodReturn
            && types.is_some_and(|types| types != builder.signature())
        {
            return Err(Errno::NOMSG);
        }
        let is_sensitive = builder.is_sensitive();
        let message = builder.seal(serial).map_err(errno)?;
        let sealed = Sealed::new(message, std::mem::take(descriptors));
        if is_sensitive {
            sealed.set_sensitive();
        }
        *self = Self::complete(sealed);
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
