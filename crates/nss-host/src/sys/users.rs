//! The entry points of the passwd and group databases.

use core::ffi::{c_char, c_int};
use core::ptr;

use super::boundary::{place, report, text};
use super::buffer::{Buffer, Text};
use crate::{Failure, GroupAnswer, Groups, UserAnswer, UserQuestion, Users};

/// No password of this hash exists, and no shadow entry is worth looking for.
const NO_PASSWORD: &[u8] = b"!*";

/// What is asked: a name unless it is null, and then a number. A null name of a caller's is
/// refused by the number being absent.
///
/// # Safety
/// `name` is null or a C string.
unsafe fn question<'q>(name: *const c_char, id: Option<u32>) -> Result<UserQuestion<'q>, Failure> {
    match id {
        Some(id) => Ok(UserQuestion::Id(id)),
        // SAFETY: the caller's promise.
        None => Ok(UserQuestion::Name(unsafe { text(name) }?.to_bytes())),
    }
}

/// `getpwnam_r`, or `getpwuid_r` if there is an `id`.
///
/// # Safety
/// `name` is null or a C string, `buffer` is null or has `length` bytes; the others are null or
/// writable.
pub unsafe fn user<U: Users>(
    name: *const c_char,
    id: Option<u32>,
    result: *mut libc::passwd,
    buffer: *mut c_char,
    length: usize,
    errnop: *mut c_int,
) -> c_int {
    let work = || {
        // SAFETY: the caller's promise.
        let question = unsafe { question(name, id) }?;
        let result = place(result)?;
        // SAFETY: the caller's promise.
        let mut answer = UserAnswer::new(unsafe { Buffer::new(buffer, length) });
        U::user(question, &mut answer)?;
        let incomplete = Failure::Unavailable(libc::EBADMSG);
        let name = answer.name.ok_or(incomplete)?.as_ptr();
        let pw_uid = answer.uid.ok_or(incomplete)?;
        let pw_gid = answer.gid.ok_or(incomplete)?;
        let password = answer.buffer.text(NO_PASSWORD);
        let empty = answer.buffer.text(b"");
        answer.buffer.check()?;
        let or_empty = |text: Option<Text>| text.unwrap_or(empty).as_ptr();
        let user = libc::passwd {
            pw_name: name,
            pw_passwd: password.as_ptr(),
            pw_uid,
            pw_gid,
            pw_gecos: or_empty(answer.real_name),
            pw_dir: or_empty(answer.home),
            pw_shell: or_empty(answer.shell),
        };
        // SAFETY: the caller's promise.
        unsafe { result.write(user) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { report(errnop, ptr::null_mut(), work) }
}

/// `getgrnam_r`, or `getgrgid_r` if there is an `id`.
///
/// # Safety
/// As [`user`].
pub unsafe fn group<G: Groups>(
    name: *const c_char,
    id: Option<u32>,
    result: *mut libc::group,
    buffer: *mut c_char,
    length: usize,
    errnop: *mut c_int,
) -> c_int {
    let work = || {
        // SAFETY: the caller's promise.
        let question = unsafe { question(name, id) }?;
        let result = place(result)?;
        // SAFETY: the caller's promise.
        let mut answer = GroupAnswer::new(unsafe { Buffer::new(buffer, length) });
        G::group(question, &mut answer)?;
        let incomplete = Failure::Unavailable(libc::EBADMSG);
        let name = answer.name.ok_or(incomplete)?.as_ptr();
        let gr_gid = answer.gid.ok_or(incomplete)?;
        let password = answer.buffer.text(NO_PASSWORD);
        answer.buffer.align();
        let members = answer.buffer.front().cast();
        answer.buffer.push(ptr::null_mut::<c_char>());
        answer.buffer.check()?;
        let group = libc::group {
            gr_name: name,
            gr_passwd: password.as_ptr(),
            gr_gid,
            gr_mem: members,
        };
        // SAFETY: the caller's promise.
        unsafe { result.write(group) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { report(errnop, ptr::null_mut(), work) }
}
