//! From a call to what the resolver understands: who is calling, whether they may, whether they still wait.

use std::rc::Rc;

use varlink_serve::{Call, Failure, Peer};

use super::error::{failure, refused};
use crate::{
    access::{Action, Caller, Subject},
    failure,
    manager::Manager,
};

/// The result of a lookup, unless the client hangs up: then the lookup ends.
pub(super) async fn unless_gone<T>(
    call: &Call<'_>,
    lookup: impl Future<Output = Result<T, failure::Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        // What is known already is answered without a look at the client.
        biased;
        result = lookup => result.map_err(failure),
        () = call.abandoned() => Err(failure(failure::Failure::Aborted)),
    }
}

/// Lets the caller do this, or says why not. `details` are what polkit's rules and prompts are told.
pub(super) async fn allow(
    manager: &Rc<Manager>,
    call: &Call<'_>,
    action: Action,
    interactive: Option<bool>,
    details: &[(&str, &str)],
) -> Result<(), Failure> {
    let caller = caller(call.peer(), interactive)?;
    manager
        .access
        .check(&caller, action, details)
        .await
        .map_err(refused)
}

/// Who is calling, as the kernel says.
fn caller(peer: &Peer, interactive: Option<bool>) -> Result<Caller, Failure> {
    let process = peer.process().map_err(|error| Failure::system(&error))?;
    Ok(Caller {
        uid: peer.uid(),
        subject: Subject::Process(process.pid, process.pidfd),
        interactive: interactive.unwrap_or(false),
    })
}
