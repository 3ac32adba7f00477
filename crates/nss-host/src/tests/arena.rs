//! A caller's buffer that sees what is written beside it.

use std::ffi::{CStr, c_char};

/// Memory with a buffer in it at a chosen place; the rest must stay as it is.
pub(super) struct Arena {
    memory: Vec<u8>,
    start: usize,
    pub(super) size: usize,
}

const UNTOUCHED: u8 = 0xA5;

impl Arena {
    pub(super) fn new(offset: usize, size: usize) -> Self {
        let memory = vec![UNTOUCHED; size + 64];
        let start = 32 - memory.as_ptr().addr() % 16 + offset;
        Self {
            memory,
            start,
            size,
        }
    }

    pub(super) fn buffer(&mut self) -> *mut c_char {
        self.memory[self.start..].as_mut_ptr().cast()
    }

    pub(super) fn holds<T>(&self, pointer: *const T, size: usize) -> bool {
        let start = self.memory[self.start..].as_ptr().addr();
        (start..=start + self.size - size).contains(&pointer.addr())
    }

    #[track_caller]
    pub(super) fn check(&self) {
        let (before, rest) = self.memory.split_at(self.start);
        let after = &rest[self.size..];
        assert!(
            before.iter().chain(after).all(|&byte| byte == UNTOUCHED),
            "written outside"
        );
    }

    #[track_caller]
    pub(super) fn text(&self, pointer: *const c_char) -> String {
        assert!(self.holds(pointer, 1));
        // SAFETY: within the arena, and what stands there ends with a NUL.
        let text = unsafe { CStr::from_ptr(pointer) }
            .to_str()
            .unwrap()
            .to_owned();
        assert!(self.holds(pointer, text.len() + 1));
        text
    }

    /// The pointers of a list that ends with null.
    #[track_caller]
    pub(super) fn list(&self, mut pointers: *mut *mut c_char) -> Vec<*mut c_char> {
        let mut list = vec![];
        loop {
            assert!(
                pointers.is_aligned() && self.holds(pointers, 8),
                "a list out of place"
            );
            // SAFETY: within the arena and aligned.
            let pointer = unsafe { pointers.read() };
            if pointer.is_null() {
                return list;
            }
            list.push(pointer);
            pointers = pointers.wrapping_add(1);
        }
    }
}
