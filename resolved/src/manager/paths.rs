//! Where everything is.

use std::path::PathBuf;

use crate::{config, local, resolv_conf};

/// Where everything is; tests have it elsewhere.
#[derive(Clone, Debug)]
pub struct Paths {
    /// What the administrator writes.
    pub sources: config::Sources,
    /// What is answered from.
    pub local: local::Paths,
    /// /etc/resolv.conf and what it may point to.
    pub resolv_conf: resolv_conf::Paths,
    /// /run/systemd/resolve: resolv.conf, stub-resolv.conf, sockets.
    pub run: PathBuf,
    /// /run/systemd/resolve/netif: what links were told by calls.
    pub saved: PathBuf,
    /// /run/systemd/netif/links: what systemd-networkd tells links.
    pub networkd: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            sources: config::Sources::default(),
            local: local::Paths::default(),
            resolv_conf: resolv_conf::Paths::default(),
            run: "/run/systemd/resolve".into(),
            saved: "/run/systemd/resolve/netif".into(),
            networkd: "/run/systemd/netif/links".into(),
        }
    }
}
