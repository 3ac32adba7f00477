//! One method call.

use std::{os::fd::OwnedFd, time::Duration};

use serde::Serialize;
use zbus::{
    Connection, DynamicType, Message,
    fdo::ConnectionCredentials,
    message::{Body, Flags},
    wire::DynamicDeserialize,
};

use crate::{departure, error::Error, table::Reply};

/// How long the bus may take to say who a client is: a bus that stopped stalls the one call, and not for ever.
const BUS_TIMEOUT: Duration = Duration::from_secs(25);

/// A method call that came in.
#[derive(Clone)]
pub struct Call {
    connection: Connection,
    message: Message,
    body: Body,
}

/// Who made a call, as the bus vouches for them: taken from the socket when the client connected. What /proc says of the
/// process is not asked: the process may be another by now, or have changed (capabilities are racy in the same way, so
/// there is root, and for everyone else polkit).
#[derive(Debug)]
pub struct Credentials {
    /// The client's unique name.
    pub name: String,
    /// The user.
    pub uid: u32,
    /// The process, if the bus knows it.
    pub pid: Option<u32>,
    /// The process itself, from buses that can tell (ProcessFD).
    pub pidfd: Option<OwnedFd>,
}

impl Call {
    pub(crate) fn new(connection: &Connection, message: Message) -> Self {
        Self {
            connection: connection.clone(),
            body: message.body(),
            message,
        }
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The connection it came by.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The arguments: a tuple, or for a single one its value. Their signature has been checked against the table; this still
    /// fails for a body that is not what its signature says.
    ///
    /// # Errors
    /// InvalidArgs.
    pub fn args<'a, A: DynamicDeserialize<'a>>(&'a self) -> Result<A, Error> {
        self.body
            .deserialize()
            .map_err(|error| Error::invalid_args(format!("The arguments can't be read: {error}")))
    }

    /// The reply with these values: a tuple, or for a single one its value.
    ///
    /// # Errors
    /// Failed, where the values make no message (too long).
    pub fn reply<B: Serialize + DynamicType>(&self, body: &B) -> Reply {
        Message::method_return(&self.message.header())
            .build(body)
            .map_err(|error| Error::failed(format!("The reply can't be written: {error}")))
    }

    /// The client's unique name; empty on a connection without a bus.
    pub fn sender(&self) -> String {
        let header = self.message.header();
        header.sender().map(ToString::to_string).unwrap_or_default()
    }

    /// Waits until the client has left the bus: nobody is there to take an answer. For calls that take long, since the bus is
    /// asked to tell.
    pub async fn abandoned(&self) {
        // Without a bus, or without its help, the client is taken to stay.
        if departure::wait(&self.connection, &self.sender())
            .await
            .is_err()
        {
            std::future::pending().await
        }
    }

    /// Whether polkit may ask a person.
    pub fn interactive(&self) -> bool {
        self.flags().contains(Flags::ALLOW_INTERACTIVE_AUTH)
    }

    pub(crate) fn flags(&self) -> Flags {
        self.message.primary_header().flags()
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// Asks the bus who the client is. Not remembered: it is one short round trip, and only calls that need it make it.
    ///
    /// # Errors
    /// AccessDenied, where the bus does not say.
    pub async fn credentials(&self) -> Result<Credentials, Error> {
        let denied = |why: &str| {
            Error::access_denied(format!("The bus does not tell who is calling: {why}"))
        };
        let name = self.sender();
        let asking = self.connection.call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "GetConnectionCredentials",
            &name,
        );
        let reply = tokio::time::timeout(BUS_TIMEOUT, asking)
            .await
            .map_err(|_| denied("no answer"))?
            .map_err(|error| denied(&error.to_string()))?;
        let found: ConnectionCredentials = reply
            .body()
            .deserialize()
            .map_err(|error| denied(&error.to_string()))?;
        Ok(Credentials {
            uid: found.unix_user_id().ok_or_else(|| denied("no user"))?,
            pid: found.process_id(),
            pidfd: found.into_process_fd().map(Into::into),
            name,
        })
    }
}
