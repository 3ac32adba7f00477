//! Getting onto the system bus.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use zbus::{Connection, connection::Builder};

use crate::{runtime::Tokio, watch::Watch};

/// Where the bus is if nobody says otherwise.
const DEFAULT: &str = "unix:path=/run/dbus/system_bus_socket";

/// A bus that accepts and then says nothing is as good as none.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How soon to look again after something happened beside the socket: it can be bound before it is listened on.
const AFTER_EVENT: [u64; 6] = [0, 20, 50, 100, 300, 1000];

/// How long to look again if nothing happens at all: for sockets that can't be watched. Long, because a machine without a
/// bus should sleep.
const UNWATCHED: Duration = Duration::from_secs(60);

/// Connects to the system bus ($DBUS_SYSTEM_BUS_ADDRESS, by default unix:path=/run/dbus/system_bus_socket) as soon as it
/// can be done; calls `absent` if that is not at once.
pub async fn connect(absent: impl Fn()) -> Connection {
    let addresses = env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_else(|_| DEFAULT.to_owned());
    let socket = addresses.split(';').find_map(socket_path);
    let mut told = false;
    loop {
        // Watched before it is tried, so that nothing falls between.
        let watch = socket.as_deref().and_then(Watch::over);
        for delay in AFTER_EVENT {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            match attempt(&addresses).await {
                Ok(connection) => return connection,
                Err(error) if !told => {
                    tracing::info!("No system bus yet ({error}); going on without");
                    told = true;
                    absent();
                }
                Err(_) => (),
            }
        }
        match watch {
            Some(watch) => drop(tokio::time::timeout(UNWATCHED, watch.event()).await),
            None => tokio::time::sleep(UNWATCHED).await,
        }
    }
}

/// Tries each address of the list once.
async fn attempt(addresses: &str) -> zbus::Result<Connection> {
    let mut last = zbus::Error::Unsupported;
    for address in addresses.split(';') {
        let connecting = Builder::address(address).runtime(Tokio::current()).build();
        last = match tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => std::io::Error::from(std::io::ErrorKind::TimedOut).into(),
        };
    }
    Err(last)
}

/// The socket's path in a `unix:path=` address. Escapes in it (`%20`) are left: such a path is tried, only not watched.
fn socket_path(address: &str) -> Option<PathBuf> {
    let options = address.strip_prefix("unix:")?;
    let path = options
        .split(',')
        .find_map(|option| option.strip_prefix("path="))?;
    Some(Path::new(path).to_owned())
}

#[cfg(test)]
mod tests {
    use super::socket_path;
    use std::path::Path;

    #[test]
    fn paths_in_addresses() {
        let path = |address| socket_path(address);
        assert_eq!(
            path("unix:path=/run/x").as_deref(),
            Some(Path::new("/run/x"))
        );
        assert_eq!(
            path("unix:guid=1,path=/x").as_deref(),
            Some(Path::new("/x"))
        );
        assert_eq!(path("unix:abstract=x"), None);
        assert_eq!(path("tcp:host=a,port=1"), None);
    }
}
