//! The network as it is, followed by rtnetlink(7).

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rtnetlink::{Changes, DefaultRoute, Dump, Event, Groups, Questions, Received};
use tokio::io::{Interest, unix::AsyncFd};

use super::{Gateway, Network, apply};
use crate::sys;

/// Bytes of changes that the kernel may keep for us: what a thousand containers that start at once cause.
const ROOM: usize = 4 << 20;

/// Hears of changes. All of its sockets are opened at the start, while anything may be.
#[derive(Debug)]
pub struct Monitor {
    readiness: AsyncFd<OwnedFd>,
    changes: Changes,
    questions: Questions,
    /// Something was missed: all is to be asked for again.
    stale: bool,
    /// The network was changed, and nobody has been told so yet.
    untold: bool,
    /// The kernel was asked in vain: it is to be asked again without waiting for more.
    failed: bool,
}

impl Monitor {
    /// In the calling thread's network namespace, inside of a tokio runtime.
    ///
    /// # Errors
    /// Of the system.
    pub fn open() -> io::Result<(Self, Network)> {
        let groups = Groups::LINKS.and(Groups::ADDRESSES).and(Groups::ROUTES);
        // Before the first question: what changes in between is heard.
        let changes = Changes::open(groups, ROOM)?;
        let readiness = changes.as_fd().try_clone_to_owned()?;
        let mut monitor = Self {
            readiness: sys::async_fd(readiness, Interest::READABLE)?,
            changes,
            questions: Questions::open()?,
            stale: false,
            untold: false,
            failed: false,
        };
        let network = monitor.ask_for_all()?;
        Ok((monitor, network))
    }

    /// Waits for the next change and takes it in, with all that came with it.
    ///
    /// It may be given up at any time: nothing is lost.
    ///
    /// # Errors
    /// Of the system. Nothing is lost then either: the next call tries again, at once.
    pub async fn changed(&mut self, network: &mut Network) -> io::Result<()> {
        loop {
            if !self.failed {
                self.ready().await?;
            }
            if self.take_in(network)? {
                return Ok(());
            }
        }
    }

    /// Waits until there is something to take in: the first half of [`changed`](Self::changed), for who can't lend the network meanwhile.
    ///
    /// # Errors
    /// Of the system.
    pub async fn ready(&self) -> io::Result<()> {
        // Cleared first: what comes from here on makes it ready again.
        self.readiness.readable().await?.clear_ready();
        Ok(())
    }

    /// Takes in all that came; says whether the network is another now. Never waits for anything but the kernel's answer.
    ///
    /// # Errors
    /// Of the system.
    pub fn take_in(&mut self, network: &mut Network) -> io::Result<bool> {
        self.failed = true;
        let mut ask_for_gateways = false;
        loop {
            match self.changes.receive()? {
                Received::Nothing => break,
                Received::Overrun => self.stale = true,
                Received::Events(events) => {
                    for event in events {
                        let effect = network.apply(event);
                        self.untold |= effect.changed;
                        ask_for_gateways |= effect.ask_for_gateways;
                    }
                }
            }
        }
        if self.stale {
            let now = self.ask_for_all()?;
            self.untold |= now != *network;
            *network = now;
        } else if ask_for_gateways {
            // If this fails: gateways are a part of all.
            self.stale = true;
            let (now, interrupted) = self.ask_for_gateways()?;
            self.stale = interrupted;
            self.untold |= now != network.gateways;
            network.gateways = now;
        }
        self.failed = false;
        Ok(std::mem::take(&mut self.untold))
    }

    /// If the kernel was interrupted in answering, by changes that are heard, the next of them makes us ask for all again.
    fn ask_for_all(&mut self) -> io::Result<Network> {
        let mut network = Network::default();
        let mut stale = false;
        for what in [Dump::Links, Dump::Addresses] {
            let found = self.questions.ask(what, Some)?;
            stale |= found.interrupted;
            for event in found.items {
                network.apply(event);
            }
        }
        let (gateways, interrupted) = self.ask_for_gateways()?;
        network.gateways = gateways;
        self.stale = stale || interrupted;
        Ok(network)
    }

    fn ask_for_gateways(&mut self) -> io::Result<(Vec<Gateway>, bool)> {
        let route = |event: Event| -> Option<DefaultRoute> {
            match event {
                Event::DefaultRoute(route) => Some(route),
                _ => None,
            }
        };
        let found = self.questions.ask(Dump::DefaultRoutes, route)?;
        Ok((apply::gateways(found.items), found.interrupted))
    }
}
