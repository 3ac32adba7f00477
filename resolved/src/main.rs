//! The daemon; see the library for what it does.

#![forbid(unsafe_code)]

mod listeners;
mod privileges;
mod requests;

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

use daemon::{lock::Lock, log, notify, signals::Signals, user::User};
use listeners::Listeners;
use requests::Requests;
use resolved::{
    bus, config,
    links::{Monitor, Network, networkd},
    local::host_name,
    manager::{Manager, Paths},
    varlink,
};
use tokio::{
    runtime::{self, LocalOptions},
    sync::Notify,
    task::JoinHandle,
};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "\
resolved [--check | --help | --version]

The machine's one resolver and cache: org.freedesktop.resolve1 on D-Bus, io.systemd.Resolve over Varlink, DNS on 127.0.0.53.
Run by a service manager, as root; it becomes the user systemd-resolve. Configured by resolved.conf(5).

  --check    read the configuration, name every line that is wrong, and say by the exit status whether there is one
";

/// What is ours alone: the lock.
const OWN_DIR: &str = "/run/switchyard/resolved";

/// The map of answers for nss-resolve.
const MAP: &str = "/run/switchyard/resolve.map";

/// The user that the daemon becomes, as the bus's policy and other programs know it.
const USER: &str = "systemd-resolve";

/// A socket a question on its way, and room for as many callers.
const DESCRIPTORS: u64 = 65536;

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
        Some(option) if option == "--check" => return check(),
        Some(option) => {
            eprintln!("resolved: unknown argument {option:?}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    log::init("resolved");
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> ExitCode {
    let diagnostics = config::check(&config::Sources::default());
    for diagnostic in &diagnostics {
        println!("{diagnostic}");
    }
    if diagnostics.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn start() -> Result<(), Failure> {
    // Others read the files that are made here, whatever the umask of whoever started us.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    if let Err(error) = daemon::privileges::raise_descriptor_limit(DESCRIPTORS) {
        tracing::warn!("Failed to raise the limit of open descriptors: {error}");
    }
    make_dir(Path::new(OWN_DIR))?;
    let lock = Path::new(OWN_DIR).join("lock");
    let Some(_lock) = Lock::take(&lock)? else {
        // Whoever runs will have the name in a moment, and the bus waits for that: dbus-daemon(1) takes a service that
        // ends well for one that has gone into the background.
        if env::var_os("DBUS_STARTER_ADDRESS").is_some() {
            return Ok(());
        }
        return Err(format!("Another resolved is running: {} is locked", lock.display()).into());
    };
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(run())
}

fn make_dir(path: &Path) -> io::Result<()> {
    let what = |error| {
        io::Error::new(
            io::Error::kind(&error),
            format!("Failed to make {}: {error}", path.display()),
        )
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(what)
}

/// The directories that the daemon writes to, as its user.
fn make_own_dirs(paths: &Paths, user: Option<User>) -> io::Result<Vec<PathBuf>> {
    let dirs = vec![paths.run.clone(), paths.saved.clone()];
    for dir in &dirs {
        make_dir(dir)?;
        if let Some(user) = user {
            user.own(dir)?;
        }
    }
    Ok(dirs)
}

async fn run() -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let mut requests = Requests::new()?;
    let user = privileges::user(USER)?;
    let (manager, diagnostics) = Manager::new(Paths::default());
    complain(&diagnostics);
    make_own_dirs(manager.paths(), user)?;
    let (monitor, network) = Monitor::open()?;
    varlink::register(&manager.paths().run);
    let sockets = listeners::bind(&manager.config());
    share(&manager);
    privileges::drop(user, &manager.paths().run)?;
    manager.network_began(network.clone());
    // As the user that owns the directory: by that clients know the one who listens.
    let _varlink = varlink::serve(&manager, &manager.paths().run)?;
    let mut listeners = Listeners::start(sockets, &manager)?;
    let mut tasks = vec![
        tokio::task::spawn_local(follow_links(Rc::clone(&manager), monitor, network)),
        tokio::task::spawn_local(follow_host_name(Rc::clone(&manager))),
        tokio::task::spawn_local(follow_hooks(Rc::clone(&manager))),
        tokio::task::spawn_local(on_the_bus(Rc::clone(&manager))),
    ];
    tasks.extend(follow_folders(&manager));
    let ended = loop {
        tokio::select! {
            signal = signals.end() => break signal,
            request = requests.next() => {
                request.serve(&manager);
                listeners.follow(&manager).await;
            }
        }
    };
    tracing::info!("Ending on {ended}");
    report(notify::notify(notify::STOPPING));
    manager.mdns.goodbye();
    manager.cache.published.end();
    for task in tasks {
        task.abort();
    }
    Ok(())
}

/// Makes the map that nss-resolve reads, as root: nobody but root can make it smaller under its readers.
fn share(manager: &Manager) {
    if let Some(writer) = daemon::map::create(Path::new(MAP), manager.config().lookaside) {
        manager.cache.published.begin(writer);
    }
}

/// Serves the bus, and says that we can be called once that is so: what waits for it calls by the bus at once, if there is
/// one.
async fn on_the_bus(manager: Rc<Manager>) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let settled = Rc::new(Notify::new());
    let told = Rc::clone(&settled);
    tokio::task::spawn_local(bus::run(manager, move || told.notify_one()));
    if tokio::time::timeout(PATIENCE, settled.notified())
        .await
        .is_err()
    {
        tracing::warn!("The system bus does not answer; going on without");
    }
    report(notify::notify(notify::READY));
}

/// Says what is wrong with the configuration; the rest of it holds.
fn complain(diagnostics: &[config::Diagnostic]) {
    for diagnostic in diagnostics {
        tracing::warn!("{diagnostic}");
    }
}

/// A failure of the kernel's that will pass is tried again after this long.
const AGAIN: Duration = Duration::from_secs(1);

async fn follow_links(manager: Rc<Manager>, mut monitor: Monitor, mut network: Network) {
    loop {
        match monitor.changed(&mut network).await {
            Ok(()) => manager.network_changed(&network),
            Err(error) => {
                tracing::warn!("Failed to follow the links: {error}");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Does something whenever a file of a folder may have changed, of which the log hears as `what`.
async fn follow_folder(dir: PathBuf, what: &'static str, changed: impl Fn()) {
    let mut watch = match networkd::Watch::open(&dir) {
        Ok(watch) => watch,
        Err(error) => {
            tracing::warn!("Failed to follow {what} in {}: {error}", dir.display());
            return;
        }
    };
    while watch.changed().await.is_ok() {
        changed();
    }
}

/// Follows the files of others.
fn follow_folders(manager: &Rc<Manager>) -> Vec<JoinHandle<()>> {
    let follow = |dir: &Path, what, act: fn(&Rc<Manager>)| {
        let manager = Rc::clone(manager);
        let changed = move || act(&manager);
        tokio::task::spawn_local(follow_folder(dir.to_owned(), what, changed))
    };
    let paths = manager.paths();
    let mut tasks = vec![follow(&paths.networkd, "systemd-networkd", |manager| {
        manager.networkd_changed();
    })];
    // /etc/hosts stands there too.
    tasks.extend(paths.resolv_conf.etc.parent().map(|etc| {
        follow(etc, "resolv.conf and hosts", |manager| {
            manager.resolv_conf_changed();
            manager.local_files_changed();
        })
    }));
    // What this machine answers by itself.
    let local = &paths.local;
    for dir in local.static_records.iter().chain([&local.hooks]) {
        tasks.push(follow(dir, "static records or hooks", |manager| {
            manager.local_files_changed();
        }));
    }
    tasks
}

async fn follow_hooks(manager: Rc<Manager>) {
    manager.follow_hooks().await;
}

async fn follow_host_name(manager: Rc<Manager>) {
    let mut watch = match host_name::Watch::open() {
        Ok(watch) => watch,
        Err(error) => {
            tracing::warn!("Failed to follow the host name: {error}");
            return;
        }
    };
    while watch.changed().await.is_ok() {
        manager.host_name_changed();
    }
}

fn report(notified: io::Result<()>) {
    if let Err(error) = notified {
        tracing::warn!("Failed to tell the service manager: {error}");
    }
}
