//! The server: sockets, and the loop that accepts on each.

use std::{io, os::fd::OwnedFd, rc::Rc, time::Duration};

use rustix::{
    io::Errno,
    net::{SocketFlags, accept_with},
};
use tokio::{io::unix::AsyncFd, task::JoinHandle};

use crate::{
    admission::{Admission, Ticket},
    connection,
    interface::Interface,
    limits::Limits,
    listener::Socket,
    sys,
};

/// Who the service says it is: GetInfo.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields of org.varlink.service.GetInfo")]
pub struct Vendor {
    pub vendor: &'static str,
    pub product: &'static str,
    pub version: &'static str,
    pub url: &'static str,
}

/// What a socket serves.
#[derive(Debug)]
pub struct Server<S: 'static>(Rc<Shared<S>>);

#[derive(Debug)]
pub(crate) struct Shared<S: 'static> {
    pub(crate) state: S,
    pub(crate) vendor: Vendor,
    pub(crate) interfaces: Vec<Interface<S>>,
    pub(crate) limits: Limits,
}

/// A socket being served; dropping it ends that: connections are closed, the socket's file is removed.
#[derive(Debug)]
#[must_use = "dropping it ends the service"]
pub struct Guard {
    _socket: Socket,
    task: JoinHandle<()>,
    admission: Rc<Admission>,
}

impl<S: 'static> Server<S> {
    /// A server of these interfaces.
    pub fn new(state: S, vendor: Vendor, interfaces: &[Interface<S>], limits: Limits) -> Self {
        Self(Rc::new(Shared {
            state,
            vendor,
            interfaces: interfaces.to_vec(),
            limits,
        }))
    }

    /// Serves a socket from now on, in tasks of the thread that this is called in. The limits of connections are per
    /// socket.
    ///
    /// # Errors
    /// Where the socket can't be polled.
    pub fn listen(&self, socket: Socket) -> io::Result<Guard> {
        let admission = Rc::new(Admission::new(self.0.limits));
        let polled = sys::register(Rc::clone(&socket.fd))?;
        let accept = accept(Rc::clone(&self.0), polled, Rc::clone(&admission));
        Ok(Guard {
            _socket: socket,
            task: tokio::task::spawn_local(accept),
            admission,
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
        self.admission.close();
    }
}

async fn accept<S>(server: Rc<Shared<S>>, socket: AsyncFd<Rc<OwnedFd>>, admission: Rc<Admission>) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    loop {
        let Ok(mut ready) = socket.readable().await else {
            tracing::error!("Varlink: the reactor is gone");
            return;
        };
        match accept_with(socket.get_ref(), flags) {
            Ok(fd) => welcome(&server, fd, &admission),
            Err(Errno::AGAIN) => ready.clear_ready(),
            // accept(2): errors of the connection that was about to be accepted.
            Err(Errno::INTR | Errno::CONNABORTED | Errno::PROTO | Errno::PERM) => {}
            // Out of descriptors or memory: the connection stays in the queue, and asking again at once would spin.
            Err(error) => {
                tracing::warn!("Varlink: failed to accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        // Who was let in is answered before the kernel is asked for the next: most ask at once, and wait.
        tokio::task::yield_now().await;
    }
}

/// Starts the connection's task, or closes the connection if there is no place for it.
fn welcome<S>(server: &Rc<Shared<S>>, fd: OwnedFd, admission: &Rc<Admission>) {
    let Ok(libc::ucred { uid, .. }) = sys::peer_credentials(&fd) else {
        return;
    };
    let Some(ticket) = admission.admit(uid) else {
        tracing::debug!(uid, "Varlink: too many connections");
        return;
    };
    let id = ticket.id();
    let task = tokio::task::spawn_local(connection::serve(Rc::clone(server), fd, ticket));
    Ticket::task(admission, id, task.abort_handle());
}
