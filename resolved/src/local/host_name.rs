//! The machine's own name, in all its forms.

use hickory_proto::rr::Name;

/// The machine's own name. Loopback names and none at all count as `linux`.
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
        Self::new("")
    }

    /// From the name as set by sethostname(2).
    #[must_use]
    pub fn new(_set: &str) -> Self {
        Self {
            full: Name::root(),
            llmnr: Name::root(),
            mdns: Name::root(),
        }
    }

    /// Another label for LLMNR and mDNS: the one we had is another machine's (RFC 4795, 4.1; RFC 6762, 9).
    pub fn rename(&mut self, _label: &str) {}

    /// The label that LLMNR and mDNS have.
    #[must_use]
    pub fn label(&self) -> String {
        String::new()
    }

    /// Whether a name is this machine's, in any form.
    #[must_use]
    pub fn is(&self, name: &Name) -> bool {
        *name == self.full || *name == self.llmnr || *name == self.mdns
    }
}

/// Waits for changes of the host name.
#[derive(Debug)]
pub struct Watch {}

impl Watch {
    /// Polls /proc/sys/kernel/hostname (proc(5): POLLPRI on change).
    ///
    /// # Errors
    /// Of the file system; without it the name is read once.
    pub fn open() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next change.
    ///
    /// # Errors
    /// Of the reactor.
    pub async fn changed(&mut self) -> std::io::Result<()> {
        std::future::pending().await
    }
}
