//! Where the system bus is.

use unix_call::{Fault, SocketAddrUnix, secure_getenv};

/// The socket of the system bus: what `DBUS_SYSTEM_BUS_ADDRESS` says, unless the program is setuid,
/// else the well-known one.
///
/// # Errors
/// [`Fault::Protocol`] if the variable names no socket that this crate can reach.
pub fn system_bus() -> Result<SocketAddrUnix, Fault> {
    match secure_getenv(c"DBUS_SYSTEM_BUS_ADDRESS") {
        Some(addresses) => parse(addresses),
        None => Ok(SocketAddrUnix::new("/run/dbus/system_bus_socket")?),
    }
}

/// The first usable one of a list, `unix:path=…` or `unix:abstract=…`, other keys (as `guid`)
/// ignored. (D-Bus specification, "Server Addresses".)
fn parse(addresses: &[u8]) -> Result<SocketAddrUnix, Fault> {
    for address in addresses.split(|&byte| byte == b';') {
        let Some(pairs) = address.strip_prefix(b"unix:") else {
            continue;
        };
        for pair in pairs.split(|&byte| byte == b',') {
            let (value, is_path) =
                match (pair.strip_prefix(b"path="), pair.strip_prefix(b"abstract=")) {
                    (Some(value), _) => (value, true),
                    (_, Some(value)) => (value, false),
                    _ => continue,
                };
            let mut place = [0; 108];
            let name = unescape(value, &mut place).ok_or(Fault::Protocol)?;
            return Ok(if is_path {
                SocketAddrUnix::new(name)?
            } else {
                SocketAddrUnix::new_abstract_name(name)?
            });
        }
    }
    Err(Fault::Protocol)
}

/// Undoes the `%xx` of an address value.
fn unescape<'p>(value: &[u8], place: &'p mut [u8; 108]) -> Option<&'p [u8]> {
    let hex = |digit: u8| char::from(digit).to_digit(16);
    let mut rest = value;
    let mut length = 0;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => ((hex(*high)? << 4 | hex(*low)?) as u8, after),
            (b'%', _) => return None,
            _ => (first, after),
        };
        *place.get_mut(length)? = byte;
        length += 1;
        rest = after;
    }
    place.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_socket() {
        let path = SocketAddrUnix::new("/run/a b").unwrap();
        for address in [
            "unix:path=/run/a b",
            "unix:path=/run/a%20b,guid=7",
            "tcp:host=x;unix:guid=7,path=/run/a%20b",
        ] {
            assert_eq!(parse(address.as_bytes()).unwrap(), path, "{address}");
        }
        let name = SocketAddrUnix::new_abstract_name(b"bus").unwrap();
        assert_eq!(parse(b"unix:abstract=bus").unwrap(), name);
        let long = format!("unix:path=/{}", "x".repeat(200));
        for address in [
            "",
            "unix:",
            "tcp:host=x",
            "unix:path=/%2",
            "unix:path=/%zz",
            "autolaunch:",
            &long,
        ] {
            assert!(parse(address.as_bytes()).is_err(), "{address}");
        }
        assert!(parse(b"unix:path=/a%00b").is_err());
    }
}
