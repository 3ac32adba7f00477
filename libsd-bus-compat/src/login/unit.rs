//! Names of units in paths of cgroups: `/user.slice/user-1000.slice/session-1.scope` says who is where.

use crate::number::parse_uid;
use crate::{Errno, Result};

/// UNIT_NAME_MAX of systemd.
const LONGEST: usize = 255;

const SUFFIXES: [&str; 11] = [
    "service",
    "mount",
    "swap",
    "socket",
    "target",
    "device",
    "automount",
    "timer",
    "path",
    "slice",
    "scope",
];

/// Whether this can be a unit's name: not a template's, without an instance.
pub fn is_unit(name: &str) -> bool {
    let Some((prefix, suffix)) = name.rsplit_once('.') else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\".contains(c);
    name.len() <= LONGEST
        && SUFFIXES.contains(&suffix)
        && match prefix.split_once('@') {
            None => !prefix.is_empty() && prefix.chars().all(allowed),
            // A template has no instance; the instance may have further ones.
            Some((prefix, instance)) => {
                !prefix.is_empty()
                    && !instance.is_empty()
                    && prefix.chars().all(allowed)
                    && instance.chars().all(|c| allowed(c) || c == '@')
            }
        }
}

/// Names that the kernel could take for its own files have a `_` in front.
fn unescaped(component: &str) -> &str {
    component.strip_prefix('_').unwrap_or(component)
}

fn is_slice(component: &str) -> bool {
    component.len() > ".slice".len()
        && component.ends_with(".slice")
        && is_unit(unescaped(component))
        && !component.contains('@')
}

/// The first component and what follows.
fn first(path: &str) -> (&str, &str) {
    let path = path.trim_start_matches('/');
    path.split_once('/').unwrap_or((path, ""))
}

fn without_slices(mut path: &str) -> &str {
    loop {
        let (component, rest) = first(path);
        if !is_slice(component) {
            return path.trim_start_matches('/');
        }
        path = rest;
    }
}

/// What is below the user's own service manager or, without one, below a session.
fn of_user(path: &str) -> Option<&str> {
    let (component, rest) = first(without_slices(path));
    let manager = component
        .strip_prefix("user@")
        .and_then(|rest| rest.strip_suffix(".service"));
    let is_user = match manager {
        Some(uid) => parse_uid(uid).is_ok(),
        None => session_of(component).is_some(),
    };
    is_user.then_some(rest)
}

/// Whether this can be a session's name.
pub fn is_session(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn session_of(unit: &str) -> Option<&str> {
    let name = unit.strip_prefix("session-")?.strip_suffix(".scope")?;
    is_session(name).then_some(name)
}

/// The unit of the system that a path is in.
///
/// # Errors
/// ENXIO if it is in none; so do all here.
pub fn unit(path: &str) -> Result<&str> {
    let (component, _) = first(without_slices(path));
    let name = unescaped(component);
    match is_unit(name) && !name.ends_with(".slice") {
        true => Ok(name),
        false => Err(Errno::NXIO),
    }
}

/// The unit of a user's service manager.
///
/// # Errors
/// ENXIO
pub fn user_unit(path: &str) -> Result<&str> {
    unit(of_user(path).ok_or(Errno::NXIO)?)
}

/// The innermost slice of the system; `-.slice` is the outermost of all.
pub fn slice(mut path: &str) -> &str {
    let mut slice = "-.slice";
    loop {
        let (component, rest) = first(path);
        if !is_slice(component) {
            return slice;
        }
        (slice, path) = (unescaped(component), rest);
    }
}

/// The innermost slice of a user's service manager.
///
/// # Errors
/// ENXIO
pub fn user_slice(path: &str) -> Result<&str> {
    of_user(path).map(slice).ok_or(Errno::NXIO)
}

/// The session.
///
/// # Errors
/// ENXIO
pub fn session(path: &str) -> Result<&str> {
    session_of(unit(path)?).ok_or(Errno::NXIO)
}

/// The user whose slice it is.
///
/// # Errors
/// ENXIO
pub fn owner(path: &str) -> Result<u32> {
    let uid = slice(path)
        .strip_prefix("user-")
        .and_then(|rest| rest.strip_suffix(".slice"));
    parse_uid(uid.ok_or(Errno::NXIO)?).map_err(|_| Errno::NXIO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "/user.slice/user-1000.slice/session-1.scope";
    const MANAGER: &str =
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/a@b.service/sub";
    const NONE: Errno = Errno::NXIO;

    #[test]
    fn units() {
        for (path, expected) in [
            ("/system.slice/cron.service", Ok("cron.service")),
            (
                "/system.slice/system-getty.slice/getty@tty1.service",
                Ok("getty@tty1.service"),
            ),
            (
                "/machine.slice/machine-a\\x2db.scope/payload",
                Ok("machine-a\\x2db.scope"),
            ),
            ("/init.scope", Ok("init.scope")),
            ("/_cpu.service", Ok("cpu.service")),
            (SESSION, Ok("session-1.scope")),
            (MANAGER, Ok("user@1000.service")),
            ("/", Err(NONE)),
            ("/system.slice", Err(NONE)),
            ("/docker/0123", Err(NONE)),
            ("/getty@.service", Err(NONE)),
            ("/a b.service", Err(NONE)),
        ] {
            assert_eq!(unit(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_a_users() {
        assert_eq!(user_unit(MANAGER), Ok("a@b.service"));
        assert_eq!(user_slice(MANAGER), Ok("app-x.slice"));
        assert_eq!(user_unit(SESSION), Err(NONE));
        assert_eq!(user_slice(SESSION), Ok("-.slice"));
        assert_eq!(user_unit("/user.slice/user@x.service/a.service"), Err(NONE));
        assert_eq!(user_slice("/system.slice/cron.service"), Err(NONE));
        assert_eq!((owner(SESSION), owner(MANAGER)), (Ok(1000), Ok(1000)));
        assert_eq!(owner("/user.slice/user-x.slice/a.scope"), Err(NONE));
        assert_eq!(session(SESSION), Ok("1"));
        assert_eq!(session(MANAGER), Err(NONE));
        assert_eq!(session("/session-a_b.scope"), Err(NONE));
    }

    #[test]
    fn slices() {
        assert_eq!(slice(SESSION), "user-1000.slice");
        assert_eq!(slice("/"), "-.slice");
        assert_eq!(slice("/docker/0123"), "-.slice");
        assert_eq!(slice("/a.slice/b.service/c.slice"), "a.slice");
        assert_eq!(slice("/.slice/x"), "-.slice");
    }
}
