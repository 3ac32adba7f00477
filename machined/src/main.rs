//! The daemon; see the library for what it does.

#![forbid(unsafe_code)]

use std::{
    env,
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use config_file::files;
use daemon::{
    activation::{self, Passed},
    lock::Lock,
    log, notify,
    privileges::{self, CapabilitySet},
    seccomp,
    signals::Signals,
};
use machined::{
    bus, config,
    manager::{Manager, Paths},
    nscd, varlink,
};
use tokio::runtime::{self, LocalOptions};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "\
machined [--help | --version]

The registry of containers and virtual machines: org.freedesktop.machine1 on D-Bus, io.systemd.Machine over Varlink.
Run by a service manager, as root. See switchyard-machined(8), also for /etc/switchyard/machined.conf.
";

/// What is ours alone: the lock, and state files that could not be read.
const OWN_DIR: &str = "/run/switchyard/machined";

/// The map of machines for nss-mymachines.
const MAP: &str = "/run/switchyard/machines.map";

/// Three descriptors a machine (its leader, its supervisor, its network), and room for as many callers.
const DESCRIPTORS: u64 = 65536;

/// What it takes to watch over machines and to start the helper that enters them.
///
/// KILL: to end machines. SYS_PTRACE: to look into /proc/PID/ns of any process. SYS_ADMIN: to join namespaces.
/// DAC_READ_SEARCH, DAC_OVERRIDE: state files and cgroups of others. The rest is the helper's: copying files as they are
/// owned (CHOWN, FOWNER, FSETID, MKNOD, LINUX_IMMUTABLE, SETFCAP), entering roots (SYS_CHROOT), becoming the machine's user
/// (SETUID, SETGID).
const CAPABILITIES: CapabilitySet = CapabilitySet::KILL
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::CHOWN)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::LINUX_IMMUTABLE)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID);

fn main() -> ExitCode {
    match env::args_os().nth(1) {
        None => {}
        Some(option) if option == "--help" || option == "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some(option) if option == "--version" => {
            println!("switchyard {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Some(option) => {
            eprintln!("machined: unknown argument {option:?}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    // Before anything is opened that could have one of their numbers.
    let sockets = activation::passed_sockets();
    log::init("machined");
    match start(sockets) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start(sockets: Vec<Passed>) -> Result<(), Failure> {
    // Others read the folders that are made here, whatever the umask of whoever started us.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    if let Err(error) = privileges::raise_descriptor_limit(DESCRIPTORS) {
        tracing::warn!("Failed to raise the limit of open descriptors: {error}");
    }
    make_dir(OWN_DIR)?;
    let lock = Path::new(OWN_DIR).join("lock");
    let Some(_lock) = Lock::take(&lock)? else {
        // Whoever runs will have the name in a moment, and the bus waits for that: dbus-daemon(1) takes a service that
        // ends well for one that has gone into the background.
        if env::var_os("DBUS_STARTER_ADDRESS").is_some() {
            return Ok(());
        }
        return Err(format!("Another machined is running: {} is locked", lock.display()).into());
    };
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(run(sockets))
}

fn make_dir(path: &str) -> io::Result<()> {
    let what = |error| {
        io::Error::new(
            io::Error::kind(&error),
            format!("Failed to make {path}: {error}"),
        )
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(what)
}

async fn run(sockets: Vec<Passed>) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let manager = Manager::new(Paths::default())?;
    let (config, wrong) = config::load(&files::ROOTS.map(PathBuf::from));
    for line in wrong {
        tracing::warn!("{line}");
    }
    if let Some(map) = daemon::map::create(Path::new(MAP), config.lookaside) {
        manager.publish(map, MAP.into());
    }
    manager.restore()?;
    let sockets = sockets.into_iter().map(|socket| socket.fd).collect();
    let _sockets = varlink::serve(&manager, sockets)?;
    drop_privileges()?;
    let on_the_bus = tokio::task::spawn_local(bus::run(Rc::clone(&manager)));
    let cache = tokio::task::spawn_local(nscd::run(Rc::clone(&manager)));
    let ready = tokio::task::spawn_local(ready(Rc::clone(&manager)));
    tokio::select! {
        signal = signals.end() => tracing::info!("Ending on {signal}; machines live on"),
        ended = Rc::clone(&manager).watch() => ended?,
    }
    manager.end_publishing();
    for task in [on_the_bus, cache, ready] {
        task.abort();
    }
    report(notify::notify(notify::STOPPING));
    Ok(())
}

/// Says that we can be called: what waits for it calls by the bus at once, if there is one.
async fn ready(manager: Rc<Manager>) {
    const PATIENCE: Duration = Duration::from_secs(5);
    if tokio::time::timeout(PATIENCE, manager.bus_settled())
        .await
        .is_err()
    {
        tracing::warn!("The system bus does not answer; going on without");
    }
    report(notify::notify(notify::READY));
}

/// Before anyone can call us. A filter that the kernel has not got is missed; privileges that stay are not acceptable.
fn drop_privileges() -> io::Result<()> {
    privileges::keep_only(CAPABILITIES)?;
    if let Err(error) = seccomp::deny_what_nobody_needs() {
        tracing::warn!("No system call filter: {error}");
    }
    Ok(())
}

fn report(notified: io::Result<()>) {
    if let Err(error) = notified {
        tracing::warn!("Failed to tell the service manager: {error}");
    }
}
