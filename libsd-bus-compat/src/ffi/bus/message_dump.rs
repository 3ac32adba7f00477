//! sd_bus_message_dump(3).

use std::env;
use std::ffi::c_int;
use std::io::IsTerminal;

use super::message::{Message, Own, within};
use crate::bus::dump::{Style, body, error, header};
use crate::ffi::boundary::entry;
use crate::ffi::sys::{time_text, to_stream};
use crate::{Errno, Result};

const WITH_HEADER: u64 = 1 << 0;
const SUBTREE_ONLY: u64 = 1 << 1;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_dump(
    of: *const Message,
    stream: *mut libc::FILE,
    flags: u64,
) -> c_int {
    let mut text = String::new();
    let dump = |own: &mut Own| {
        if flags & !(WITH_HEADER | SUBTREE_ONLY) != 0 {
            return Err(Errno::INVAL);
        }
        dump(own, flags, &mut text).map(|()| 0)
    };
    // SAFETY: the contract of C.
    let dumped = unsafe { within(of, dump) };
    // What could be read is said also where not all could. Nobody is inside: a stream may be the program's own function.
    let written = entry(|| {
        // SAFETY: the contract of C.
        unsafe { to_stream(stream, text.as_bytes()) }.map(|()| 0)
    });
    if dumped < 0 { dumped } else { written }
}

fn dump(own: &mut Own, flags: u64, to: &mut String) -> Result<()> {
    let bold = match is_coloured() {
        true => ["\x1b[0;1;39m", "\x1b[0m"],
        false => ["", ""],
    };
    let bullet = if is_utf8() { "\u{2023}" } else { ">" };
    let style = Style { bullet, bold };
    let mut indent = 0;
    if flags & WITH_HEADER != 0 {
        header(&own.content, &time_text(), style, to);
        let failed = own.error()?;
        error(failed.name(), failed.message(), style, to);
        indent = 2;
    }
    body(
        &mut own.content,
        flags & SUBTREE_ONLY == 0,
        indent,
        style,
        to,
    )
}

/// Whether who reads standard output sees colours, as systemd's programs decide.
fn is_coloured() -> bool {
    let said = env::var_os("SYSTEMD_COLORS").unwrap_or_default();
    match said.to_string_lossy().to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" | "16" | "256" | "24bit" => return true,
        "0" | "no" | "n" | "false" | "f" | "off" => return false,
        _ => {}
    }
    std::io::stdout().is_terminal()
        && env::var_os("NO_COLOR").is_none()
        && env::var_os("TERM").is_some_and(|terminal| terminal != "dumb")
}

/// Whether text is UTF-8 by the environment, which a program need not have taken for its own locale. It is where nothing is said.
fn is_utf8() -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"].map(env::var_os);
    if said.iter().all(Option::is_none) {
        return true;
    }
    let mut locales = said.iter().flatten();
    let locale = locales.find(|locale| !locale.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        locale.ends_with("utf-8") || locale.ends_with("utf8")
    })
}
