//! Who may do what: root may; anyone else if polkit says so; without polkit nobody else.
//!
//! Capabilities of the caller count for nothing, though systemd lets CAP_SYS_ADMIN and CAP_KILL stand for root: they can
//! only be read from /proc, of a process that may have been replaced by another since it made the call.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use zbus::{Connection, Fd, Variant};

use crate::{
    caller::{Caller, Subject},
    error::Error,
    leader::Leader,
    manager::Manager,
};

/// How long polkit may take to say what its rules say.
const RULES_TIMEOUT: Duration = Duration::from_secs(25);

/// How long a person may take to type a password.
const PERSON_TIMEOUT: Duration = Duration::from_secs(300);

/// How many of a user's calls may wait for polkit, and so for a person, at once. Calls that wait are what is limited for all
/// users together, and waiting for minutes costs a user nothing.
const MOST_QUESTIONS: usize = 16;

/// CheckAuthorizationFlags of polkit: AllowUserInteraction.
const ALLOW_USER_INTERACTION: u32 = 1;

/// Names each question, so that it can be taken back.
static NEXT_CANCELLATION: AtomicU32 = AtomicU32::new(0);

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
        if caller.uid == 0 {
            return Ok(());
        }
        let Some(bus) = self.bus() else {
            return Err(denied(action, "polkit can't be asked without a bus"));
        };
        let _place = self.questions.enter(caller.uid)?;
        let question = ask(&bus, caller, action, details);
        match question.await? {
            Verdict::Yes => Ok(()),
            Verdict::AskAPerson => Err(Error::InteractiveAuthorizationRequired(
                "Interactive authentication required.".to_owned(),
            )),
            Verdict::No => Err(denied(action, "polkit's rules do not allow it")),
        }
    }
}

/// The questions to polkit that are open, counted by user.
#[derive(Debug, Default)]
pub(crate) struct Questions(RefCell<BTreeMap<u32, usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
struct Question<'q> {
    questions: &'q Questions,
    uid: u32,
}

impl Questions {
    fn enter(&self, uid: u32) -> Result<Question<'_>, Error> {
        let mut open = self.0.borrow_mut();
        let own = open.entry(uid).or_default();
        if *own >= MOST_QUESTIONS {
            let what = format!("Too many calls of user {uid} wait for authorization");
            return Err(Error::LimitsExceeded(what));
        }
        *own += 1;
        Ok(Question {
            questions: self,
            uid,
        })
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        let mut open = self.questions.0.borrow_mut();
        let left = open.remove(&self.uid).unwrap_or(1) - 1;
        if left > 0 {
            open.insert(self.uid, left);
        }
    }
}

/// What polkit says.
enum Verdict {
    Yes,
    /// Yes after a person has shown who they are, which the caller did not allow to ask for.
    AskAPerson,
    No,
}

fn denied(action: Action, why: &str) -> Error {
    Error::AccessDenied(format!("Access denied: {} ({why})", action.id()))
}

/// org.freedesktop.PolicyKit1.Authority.CheckAuthorization.
async fn ask(
    bus: &Connection,
    caller: &Caller,
    action: Action,
    details: &[(&str, &str)],
) -> Result<Verdict, Error> {
    let subject = subject(caller).ok_or_else(|| denied(action, "the caller is gone"))?;
    let (flags, deadline) = match caller.interactive {
        true => (ALLOW_USER_INTERACTION, PERSON_TIMEOUT),
        false => (0, RULES_TIMEOUT),
    };
    let details: BTreeMap<&str, &str> = details.iter().copied().collect();
    let cancellation = NEXT_CANCELLATION
        .fetch_add(1, Ordering::Relaxed)
        .to_string();
    let arguments = (subject, action.id(), details, flags, cancellation.as_str());
    let asking = authority(bus, "CheckAuthorization", &arguments);
    let Ok(answer) = tokio::time::timeout(deadline, asking).await else {
        // Takes the prompt off the person's screen; nothing depends on the answer.
        let taking_back = authority(bus, "CancelCheckAuthorization", &cancellation);
        drop(tokio::time::timeout(RULES_TIMEOUT, taking_back).await);
        return Err(Error::TimedOut(format!(
            "polkit did not answer on {}",
            action.id()
        )));
    };
    // Whatever the reason that polkit can't answer, absent, broken or without the action, only root gets on.
    let unanswered = |error: zbus::Error| {
        tracing::debug!("No answer from polkit on {}: {error}", action.id());
        denied(action, "only root may, polkit does not answer")
    };
    let body = answer.map_err(unanswered)?.body();
    let (authorized, challenge, _): (bool, bool, BTreeMap<String, String>) =
        body.deserialize().map_err(unanswered)?;
    Ok(match (authorized, challenge) {
        (true, _) => Verdict::Yes,
        (false, true) => Verdict::AskAPerson,
        (false, false) => Verdict::No,
    })
}

async fn authority<B: serde::Serialize + zbus::DynamicType>(
    bus: &Connection,
    method: &str,
    arguments: &B,
) -> zbus::Result<zbus::Message> {
    bus.call_method(
        Some("org.freedesktop.PolicyKit1"),
        "/org/freedesktop/PolicyKit1/Authority",
        Some("org.freedesktop.PolicyKit1.Authority"),
        method,
        arguments,
    )
    .await
}

/// The caller in polkit's terms; `None` where the process is known to be gone.
fn subject(caller: &Caller) -> Option<(&'static str, BTreeMap<&'static str, Variant<'_>>)> {
    match &caller.subject {
        Subject::BusName(name) => Some((
            "system-bus-name",
            BTreeMap::from([("name", Variant::from(name.as_str()))]),
        )),
        Subject::Process => {
            // Holds the process while its start time is read, so that the two are of one process.
            let process = match &caller.pidfd {
                Some(pidfd) => Leader::from_pidfd(pidfd.try_clone().ok()?),
                None => Leader::open(caller.pid),
            };
            let process = process.ok()?;
            let mut subject = BTreeMap::from([
                ("pid", Variant::from(process.pid)),
                ("start-time", Variant::from(process.start_time)),
                // Said by the socket: polkit must not take the user of a setuid program that the caller has become.
                ("uid", Variant::from(i32::try_from(caller.uid).ok()?)),
            ]);
            if caller.pidfd.is_some() {
                // polkit 124 and later goes by it alone; older ones overlook it.
                subject.insert("pidfd", Variant::Fd(Fd::from(process.pidfd)));
            }
            Some(("unix-process", subject))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rustix::process::{PidfdFlags, getpid, pidfd_open};

    use super::{MOST_QUESTIONS, Questions, subject};
    use crate::{
        caller::{Caller, Subject},
        error::Error,
    };

    fn caller(subject: Subject) -> Caller {
        Caller {
            uid: 1000,
            pid: std::process::id(),
            pidfd: None,
            subject,
            interactive: false,
        }
    }

    #[test]
    fn subjects() {
        let client = caller(Subject::BusName(":1.7".to_owned()));
        let (kind, details) = subject(&client).unwrap();
        assert_eq!((kind, details.len()), ("system-bus-name", 1));

        let mut process = caller(Subject::Process);
        let keys = |caller: &Caller| {
            let (kind, details) = subject(caller).unwrap();
            assert_eq!(kind, "unix-process");
            details.into_keys().collect::<BTreeSet<_>>()
        };
        assert_eq!(keys(&process), BTreeSet::from(["pid", "start-time", "uid"]));
        process.pidfd = Some(pidfd_open(getpid(), PidfdFlags::empty()).unwrap());
        assert!(keys(&process).contains("pidfd"));
    }

    #[test]
    fn a_caller_that_is_gone_is_no_subject() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        child.wait().unwrap();
        let mut gone = caller(Subject::Process);
        gone.pidfd = Some(pidfd);
        assert!(subject(&gone).is_none());
    }

    #[test]
    fn one_user_waits_in_few_places() {
        let questions = Questions::default();
        let mut open: Vec<_> = (0..MOST_QUESTIONS)
            .map(|_| questions.enter(1000).unwrap())
            .collect();
        let refused = questions.enter(1000);
        assert!(matches!(refused, Err(Error::LimitsExceeded(_))));
        drop(questions.enter(1001).unwrap());
        open.pop();
        open.push(questions.enter(1000).unwrap());
        drop(open);
        assert!(questions.0.borrow().is_empty());
    }
}
