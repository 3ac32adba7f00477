//! resolved on the system bus: org.freedesktop.resolve1.

use std::{env, net::IpAddr, time::Duration};

use futures_util::StreamExt;
use zbus::{
    Connection, Message, MessageStream,
    connection::Builder,
    message::{Flags, Type},
};

use crate::{
    request::{Change, Domain, Failure, Request},
    server::Server,
};

/// Where the bus is if nobody says otherwise.
const DEFAULT: &str = "unix:path=/run/dbus/system_bus_socket";
/// A bus that accepts and then says nothing is as good as none.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A person may have to type a password first.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// systemd-networkd manages the link: it is to be asked, then.
const LINK_BUSY: &str = "org.freedesktop.resolve1.LinkBusy";
const NO_SUCH_LINK: &str = "org.freedesktop.resolve1.NoSuchLink";

/// What came of it.
pub enum Outcome {
    /// resolved answered.
    Done(Result<(), Failure>),
    /// There is no bus, or no resolved on it; why.
    Nobody(String),
}

/// Who takes such calls: both know the same methods.
struct Service {
    name: &'static str,
    path: &'static str,
    revert: &'static str,
}

const RESOLVED: Service = Service {
    name: "org.freedesktop.resolve1",
    path: "/org/freedesktop/resolve1",
    revert: "RevertLink",
};

const NETWORKD: Service = Service {
    name: "org.freedesktop.network1",
    path: "/org/freedesktop/network1",
    revert: "RevertLinkDNS",
};

/// What the service said no with.
struct Refused {
    error: String,
    text: String,
}

/// Why a call has no result.
enum Unanswered {
    Refused(Refused),
    /// The service is not there.
    Absent(String),
}

/// Asks resolved; systemd-networkd if it is the one who manages the link.
pub fn carry_out(request: &Request) -> Outcome {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Outcome::Nobody(error.to_string()),
    };
    runtime.block_on(async {
        let bus = match tokio::time::timeout(HANDSHAKE_TIMEOUT, connect()).await {
            Ok(Ok(bus)) => bus,
            Ok(Err(error)) => return Outcome::Nobody(error.to_string()),
            Err(_) => return Outcome::Nobody("no answer in time".to_owned()),
        };
        match ask(&bus, &RESOLVED, request).await {
            Ok(()) => Outcome::Done(Ok(())),
            Err((_, Unanswered::Absent(why))) => Outcome::Nobody(why),
            Err((what, Unanswered::Refused(refused))) if refused.error == LINK_BUSY => {
                Outcome::Done(match ask(&bus, &NETWORKD, request).await {
                    Ok(()) => Ok(()),
                    // No networkd: what resolved said stands.
                    Err((_, Unanswered::Absent(_))) => Err(failure(what, refused)),
                    Err((what, Unanswered::Refused(refused))) => Err(failure(what, refused)),
                })
            }
            Err((what, Unanswered::Refused(refused))) => Outcome::Done(Err(failure(what, refused))),
        }
    })
}

async fn connect() -> zbus::Result<Connection> {
    let addresses = env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_else(|_| DEFAULT.to_owned());
    let mut last = zbus::Error::Unsupported;
    for address in addresses.split(';') {
        match Builder::address(address).build().await {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Makes the calls of a request; says what failed.
async fn ask(
    bus: &Connection,
    to: &Service,
    request: &Request,
) -> Result<(), (&'static str, Unanswered)> {
    let ifindex = i32::try_from(request.ifindex).unwrap_or(i32::MAX);
    match &request.change {
        Change::Revert => call(bus, to, to.revert, &ifindex)
            .await
            .map_err(|error| ("revert interface", error)),
        Change::Set {
            servers,
            domains,
            default_route,
        } => {
            let servers: Vec<_> = servers.iter().map(server).collect();
            call(bus, to, "SetLinkDNSEx", &(ifindex, servers))
                .await
                .map_err(|error| ("set DNS", error))?;
            let domains: Vec<_> = domains
                .iter()
                .map(|Domain { name, route_only }| (name, route_only))
                .collect();
            call(bus, to, "SetLinkDomains", &(ifindex, domains))
                .await
                .map_err(|error| ("set domain", error))?;
            let Some(default_route) = default_route else {
                return Ok(());
            };
            call(bus, to, "SetLinkDefaultRoute", &(ifindex, default_route))
                .await
                .map_err(|error| ("set default route", error))
        }
    }
}

/// `iayqs`: family, address, port, name.
fn server(server: &Server) -> (i32, Vec<u8>, u16, &str) {
    const AF_INET: i32 = 2;
    const AF_INET6: i32 = 10;
    let (family, address) = match server.address {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    };
    (family, address, server.port, &server.name)
}

/// One call. The caller may be asked for a password.
async fn call<B>(bus: &Connection, to: &Service, method: &str, body: &B) -> Result<(), Unanswered>
where
    B: serde::Serialize + zbus::zvariant::Type,
{
    let unsent = |error: zbus::Error| Unanswered::Absent(error.to_string());
    let interface = format!("{}.Manager", to.name);
    let message = Message::method_call(to.path, method)
        .destination(to.name)
        .interface(interface)
        .with_flags(Flags::ALLOW_INTERACTIVE_AUTH)
        .build(body)
        .map_err(unsent)?;
    // Before the question: the answer is not missed.
    let mut incoming = MessageStream::from(bus);
    bus.send(&message).await.map_err(unsent)?;
    let serial = message.primary_header().serial_num();
    let answer = async {
        while let Some(message) = incoming.next().await {
            let message = message.map_err(unsent)?;
            if message.header().reply_serial() == Some(serial) {
                return verdict(&message);
            }
        }
        Err(Unanswered::Absent("the bus hung up".to_owned()))
    };
    let in_time = tokio::time::timeout(CALL_TIMEOUT, answer).await;
    in_time.unwrap_or_else(|_| {
        Err(Unanswered::Refused(Refused {
            error: String::new(),
            text: "Connection timed out".to_owned(),
        }))
    })
}

fn verdict(reply: &Message) -> Result<(), Unanswered> {
    if reply.message_type() != Type::Error {
        return Ok(());
    }
    let error = reply
        .header()
        .error_name()
        .map(ToString::to_string)
        .unwrap_or_default();
    let text = reply
        .body()
        .deserialize::<&str>()
        .map(str::to_owned)
        .unwrap_or_else(|_| error.clone());
    let absent = [
        "org.freedesktop.DBus.Error.ServiceUnknown",
        "org.freedesktop.DBus.Error.NameHasNoOwner",
        "org.freedesktop.systemd1.NoSuchUnit",
        "org.freedesktop.systemd1.UnitMasked",
    ];
    // The bus could not start it (org.freedesktop.DBus.Error.Spawn.*).
    if absent.contains(&error.as_str()) || error.starts_with("org.freedesktop.DBus.Error.Spawn.") {
        return Err(Unanswered::Absent(text));
    }
    Err(Unanswered::Refused(Refused { error, text }))
}

fn failure(what: &str, refused: Refused) -> Failure {
    Failure {
        message: format!("Failed to {what} configuration: {}", refused.text),
        no_such_link: refused.error == NO_SUCH_LINK,
    }
}
