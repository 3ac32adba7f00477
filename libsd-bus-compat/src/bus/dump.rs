//! A message as text: sd_bus_message_dump(3).

use std::ffi::CStr;
use std::fmt::Write;
use std::os::fd::AsRawFd;

use dbus::message::Field;
use dbus::{Basic, Kind, types};

use super::errno;
use super::message::{Message, Sealed};
use crate::ffi::sys::double_text;
use crate::{Errno, Result};

/// How it is written.
#[derive(Clone, Copy, Debug)]
pub struct Style<'s> {
    /// What the first line begins with.
    pub bullet: &'s str,
    /// What is around what a reader looks for.
    pub bold: [&'s str; 2],
}

/// What a message says of itself, with the time at which it came.
pub fn header(message: &Message, time: &str, style: Style<'_>, to: &mut String) {
    let header = message.header();
    let [bold, normal] = style.bold;
    let kind = match header.kind() {
        Kind::MethodCall => "method_call",
        Kind::MethodReturn => "method_return",
        Kind::Error => "error",
        Kind::Signal => "signal",
        Kind::Other(_) => "(null)",
    };
    let order = if cfg!(target_endian = "big") {
        'B'
    } else {
        'l'
    };
    let begin = match header.kind() {
        _ if bold.is_empty() => "",
        Kind::Error => RED,
        Kind::MethodReturn => GREEN,
        Kind::Signal => "",
        _ => bold,
    };
    // A String takes all that is written to it.
    let _ = write!(
        to,
        "{begin}{}{normal} Type={bold}{kind}{normal}  Endian={order}  Flags={}  Version=1 Cookie={}",
        style.bullet,
        header.flags(),
        header.serial()
    );
    if let Some(serial) = header.reply_serial() {
        let _ = write!(to, "  ReplyCookie={serial}");
    }
    let _ = writeln!(to, "  Timestamp=\"{time}\"");
    let fields = [
        ("Sender", Field::Sender),
        ("Destination", Field::Destination),
        ("Path", Field::Path),
        ("Interface", Field::Interface),
        ("Member", Field::Member),
    ];
    let mut any = false;
    for (name, field) in fields {
        if let Some(text) = header.text(field) {
            any = true;
            let _ = write!(to, "  {name}={bold}{}{normal}", text.to_string_lossy());
        }
    }
    if any {
        to.push('\n');
    }
}

/// The name and the text of an error.
pub fn error(name: Option<&CStr>, text: Option<&CStr>, style: Style<'_>, to: &mut String) {
    let Some(name) = name else {
        return;
    };
    let [bold, normal] = style.bold;
    let bold_red = if bold.is_empty() { "" } else { RED };
    let _ = write!(
        to,
        "  ErrorName={bold_red}{}{normal}",
        name.to_string_lossy()
    );
    if let Some(text) = text {
        let text = text.to_string_lossy();
        let _ = write!(to, "  ErrorMessage={bold_red}\"{text}\"{normal}");
    }
    to.push('\n');
}

const RED: &str = "\x1b[0;1;31m";
const GREEN: &str = "\x1b[0;1;32m";

/// What a message says, or what the container says that its reader is in. The reader is at the end of that afterwards.
///
/// # Errors
/// EPERM if it is not complete, EBADMSG. What was read before is written.
pub fn body(
    message: &mut Message,
    all: bool,
    indent: usize,
    style: Style<'_>,
    to: &mut String,
) -> Result<()> {
    let (cursor, sealed) = message.reader()?;
    cursor.rewind(all);
    let sealed = sealed.clone();
    if !all {
        return values(message, &sealed, indent, style, to);
    }
    let types = String::from_utf8_lossy(sealed.message().signature()).into_owned();
    let _ = writeln!(to, "{:indent$}MESSAGE \"{types}\" {{", "");
    values(message, &sealed, indent + STEP, style, to)?;
    let _ = writeln!(to, "{:indent$}}};\n", "");
    Ok(())
}

const STEP: usize = 8;

fn values(
    message: &mut Message,
    sealed: &Sealed,
    indent: usize,
    style: Style<'_>,
    to: &mut String,
) -> Result<()> {
    let [bold, normal] = style.bold;
    let body = sealed.message();
    loop {
        let (cursor, _) = message.reader()?;
        if cursor.at_end(false) {
            return Ok(());
        }
        let Some((code, contents)) = cursor.peek_type(body).map_err(errno)? else {
            return Ok(());
        };
        if types::is_container(code) {
            let name = match code {
                types::ARRAY => "ARRAY",
                types::VARIANT => "VARIANT",
                types::STRUCT => "STRUCT",
                _ => "DICT_ENTRY",
            };
            let types = String::from_utf8_lossy(contents);
            let _ = writeln!(to, "{:indent$}{name} \"{types}\" {{", "");
            let entered = cursor.enter_container(body, code, Some(contents));
            entered.map_err(errno)?;
            values(message, sealed, indent + STEP, style, to)?;
            message.reader()?.0.exit_container().map_err(errno)?;
            let _ = writeln!(to, "{:indent$}}};", "");
            continue;
        }
        let value = cursor.read_basic(body, code).map_err(errno)?;
        let (name, text) = basic(value.ok_or(Errno::BADMSG)?, sealed)?;
        let quote = match code {
            types::STRING | types::OBJECT_PATH | types::SIGNATURE => "\"",
            _ => "",
        };
        let _ = writeln!(
            to,
            "{:indent$}{name} {quote}{bold}{text}{normal}{quote};",
            ""
        );
    }
}

fn basic(value: Basic<'_>, sealed: &Sealed) -> Result<(&'static str, String)> {
    Ok(match value {
        Basic::Byte(value) => ("BYTE", value.to_string()),
        Basic::Boolean(value) => ("BOOLEAN", value.to_string()),
        Basic::Int16(value) => ("INT16", value.to_string()),
        Basic::Uint16(value) => ("UINT16", value.to_string()),
        Basic::Int32(value) => ("INT32", value.to_string()),
        Basic::Uint32(value) => ("UINT32", value.to_string()),
        Basic::Int64(value) => ("INT64", value.to_string()),
        Basic::Uint64(value) => ("UINT64", value.to_string()),
        Basic::Double(value) => ("DOUBLE", double_text(value)),
        Basic::String(text) => ("STRING", text.to_string_lossy().into_owned()),
        Basic::ObjectPath(text) => ("OBJECT_PATH", text.to_string_lossy().into_owned()),
        Basic::Signature(text) => ("SIGNATURE", text.to_string_lossy().into_owned()),
        Basic::UnixFd(index) => {
            let descriptor = sealed.descriptor(index)?;
            ("UNIX_FD", descriptor.as_raw_fd().to_string())
        }
    })
}
