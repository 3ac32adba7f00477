//! The service manager of the machine, asked by its system bus to run something on a terminal.
//!
//! The bus belongs to the machine and is as little to be trusted: every step has the one deadline, what it may say is
//! bounded ([`bounded`]), and nothing of it is used but whether it did what it was told.

use std::os::fd::OwnedFd;

use tokio::time::timeout;
use zbus::{Connection, DBusError, Fd, Variant};

use super::{Terminal, bounded, helper::DEADLINE};
use crate::error::Error;

/// A service manager.
#[derive(Debug)]
pub struct ServiceManager(Connection);

impl ServiceManager {
    /// The one on the other side of a connected socket.
    pub async fn of_socket(socket: OwnedFd) -> Result<Self, Error> {
        let what = "Failed to connect to the machine's bus";
        match timeout(DEADLINE, bounded::connect(socket)).await {
            Ok(Ok(connection)) => Ok(Self(connection)),
            Ok(Err(error)) => Err(failed(what, &error)),
            Err(_) => Err(late(what)),
        }
    }

    /// The one on this bus.
    pub fn of_bus(connection: Connection) -> Self {
        Self(connection)
    }

    /// Starts what `terminal` says on the terminal at `path`, the other end of which is `theirs`. Whether there was a
    /// service manager at all: a bus that waits for one to come up has one.
    pub async fn start(
        &self,
        terminal: &Terminal,
        path: &str,
        theirs: &OwnedFd,
    ) -> Result<bool, Error> {
        let number = path.strip_prefix("/dev/pts/").unwrap_or_default();
        match terminal {
            Terminal::Pty => Ok(true),
            Terminal::Login => {
                let unit = format!("container-getty@{number}.service");
                self.call("StartUnit", &(unit, "replace")).await
            }
            Terminal::Shell {
                user,
                path: program,
                args,
                environment,
            } => {
                let unit = format!("container-shell@{number}.service");
                let mut properties = properties(user, path, theirs)?;
                if !environment.is_empty() {
                    properties.push(("Environment", Variant::from(environment.clone())));
                }
                let command = command(user, program, args);
                properties.push(("ExecStart", Variant::from(vec![command])));
                let no_more: Vec<(String, Vec<(String, Variant<'_>)>)> = Vec::new();
                self.call("StartTransientUnit", &(unit, "fail", properties, no_more))
                    .await
            }
        }
    }

    async fn call<B>(&self, method: &str, body: &B) -> Result<bool, Error>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        let calling = self.0.call_method(
            Some("org.freedesktop.systemd1"),
            "/org/freedesktop/systemd1",
            Some("org.freedesktop.systemd1.Manager"),
            method,
            body,
        );
        let what = format!("Failed to start a service in the machine ({method})");
        match timeout(DEADLINE, calling).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(error)) if is_absence(&error) => Ok(false),
            Ok(Err(error)) => Err(failed(&what, &error)),
            Err(_) => Err(late(&what)),
        }
    }
}

/// Whether the bus says that nobody has the name, or that it could not start who would.
fn is_absence(error: &zbus::Error) -> bool {
    let zbus::Error::FDO(error) = error else {
        return false;
    };
    let name = error.name();
    let reason = name.strip_prefix("org.freedesktop.DBus.Error.");
    reason.is_some_and(|reason| {
        matches!(reason, "ServiceUnknown" | "NameHasNoOwner") || reason.starts_with("Spawn.")
    })
}

/// What makes a service a session on a terminal (systemd.exec(5), systemd.kill(5)).
fn properties(
    user: &str,
    path: &str,
    terminal: &OwnedFd,
) -> Result<Vec<(&'static str, Variant<'static>)>, Error> {
    let again = || {
        terminal
            .try_clone()
            .map(Fd::from)
            .map_err(Error::io("Failed to copy a descriptor"))
    };
    let text = |text: &str| Variant::from(text.to_owned());
    Ok(vec![
        (
            "Description",
            Variant::from(format!("Shell for User {user}")),
        ),
        ("StandardInputFileDescriptor", Variant::from(again()?)),
        ("StandardOutputFileDescriptor", Variant::from(again()?)),
        ("StandardErrorFileDescriptor", Variant::from(again()?)),
        ("SendSIGHUP", Variant::from(true)),
        ("IgnoreSIGPIPE", Variant::from(false)),
        ("KillMode", text("mixed")),
        ("TTYPath", text(path)),
        ("TTYReset", Variant::from(true)),
        (
            "UtmpIdentifier",
            text(path.strip_prefix("/dev/").unwrap_or(path)),
        ),
        ("UtmpMode", text("user")),
        ("PAMName", text("login")),
        ("WorkingDirectory", text("-~")),
        ("User", text(user)),
    ])
}

/// Path, arguments, and whether failure is fine.
///
/// Only the machine knows its users, so a shell in it looks the user's up. Backquotes, not `$(…)`: the service manager
/// takes a dollar for its own.
fn command(user: &str, path: &str, args: &[String]) -> (String, Vec<String>, bool) {
    let (path, args) = match (path, args) {
        ("", _) => {
            let shell =
                format!("getent passwd {user} 2>/dev/null | cut -d: -f7 | grep . || echo /bin/sh");
            let line = format!("exec `{shell}` -l");
            ("/bin/sh", vec!["sh".to_owned(), "-c".to_owned(), line])
        }
        (path, []) => (path, vec![path.to_owned()]),
        (path, args) => (path, args.to_vec()),
    };
    (path.to_owned(), args, true)
}

fn late(what: &str) -> Error {
    Error::TimedOut(format!("{what}: no answer in time"))
}

fn failed(what: &str, error: &zbus::Error) -> Error {
    let text = error.to_string();
    let text: String = text.chars().filter(|c| !c.is_control()).take(512).collect();
    Error::JobFailed(format!("{what}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_of_ours_has_a_dollar() {
        let (path, args, _) = command("web", "", &[]);
        assert_eq!(path, "/bin/sh");
        assert!(!args.concat().contains('$'));
    }

    #[test]
    fn the_shell_line_finds_a_shell() {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let root = passwd.lines().find(|line| line.starts_with("root:"));
        let roots = root.and_then(|line| line.rsplit(':').next()).unwrap();
        for (user, shell) in [("root", roots), ("no-such-user", "/bin/sh")] {
            let (path, mut args, _) = command(user, "", &[]);
            let line = args.pop().unwrap();
            let line = line.replace("exec", "echo").replace(" -l", "");
            let mut shown = std::process::Command::new(path);
            let shown = shown.args(["-c", &line]).output().unwrap();
            assert_eq!(String::from_utf8(shown.stdout).unwrap().trim(), shell);
        }
    }

    #[test]
    fn a_bus_without_a_service_manager_is_told_from_one_that_refuses() {
        use zbus::fdo;
        let absent = |error| is_absence(&zbus::Error::FDO(Box::new(error)));
        assert!(absent(fdo::Error::ServiceUnknown(String::new())));
        assert!(absent(fdo::Error::NameHasNoOwner(String::new())));
        assert!(absent(fdo::Error::SpawnChildExited(String::new())));
        assert!(!absent(fdo::Error::AccessDenied(String::new())));
        assert!(!is_absence(&zbus::Error::InvalidReply));
    }

    #[test]
    fn arguments_are_kept() {
        let list = |items: &[&str]| items.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(command("u", "/bin/a", &[]).1, ["/bin/a"]);
        assert_eq!(command("u", "/bin/a", &list(&["b", "c"])).1, ["b", "c"]);
    }
}
