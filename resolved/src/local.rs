//! What this machine answers by itself: static records, /etc/hosts, hooks, its own names.
//!
//! [`Local::before`] comes before the cache and the network, [`Local::after`] once those have failed. With
//! [`Flags::NO_SYNTHESIZE`] neither says anything, but for the hooks: they are a source of their own, like a server.

mod answer;
pub mod hooks;
pub mod host_name;
mod hosts;
mod literal;
mod special;
mod statics;
mod synthesis;

use std::path::PathBuf;

use config_file::files;
use hickory_proto::{op::ResponseCode, rr::Name};

use self::{hooks::Hooks, hosts::Hosts, special::Special, statics::Statics};
pub use self::{
    host_name::HostName,
    literal::{Literal, literal},
};
use crate::{
    config::Config,
    failure::Failure,
    flags::Flags,
    links::Network,
    message::{Answer, Lookup},
    mode,
};

/// Where things stand; [`Paths::default`] is the machine's.
#[derive(Clone, Debug)]
pub struct Paths {
    /// hosts(5).
    pub hosts: PathBuf,
    /// The directory of the hooks' sockets.
    pub hooks: PathBuf,
    /// Whose hooks are believed.
    pub hooks_owner: u32,
    /// Directories of static records, the first preferred.
    pub static_records: Vec<PathBuf>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            hosts: "/etc/hosts".into(),
            hooks: "/run/systemd/resolve.hook".into(),
            hooks_owner: 0,
            static_records: files::ROOTS
                .map(|root| format!("{root}/systemd/resolve/static.d").into())
                .into(),
        }
    }
}

/// What the answers depend on, as it is at the time of the lookup.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Links, addresses, gateways.
    pub network: &'a Network,
    /// The machine's own name.
    pub host_name: &'a HostName,
    /// What is switched on.
    pub config: &'a Config,
}

/// The local sources.
#[derive(Debug)]
pub struct Local {
    statics: Statics,
    hosts: Hosts,
    hooks: Hooks,
    /// The machine's own name is answered.
    host_name: bool,
}

impl Local {
    /// Nothing is read or connected to before the first lookup. Of the environment, `SYSTEMD_RESOLVED_HOOK=0` leaves out the
    /// hooks, and `SYSTEMD_RESOLVED_SYNTHESIZE_HOSTNAME=0` the machine's own name.
    #[must_use]
    pub fn new(paths: Paths) -> Self {
        Self {
            statics: Statics::new(paths.static_records),
            hosts: Hosts::new(paths.hosts),
            hooks: Hooks::new(
                paths.hooks,
                paths.hooks_owner,
                switched_on("SYSTEMD_RESOLVED_HOOK"),
            ),
            host_name: switched_on("SYSTEMD_RESOLVED_SYNTHESIZE_HOSTNAME"),
        }
    }

    /// Counts changes of static records, of /etc/hosts and of what the hooks want, so that who keeps answers for longer knows
    /// when to drop them. Files are looked at every 2 s at most; cheap otherwise.
    pub fn generation(&self, world: &World<'_>) -> u64 {
        let statics = world
            .config
            .read_static_records
            .then(|| self.statics.generation());
        let hosts = world.config.read_etc_hosts.then(|| self.hosts.generation());
        let files = [statics, hosts].into_iter().flatten();
        files.fold(self.hooks.generation(), u64::wrapping_add)
    }

    /// Files have changed: the next who asks looks at them.
    pub fn look_again(&self) {
        self.statics.look_again();
        self.hosts.look_again();
    }

    /// Waits until a hook changes what it wants.
    pub async fn hooks_changed(&self) {
        self.hooks.changed().await;
    }

    /// Whether a hook may have a say in a name: what it says may be another thing each time.
    pub fn is_hooked(&self, name: &Name) -> bool {
        self.hooks.want(name)
    }

    /// What is known here, and is not to be asked elsewhere: static records, /etc/hosts, hooks, and names that never leave the
    /// machine ([`stays_here`]), in this order.
    ///
    /// The answer may hold a CNAME in place of what was asked for (static records, hooks): the caller follows it. An error is
    /// a hook's verdict, and final as well.
    ///
    /// Takes no time, except where a hook wants to be asked for the name. Must be called in a
    /// [`tokio::runtime::LocalRuntime`]. The borrows of `world` end before the first `.await`.
    pub fn before<'s>(
        &'s self,
        lookup: &'s Lookup,
        world: &World<'_>,
    ) -> impl Future<Output = Option<Result<Answer, Failure>>> + use<'s> {
        let synthesize = !lookup.flags.contains(Flags::NO_SYNTHESIZE);
        let known = synthesize.then(|| self.in_files(lookup, world)).flatten();
        let hooks = known.is_none().then(|| self.hooks.ask(lookup));
        let special = match hooks {
            Some(_) if synthesize => Special::of(&lookup.name),
            _ => None,
        };
        let special = special.and_then(|special| synthesis::special(lookup, world, special));
        async move {
            if let Some(known) = known {
                return Some(Ok(known));
            }
            if let Some(asked) = hooks
                && let Some(verdict) = asked.await
            {
                return Some(verdict);
            }
            special.map(Ok)
        }
    }

    fn in_files(&self, lookup: &Lookup, world: &World<'_>) -> Option<Answer> {
        let statics = world
            .config
            .read_static_records
            .then(|| self.statics.answer(lookup));
        statics.flatten().or_else(|| {
            let hosts = world
                .config
                .read_etc_hosts
                .then(|| self.hosts.answer(lookup));
            hosts.flatten()
        })
    }

    /// What stands in where the network has no answer: the machine's own name and addresses, the names of its routers. What
    /// the network knows of them is preferred.
    ///
    /// `outcome` is what the network said; there being no scope for the name is [`Failure::NoNameServers`].
    #[must_use]
    pub fn after(
        &self,
        lookup: &Lookup,
        world: &World<'_>,
        outcome: &Result<Answer, Failure>,
    ) -> Option<Answer> {
        if lookup.flags.contains(Flags::NO_SYNTHESIZE) || !is_without_answer(outcome) {
            return None;
        }
        synthesis::own(lookup, world, self.host_name)
    }
}

/// Whether the network did not know or could not be asked. A name without such records is an answer, and a wrong signature
/// is a verdict.
fn is_without_answer(outcome: &Result<Answer, Failure>) -> bool {
    match outcome {
        Ok(answer) => answer.rcode == ResponseCode::NXDomain,
        Err(failure) => matches!(
            failure,
            Failure::Rcode(..)
                | Failure::NoNameServers
                | Failure::TimedOut
                | Failure::MaxAttempts
                | Failure::NetworkDown
        ),
    }
}

/// Whether a name must not be asked of any scope: `localhost`, `_gateway`, 127.in-addr.arpa, `.invalid` and their like. With
/// [`Flags::NO_SYNTHESIZE`] there is nobody left to ask for it: no name servers.
#[must_use]
pub fn stays_here(name: &Name) -> bool {
    Special::of(name).is_some()
}

/// A switch of the environment that is on unless set to a false boolean.
fn switched_on(variable: &str) -> bool {
    let value = std::env::var(variable).ok();
    value
        .and_then(|value| mode::parse_boolean(&value))
        .unwrap_or(true)
}

#[cfg(test)]
mod tests;
