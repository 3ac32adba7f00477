//! The service manager of the machine, asked by its system bus to run something on a terminal.
//!
//! The bus belongs to the machine and is as little to be trusted: every step has the one deadline, and nothing it says is
//! used but whether it did what it was told.

use std::{
    future::Future,
    os::{fd::OwnedFd, unix::net::UnixStream},
};

use tokio::time::timeout;
use zbus::{Connection, Fd, OwnedObjectPath, Variant};

use super::{Terminal, helper::DEADLINE};
use crate::error::Error;

const MANAGER: &str = "org.freedesktop.systemd1";

/// A service manager.
#[derive(Debug)]
pub struct ServiceManager(Connection);

impl ServiceManager {
    /// The one on the other side of a connected socket; `None` where the bus has none.
    pub async fn of_socket(socket: OwnedFd) -> Result<Option<Self>, Error> {
        let building = zbus::connection::Builder::unix_stream(UnixStream::from(socket))
            // What the process that connected is in there.
            .user_id(0)
            .build();
        let connection = in_time(building, "Failed to connect to the machine's bus").await?;
        Self::of_bus(connection).await
    }

    /// The one on this bus; `None` where it has none.
    pub async fn of_bus(connection: Connection) -> Result<Option<Self>, Error> {
        let asking = connection.call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "NameHasOwner",
            &MANAGER,
        );
        let answer = in_time(asking, "Failed to look for a service manager").await?;
        Ok(matches!(answer.body().deserialize(), Ok(true)).then_some(Self(connection)))
    }

    /// Starts what `terminal` says on the terminal at `path`, the other end of which is `theirs`.
    pub async fn start(
        &self,
        terminal: &Terminal,
        path: &str,
        theirs: OwnedFd,
    ) -> Result<(), Error> {
        let number = path.strip_prefix("/dev/pts/").unwrap_or_default();
        match terminal {
            Terminal::Pty => Ok(()),
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

    async fn call<B>(&self, method: &str, body: &B) -> Result<(), Error>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        let calling = self.0.call_method(
            Some(MANAGER),
            "/org/freedesktop/systemd1",
            Some("org.freedesktop.systemd1.Manager"),
            method,
            body,
        );
        let what = format!("Failed to start a service in the machine ({method})");
        let answer = in_time(calling, &what).await?;
        let job: Result<OwnedObjectPath, _> = answer.body().deserialize();
        job.map(drop).map_err(|error| failed(&what, &error))
    }
}

/// What makes a service a session on a terminal (systemd.exec(5), systemd.kill(5)).
fn properties(
    user: &str,
    path: &str,
    terminal: OwnedFd,
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

async fn in_time<T>(doing: impl Future<Output = zbus::Result<T>>, what: &str) -> Result<T, Error> {
    match timeout(DEADLINE, doing).await {
        Ok(done) => done.map_err(|error| failed(what, &error)),
        Err(_) => Err(Error::TimedOut(format!("{what}: no answer in time"))),
    }
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
    fn arguments_are_kept() {
        let list = |items: &[&str]| items.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(command("u", "/bin/a", &[]).1, ["/bin/a"]);
        assert_eq!(command("u", "/bin/a", &list(&["b", "c"])).1, ["b", "c"]);
    }
}
