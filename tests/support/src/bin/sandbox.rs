//! `sandbox`: a person's way into the sandbox of the tests.

#![forbid(unsafe_code)]

use std::process::{Command, ExitCode};

use support::{Manager, Options, Sandbox, Via, Which, run_program};

const HELP: &str = "\
usage: sandbox [OPTION]... [CMD [ARG]...]

Opens a private system and runs CMD in it (a shell, unless told), with a system bus and machined running. Nothing of
the machine's /etc, /run or /var is visible inside; all of it is gone when CMD ends. Needs no privilege.

  --container NAME[:VIA]  start a container and register it; VIA is create, register or varlink (default)
  --systemd NAME[:VIA]    the same, with systemd as its init
  --resolved              our resolved, too
  --machined WHICH        ours (default), peer (systemd's) or none
  --modules WHICH         whose NSS modules: ours (default) or peer
  --peer                  systemd's throughout: needs no staged install
  --manager WHICH         who answers for org.freedesktop.systemd1: none (default) or systemd
  --hosts LINE            the hosts: line of nsswitch.conf
  --no-bus                no system bus
  --newer                 `newer PROGRAM` runs one of a newer systemd's
  -h, --help              this text

Ours are taken from $SWITCHYARD_STAGE or target/stage, which `make stage` fills; systemd's from Debian packages that are
unpacked under target/peers, and fetched first if need be.
";

fn main() -> ExitCode {
    let wanted = match parse(std::env::args().skip(1)) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("sandbox: {complaint}\nTry `sandbox --help`.");
            return ExitCode::from(2);
        }
    };
    let status = run_program(&wanted.options, |sandbox| run(sandbox, &wanted));
    ExitCode::from(u8::try_from(status).unwrap_or(1))
}

#[derive(Default)]
struct Wanted {
    options: Options,
    containers: Vec<Asked>,
    resolved: bool,
    command: Vec<String>,
}

struct Asked {
    name: String,
    via: Via,
    systemd: bool,
}

/// The command line; `None` asks for help.
fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted::default();
    while let Some(arg) = args.next() {
        let options = wanted.options.clone();
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        wanted.options = match arg.as_str() {
            "-h" | "--help" => return Ok(None),
            "--container" | "--systemd" => {
                let (name, via) = container(&value()?)?;
                wanted.containers.push(Asked {
                    name,
                    via,
                    systemd: arg == "--systemd",
                });
                options
            }
            "--resolved" => {
                wanted.resolved = true;
                options
            }
            "--machined" => options.machined(match value()?.as_str() {
                "none" => None,
                name => Some(which(name)?),
            }),
            "--modules" => options.modules(which(&value()?)?),
            "--peer" => options.modules(Which::Peer).machined(Which::Peer),
            "--manager" => options.manager(manager(&value()?)?),
            "--hosts" => options.hosts(&value()?),
            "--no-bus" => options.bus(false),
            "--newer" => options.newer(),
            "--" => {
                wanted.command.extend(args);
                break;
            }
            unknown if unknown.starts_with('-') => return Err(format!("no option {unknown}")),
            _ => {
                wanted.command.push(arg);
                wanted.command.extend(args);
                break;
            }
        };
    }
    Ok(Some(wanted))
}

fn container(text: &str) -> Result<(String, Via), String> {
    let (name, via) = text.split_once(':').unwrap_or((text, "varlink"));
    let via = match via {
        "create" => Via::BusCreate,
        "register" => Via::BusRegister,
        "varlink" => Via::Varlink,
        _ => return Err(format!("VIA is create, register or varlink, not {via}")),
    };
    Ok((name.into(), via))
}

fn which(name: &str) -> Result<Which, String> {
    match name {
        "ours" => Ok(Which::Ours),
        "peer" => Ok(Which::Peer),
        _ => Err(format!("ours or peer, not {name}")),
    }
}

fn manager(name: &str) -> Result<Manager, String> {
    match name {
        "none" => Ok(Manager::None),
        "systemd" => Ok(Manager::Systemd),
        _ => Err(format!("none or systemd, not {name}")),
    }
}

fn run(sandbox: &Sandbox, wanted: &Wanted) -> i32 {
    let _resolved = wanted.resolved.then(|| sandbox.start_resolved());
    for asked in &wanted.containers {
        let container = sandbox.container(&asked.name);
        let container = if asked.systemd {
            container.systemd()
        } else {
            container
        };
        sandbox.register(&container.start(), asked.via);
    }
    let shell = ["bash".to_string(), "--norc".into()];
    let command = if wanted.command.is_empty() {
        &shell[..]
    } else {
        &wanted.command
    };
    let Some((program, args)) = command.split_first() else {
        return 2;
    };
    match Command::new(program)
        .args(args)
        .env("PS1", "[sandbox]# ")
        .status()
    {
        Ok(status) => status.code().unwrap_or(1),
        Err(error) => {
            eprintln!("sandbox: {program}: {error}");
            127
        }
    }
}
