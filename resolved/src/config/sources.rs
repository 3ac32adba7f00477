//! Where the configuration is.

use std::path::{Path, PathBuf};

use config_file::files;

/// All places that are read. [`Sources::default`] is the machine's.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The folders that have `systemd/resolved.conf` and so on below them; what is in an earlier one goes first.
    pub roots: Vec<PathBuf>,
    /// The kernel's command line, words between spaces or zero bytes.
    pub proc_cmdline: PathBuf,
    /// What the service manager handed over (systemd.exec(5), `LoadCredential=`).
    pub credentials: Vec<Credential>,
    /// Knows the links by name.
    pub ifindex_of: fn(&str) -> Option<u32>,
}

/// A credential, as it was when the program started: later only root could read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where it was; the file's name says what it is.
    pub path: PathBuf,
    /// What it said.
    pub text: String,
}

/// The credential that has DNS servers.
pub(super) const DNS: &str = "network.dns";
/// The credential that has search domains.
pub(super) const SEARCH_DOMAINS: &str = "network.search_domains";

/// The inode of the first PID namespace (PROC_PID_INIT_INO in the kernel's include/uapi/linux/nsfs.h).
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

impl Default for Sources {
    fn default() -> Self {
        // The kernel's line is the host's; a container manager sets its container's by the arguments of its init.
        let in_container = std::fs::read_link("/proc/self/ns/pid")
            .is_ok_and(|namespace| namespace != Path::new(FIRST_PID_NAMESPACE));
        Self {
            roots: files::ROOTS.map(PathBuf::from).into(),
            proc_cmdline: if in_container {
                "/proc/1/cmdline".into()
            } else {
                "/proc/cmdline".into()
            },
            credentials: std::env::var_os("CREDENTIALS_DIRECTORY")
                .map(|dir| credentials(Path::new(&dir)))
                .unwrap_or_default(),
            ifindex_of,
        }
    }
}

impl Sources {
    /// A folder as it is below each root.
    #[must_use]
    pub fn dirs(&self, folder: &str) -> Vec<PathBuf> {
        self.roots.iter().map(|root| root.join(folder)).collect()
    }

    /// The folders of static records, for [`StaticRecords::new`](super::StaticRecords::new).
    #[must_use]
    pub fn static_records(&self) -> Vec<PathBuf> {
        self.dirs("systemd/resolve/static.d")
    }
}

/// Those in a folder that mean something here.
pub(super) fn credentials(dir: &Path) -> Vec<Credential> {
    let paths = [DNS, SEARCH_DOMAINS].map(|name| dir.join(name));
    let read = paths.into_iter().filter_map(|path| {
        let bytes = super::read_file(&path).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Credential { path, text })
    });
    read.collect()
}

/// if_nametoindex(3), which needs nothing but a socket.
pub(crate) fn ifindex_of(name: &str) -> Option<u32> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    );
    netdevice::name_to_index(socket.ok()?, name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_names() {
        assert_eq!(ifindex_of("lo"), Some(1));
        assert_eq!(ifindex_of("no such link"), None);
        assert_eq!(ifindex_of(""), None);
    }
}
