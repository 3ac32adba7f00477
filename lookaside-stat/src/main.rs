//! `switchyard-lookaside stat`: the maps of known answers in numbers, and no name of any. See switchyard-lookaside(8).
#![forbid(unsafe_code)]

mod cli;
mod json;
mod map;
mod refusal;
mod table;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use cli::{Action, Form};
use map::Map;

/// Whose maps are read, and who may: root.
const ROOT: u32 = 0;

fn main() -> ExitCode {
    let action = match cli::parse(std::env::args_os().skip(1)) {
        Ok(action) => action,
        Err(error) => {
            complain(&format!("{error}\nTry 'switchyard-lookaside --help'."));
            return ExitCode::from(2);
        }
    };
    match action {
        Action::Help => print(cli::HELP, true),
        Action::Version => print(
            concat!("switchyard-lookaside ", env!("CARGO_PKG_VERSION"), "\n"),
            true,
        ),
        Action::Stat { .. } if rustix::process::geteuid().as_raw() != ROOT => {
            complain("only root is told about the maps: run this as root");
            ExitCode::FAILURE
        }
        Action::Stat { paths, form } => {
            let maps: Vec<_> = paths
                .into_iter()
                .map(|path| Map::read(path, ROOT))
                .collect();
            stat(&maps, form)
        }
    }
}

/// Shows the maps that are there, and says of each other why it can't be shown.
fn stat(maps: &[Map], form: Form) -> ExitCode {
    for map in maps {
        if let Err(refusal) = &map.stat {
            complain(&format!("{}: {refusal}", map.path.display()));
        }
    }
    let text = match form {
        Form::Table => table::of(maps),
        Form::Json => json::of(maps),
    };
    print(&text, maps.iter().all(|map| map.stat.is_ok()))
}

fn print(text: &str, is_success: bool) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) if is_success => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("failed to write the output: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard error, which may be closed: there is nobody left to tell then.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "switchyard-lookaside: {message}");
}
