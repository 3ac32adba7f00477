//! The command line.

use std::{ffi::OsString, path::PathBuf};

use crate::container::Container;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: switchyard-oci-hook [OPTION...]                 as a hook: the state is read from standard input
       switchyard-oci-hook [OPTION...] register --name NAME --leader PID
       switchyard-oci-hook [OPTION...] unregister --name NAME

Registers a container with machined when it starts, and forgets it when it has stopped.

Options:
      --name NAME           the machine's name (as a hook: instead of the one the container has)
      --leader PID          its first process
      --service SERVICE     the container manager, e.g. lxc
      --root DIR            its root directory on the host
      --trust-annotations   as a hook: let the annotation io.switchyard.name give the name
      --strict              exit with 1 where something went wrong, so that the container does not start
      --socket PATH         machined's socket, instead of /run/systemd/machine/io.systemd.Machine
  -h, --help                print this and exit
      --version             print the version and exit
";

/// Where machined answers.
pub const SOCKET: &str = "/run/systemd/machine/io.systemd.Machine";

/// A command line, understood.
#[derive(Debug)]
pub struct Invocation {
    /// What to do.
    pub action: Action,
    /// Whether a failure shows in the exit status.
    pub strict: bool,
    /// machined's socket.
    pub socket: PathBuf,
}

/// What to do.
#[derive(Debug)]
pub enum Action {
    /// As a hook: what the state on standard input asks for.
    FromState(HookOptions),
    /// Register this container.
    Register(Container),
    /// Forget this container.
    Unregister(Container),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// How a hook chooses the name.
#[derive(Debug, Default)]
pub struct HookOptions {
    /// This name and no other.
    pub name: Option<String>,
    /// Whether the annotation may choose it.
    pub trust_annotations: bool,
}

/// Understands a command line, without the program's name.
///
/// # Errors
/// The sentence for the user: an unknown option, a missing value, a verb without what it needs.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Invocation, String> {
    let mut arguments = arguments.map(|a| a.to_string_lossy().into_owned());
    let (mut verb, mut name, mut leader) = (None, None, None);
    let (mut service, mut root) = (String::new(), String::new());
    let (mut strict, mut trust_annotations) = (false, false);
    let mut socket = PathBuf::from(SOCKET);
    let mut special = None;

    while let Some(argument) = arguments.next() {
        let (option, mut attached) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut value = || {
            attached
                .take()
                .or_else(|| arguments.next())
                .ok_or_else(|| format!("option '{option}' needs a value"))
        };
        match option {
            "--name" => name = Some(value()?),
            "--leader" => leader = Some(value()?),
            "--service" => service = value()?,
            "--root" => root = value()?,
            "--socket" => socket = value()?.into(),
            "--strict" => strict = true,
            "--trust-annotations" => trust_annotations = true,
            "-h" | "--help" => special = Some(Action::Help),
            "--version" => special = Some(Action::Version),
            "register" | "unregister" if verb.is_none() => verb = Some(argument.clone()),
            _ => return Err(format!("unknown argument '{}'", argument.escape_debug())),
        }
        if attached.is_some() {
            return Err(format!("option '{option}' takes no value"));
        }
    }

    let by_hand = |leader: Option<String>, name: Option<String>| match name {
        Some(name) => Ok(Container {
            names: vec![name],
            leader: leader.unwrap_or_default(),
            service,
            root,
            id: None,
        }),
        None => Err("--name is needed".to_owned()),
    };
    let action = match (special, verb.as_deref()) {
        (Some(special), _) => special,
        (None, None) => Action::FromState(HookOptions {
            name,
            trust_annotations,
        }),
        (None, Some("register")) if leader.is_none() => return Err("--leader is needed".to_owned()),
        (None, Some("register")) => Action::Register(by_hand(leader, name)?),
        (None, Some(_)) => Action::Unregister(by_hand(None, name)?),
    };
    Ok(Invocation {
        action,
        strict,
        socket,
    })
}

#[cfg(test)]
mod tests {
    use super::{Action, Invocation, parse};

    fn parsed(line: &str) -> Result<Invocation, String> {
        parse(line.split_whitespace().map(Into::into))
    }

    #[test]
    fn a_hook_has_no_verb() {
        let hook = parsed("--strict --name=web").unwrap();
        assert!(hook.strict);
        assert!(matches!(hook.action, Action::FromState(o) if o.name.as_deref() == Some("web")));
    }

    #[test]
    fn verbs() {
        let action = parsed("register --name web --leader 42 --service lxc --root /r")
            .unwrap()
            .action;
        let Action::Register(container) = action else {
            panic!("{action:?}")
        };
        assert_eq!(container.names, ["web"]);
        assert_eq!(
            (container.leader.as_str(), container.root.as_str()),
            ("42", "/r")
        );
        assert!(matches!(
            parsed("unregister --name web").unwrap().action,
            Action::Unregister(_)
        ));
        assert!(matches!(
            parsed("register --help").unwrap().action,
            Action::Help
        ));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for line in [
            "--nam web",
            "register",
            "register --name web",
            "unregister",
            "--name",
            "--strict=1",
            "x",
            "register register",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
