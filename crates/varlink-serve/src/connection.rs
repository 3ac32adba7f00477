//! One connection, from its first call to its last.

use std::{borrow::Cow, os::fd::OwnedFd, rc::Rc};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    admission::Ticket,
    call::{self, Call},
    failure::Failure,
    peer::Peer,
    server::Shared,
    service,
    stream::{Stream, Whole},
};

/// The part of a message that zlink leaves to us.
#[derive(Debug, Deserialize)]
struct Request<'m> {
    #[serde(borrow)]
    method: Cow<'m, str>,
    #[serde(borrow, default)]
    parameters: Option<&'m RawValue>,
}

/// Answers calls in their order until the peer hangs up, breaks the protocol or runs into a limit. While a call is
/// being answered nothing more is read, so a peer that sends faster than it reads stops itself.
pub(crate) async fn serve<S>(server: Rc<Shared<S>>, fd: OwnedFd, ticket: Ticket) {
    let stream = Rc::new(Stream::new(fd, server.limits));
    let peer = Peer::new(ticket.uid(), Rc::clone(&stream));
    let (mut incoming, _) = zlink::Connection::new(Whole(Rc::clone(&stream))).split();
    let mut buffer = Vec::new();
    loop {
        ticket.idle();
        let request = match incoming.receive_call::<Request<'_>>().await {
            Ok((request, _)) => request,
            Err(zlink::Error::UnexpectedEof) => return,
            Err(error) => {
                tracing::debug!(uid = peer.uid(), "Varlink connection closed: {error}");
                return;
            }
        };
        ticket.busy();
        let oneway = request.oneway();
        let call = Call {
            method: &request.method().method,
            parameters: request.method().parameters,
            more: request.more(),
            oneway,
            peer: &peer,
            stream: &stream,
            buffer: &mut buffer,
        };
        let result = if request.upgrade() {
            Err(Failure::method_not_implemented(call.method))
        } else {
            dispatch(&server, call).await
        };
        let sent = match result {
            Ok(_) => Ok(()),
            Err(Failure::Error(_)) if oneway => Ok(()),
            Err(Failure::Error(reply)) => call::send(&stream, &mut buffer, &reply, &[]).await,
            Err(Failure::Disconnected(error)) => Err(error),
        };
        if let Err(error) = sent {
            tracing::debug!(uid = peer.uid(), "Varlink connection closed: {error}");
            return;
        }
    }
}

/// Finds who answers.
async fn dispatch<S>(server: &Shared<S>, call: Call<'_>) -> Result<call::Answer, Failure> {
    let Some((interface, method)) = call.method.rsplit_once('.') else {
        return Err(Failure::method_not_found(call.method));
    };
    if interface == service::ERRORS {
        return Err(Failure::method_not_found(call.method()));
    }
    if interface == service::NAME {
        return service::call(server, method, call).await;
    }
    let Some(interface) = server.interfaces.iter().find(|i| i.name == interface) else {
        return Err(Failure::interface_not_found(interface));
    };
    match interface.handler(method) {
        Some(handler) => handler(&server.state, call).await,
        None => Err(Failure::method_not_found(call.method)),
    }
}
