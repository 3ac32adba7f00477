//! Who may do what: root may; anyone else if polkit says so; without polkit nobody else.
//!
//! Capabilities of the caller count for nothing, though systemd's daemons let some stand for root: they can only be read
//! from /proc, of a process that may have been replaced by another since it made the call.

#![forbid(unsafe_code)]

mod question;
mod questions;
mod subject;

use zbus::Connection;

pub use question::Question;
pub use subject::Subject;

use questions::Questions;

/// Why a caller may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// And what stands against it, for a person to read.
    Denied(String),
    /// They might after a person has shown who they are, which the caller did not allow to ask for.
    InteractiveAuthorizationRequired,
    /// polkit did not answer on this action.
    TimedOut(&'static str),
    /// 16 calls of this user wait for an answer already.
    TooManyQuestions(u32),
}

/// polkit's authority, as one daemon asks it.
#[derive(Debug, Default)]
pub struct Authority(Questions);

impl Authority {
    /// Lets the caller do this, or says why not. `bus` is the system bus, if there is one.
    ///
    /// # Errors
    /// Each [`Refusal`].
    pub async fn check(
        &self,
        bus: Option<&Connection>,
        question: &Question<'_>,
    ) -> Result<(), Refusal> {
        if question.uid == 0 {
            return Ok(());
        }
        let Some(bus) = bus else {
            return Err(question.denied("polkit can't be asked without a bus"));
        };
        let _place = self.0.enter(question.uid)?;
        question.ask(bus).await
    }
}
