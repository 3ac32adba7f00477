//! Where the project, its staged install and the unpacked peers are on the machine.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::must::Must;

/// Names the staged install (`make stage DESTDIR=…`), where it is not `stage` in cargo's target directory.
pub(crate) const STAGE: &str = "SWITCHYARD_STAGE";
/// Names the unpacked peers, where another process has looked them up.
pub(crate) const PEERS: &str = "SWITCHYARD_PEERS";
/// Names the unpacked newer systemd, likewise.
pub(crate) const NEWER: &str = "SWITCHYARD_NEWER";

/// The top of the source tree.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .must("the source tree this was built in is gone")
}

/// cargo's target directory: the nearest above this program in which cargo has left its files, or the program's own.
pub(crate) fn target() -> PathBuf {
    let exe = env::current_exe().must("current_exe");
    // cargo tags only a directory that it has made itself.
    let cargos = |dir: &&Path| {
        ["CACHEDIR.TAG", ".rustc_info.json"]
            .iter()
            .any(|name| dir.join(name).exists())
    };
    let found = exe.ancestors().skip(1).find(cargos);
    found
        .or(exe.parent())
        .must("a program in no directory")
        .to_path_buf()
}

/// The staged install, if there is one.
pub(crate) fn stage() -> Option<PathBuf> {
    let named = env::var_os(STAGE)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let found = named.unwrap_or_else(|| target().join("stage"));
    found
        .join("usr")
        .is_dir()
        .then(|| found.canonicalize().must("the staged install"))
}

/// The root of the unpacked peers; fetched first where they are not there.
pub(crate) fn peers() -> PathBuf {
    fetched().must("tests/peers/fetch.sh could not provide the peers; its reason is above")
}

/// The same, or `None` if they could not be fetched: why has been said then, in one line.
pub(crate) fn fetched() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| fetch(PEERS, "tests/peers/fetch.sh"))
        .clone()
}

/// The root of the newer systemd, or `None` as for [`fetched`].
pub(crate) fn newer() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| fetch(NEWER, "tests/peers/trixie/fetch.sh"))
        .clone()
}

fn fetch(named: &str, script: &str) -> Option<PathBuf> {
    if let Some(path) = env::var_os(named) {
        return Some(path.into());
    }
    let mut fetch = Command::new(workspace().join(script));
    if env::var_os("PEERS_CACHE").is_none() {
        fetch.env("PEERS_CACHE", target().join("peers"));
    }
    let output = fetch
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .must(script);
    if !output.status.success() {
        return None;
    }
    let path = String::from_utf8(output.stdout).must("fetch.sh printed no path");
    Some(path.trim().into())
}
