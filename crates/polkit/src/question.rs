//! org.freedesktop.PolicyKit1.Authority.CheckAuthorization.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde::Serialize;
use zbus::{Connection, DynamicType, Message};

use crate::{Refusal, Subject};

/// How long polkit may take to say what its rules say.
const RULES_TIMEOUT: Duration = Duration::from_secs(25);

/// How long a person may take to type a password.
const PERSON_TIMEOUT: Duration = Duration::from_secs(300);

/// CheckAuthorizationFlags of polkit: AllowUserInteraction.
const ALLOW_USER_INTERACTION: u32 = 1;

/// Names each question, so that it can be taken back.
static NEXT_CANCELLATION: AtomicU32 = AtomicU32::new(0);

/// Whether this caller may do this.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The user, as the kernel or the bus vouches for them.
    pub uid: u32,
    /// The caller.
    pub subject: Subject<'a>,
    /// Whether a person may be asked: the ALLOW_INTERACTIVE_AUTHORIZATION flag of D-Bus.
    pub interactive: bool,
    /// The action's id, e.g. `org.freedesktop.resolve1.revert`.
    pub action: &'static str,
    /// What polkit's rules and prompts are told.
    pub details: &'a [(&'a str, &'a str)],
}

impl Question<'_> {
    pub(crate) fn denied(&self, why: &str) -> Refusal {
        Refusal::Denied(format!("{} ({why})", self.action))
    }

    pub(crate) async fn ask(&self, bus: &Connection) -> Result<(), Refusal> {
        let subject = self.subject.to_wire(self.uid);
        let subject = subject.ok_or_else(|| self.denied("the caller is gone"))?;
        let (flags, deadline) = match self.interactive {
            true => (ALLOW_USER_INTERACTION, PERSON_TIMEOUT),
            false => (0, RULES_TIMEOUT),
        };
        let details: BTreeMap<&str, &str> = self.details.iter().copied().collect();
        let cancellation = NEXT_CANCELLATION
            .fetch_add(1, Ordering::Relaxed)
            .to_string();
        let arguments = (subject, self.action, details, flags, cancellation.as_str());
        let asking = authority(bus, "CheckAuthorization", &arguments);
        let Ok(answer) = tokio::time::timeout(deadline, asking).await else {
            // Takes the prompt off the person's screen; nothing depends on the answer.
            let taking_back = authority(bus, "CancelCheckAuthorization", &cancellation);
            drop(tokio::time::timeout(RULES_TIMEOUT, taking_back).await);
            return Err(Refusal::TimedOut(self.action));
        };
        // Whatever the reason that polkit can't answer, absent, broken or without the action, only root gets on.
        let unanswered = |error: zbus::Error| {
            tracing::debug!("No answer from polkit on {}: {error}", self.action);
            self.denied("only root may, polkit does not answer")
        };
        let body = answer.map_err(unanswered)?.body();
        let (authorized, challenge, _): (bool, bool, BTreeMap<String, String>) =
            body.deserialize().map_err(unanswered)?;
        match (authorized, challenge) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::InteractiveAuthorizationRequired),
            (false, false) => Err(self.denied("polkit's rules do not allow it")),
        }
    }
}

async fn authority<B: Serialize + DynamicType>(
    bus: &Connection,
    method: &str,
    arguments: &B,
) -> zbus::Result<Message> {
    bus.call_method(
        Some("org.freedesktop.PolicyKit1"),
        "/org/freedesktop/PolicyKit1/Authority",
        Some("org.freedesktop.PolicyKit1.Authority"),
        method,
        arguments,
    )
    .await
}
