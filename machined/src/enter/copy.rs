//! Copies between the host and a machine: two processes, one on either side.

use std::{os::fd::AsFd, rc::Rc};

use machined_enter::{Reply, Request, request::Side, socket};
use rustix::io::Errno;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Direction, helper::Helper, rules, slots};
use crate::{
    access::Action,
    caller::Caller,
    error::Error,
    machine::Machine,
    manager::{Event, Manager},
};

impl Manager {
    /// Copies a file or a tree. An empty destination is the source's path. `replace`: over what is there.
    ///
    /// A directory that is there is filled up. What is there already is an error if it is the destination itself, and left alone
    /// below it; with `replace` files are replaced. Between user namespaces, copies belong to root.
    ///
    /// # Errors
    /// [`Error::InvalidArgs`] for a path that is not absolute; [`Error::NotSupported`] for other than containers;
    /// [`Error::AccessDenied`]; [`Error::LimitsExceeded`] while 64 copies are under way; [`Error::Io`].
    pub async fn copy(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        direction: Direction,
        source: &str,
        destination: &str,
        replace: bool,
    ) -> Result<(), Error> {
        let destination = if destination.is_empty() {
            source
        } else {
            destination
        };
        rules::container(machine, "Copying files")?;
        rules::path(source, "Source path")?;
        rules::path(destination, "Destination path")?;
        let verb = match direction {
            Direction::FromMachine => "copy_from",
            Direction::ToMachine => "copy_to",
        };
        let details = [
            ("machine", machine.name.as_str()),
            ("verb", verb),
            ("src", source),
            ("dest", destination),
        ];
        self.authorize(caller, Action::ManageMachines, &details)
            .await?;
        let slot = slots::COPIES.take(machine.name.as_str())?;
        let ended = ended(machine, self.observe());
        let (mut reader, mut writer) =
            start(machine, direction, source, destination, replace, &slot)?;
        tokio::select! {
            biased;
            results = async { tokio::join!(reader.reply(), writer.reply()) } => outcome(results),
            // Both are killed when they are dropped, whatever in the machine they wait for.
            () = ended => Err(Error::Io(
                format!("Machine {} ended during the copy", machine.name),
                Errno::CONNABORTED.into(),
            )),
        }
    }
}

fn start(
    machine: &Machine,
    direction: Direction,
    source: &str,
    destination: &str,
    replace: bool,
    slot: &slots::Slot,
) -> Result<(Helper, Helper), Error> {
    let (from, to) = match direction {
        Direction::FromMachine => (Side::Machine, Side::Host),
        Direction::ToMachine => (Side::Host, Side::Machine),
    };
    let (sending, receiving) = socket::pair().map_err(Error::io("Failed to prepare the copy"))?;
    let send = Request::Send {
        side: from,
        path: source.to_owned(),
    };
    let receive = Request::Receive {
        side: to,
        path: destination.to_owned(),
        replace,
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
