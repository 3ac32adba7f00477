//! Buses elsewhere, as addresses: of other hosts, and of users in containers. Both are reached by programs, so that nothing
//! odd may come to their command lines.

use dbus::address::{Machine, escape, is_machine};

use super::container::Inside;
use crate::{Errno, Result};

/// The host itself, among machines.
const HOST: &str = ".host";

/// The address of a host's system bus: `[USER@]HOST[:PORT][/MACHINE]`, and as systemd once had it `[USER@]HOST:MACHINE`.
///
/// # Errors
/// EINVAL
pub fn host(text: &str) -> Result<String> {
    let (user, rest) = match text.split_once('@') {
        Some((user, rest)) if is_user(user) => (Some(user), rest),
        Some(_) => return Err(Errno::INVAL),
        None => (None, text),
    };
    // An address of IPv6 has colons.
    let (name, rest) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']').ok_or(Errno::INVAL)?;
            let is_address = |byte: u8| byte.is_ascii_alphanumeric() || b":.%".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_address) {
                return Err(Errno::INVAL);
            }
            (name, rest)
        }
        None => {
            let end = rest.find([':', '/']).unwrap_or(rest.len());
            let (name, rest) = rest.split_at_checked(end).ok_or(Errno::INVAL)?;
            if !is_host(name) {
                return Err(Errno::INVAL);
            }
            (name, rest)
        }
    };
    let (port, machine) = behind_host(rest)?;
    let port = match port {
        Some(port) => vec!["-p".to_owned(), port.to_string()],
        None => Vec::new(),
    };
    let mut arguments = vec!["-xT".to_owned()];
    arguments.extend(port);
    arguments.push("--".to_owned());
    let whole = match user {
        Some(user) => format!("{user}@{name}"),
        None => name.to_owned(),
    };
    arguments.push(escape(whole.as_bytes()));
    arguments.push("systemd-stdio-bridge".to_owned());
    if let Some(machine) = machine {
        arguments.push(format!("--machine={machine}"));
    }
    Ok(program("ssh", &arguments))
}

/// The port and the machine.
fn behind_host(text: &str) -> Result<(Option<u16>, Option<&str>)> {
    let (port, machine) = match (text.strip_prefix(':'), text.strip_prefix('/')) {
        (Some(rest), _) => match rest.split_once('/') {
            Some((port, machine)) => (Some(port), Some(machine)),
            None if rest.is_empty() => return Err(Errno::INVAL),
            None if rest.bytes().all(|byte| byte.is_ascii_digit()) => (Some(rest), None),
            None => (None, Some(rest)),
        },
        (None, Some(machine)) => (None, Some(machine)),
        (None, None) if text.is_empty() => (None, None),
        (None, None) => return Err(Errno::INVAL),
    };
    // Parsing alone would take a sign.
    let port = match port {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let port = port.parse().map_err(|_| Errno::INVAL)?;
            Some(port)
                .filter(|port| *port > 0)
                .ok_or(Errno::INVAL)
                .map(Some)?
        }
        Some(_) => return Err(Errno::INVAL),
        None => None,
    };
    let machine = machine.filter(|machine| !machine.is_empty() && *machine != HOST);
    match machine {
        Some(machine) if !is_machine(machine) => Err(Errno::INVAL),
        machine => Ok((port, machine)),
    }
}

/// The bus of a machine, and as whom it is asked: `[USER@]MACHINE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    user: Option<String>,
    machine: String,
    has_at: bool,
}

impl Place {
    /// # Errors
    /// EINVAL
    pub fn parse(text: &str) -> Result<Self> {
        let (user, machine) = match text.split_once('@') {
            Some(("", "")) => return Err(Errno::INVAL),
            Some((user, machine)) => (Some(user).filter(|user| !user.is_empty()), machine),
            None => (None, text),
        };
        let has_at = text.contains('@');
        let machine = match machine {
            "" if has_at => HOST,
            machine => machine,
        };
        if !is_machine(machine) || !user.is_none_or(is_user) {
            return Err(Errno::INVAL);
        }
        Ok(Self {
            user: user.map(str::to_owned),
            machine: machine.to_owned(),
            has_at,
        })
    }

    /// Whether it is the host, and who asks is who is to be asked as: by number, or by name.
    pub fn is_here(&self, uid: u32, own_name: Option<&str>) -> bool {
        self.machine == HOST
            && match &self.user {
                None => self.has_at || uid == 0,
                Some(user) if user == "root" => uid == 0,
                Some(user) => *user == uid.to_string() || own_name == Some(user),
            }
    }

    /// The address of its system bus, or of a user's own; and where else it is looked for, should no systemd-run be there.
    ///
    /// systemd-run logs the user in, who has a bus of his own only then.
    pub fn address(&self, is_users: bool) -> (String, Option<Inside>) {
        let machine = Machine::Name(self.machine.clone());
        if !self.has_at && !is_users {
            let address = format!("x-machine-unix:machine={}", escape(self.machine.as_bytes()));
            return (address, None);
        }
        let user = self.user.as_deref().unwrap_or("root");
        let mut arguments = vec![
            format!("-M{}", self.machine),
            "-PGq".to_owned(),
            "--wait".to_owned(),
            format!("-pUser%3d{}", escape(user.as_bytes())),
            "-pPAMName%3dlogin".to_owned(),
            "systemd-stdio-bridge".to_owned(),
        ];
        if is_users {
            arguments.push("-punix:path%3d%24%7bXDG_RUNTIME_DIR%7d/bus".to_owned());
        }
        let inside = Inside::of_user(machine, user.as_bytes().to_vec(), is_users);
        (program("systemd-run", &arguments), Some(inside))
    }
}

/// A program as an address, of arguments that are escaped.
fn program(path: &str, arguments: &[String]) -> String {
    let mut address = format!("unixexec:path={path}");
    for (index, argument) in arguments.iter().enumerate() {
        address += &format!(",argv{}={argument}", index + 1);
    }
    address
}

fn is_host(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(is_part)
}

/// Whether it can be a user's name, or number: none that a shell or an option parser takes for something else.
fn is_user(name: &str) -> bool {
    let plain = name.strip_suffix('$').unwrap_or(name);
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte);
    !plain.is_empty() && !plain.starts_with(['-', '+']) && plain.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (text, expected) in [
            ("host", "argv2=--,argv3=host,argv4=systemd-stdio-bridge"),
            (
                "user@host",
                "argv2=--,argv3=user%40host,argv4=systemd-stdio-bridge",
            ),
            (
                "host:22",
                "argv2=-p,argv3=22,argv4=--,argv5=host,argv6=systemd-stdio-bridge",
            ),
            (
                "host:web",
                "argv2=--,argv3=host,argv4=systemd-stdio-bridge,argv5=--machine=web",
            ),
            (
                "[fe80::1%eth0]:22/web",
                "argv2=-p,argv3=22,argv4=--,argv5=fe80%3a%3a1%25eth0,argv6=systemd-stdio-bridge,argv7=--machine=web",
            ),
            (
                "host/.host",
                "argv2=--,argv3=host,argv4=systemd-stdio-bridge",
            ),
            ("host/", "argv2=--,argv3=host,argv4=systemd-stdio-bridge"),
        ] {
            let address = host(text).unwrap();
            assert_eq!(address, format!("unixexec:path=ssh,argv1=-xT,{expected}"));
        }
        for text in [
            "",
            "-host",
            "-oProxyCommand=x",
            "@host",
            "-u@host",
            "u@-host",
            "u@",
            "a b",
            "a;b",
            "a,b",
            "a\nb",
            "$(a)",
            "hä",
            ":22",
            "/web",
            "host:",
            "host:0",
            "host:99999",
            "host:+22/web",
            "host:x/web",
            "host:22x/web",
            "host/a/b",
            "host/-x",
            "host/u@web",
            "host:we,b",
            "::1",
            "[::1",
            "[]",
            "[::1]x",
            "[-x]",
            "[a b]",
            "u v@host",
            "u@v@host",
            "%h",
        ] {
            assert_eq!(host(text), Err(Errno::INVAL), "{text}");
        }
    }

    #[test]
    fn machines() {
        let address = |text: &str, is_users| {
            let (address, inside) = Place::parse(text).unwrap().address(is_users);
            assert_eq!(address.starts_with("unixexec:"), inside.is_some());
            address
        };
        assert_eq!(address("web", false), "x-machine-unix:machine=web");
        let run = |machine, user| {
            format!(
                "unixexec:path=systemd-run,argv1=-M{machine},argv2=-PGq,argv3=--wait,argv4=-pUser%3d{user},argv5=-pPAMName%3dlogin,argv6=systemd-stdio-bridge"
            )
        };
        assert_eq!(address("alice@web", false), run("web", "alice"));
        assert_eq!(address("@web", false), run("web", "root"));
        assert_eq!(address("alice@", false), run(".host", "alice"));
        let own = ",argv7=-punix:path%3d%24%7bXDG_RUNTIME_DIR%7d/bus";
        assert_eq!(address("web", true), run("web", "root") + own);
        for text in [
            "", "@", "-x", "a b", "../x", "a/b", "a@b@c", "-x@web", "a b@web", "a:b@web", "a@-web",
            "%u@web", "é@web", "..",
        ] {
            assert_eq!(Place::parse(text), Err(Errno::INVAL), "{text}");
        }
    }

    #[test]
    fn what_is_here() {
        for (text, uid, expected) in [
            (".host", 0, true),
            (".host", 1000, false),
            ("@.host", 1000, true),
            ("root@.host", 0, true),
            ("root@.host", 1000, false),
            ("1000@.host", 1000, true),
            ("alice@.host", 1000, true),
            ("bob@.host", 1000, false),
            ("alice@web", 1000, false),
            ("web", 0, false),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!(place.is_here(uid, Some("alice")), expected, "{text}");
        }
    }
}
