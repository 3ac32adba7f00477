//! Who may do what: root may; anyone else if polkit says so; without polkit nobody else.

use std::os::fd::AsFd;

use polkit::{Question, Refusal};

use crate::{
    caller::{Caller, Subject},
    error::Error,
    manager::Manager,
};

/// The actions of org.freedesktop.machine1.policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the action of the same name")]
pub enum Action {
    Login,
    HostLogin,
    Shell,
    HostShell,
    OpenPty,
    HostOpenPty,
    ManageMachines,
    ManageImages,
    CreateMachine,
    RegisterMachine,
}

impl Action {
    /// The action's id for polkit.
    pub fn id(self) -> &'static str {
        match self {
            Self::Login => "org.freedesktop.machine1.login",
            Self::HostLogin => "org.freedesktop.machine1.host-login",
            Self::Shell => "org.freedesktop.machine1.shell",
            Self::HostShell => "org.freedesktop.machine1.host-shell",
            Self::OpenPty => "org.freedesktop.machine1.open-pty",
            Self::HostOpenPty => "org.freedesktop.machine1.host-open-pty",
            Self::ManageMachines => "org.freedesktop.machine1.manage-machines",
            Self::ManageImages => "org.freedesktop.machine1.manage-images",
            Self::CreateMachine => "org.freedesktop.machine1.create-machine",
            Self::RegisterMachine => "org.freedesktop.machine1.register-machine",
        }
    }
}

impl Manager {
    /// Lets the caller do this, or says why not. `details` are what polkit's rules and prompts are told: `machine`,
    /// `verb`, `user`, `program`, …
    ///
    /// # Errors
    /// [`Error::AccessDenied`]; [`Error::InteractiveAuthorizationRequired`]; [`Error::TimedOut`];
    /// [`Error::LimitsExceeded`] while 16 calls of the user's wait for an answer.
    pub async fn authorize(
        &self,
        caller: &Caller,
        action: Action,
        details: &[(&str, &str)],
    ) -> Result<(), Error> {
        let question = Question {
            uid: caller.uid,
            subject: match &caller.subject {
                Subject::BusName(name) => polkit::Subject::BusName(name),
                Subject::Process => polkit::Subject::Process {
                    pid: caller.pid,
                    pidfd: caller.pidfd.as_ref().map(AsFd::as_fd),
                },
            },
            interactive: caller.interactive,
            action: action.id(),
            details,
        };
        let bus = self.bus();
        let asking = self.authority.check(bus.as_ref(), &question);
        asking.await.map_err(|refusal| match refusal {
            Refusal::Denied(why) => Error::AccessDenied(format!("Access denied: {why}")),
            Refusal::InteractiveAuthorizationRequired => Error::InteractiveAuthorizationRequired(
                "Interactive authentication required.".to_owned(),
            ),
            Refusal::TimedOut(action) => {
                Error::TimedOut(format!("polkit did not answer on {action}"))
            }
            Refusal::TooManyQuestions(uid) => Error::LimitsExceeded(format!(
                "Too many calls of user {uid} wait for authorization"
            )),
        })
    }
}
