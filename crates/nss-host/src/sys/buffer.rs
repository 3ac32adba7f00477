//! The caller's buffer.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::ptr;

use crate::{Address, Failure};

/// `struct gaih_addrtuple` (`nss.h`). The libc crate does not have it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Tuple {
    /// The next address of the list, or null.
    pub next: *mut Tuple,
    /// The canonical name.
    pub name: *mut c_char,
    /// `AF_INET` or `AF_INET6`
    pub family: i32,
    /// In network order, from the first byte on.
    pub addr: [u32; 4],
    /// The link of a link-local address, or 0.
    pub scopeid: u32,
}

impl Tuple {
    pub(crate) fn new(address: Address) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address.padded();
        let word = u32::from_ne_bytes;
        Self {
            next: ptr::null_mut(),
            name: ptr::null_mut(),
            family: address.family().raw(),
            addr: [
                word([a, b, c, d]),
                word([e, f, g, h]),
                word([i, j, k, l]),
                word([m, n, o, p]),
            ],
            scopeid: address.scope(),
        }
    }
}

/// A NUL-terminated text in the caller's buffer, or null if there was no room for it.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Text(*mut c_char);

impl Text {
    pub(crate) const NONE: Text = Text(ptr::null_mut());

    pub(crate) fn as_ptr(self) -> *mut c_char {
        self.0
    }
}

/// The alignment of everything that is put into a buffer; an address list must suit `in6_addr`,
/// whatever the caller takes that for.
const ALIGNMENT: usize = 8;

/// The caller's buffer, of which the front is full of lists and the end full of texts.
pub(crate) struct Buffer<'b> {
    start: *mut u8,
    /// Where the front part ends, and where the end part begins: `head <= tail <= length`.
    head: usize,
    tail: usize,
    /// Whether something did not fit.
    too_small: bool,
    memory: PhantomData<&'b mut [u8]>,
}

impl Buffer<'_> {
    /// # Safety
    /// `length` bytes from `start` on are writable by nobody else for as long as the buffer lives.
    /// They need not be initialised.
    pub(crate) unsafe fn new(start: *mut c_char, length: usize) -> Self {
        let length = if start.is_null() { 0 } else { length };
        let memory = PhantomData;
        Self {
            start: start.cast(),
            head: 0,
            tail: length,
            too_small: false,
            memory,
        }
    }

    /// Whether everything has fitted so far.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.too_small {
            Err(Failure::BufferTooSmall)
        } else {
            Ok(())
        }
    }

    /// Takes `size` bytes off the front.
    fn claim(&mut self, size: usize) -> Option<*mut u8> {
        match self.head.checked_add(size) {
            Some(head) if head <= self.tail => {
                // SAFETY: within the buffer, as `head <= tail <= length`.
                let place = unsafe { self.start.add(self.head) };
                self.head = head;
                Some(place)
            }
            _ => {
                self.too_small = true;
                None
            }
        }
    }

    /// Moves the front on to an aligned address.
    pub(crate) fn align(&mut self) {
        let misaligned = self.start.addr().wrapping_add(self.head) % ALIGNMENT;
        if misaligned != 0 {
            self.claim(ALIGNMENT - misaligned);
        }
    }

    /// Puts a value at the front, which is aligned for it: lists are of one type each.
    pub(crate) fn push<T: Copy>(&mut self, value: T) {
        if let Some(place) = self.claim(size_of::<T>()) {
            // SAFETY: `size_of::<T>()` bytes of the buffer, claimed just now. No alignment assumed.
            unsafe { place.cast::<T>().write_unaligned(value) };
        }
    }

    /// Puts bytes at the front.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        if let Some(place) = self.claim(bytes.len()) {
            // SAFETY: as many bytes of the buffer, claimed just now, which no slice overlaps.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        }
    }

    /// Where the front ends, as a pointer into the buffer.
    pub(crate) fn front(&self) -> *mut u8 {
        // SAFETY: within the buffer or one past it, as `head <= tail <= length`.
        unsafe { self.start.add(self.head) }
    }

    /// Puts a text and its NUL at the end. The text is cut at a NUL of its own.
    ///
    /// Once in a module: users have many texts.
    #[inline(never)]
    pub(crate) fn text(&mut self, text: &[u8]) -> Text {
        let end = text.iter().position(|&byte| byte == 0);
        let whole = end.and_then(|end| text.get(..end)).unwrap_or(text);
        self.whole_text(whole)
    }

    /// As [`text`](Self::text), of what has no NUL within.
    pub(crate) fn c_text(&mut self, text: &CStr) -> Text {
        self.whole_text(text.to_bytes())
    }

    fn whole_text(&mut self, text: &[u8]) -> Text {
        let length = text.len();
        let Some(tail) = self
            .tail
            .checked_sub(length + 1)
            .filter(|&tail| tail >= self.head)
        else {
            self.too_small = true;
            return Text::NONE;
        };
        self.tail = tail;
        // SAFETY: within the buffer: `tail < length`.
        let place = unsafe { self.start.add(tail) };
        // SAFETY: `length` is within `text`, and room for one more has been claimed just now.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), place, length) };
        // SAFETY: the byte after the text, claimed with it.
        unsafe { place.wrapping_add(length).write(0) };
        Text(place.cast())
    }
}
