//! Who may do what: root may; anyone else if polkit says so; without polkit nobody else.
//!
//! Looking up is for everyone. So are flushing caches and resetting counters on the bus, as in systemd up to 257.

use std::{
    cell::RefCell,
    os::fd::{AsFd, OwnedFd},
};

use polkit::{Authority, Question};
use zbus::Connection;

pub use polkit::Refusal;

/// The one who made a call, as the kernel or the bus vouches for them.
#[derive(Debug)]
pub struct Caller {
    /// The user.
    pub uid: u32,
    /// How polkit is told of them.
    pub subject: Subject,
    /// Whether polkit may ask a person: the ALLOW_INTERACTIVE_AUTHORIZATION flag of D-Bus.
    pub interactive: bool,
}

/// The names polkit knows callers by.
#[derive(Debug)]
pub enum Subject {
    /// A unique name on the system bus.
    BusName(String),
    /// A process: its number, and the process itself where the kernel tells it.
    Process(u32, Option<OwnedFd>),
}

/// Lists the actions with their ids.
macro_rules! actions {
    ($($action:ident $id:literal,)*) => {
        /// The actions of org.freedesktop.resolve1.policy.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is the action of the same name")]
        pub enum Action {
            $($action,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$action,)*];

            /// The action's id for polkit.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$action => concat!("org.freedesktop.resolve1.", $id),)*
                }
            }
        }
    };
}

actions! {
    RegisterService "register-service",
    UnregisterService "unregister-service",
    SetDnsServers "set-dns-servers",
    SetDomains "set-domains",
    SetDefaultRoute "set-default-route",
    SetLlmnr "set-llmnr",
    SetMdns "set-mdns",
    SetDnsOverTls "set-dns-over-tls",
    SetDnssec "set-dnssec",
    SetDnssecNegativeTrustAnchors "set-dnssec-negative-trust-anchors",
    Revert "revert",
    SubscribeQueryResults "subscribe-query-results",
    SubscribeDnsConfiguration "subscribe-dns-configuration",
    DumpCache "dump-cache",
    DumpServerState "dump-server-state",
    DumpStatistics "dump-statistics",
    ResetStatistics "reset-statistics",
    FlushCaches "flush-caches",
    ResetServerFeatures "reset-server-features",
}

/// Whoever decides.
#[derive(Debug, Default)]
pub struct Access {
    authority: Authority,
    bus: RefCell<Option<Connection>>,
}

impl Access {
    /// Tells of a new connection to the system bus, or of its loss: polkit is there.
    pub fn set_bus(&self, bus: Option<Connection>) {
        self.bus.replace(bus);
    }

    /// Lets the caller do this, or says why not. `details` are what polkit's rules and prompts are told: `interface` for
    /// what is about a link.
    ///
    /// # Errors
    /// Each [`Refusal`].
    pub async fn check(
        &self,
        caller: &Caller,
        action: Action,
        details: &[(&str, &str)],
    ) -> Result<(), Refusal> {
        let question = Question {
            uid: caller.uid,
            subject: match &caller.subject {
                Subject::BusName(name) => polkit::Subject::BusName(name),
                Subject::Process(pid, pidfd) => polkit::Subject::Process {
                    pid: *pid,
                    pidfd: pidfd.as_ref().map(AsFd::as_fd),
                },
            },
            interactive: caller.interactive,
            action: action.id(),
            details,
        };
        let bus = self.bus.borrow().clone();
        self.authority.check(bus.as_ref(), &question).await
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Action, Caller, Refusal, Subject};

    fn caller(uid: u32) -> Caller {
        Caller {
            uid,
            subject: Subject::BusName(":1.7".to_owned()),
            interactive: false,
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn without_a_bus_root_alone_may() {
        let access = Access::default();
        for action in Action::ALL {
            assert_eq!(access.check(&caller(0), *action, &[]).await, Ok(()));
            let refused = access.check(&caller(1000), *action, &[]).await;
            assert!(matches!(refused, Err(Refusal::Denied(_))), "{action:?}");
        }
    }
}
