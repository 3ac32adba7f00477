//! machined, over Varlink: one connection a call, one message each way, ended by a NUL (varlink.org, "Protocol").

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
};

use serde_json::{Map, Value, json};

use crate::container::Container;

/// The longest reply that is read.
const REPLY_MAX: u64 = 1 << 20;

const NO_SUCH_MACHINE: &str = "io.systemd.Machine.NoSuchMachine";
const MACHINE_EXISTS: &str = "io.systemd.Machine.MachineExists";

/// The registry of machines.
#[derive(Debug)]
pub struct Registry {
    socket: PathBuf,
}

/// A reply of machined.
#[derive(Debug)]
struct Reply {
    error: Option<String>,
    parameters: Value,
}

impl Reply {
    /// Reads one. An array or a text is none, though serde would take an array for a struct.
    fn parse(text: &[u8]) -> Option<Self> {
        let mut reply: Map<String, Value> = serde_json::from_slice(text).ok()?;
        let error = match reply.remove("error") {
            None => None,
            Some(Value::String(error)) => Some(error),
            Some(_) => return None,
        };
        let parameters = reply.remove("parameters").unwrap_or_default();
        Some(Self { error, parameters })
    }
}

impl Registry {
    /// The one behind this socket.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Registers the container under the first of its names that no other machine has.
    ///
    /// # Errors
    /// What was tried and what machined said.
    pub fn register(&self, container: &Container) -> Result<(), String> {
        let leader: u32 = container.leader.parse().map_err(|_| {
            format!(
                "'{}' is not the number of a process",
                container.leader.escape_debug()
            )
        })?;
        let mut parameters = Map::new();
        parameters.insert("class".into(), "container".into());
        parameters.insert("leader".into(), leader.into());
        if !container.service.is_empty() {
            parameters.insert("service".into(), container.service.clone().into());
        }
        if !container.root.is_empty() {
            parameters.insert("rootDirectory".into(), container.root.clone().into());
        }
        if let Some(id) = container.id {
            parameters.insert("id".into(), hex(id).into());
        }
        let mut last = String::from("the container has no name");
        for name in &container.names {
            parameters.insert("name".into(), name.clone().into());
            let reply = self.call("Register", &parameters)?;
            match reply.error.as_deref() {
                None => return Ok(()),
                // A container with hooks of two stages is told of twice.
                Some(MACHINE_EXISTS) if self.is_registered(name, leader, container)? => {
                    return Ok(());
                }
                Some(MACHINE_EXISTS) => last = format!("a machine '{name}' is registered already"),
                Some(error) => return Err(refused("register", name, error, &reply.parameters)),
            }
        }
        Err(last)
    }

    /// Forgets the container, under whichever of its names it has. One that nobody knows (any more) is well forgotten:
    /// machined sees by itself when a first process ends. A machine of the same name that someone else runs is left alone.
    ///
    /// # Errors
    /// What was tried and what machined said.
    pub fn unregister(&self, container: &Container) -> Result<(), String> {
        for name in &container.names {
            let lookup = Map::from_iter([("name".to_owned(), name.as_str().into())]);
            let found = self.call("List", &lookup)?;
            match found.error.as_deref() {
                Some(NO_SUCH_MACHINE) => continue,
                Some(error) => return Err(refused("look up", name, error, &found.parameters)),
                None if !is_same(&found.parameters, container) => continue,
                None => (),
            }
            let reply = self.call("Unregister", &lookup)?;
            return match reply.error.as_deref() {
                None | Some(NO_SUCH_MACHINE) => Ok(()),
                Some(error) => Err(refused("unregister", name, error, &reply.parameters)),
            };
        }
        Ok(())
    }

    /// Whether the machine of this name is this very run of the container.
    fn is_registered(
        &self,
        name: &str,
        leader: u32,
        container: &Container,
    ) -> Result<bool, String> {
        let lookup = Map::from_iter([("name".to_owned(), name.into())]);
        let found = self.call("List", &lookup)?;
        let theirs = found.parameters.get("leader");
        let pid = theirs.and_then(|l| l.as_u64().or_else(|| l.get("pid")?.as_u64()));
        Ok(found.error.is_none()
            && pid == Some(leader.into())
            && is_same(&found.parameters, container))
    }

    /// One call of io.systemd.Machine.
    fn call(&self, method: &str, parameters: &Map<String, Value>) -> Result<Reply, String> {
        let failed = |error: std::io::Error| {
            format!(
                "failed to talk to machined ({}): {error}",
                self.socket.display()
            )
        };
        let call =
            json!({ "method": format!("io.systemd.Machine.{method}"), "parameters": parameters });
        let mut message = call.to_string().into_bytes();
        message.push(0);
        let mut stream = UnixStream::connect(&self.socket).map_err(failed)?;
        stream.write_all(&message).map_err(failed)?;
        let mut reply = Vec::new();
        BufReader::new(stream)
            .take(REPLY_MAX)
            .read_until(0, &mut reply)
            .map_err(failed)?;
        match reply.split_last() {
            Some((0, text)) => {
                Reply::parse(text).ok_or_else(|| "machined's reply makes no sense".to_owned())
            }
            _ => Err("machined hung up in mid-reply".to_owned()),
        }
    }
}

/// Whether the machine of that name is this container, as far as both say.
fn is_same(machine: &Value, container: &Container) -> bool {
    let agrees = |key: &str, ours: &str| match machine.get(key).and_then(Value::as_str) {
        Some(theirs) => ours.is_empty() || theirs.is_empty() || ours == theirs,
        None => true,
    };
    let id = container.id.map(hex).unwrap_or_default();
    agrees("service", &container.service)
        && agrees("rootDirectory", &container.root)
        && agrees("id", &id)
}

fn hex(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}

fn refused(what: &str, name: &str, error: &str, parameters: &Value) -> String {
    let detail = match parameters {
        Value::Object(map) if !map.is_empty() => format!(" {parameters}"),
        _ => String::new(),
    };
    format!(
        "machined did not {what} '{name}': {}{}",
        error.escape_debug(),
        detail.escape_debug()
    )
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        os::unix::net::UnixListener,
        path::PathBuf,
        sync::atomic::{AtomicU32, Ordering},
        thread,
    };

    use serde_json::Value;

    use super::{Container, Registry};

    /// Answers each connection with the next of `replies`, and hands back what it was asked.
    fn serve(replies: &'static [&'static [u8]]) -> (Registry, thread::JoinHandle<Vec<Value>>) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path: PathBuf =
            std::env::temp_dir().join(format!("oci-hook-{}-{number}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let registry = Registry::new(path.clone());
        let server = thread::spawn(move || {
            let asked = replies.iter().map(|reply| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut message = Vec::new();
                BufReader::new(&stream).read_until(0, &mut message).unwrap();
                stream.write_all(reply).unwrap();
                serde_json::from_slice(message.strip_suffix(b"\0").unwrap()).unwrap()
            });
            let asked = asked.collect();
            std::fs::remove_file(path).unwrap();
            asked
        });
        (registry, server)
    }

    fn container() -> Container {
        Container {
            names: vec!["web".into(), "0123".into()],
            leader: "42".into(),
            service: "podman".into(),
            root: "/r".into(),
            id: Some([1; 16]),
        }
    }

    #[test]
    fn registers_under_the_first_free_name() {
        let (registry, server) = serve(&[
            b"{\"error\":\"io.systemd.Machine.MachineExists\",\"parameters\":{}}\0",
            b"{\"parameters\":{\"name\":\"web\",\"leader\":{\"pid\":7}}}\0",
            b"{\"parameters\":{}}\0",
        ]);
        registry.register(&container()).unwrap();
        let mut asked = server.join().unwrap();
        assert_eq!(asked.remove(1)["method"], "io.systemd.Machine.List");
        assert_eq!(asked[0]["method"], "io.systemd.Machine.Register");
        assert_eq!(asked[0]["parameters"]["name"], "web");
        assert_eq!(asked[1]["parameters"]["name"], "0123");
        assert_eq!(asked[1]["parameters"]["leader"], 42);
        assert_eq!(asked[1]["parameters"]["class"], "container");
        assert_eq!(asked[1]["parameters"]["id"], "01".repeat(16));
        assert_eq!(asked[1]["parameters"]["rootDirectory"], "/r");
    }

    #[test]
    fn registers_once() {
        let (registry, server) = serve(&[
            b"{\"error\":\"io.systemd.Machine.MachineExists\",\"parameters\":{}}\0",
            b"{\"parameters\":{\"name\":\"web\",\"service\":\"podman\",\"leader\":{\"pid\":42}}}\0",
        ]);
        registry.register(&container()).unwrap();
        server.join().unwrap();
    }

    #[test]
    fn forgets_its_own_alone() {
        let (registry, server) = serve(&[
            b"{\"parameters\":{\"name\":\"web\",\"service\":\"systemd-nspawn\"}}\0",
            b"{\"error\":\"io.systemd.Machine.NoSuchMachine\"}\0",
        ]);
        registry.unregister(&container()).unwrap();
        assert!(
            server
                .join()
                .unwrap()
                .iter()
                .all(|call| call["method"] == "io.systemd.Machine.List")
        );

        let (registry, server) = serve(&[
            b"{\"parameters\":{\"name\":\"web\",\"service\":\"podman\",\"rootDirectory\":\"/r\"}}\0",
            b"{\"parameters\":{}}\0",
        ]);
        registry.unregister(&container()).unwrap();
        assert_eq!(
            server.join().unwrap()[1]["method"],
            "io.systemd.Machine.Unregister"
        );
    }

    #[test]
    fn refusals_and_nonsense_are_told() {
        for reply in [
            &b""[..],
            b"\0",
            b"{",
            b"{}",
            b"[]\0",
            b"{\"error\":7}\0",
            b"\xff\0",
            b"{\"error\":\"org.varlink.service.PermissionDenied\"}\0",
        ] {
            let reply: &'static [u8] = reply;
            let (registry, server) = serve(Box::leak(Box::new([reply])));
            assert!(registry.register(&container()).is_err(), "{reply:?}");
            server.join().unwrap();
        }
        let nobody = Registry::new("/nonexistent".into());
        assert!(
            nobody
                .register(&container())
                .unwrap_err()
                .contains("/nonexistent")
        );
        let no_number = Container {
            leader: String::new(),
            ..container()
        };
        assert!(nobody.register(&no_number).unwrap_err().contains("process"));
    }
}
