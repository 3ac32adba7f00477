//! sd-journal.h: what writes to the journal.

mod socket;

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::IntoRawFd;
use std::slice;

use self::socket::Socket;
use super::boundary::entry;
use super::pointer::{optional_text, text};
use super::sys;
use crate::journal::{self, Destination, Field, Stream};
use crate::{Errno, Result};

/// What an entry is of: the fields that the macros of sd-journal.h give.
#[derive(Clone, Copy)]
struct Place {
    file: *const c_char,
    line: *const c_char,
    function: *const c_char,
}

impl Place {
    /// Those of a place.
    ///
    /// # Safety
    /// The pointers are as C promises.
    unsafe fn fields<'a>(self) -> Result<[Field<'a>; 3]> {
        // SAFETY: the caller's promise.
        let file = unsafe { text(self.file) }?;
        // SAFETY: likewise.
        let line = unsafe { text(self.line) }?;
        // SAFETY: likewise.
        let function = unsafe { text(self.function) }?;
        Ok([
            Field::parse(file.to_bytes())?,
            Field::parse(line.to_bytes())?,
            Field::new(b"CODE_FUNC", function.to_bytes()),
        ])
    }

    /// One, unless nothing was said of it.
    fn of(file: *const c_char, line: *const c_char, function: *const c_char) -> Option<Self> {
        let place = Self {
            file,
            line,
            function,
        };
        let says = [file, line, function].iter().any(|part| !part.is_null());
        says.then_some(place)
    }
}

/// Sends fields, those of a place before or behind them, and the program's name if none of them is one.
///
/// # Safety
/// The pointers are as C promises.
unsafe fn send<'a, F>(before: Option<Place>, fields: F, behind: Option<Place>) -> Result<()>
where
    F: ExactSizeIterator<Item = Result<Field<'a>>> + Clone,
{
    // SAFETY: the caller's promise.
    let of = |place: Option<Place>| place.map(|place| unsafe { place.fields() }).transpose();
    let (before, behind) = (of(before)?, of(behind)?);
    let is_identifier =
        |field: Result<Field<'_>>| field.is_ok_and(|own| own.is("SYSLOG_IDENTIFIER"));
    let name = match fields.clone().any(is_identifier) {
        true => None,
        false => sys::program_name().map(CStr::to_bytes),
    };
    let name = name.filter(|name| journal::is_identifier(name));
    let name = name.map(|name| Field::new(b"SYSLOG_IDENTIFIER", name));
    let places = before.as_slice().len() + behind.as_slice().len();
    let count = fields.len() + 3 * places + usize::from(name.is_some());
    let all = (before.into_iter().flatten().map(Ok))
        .chain(fields)
        .chain(behind.into_iter().flatten().map(Ok))
        .chain(name.map(Ok));
    let to = Destination::new("/run/systemd/journal/socket")?;
    journal::send(Socket::get, &to, Counted { all, count })
}

/// An iterator whose length is known, though its parts' types don't say it.
struct Counted<I> {
    all: I,
    count: usize,
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.count = self.count.saturating_sub(1);
        self.all.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl<I: Iterator> ExactSizeIterator for Counted<I> {}

/// What C gives in a vector.
///
/// # Safety
/// There are as many, each of memory that stays as it is.
unsafe fn given<'a>(vector: *const libc::iovec, count: usize) -> &'a [libc::iovec] {
    match vector.is_null() || count == 0 {
        true => &[],
        // SAFETY: the caller's promise.
        false => unsafe { slice::from_raw_parts(vector, count) },
    }
}

/// # Safety
/// As [`given`].
unsafe fn assignment<'a>(part: &libc::iovec) -> Result<&'a [u8]> {
    // One byte is no assignment.
    match part.iov_base.is_null() || part.iov_len <= 1 {
        true => Err(Errno::INVAL),
        // SAFETY: the caller's promise.
        false => Ok(unsafe { slice::from_raw_parts(part.iov_base.cast(), part.iov_len) }),
    }
}

fn check_priority(priority: c_int) -> Result<u8> {
    match u8::try_from(priority) {
        Ok(priority @ 0..=7) => Ok(priority),
        _ => Err(Errno::INVAL),
    }
}

/// Runs a function that leaves errno as it was.
fn keeping_errno(body: impl FnOnce() -> Result<c_int>) -> c_int {
    let before = sys::errno();
    let answer = entry(body);
    sys::set_errno(before);
    answer
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_journal_sendv(vector: *const libc::iovec, count: c_int) -> c_int {
    keeping_errno(|| {
        let count = usize::try_from(count).map_err(|_| Errno::INVAL)?;
        if vector.is_null() || count == 0 {
            return Err(Errno::INVAL);
        }
        // SAFETY: the contract of C.
        let fields = unsafe { given(vector, count) }.iter().map(|part| {
            // SAFETY: likewise.
            unsafe { assignment(part) }.and_then(Field::parse)
        });
        // SAFETY: likewise.
        unsafe { send(None, fields, None) }.map(|()| 0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_journal_sendv_with_location(
    file: *const c_char,
    line: *const c_char,
    function: *const c_char,
    vector: *const libc::iovec,
    count: c_int,
) -> c_int {
    keeping_errno(|| {
        let count = usize::try_from(count).map_err(|_| Errno::INVAL)?;
        if vector.is_null() || count == 0 {
            return Err(Errno::INVAL);
        }
        let place = Place {
            file,
            line,
            function,
        };
        // SAFETY: the contract of C.
        let fields = unsafe { given(vector, count) }.iter().map(|part| {
            // SAFETY: likewise.
            unsafe { assignment(part) }.and_then(Field::parse)
        });
        // SAFETY: likewise.
        unsafe { send(None, fields, Some(place)) }.map(|()| 0)
    })
}

/// `sd_journal_send` after its formats have become texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_journal_send(
    file: *const c_char,
    line: *const c_char,
    function: *const c_char,
    texts: *const *const c_char,
    count: usize,
) -> c_int {
    keeping_errno(|| {
        let texts = match texts.is_null() {
            true => return Err(Errno::INVAL),
            // SAFETY: the C file gives as many.
            false => unsafe { slice::from_raw_parts(texts, count) },
        };
        let fields = texts.iter().map(|one| {
            // SAFETY: likewise.
            let assignment = journal::trimmed(unsafe { text(*one) }?.to_bytes());
            match assignment.len() {
                ..2 => Err(Errno::INVAL),
                _ => Field::parse(assignment),
            }
        });
        // SAFETY: the contract of C.
        unsafe { send(Place::of(file, line, function), fields, None) }.map(|()| 0)
    })
}

/// `sd_journal_print` after its format has become a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_journal_print(
    priority: c_int,
    file: *const c_char,
    line: *const c_char,
    function: *const c_char,
    message: *const c_char,
) -> c_int {
    keeping_errno(|| {
        let priority = [b'0' + check_priority(priority)?];
        // SAFETY: the C file gives it.
        let message = journal::trimmed(unsafe { text(message) }?.to_bytes());
        if message.is_empty() {
            return Ok(0);
        }
        let fields = [
            Field::new(b"MESSAGE", message),
            Field::new(b"PRIORITY", &priority),
        ];
        let place = Place::of(file, line, function);
        // SAFETY: the contract of C.
        unsafe { send(None, fields.into_iter().map(Ok), place) }.map(|()| 0)
    })
}

unsafe fn perror(message: *const c_char, place: Option<Place>) -> c_int {
    let number = sys::errno();
    keeping_errno(|| {
        // SAFETY: the caller's promise.
        let message = unsafe { optional_text(message) }.unwrap_or_default();
        let mut said = message.to_bytes().to_vec();
        if !said.is_empty() {
            said.extend(b": ");
        }
        said.extend(sys::error_text(number).to_bytes());
        let number = number.to_string();
        let fields = [
            Field::new(b"PRIORITY", b"3"),
            Field::new(b"MESSAGE", &said),
            Field::new(b"ERRNO", number.as_bytes()),
        ];
        // SAFETY: the caller's promise.
        unsafe { send(place, fields.into_iter().map(Ok), None) }.map(|()| 0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_journal_perror(message: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { perror(message, None) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_journal_perror_with_location(
    file: *const c_char,
    line: *const c_char,
    function: *const c_char,
    message: *const c_char,
) -> c_int {
    let place = Place {
        file,
        line,
        function,
    };
    // SAFETY: the contract of C.
    unsafe { perror(message, Some(place)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_journal_stream_fd(
    identifier: *const c_char,
    priority: c_int,
    prefixes: c_int,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { sd_journal_stream_fd_with_namespace(std::ptr::null(), identifier, priority, prefixes) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_journal_stream_fd_with_namespace(
    namespace: *const c_char,
    identifier: *const c_char,
    priority: c_int,
    prefixes: c_int,
) -> c_int {
    keeping_errno(|| {
        // SAFETY: the contract of C.
        let namespace = unsafe { optional_text(namespace) };
        // SAFETY: likewise.
        let identifier = unsafe { optional_text(identifier) }.unwrap_or_default();
        let stream = Stream {
            identifier: identifier.to_bytes(),
            priority: check_priority(priority)?,
            prefixes: prefixes != 0,
        };
        let opened = match namespace {
            None => stream.open("/run/systemd/journal/stdout"),
            Some(name) => {
                let name = name.to_str().map_err(|_| Errno::INVAL)?;
                if !journal::is_namespace(name) {
                    return Err(Errno::INVAL);
                }
                stream.open(&format!("/run/systemd/journal.{name}/stdout"))
            }
        };
        Ok(opened?.into_raw_fd())
    })
}
