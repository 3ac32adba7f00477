//! What callers may ask for: checked before anyone is asked for permission, and before a process is started.

use crate::{argument::Argument, class::Class, error::Error, machine::Machine, namespace};

fn invalid(argument: Argument, what: impl Into<String>) -> Error {
    Error::InvalidArgument(argument, what.into())
}

/// A container that can be entered. `doing` begins the refusal: "Copying files".
pub fn container(machine: &Machine, doing: &str) -> Result<(), Error> {
    if machine.class != Class::Container {
        let what = format!("{doing} is only supported on container machines.");
        return Err(Error::NotSupported(what));
    }
    // Whoever registers a machine names its leader. Root must not be led to work as the host's root among processes of an
    // ordinary user; in a user namespace of theirs it can only be what they are. A process can't return to our namespace.
    let shared = namespace::id_of(machine.leader.pid, "user") == namespace::id_of_own("user");
    if machine.uid != 0 && shared {
        return Err(Error::NotSupported(format!(
            "{doing} is not supported on machine {}: user {} registered it without a user namespace",
            machine.name, machine.uid
        )));
    }
    Ok(())
}

/// A path of a file: the source or the destination.
pub fn path(path: &str, which: Argument) -> Result<(), Error> {
    if !path.starts_with('/') {
        return Err(invalid(
            which,
            format!("{} must be absolute.", words(which)),
        ));
    }
    // PATH_MAX, with the NUL.
    if path.len() >= 4096 || path.contains('\0') {
        let what = format!("{} is too long, or holds a NUL.", words(which));
        return Err(invalid(which, what));
    }
    Ok(())
}

fn words(which: Argument) -> &'static str {
    match which {
        Argument::Source => "Source path",
        Argument::Destination => "Destination path",
        _ => "Path",
    }
}

/// A path that says in plain words where it leads.
pub fn normalized(path: &str, which: Argument) -> Result<(), Error> {
    let plain = |component: &str| !matches!(component, "." | "..");
    if !path.starts_with('/') || !path.split('/').all(plain) {
        let what = format!("{} must be absolute and normalized.", words(which));
        return Err(invalid(which, what));
    }
    self::path(path, which)
}

/// The name of a user, or a number. It goes into a line of shell in [`super::guest`]: nothing in it may mean something there.
pub fn user(name: &str) -> Result<(), Error> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let first = name.bytes().next();
    if !first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        || !name.bytes().all(good)
        || name.len() > 256
    {
        let what = format!("Invalid user name '{}'", name.escape_debug());
        return Err(invalid(Argument::User, what));
    }
    Ok(())
}

/// A program's path, arguments and environment.
pub fn program(path: &str, args: &[String], environment: &[String]) -> Result<(), Error> {
    if !path.is_empty() && !path.starts_with('/') {
        let what = format!("Specified path '{}' is not absolute", path.escape_debug());
        return Err(invalid(Argument::Path, what));
    }
    if path.is_empty() && !args.is_empty() {
        return Err(invalid(Argument::Args, "Arguments without a program"));
    }
    if path.contains('\0') {
        return Err(invalid(Argument::Path, "Specified path holds a NUL"));
    }
    if args.iter().any(|arg| arg.contains('\0')) {
        return Err(invalid(Argument::Args, "Arguments must not hold a NUL"));
    }
    match environment.iter().find(|pair| !is_assignment(pair)) {
        Some(pair) => {
            let what = format!("Invalid environment assignment '{}'", pair.escape_debug());
            Err(invalid(Argument::Environment, what))
        }
        None => Ok(()),
    }
}

fn is_assignment(pair: &str) -> bool {
    let Some((key, value)) = pair.split_once('=') else {
        return false;
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digit = key.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
    !digit && key.bytes().all(good) && !value.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users() {
        for good in ["root", "_apt", "a.b-c", "1000", "www-data"] {
            assert!(user(good).is_ok(), "{good}");
        }
        for bad in [
            "", "-x", "a b", "a`b", "a$b", "a;b", "a\n", "é", ".", "a/b", "a:b",
        ] {
            assert!(user(bad).is_err(), "{bad}");
        }
        assert!(user(&"a".repeat(257)).is_err());
    }

    #[test]
    fn paths() {
        assert!(path("/a/../b", Argument::Source).is_ok());
        for bad in ["", "a", "/a\0"] {
            assert!(path(bad, Argument::Source).is_err(), "{bad:?}");
        }
        assert!(path(&"/a".repeat(3000), Argument::Source).is_err());
        assert!(normalized("/a//b/", Argument::Source).is_ok());
        for bad in ["", "a", "/..", "/a/../b", "/a/./b", "/a/.."] {
            assert!(normalized(bad, Argument::Source).is_err(), "{bad}");
        }
    }

    #[test]
    fn programs() {
        let list = |items: &[&str]| items.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let ok = |path, args: &[&str], env: &[&str]| program(path, &list(args), &list(env)).is_ok();
        assert!(ok("", &[], &["TERM=xterm", "A_1=", "B=c=d"]));
        assert!(ok("/bin/sh", &["sh", "-c", ""], &[]));
        assert!(!ok("sh", &[], &[]));
        assert!(!ok("", &["x"], &[]));
        assert!(!ok("/a\0", &[], &[]));
        for bad in ["", "A", "=x", "1A=x", "A B=x", "A=\0"] {
            assert!(!ok("", &[], &[bad]), "{bad:?}");
        }
    }
}
