//! Telling a daemon that is busy with the question from one that is stopped.

use core::time::Duration;

use unix_call::{Deadline, Fault, Reader, Source};

use crate::call::{begin, reply};
use crate::{Outcome, Request, Scanner, Server};

/// How long an answer may take that came while the daemon was being given up.
const LAST_LOOK: Duration = Duration::from_millis(1);

/// As [`call`](crate::call), for a question that may honestly take the daemon long. If it has not
/// said anything for `patience`, it is asked on a second connection whether it lives, and again
/// each time the silence has doubled. `None`: it lives, but has not answered by the deadline.
///
/// # Errors
/// As [`call`](crate::call); [`Fault::TimedOut`] only if the daemon has not accepted the question
/// within twice `patience`, or has not said within `patience` that it lives.
pub fn call_watched(
    server: Server<'_>,
    deadline: Deadline,
    patience: Duration,
    request: &mut Request,
    read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>,
) -> Result<Option<Outcome>, Fault> {
    let accepted_by = Deadline::after(patience.saturating_mul(2));
    let mut stream = begin(server, accepted_by.min(deadline), request)?;
    stream.set_deadline(deadline);
    let mut silence = patience;
    loop {
        match stream.stirs_within(silence) {
            Ok(true) => break,
            Ok(false) if lives(server, patience) || stream.stirs_within(LAST_LOOK)? => {
                silence = silence.saturating_mul(2);
            }
            Ok(false) => return Err(Fault::TimedOut),
            Err(Fault::TimedOut) => return Ok(None),
            Err(fault) => return Err(fault),
        }
    }
    match reply(&mut Reader::new(&mut stream), read) {
        Err(Fault::TimedOut) => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Whether the daemon does anything within `patience`: an answer, an error (systemd's resolved 252
/// says MethodNotImplemented) and even hanging up are signs of life.
fn lives(server: Server<'_>, patience: Duration) -> bool {
    let mut ping = Request::new("org.varlink.service.GetInfo");
    let stirred = begin(server, Deadline::after(patience), &mut ping)
        .and_then(|mut stream| stream.fill(&mut [0]));
    !matches!(stirred, Err(Fault::TimedOut))
}
