//! Where the log goes and how much of it, both changeable while the daemon runs (org.freedesktop.LogControl1).
//!
//! The words are systemd's: levels `emerg` … `debug`, targets `console`, `journal`, `syslog`, `kmsg`, `null`, `auto`;
//! `$SYSTEMD_LOG_LEVEL` and `$SYSTEMD_LOG_TARGET` set both at start.

use std::{
    env,
    ffi::CString,
    fmt,
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::Path,
    sync::{Mutex, OnceLock, PoisonError},
};

use rustix::stdio::stderr;
use tracing::{field::Field, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer, Registry,
    fmt::format::{Writer, debug_fn},
    layer::SubscriberExt,
    reload,
};

type Sink = Box<dyn Layer<Registry> + Send + Sync>;

struct Log {
    identifier: &'static str,
    sink: reload::Handle<Sink, Registry>,
    settings: Mutex<Settings>,
}

#[derive(Clone, Copy)]
struct Settings {
    level: &'static str,
    target: &'static str,
}

static LOG: OnceLock<Log> = OnceLock::new();

const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";

/// syslog(3)'s levels by name, each with how much of ours it lets through.
const LEVELS: [(&str, LevelFilter); 8] = [
    ("emerg", LevelFilter::ERROR),
    ("alert", LevelFilter::ERROR),
    ("crit", LevelFilter::ERROR),
    ("err", LevelFilter::ERROR),
    ("warning", LevelFilter::WARN),
    ("notice", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::TRACE),
];

const TARGETS: [&str; 5] = ["console", "journal", "syslog", "kmsg", "null"];

/// Starts logging under this name. A second call changes nothing.
pub fn init(identifier: &'static str) {
    let level = env::var("SYSTEMD_LOG_LEVEL").ok();
    let level = level.as_deref().and_then(known_level);
    let target = env::var("SYSTEMD_LOG_TARGET").ok();
    let target = target.as_deref().and_then(known_target);
    let settings = Settings {
        level: level.unwrap_or("info"),
        target: target.unwrap_or_else(automatic_target),
    };
    let (layer, sink) = reload::Layer::new(sink_of(identifier, settings));
    let log = Log {
        identifier,
        sink,
        settings: Mutex::new(settings),
    };
    if LOG.set(log).is_ok() {
        // Fails only if a subscriber is set already, and then the log goes there.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(layer));
    }
}

/// The level, e.g. `info`.
pub fn level() -> &'static str {
    settings().level
}

/// The number that syslog(3) has for the level.
pub(crate) fn number_of_level() -> usize {
    let level = level();
    let number = LEVELS.iter().position(|(name, _)| *name == level);
    number.unwrap_or_default()
}

/// The level of this number.
pub(crate) fn level_of_number(number: usize) -> Option<&'static str> {
    LEVELS.get(number).map(|(name, _)| *name)
}

/// Sets the level.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a word that is none.
pub fn set_level(level: &str) -> io::Result<()> {
    let level = known_level(level).ok_or(io::ErrorKind::InvalidInput)?;
    change(|settings| settings.level = level)
}

/// The target, e.g. `journal`.
pub fn target() -> &'static str {
    settings().target
}

/// Sets the target.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a word that is none.
pub fn set_target(target: &str) -> io::Result<()> {
    let target = known_target(target).ok_or(io::ErrorKind::InvalidInput)?;
    change(|settings| settings.target = target)
}

/// The name that the lines carry.
pub fn identifier() -> &'static str {
    LOG.get().map_or("", |log| log.identifier)
}

fn settings() -> Settings {
    let unset = Settings {
        level: "info",
        target: "console",
    };
    LOG.get().map_or(unset, |log| {
        *log.settings.lock().unwrap_or_else(PoisonError::into_inner)
    })
}

fn change(what: impl FnOnce(&mut Settings)) -> io::Result<()> {
    let log = LOG.get().ok_or(io::ErrorKind::NotConnected)?;
    let mut settings = log.settings.lock().unwrap_or_else(PoisonError::into_inner);
    what(&mut settings);
    // The old sink goes first: syslog(3) has one connection a process.
    let _ = log.sink.reload(sink_of(
        "",
        Settings {
            target: "null",
            ..*settings
        },
    ));
    let sink = sink_of(log.identifier, *settings);
    log.sink.reload(sink).map_err(io::Error::other)
}

fn known_level(word: &str) -> Option<&'static str> {
    let index = word.parse::<usize>().ok();
    let by_name = || {
        LEVELS
            .iter()
            .map(|(name, _)| *name)
            .find(|name| *name == word)
    };
    index.and_then(level_of_number).or_else(by_name)
}

fn known_target(word: &str) -> Option<&'static str> {
    let word = match word {
        "journal-or-kmsg" | "journal" => "journal",
        "syslog-or-kmsg" | "syslog" => "syslog",
        "console-prefixed" | "console" => "console",
        "auto" => return Some(automatic_target()),
        other => other,
    };
    TARGETS.into_iter().find(|target| *target == word)
}

/// A terminal is where someone is looking. Else the journal, if stderr goes there anyway or there is one to write to
/// with fields; then syslog; and stderr where there is neither.
fn automatic_target() -> &'static str {
    let is_terminal = io::stderr().is_terminal();
    if is_journal_stream() || (!is_terminal && Path::new(JOURNAL).exists()) {
        "journal"
    } else if !is_terminal && is_service() && Path::new(SYSLOG).exists() {
        "syslog"
    } else {
        "console"
    }
}

/// Whether a service manager runs us: then nobody reads stderr, or it is somebody else's log.
fn is_service() -> bool {
    ["INVOCATION_ID", "NOTIFY_SOCKET", "RC_SVCNAME", "SVDIR"]
        .into_iter()
        .any(|name| env::var_os(name).is_some())
}

/// Whether stderr is the stream to the journal that `$JOURNAL_STREAM` names as DEVICE:INODE, systemd.exec(5).
fn is_journal_stream() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else {
        return false;
    };
    rustix::fs::fstat(stderr())
        .is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

fn sink_of(identifier: &str, settings: Settings) -> Sink {
    let level = LEVELS.iter().find(|(name, _)| *name == settings.level);
    let level = level.map_or(LevelFilter::INFO, |(_, filter)| *filter);
    let sink = match settings.target {
        "null" => return LevelFilter::OFF.boxed(),
        "journal" => journal(identifier).ok(),
        "syslog" => syslog(identifier),
        "kmsg" => kmsg(identifier).ok(),
        _ => None,
    };
    level.and_then(sink.unwrap_or_else(console)).boxed()
}

/// Without a time (whoever reads stderr adds one), with the level.
fn console() -> Sink {
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let layer = layer.with_ansi(false).without_time().with_target(false);
    layer.compact().fmt_fields(debug_fn(for_people)).boxed()
}

fn journal(identifier: &str) -> io::Result<Sink> {
    let layer = tracing_journald::layer()?.with_field_prefix(None);
    Ok(layer.with_syslog_identifier(identifier.to_owned()).boxed())
}

/// `None` if syslog(3) is in use already.
fn syslog(identifier: &str) -> Option<Sink> {
    let identifier = CString::new(identifier).ok()?;
    let (options, facility) = (syslog_tracing::Options::LOG_PID, Default::default());
    let syslog = syslog_tracing::Syslog::new(identifier, options, facility)?;
    let layer = tracing_subscriber::fmt::layer().with_writer(syslog);
    let layer = layer.with_ansi(false).without_time().with_target(false);
    let layer = layer.with_level(false).compact();
    Some(layer.fmt_fields(debug_fn(for_people)).boxed())
}

/// The kernel's ring: one write is one record, with its priority in front. kmsg(4)
fn kmsg(identifier: &str) -> io::Result<Sink> {
    let file = OpenOptions::new().write(true).open("/dev/kmsg")?;
    let prefix = format!("<30>{identifier}[{}]: ", std::process::id());
    let writer = Mutex::new(Prefixed { prefix, file });
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer = layer.with_ansi(false).without_time().with_target(false);
    Ok(layer.compact().fmt_fields(debug_fn(for_people)).boxed())
}

/// A field of a line of text. Those in capitals are for the journal, and say in fields what the message says in words.
fn for_people(line: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(line, "{value:?}"),
        name if name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => Ok(()),
        name => write!(line, " {name}={value:?}"),
    }
}

struct Prefixed {
    prefix: String,
    file: File,
}

impl Write for Prefixed {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let record = [self.prefix.as_bytes(), line].concat();
        self.file.write(&record).map(|_| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_levels_and_targets() {
        assert_eq!(known_level("warning"), Some("warning"));
        assert_eq!(known_level("7"), Some("debug"));
        assert_eq!(known_level("8"), None);
        assert_eq!(known_level("loud"), None);
        assert_eq!(known_target("journal-or-kmsg"), Some("journal"));
        assert_eq!(known_target("paper"), None);
    }

    #[test]
    fn both_change_while_running() {
        init("test");
        set_level("debug").unwrap();
        assert!(tracing::enabled!(tracing::Level::DEBUG));
        set_level("err").unwrap();
        assert_eq!(level(), "err");
        assert!(!tracing::enabled!(tracing::Level::WARN));
        for target in TARGETS {
            set_target(target).unwrap();
            assert_eq!(super::target(), target);
        }
        assert!(set_level("loud").is_err() && set_target("paper").is_err());
        assert_eq!((level(), identifier()), ("err", "test"));
    }
}
