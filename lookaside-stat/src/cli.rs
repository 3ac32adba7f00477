//! The command line.

use std::{ffi::OsString, path::PathBuf};

/// What `--help` prints.
pub const HELP: &str = "\
Usage: switchyard-lookaside stat [--json] [MAP...]

Shows the maps of known answers in numbers: how large and how full they are, how old, and whether processes are
answered out of them. Names are not shown, and can't be. Only root may run it.

MAP is a file; the ones of both daemons unless told:
  /run/switchyard/machines.map   of switchyard-machined
  /run/switchyard/resolve.map    of switchyard-resolved

Options:
      --json      print JSON instead of a table
  -h, --help      print this and exit
      --version   print the version and exit

The exit status is 0 if all maps were shown, 1 if not, 2 if the command line makes no sense.
See switchyard-lookaside(8).
";

/// The maps of the daemons.
const MAPS: [&str; 2] = [
    "/run/switchyard/machines.map",
    "/run/switchyard/resolve.map",
];

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Show these maps.
    Stat {
        /// Where they are.
        paths: Vec<PathBuf>,
        /// How they are shown.
        form: Form,
    },
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// For whom the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// People.
    Table,
    /// Programs.
    Json,
}

/// Understands a command line, without the program's name.
///
/// # Errors
/// The sentence for the user: an unknown option, or no verb.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Action, String> {
    let (mut has_verb, mut only_paths) = (false, false);
    let mut form = Form::Table;
    let mut paths = Vec::new();
    for argument in arguments {
        match argument.as_encoded_bytes() {
            b"" => return Err("an argument is empty".to_owned()),
            _ if only_paths => paths.push(argument.into()),
            b"-h" | b"--help" => return Ok(Action::Help),
            b"--version" => return Ok(Action::Version),
            b"--json" => form = Form::Json,
            b"--" if has_verb => only_paths = true,
            [b'-', ..] => return Err(format!("unknown option '{}'", argument.display())),
            b"stat" if !has_verb => has_verb = true,
            _ if has_verb => paths.push(argument.into()),
            _ => return Err(format!("unknown verb '{}'", argument.display())),
        }
    }
    if !has_verb {
        return Err("a verb is needed: stat".to_owned());
    }
    if paths.is_empty() {
        paths = MAPS.map(PathBuf::from).to_vec();
    }
    Ok(Action::Stat { paths, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Action, String> {
        parse(line.split(' ').map(Into::into))
    }

    fn stat(paths: &[&str], form: Form) -> Result<Action, String> {
        let paths = paths.iter().map(PathBuf::from).collect();
        Ok(Action::Stat { paths, form })
    }

    #[test]
    fn stat_is_of_the_maps_of_both_daemons_unless_told() {
        assert_eq!(parsed("stat"), stat(&MAPS, Form::Table));
        assert_eq!(parsed("--json stat"), stat(&MAPS, Form::Json));
        assert_eq!(
            parsed("stat a stat --json"),
            stat(&["a", "stat"], Form::Json)
        );
        assert_eq!(
            parsed("stat -- --json a"),
            stat(&["--json", "a"], Form::Table)
        );
    }

    #[test]
    fn help_is_given_wherever_it_is_asked_for() {
        assert_eq!(parsed("stat --help"), Ok(Action::Help));
        assert_eq!(parsed("-h"), Ok(Action::Help));
        assert_eq!(parsed("--version"), Ok(Action::Version));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, said) in [
            ("", "an argument is empty"),
            ("--json", "a verb is needed: stat"),
            ("--", "unknown option '--'"),
            ("show", "unknown verb 'show'"),
            ("stat --jso", "unknown option '--jso'"),
            ("stat --json=1", "unknown option '--json=1'"),
        ] {
            assert_eq!(parsed(line), Err(said.to_owned()), "{line}");
        }
        assert!(parse(std::iter::empty()).is_err());
    }
}
