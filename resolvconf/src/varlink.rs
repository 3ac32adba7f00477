//! resolved over Varlink, where there is no bus: io.switchyard.Resolve.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde_json::{Map, Value, json};

use crate::request::{Change, Domain, Failure, Request};

/// Where it answers.
pub const SOCKET: &str = "/run/systemd/resolve/io.switchyard.Resolve";

const INTERFACE: &str = "io.switchyard.Resolve";
/// The longest reply that is read.
const LONGEST_REPLY: u64 = 1 << 20;
/// A resolver that takes longer does not answer.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What came of it.
pub enum Outcome {
    /// resolved answered.
    Done(Result<(), Failure>),
    /// It is not there; why.
    Nobody(io::Error),
}

/// Asks resolved.
pub fn carry_out(request: &Request) -> Outcome {
    let stream = match UnixStream::connect(SOCKET) {
        Ok(stream) => stream,
        Err(error) => return Outcome::Nobody(error),
    };
    let (what, message) = call(request);
    Outcome::Done(exchange(stream, &message).map_err(|error| error.into_failure(what)))
}

/// What is done, for a person; and the call.
fn call(request: &Request) -> (&'static str, Value) {
    let mut parameters = Map::new();
    parameters.insert("ifindex".into(), request.ifindex.into());
    let (what, method) = match &request.change {
        Change::Revert => ("revert interface", "RevertLink"),
        Change::Set {
            servers,
            domains,
            default_route,
        } => {
            let servers: Vec<_> = servers.iter().map(|server| server.text.as_str()).collect();
            parameters.insert("servers".into(), servers.into());
            let domains: Vec<_> = domains.iter().map(text).collect();
            parameters.insert("domains".into(), domains.into());
            if let Some(default_route) = default_route {
                parameters.insert("defaultRoute".into(), (*default_route).into());
            }
            ("set DNS", "SetLink")
        }
    };
    let message = json!({ "method": format!("{INTERFACE}.{method}"), "parameters": parameters });
    (what, message)
}

fn text(domain: &Domain) -> String {
    let mark = if domain.route_only { "~" } else { "" };
    format!("{mark}{}", domain.name)
}

/// Why there is no good answer.
enum Unanswered {
    Io(io::Error),
    Nonsense,
    Refused(String, Value),
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Unanswered {
    fn into_failure(self, what: &str) -> Failure {
        let (why, no_such_link) = match self {
            Self::Io(error) => (error.to_string(), false),
            Self::Nonsense => ("the reply makes no sense".to_owned(), false),
            Self::Refused(error, parameters) => {
                let no_such_link = error.ends_with(".NoSuchLink");
                let detail = match parameters {
                    Value::Object(map) if !map.is_empty() => format!(" {}", Value::Object(map)),
                    _ => String::new(),
                };
                (format!("{}{detail}", error.escape_debug()), no_such_link)
            }
        };
        Failure {
            message: format!("Failed to {what} configuration: {why}"),
            no_such_link,
        }
    }
}

/// One call and its reply: JSON, ended by a NUL.
fn exchange(mut stream: UnixStream, message: &Value) -> Result<(), Unanswered> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut bytes = message.to_string().into_bytes();
    bytes.push(0);
    stream.write_all(&bytes)?;
    let mut reply = Vec::new();
    BufReader::new(stream)
        .take(LONGEST_REPLY)
        .read_until(0, &mut reply)?;
    let Some((0, text)) = reply.split_last() else {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    };
    let mut reply: Map<String, Value> =
        serde_json::from_slice(text).map_err(|_| Unanswered::Nonsense)?;
    match reply.remove("error") {
        None => Ok(()),
        Some(Value::String(error)) => {
            let parameters = reply.remove("parameters").unwrap_or_default();
            Err(Unanswered::Refused(error, parameters))
        }
        Some(_) => Err(Unanswered::Nonsense),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{cli::Preference, resolv_conf};

    fn request() -> Request {
        let file = "nameserver 192.0.2.1\nnameserver [2001:db8::1]:99#dns.example\nsearch a.example ~b.example\n";
        Request::set(3, resolv_conf::parse(file, Preference::Private)).unwrap()
    }

    #[test]
    fn the_call() {
        let (_, message) = call(&request());
        let expected = json!({
            "method": "io.switchyard.Resolve.SetLink",
            "parameters": {
                "ifindex": 3,
                "servers": ["192.0.2.1", "[2001:db8::1]:99#dns.example"],
                "domains": ["a.example", "~b.example"],
                "defaultRoute": false,
            },
        });
        assert_eq!(message, expected);
        let (_, message) = call(&Request::revert(3));
        assert_eq!(
            message,
            json!({ "method": "io.switchyard.Resolve.RevertLink", "parameters": { "ifindex": 3 } })
        );
    }

    /// What is made of this reply.
    fn after(reply: &'static [u8]) -> Result<(), Failure> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = thread::spawn(move || {
            let mut asked = Vec::new();
            let mut reader = BufReader::new(&theirs);
            reader.read_until(0, &mut asked).unwrap();
            let _ = (&theirs).write_all(reply);
            asked
        });
        let (what, message) = call(&request());
        let result = exchange(ours, &message).map_err(|error| error.into_failure(what));
        assert_eq!(server.join().unwrap().last(), Some(&0));
        result
    }

    #[test]
    fn replies() {
        assert_eq!(after(b"{}\0"), Ok(()));
        assert_eq!(after(b"{\"parameters\":{}}\0"), Ok(()));
        let gone = after(
            b"{\"error\":\"io.switchyard.Resolve.NoSuchLink\",\"parameters\":{\"ifindex\":3}}\0",
        )
        .unwrap_err();
        assert!(gone.no_such_link);
        assert_eq!(
            gone.message,
            "Failed to set DNS configuration: io.switchyard.Resolve.NoSuchLink {\"ifindex\":3}"
        );
        for broken in [&b""[..], b"{}", b"[]\0", b"{\"error\":1}\0", b"\0"] {
            assert!(!after(broken).unwrap_err().no_such_link);
        }
    }
}
