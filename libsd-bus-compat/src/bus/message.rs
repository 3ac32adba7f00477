//! A message: one that is being written, or one that is complete and being read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use dbus::message::Header;
use dbus::{Basic, Builder, Cursor};
use rustix::io::fcntl_dupfd_cloexec;

use super::errno;
use crate::{Errno, Result};

/// How many descriptors may go with one.
const DESCRIPTORS: usize = 1024;

/// A complete message with its descriptors, as it goes into a queue.
#[derive(Clone, Debug)]
pub struct Sealed(Arc<(dbus::Message, Vec<OwnedFd>)>);

impl Sealed {
    /// One that was received.
    pub fn new(message: dbus::Message, descriptors: Vec<OwnedFd>) -> Self {
        Self(Arc::new((message, descriptors)))
    }

    /// Its bytes.
    pub fn message(&self) -> &dbus::Message {
        &self.0.0
    }

    /// What comes with them.
    pub fn descriptors(&self) -> &[OwnedFd] {
        &self.0.1
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
    },
    /// It can be read and sent.
    Complete {
        /// What is read.
        sealed: Sealed,
        /// Where.
        cursor: Cursor,
    },
}

impl Message {
    /// One to append to.
    pub fn open(builder: Builder) -> Self {
        Self::Open {
            builder,
            descriptors: Vec::new(),
        }
    }

    /// One to read, from its beginning.
    pub fn complete(sealed: Sealed) -> Self {
        let cursor = sealed.message().cursor();
        Self::Complete { sealed, cursor }
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
            Self::Complete { sealed, cursor } => Ok((cursor, sealed)),
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

    /// Whether it is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }

    /// Makes it complete, under this number.
    ///
    /// # Errors
    /// EPERM if it is; EBADMSG if a container is open.
    pub fn seal(&mut self, serial: u32) -> Result<()> {
        let Self::Open {
            builder,
            descriptors,
        } = self
        else {
            return Err(Errno::PERM);
        };
        let message = builder.seal(serial).map_err(errno)?;
        let descriptors = std::mem::take(descriptors);
        *self = Self::complete(Sealed::new(message, descriptors));
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
