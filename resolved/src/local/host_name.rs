//! The machine's own name, in all its forms.

use std::{fs::File, os::fd::OwnedFd};

use hickory_proto::rr::Name;
use rustix::system::uname;
use tokio::io::{Interest, unix::AsyncFd};

use super::special::Special;
use crate::{name, sys};

/// What a machine is called whose name is none, no domain name, or a name of the loopback.
const NAMELESS: &str = "linux";

/// The machine's own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// As set: `web.example.com`, or one label.
    pub full: Name,
    /// The first label: what LLMNR says it is, unless a conflict made it change.
    pub llmnr: Name,
    /// The same below `local`.
    pub mdns: Name,
}

impl HostName {
    /// The kernel's: uname(2).
    #[must_use]
    pub fn read() -> Self {
        Self::new(&uname().nodename().to_string_lossy())
    }

    /// From the name as set by sethostname(2).
    #[must_use]
    pub fn new(set: &str) -> Self {
        let full = name::parse(set).ok().and_then(|name| name::to_ascii(&name));
        let full = full.filter(|name| !name.is_root() && Special::of(name).is_none());
        // A label of 63 bytes leaves no room below `local` only in a name of one label, and there is room enough there.
        let full = full.unwrap_or_else(|| one_label(NAMELESS.as_bytes()));
        let label = full.iter().next().unwrap_or(NAMELESS.as_bytes());
        let (llmnr, mdns) = (one_label(label), below_local(label));
        Self { full, llmnr, mdns }
    }

    /// Another label for LLMNR and mDNS: the one we had is another machine's (RFC 4795, 4.1; RFC 6762, 9). What is no label
    /// changes nothing.
    pub fn rename(&mut self, label: &str) {
        if !(1..=63).contains(&label.len()) {
            return;
        }
        self.llmnr = one_label(label.as_bytes());
        self.mdns = below_local(label.as_bytes());
    }

    /// The label that LLMNR and mDNS have.
    #[must_use]
    pub fn label(&self) -> String {
        name::format(&self.llmnr)
    }

    /// Whether a name is this machine's, in any form.
    #[must_use]
    pub fn is(&self, name: &Name) -> bool {
        *name == self.full || *name == self.llmnr || *name == self.mdns
    }

    /// Its forms, each once.
    #[must_use]
    pub fn all(&self) -> Vec<Name> {
        let mut all = vec![self.full.clone(), self.llmnr.clone(), self.mdns.clone()];
        all.dedup();
        all
    }
}

fn one_label(label: &[u8]) -> Name {
    Name::from_labels([label]).unwrap_or_else(|_| Name::root())
}

fn below_local(label: &[u8]) -> Name {
    Name::from_labels([label, b"local"]).unwrap_or_else(|_| Name::root())
}

/// Waits for changes of the host name.
#[derive(Debug)]
pub struct Watch {
    file: AsyncFd<OwnedFd>,
}

impl Watch {
    /// Polls /proc/sys/kernel/hostname. (proc_sys_poll of the kernel's fs/proc/proc_sysctl.c: POLLERR | POLLPRI on change)
    ///
    /// # Errors
    /// Of the file system; without it the name is read once.
    pub fn open() -> std::io::Result<Self> {
        let file = File::open("/proc/sys/kernel/hostname")?;
        let file = sys::async_fd(file.into(), Interest::PRIORITY)?;
        Ok(Self { file })
    }

    /// Waits for the next change, in this UTS namespace or in another.
    ///
    /// # Errors
    /// Of the reactor.
    pub async fn changed(&mut self) -> std::io::Result<()> {
        // What is ready stays so until it is cleared; the file itself need not be read.
        self.file.ready(Interest::PRIORITY).await?.clear_ready();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(set: &str) -> Vec<String> {
        HostName::new(set).all().iter().map(name::format).collect()
    }

    #[test]
    fn forms_of_a_name() {
        assert_eq!(forms("web"), ["web", "web.local"]);
        assert_eq!(
            forms("web.example.com"),
            ["web.example.com", "web", "web.local"]
        );
        for none in [
            "",
            "localhost",
            "localhost.localdomain",
            "(none..)",
            "a.invalid",
            "_gateway",
        ] {
            assert_eq!(forms(none), ["linux", "linux.local"], "{none:?}");
        }
        let long = "x".repeat(63);
        assert_eq!(forms(&long), [long.clone(), format!("{long}.local")]);
    }

    #[test]
    fn a_conflict_leaves_the_full_name() {
        let mut name = HostName::new("web.example.com");
        name.rename("web2");
        assert_eq!(name.label(), "web2");
        let is = |text| name.is(&name::parse(text).unwrap());
        assert!(is("web.example.com") && is("WEB2") && is("web2.local"));
        assert!(!is("web") && !is("web.local"));
        name.rename("");
        assert_eq!(name.label(), "web2");
    }
}
