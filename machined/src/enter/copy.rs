//! Copies between the host and a machine: two processes, one on either side.

use std::{os::fd::AsFd, rc::Rc};

use machined_enter::{Reply, Request, request::Side, socket};
use rustix::io::Errno;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Copy, Direction, helper::Helper, rules, slots};
use crate::{
    access::Action,
    argument::Argument,
    caller::Caller,
    error::Error,
    machine::Machine,
    manager::{Event, Manager},
};

impl Manager {
    /// Copies a file or a tree, unless `cancelled` comes first: then what is unfinished is taken away.
    ///
    /// A directory that is there is filled up. What is there already is an error if it is the destination itself, and left alone
    /// below it; with `replace` files are replaced. Between user namespaces, copies belong to root. Out of a machine, nothing
    /// brings powers along: set-user-ID, file capabilities, devices for all.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a path that is not absolute; [`Error::NotSupported`] for other than containers;
    /// [`Error::AccessDenied`]; [`Error::LimitsExceeded`] while 64 copies are under way; [`Error::Io`].
    pub async fn copy(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        mut copy: Copy<'_>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        if copy.destination.is_empty() {
            copy.destination = copy.source;
        }
        rules::container(machine, "Copying files")?;
        rules::path(copy.source, Argument::Source)?;
        rules::path(copy.destination, Argument::Destination)?;
        let verb = match copy.direction {
            Direction::FromMachine => "copy_from",
            Direction::ToMachine => "copy_to",
        };
        let details = [
            ("machine", machine.name.as_str()),
            ("verb", verb),
            ("src", copy.source),
            ("dest", copy.destination),
        ];
        self.authorize(caller, Action::ManageMachines, &details)
            .await?;
        let slot = slots::COPIES.take(machine.name.as_str())?;
        let ended = ended(machine, self.observe());
        let (mut reader, mut writer) = start(machine, copy, &slot)?;
        let aborted = |why: String| Error::Io(why, Errno::CONNABORTED.into());
        let reason = tokio::select! {
            biased;
            results = async { tokio::join!(reader.reply(), writer.reply()) } => return outcome(results),
            () = ended => aborted(format!("Machine {} ended during the copy", machine.name)),
            () = cancelled => aborted("The caller went away during the copy".to_owned()),
        };
        // Both are killed when they are dropped, whatever in the machine they wait for; the one that writes is given the
        // time to take away what is unfinished.
        writer.cancel();
        drop(reader);
        let _ = writer.reply_in_time("cancelling a copy").await;
        Err(reason)
    }
}

fn start(machine: &Machine, copy: Copy<'_>, slot: &slots::Slot) -> Result<(Helper, Helper), Error> {
    let (from, to) = match copy.direction {
        Direction::FromMachine => (Side::Machine, Side::Host),
        Direction::ToMachine => (Side::Host, Side::Machine),
    };
    let (sending, receiving) = socket::pair().map_err(Error::io("Failed to prepare the copy"))?;
    let send = Request::Send {
        side: from,
        path: copy.source.to_owned(),
    };
    let receive = Request::Receive {
        side: to,
        path: copy.destination.to_owned(),
        replace: copy.replace,
    };
    let leader = machine.leader.pidfd.as_fd();
    Ok((
        Helper::start(&send, &[leader, sending.as_fd()], slot)?,
        Helper::start(&receive, &[leader, receiving.as_fd()], slot)?,
    ))
}

/// When one half fails, all that the other can tell is that its counterpart is gone: the first has the reason.
fn outcome((sent, received): (Result<Reply, Error>, Result<Reply, Error>)) -> Result<(), Error> {
    let gone = |error: &Error| {
        let Error::Io(_, error) = error else {
            return false;
        };
        error
            .raw_os_error()
            .is_some_and(|errno| socket::is_gone(Errno::from_raw_os_error(errno)))
    };
    match (sent, received) {
        (Ok(_), Ok(_)) => Ok(()),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(first), Err(second)) => Err(if gone(&first) { second } else { first }),
    }
}

/// Waits until the machine is gone from the registry.
async fn ended(machine: &Rc<Machine>, mut events: UnboundedReceiver<Event>) {
    while let Some(event) = events.recv().await {
        if matches!(event, Event::Removed(removed) if Rc::ptr_eq(&removed, machine)) {
            return;
        }
    }
    std::future::pending().await
}
