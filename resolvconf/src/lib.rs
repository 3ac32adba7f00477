//! resolvconf(8), as VPN clients and DHCP clients call it: the DNS servers and domains of a network interface go to resolved.

#![forbid(unsafe_code)]

mod bus;
mod cli;
mod interface;
mod request;
mod resolv_conf;
mod server;
pub mod trial;
mod varlink;

use std::{
    env, io,
    io::{Read, Write},
    process::ExitCode,
};

use cli::{Action, Invocation, Target};
use interface::Interface;
use request::{Failure, Request};

/// A resolv.conf is some lines; who writes more than this has mistaken the program.
const LONGEST_INPUT: u64 = 1 << 20;

/// Runs it: what it was called for, and how it ends.
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let arguments = env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let is_set = |name: &str| env::var_os(name).is_some();
    let Invocation { action, target } = match cli::parse(arguments, is_set)? {
        cli::Outcome::Print(text) => return print(&text),
        cli::Outcome::Ignored(switch) => {
            eprintln!("Switch {switch} ignored.");
            return Ok(());
        }
        cli::Outcome::Do(invocation) => invocation,
    };
    let Some(interface) = find(&target)? else {
        return Ok(());
    };
    let request = match action {
        Action::Remove => Request::revert(interface.index),
        Action::Add(preference) => {
            let configuration = resolv_conf::parse(&input()?, preference);
            Request::set(interface.index, configuration)?
        }
    };
    match carry_out(&request) {
        // It is gone since we found it.
        Err(failure) if failure.no_such_link && target.may_be_missing => Ok(()),
        result => result.map_err(|failure| failure.message),
    }
}

fn print(text: &str) -> Result<(), String> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| format!("Failed to write to stdout: {error}"))
}

/// `None`: it is not there, and need not be.
fn find(target: &Target) -> Result<Option<Interface>, String> {
    let name = &target.interface;
    let failed =
        |error: &dyn std::fmt::Display| format!("Failed to resolve interface \"{name}\": {error}");
    let found = interface::find(name).map_err(|error| failed(&error))?;
    let Some(found) = found else {
        if target.may_be_missing {
            return Ok(None);
        }
        return Err(failed(&"No such device"));
    };
    if let Some(dropped) = &found.dropped {
        let (interface, index) = (&found.name, found.index);
        eprintln!(
            "Dropped protocol specifier '{dropped}' from '{name}'. Using '{interface}' (ifindex={index})."
        );
    }
    Ok(Some(found))
}

fn input() -> Result<String, String> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(LONGEST_INPUT)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("Failed to read from stdin: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// By the bus if resolved is there; else over Varlink.
fn carry_out(request: &Request) -> Result<(), Failure> {
    let unheard = match bus::carry_out(request) {
        bus::Outcome::Done(result) => return result,
        bus::Outcome::Nobody(why) => why,
    };
    match varlink::carry_out(request) {
        varlink::Outcome::Done(result) => result,
        varlink::Outcome::Nobody(why) => Err(Failure::other(format!(
            "Failed to reach the resolver: on the system bus: {unheard}; by {}: {why}",
            varlink::SOCKET
        ))),
    }
}
