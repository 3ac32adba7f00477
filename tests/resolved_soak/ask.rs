//! A lookup by each way, and what came of it.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{SOCKET, wire::Reply, zone::Said};

/// The daemon's own limit is 8 s.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// What came of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Said(Said),
    /// SERVFAIL and its like.
    Failed,
}

/// What a reply of the stub says, and for how long.
pub fn outcome(reply: io::Result<Reply>) -> Result<(Outcome, u32), String> {
    let reply = reply.map_err(|error| error.to_string())?;
    let outcome = match (reply.rcode, reply.addresses.as_slice()) {
        (0, [address]) => Outcome::Said(Said::Address(*address)),
        (3, []) => Outcome::Said(Said::NoName),
        (2, []) => Outcome::Failed,
        _ => return Err(format!("{reply:?}")),
    };
    // What is not there has no answer with a time of its own.
    let ttl = if reply.ttl == u32::MAX { 0 } else { reply.ttl };
    Ok((outcome, ttl))
}

/// Calls a method of resolved's; the error's name, or the parameters.
pub fn call(socket: &str, method: &str, parameters: Value) -> Result<Value, String> {
    let io = |error: io::Error| error.to_string();
    let mut stream = UnixStream::connect(socket).map_err(io)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(io)?;
    let mut message = json!({ "method": method, "parameters": parameters }).to_string();
    message.push('\0');
    stream.write_all(message.as_bytes()).map_err(io)?;
    let (mut reply, mut bytes) = (Vec::new(), [0; 4096]);
    while reply.last() != Some(&0) {
        let length = stream.read(&mut bytes).map_err(io)?;
        if length == 0 {
            return Err("hung up".to_owned());
        }
        reply.extend(&bytes[..length]);
    }
    reply.pop();
    let mut reply: Value = serde_json::from_slice(&reply).map_err(|error| error.to_string())?;
    match reply.get("error") {
        Some(error) => Err(format!(
            "{} {}",
            error.as_str().unwrap_or("?"),
            reply["parameters"]
        )),
        None => Ok(reply["parameters"].take()),
    }
}

/// As a program does by the C library and nss-resolve.
pub fn by_varlink(name: &str) -> Result<Outcome, String> {
    let parameters = json!({ "name": name, "family": 2, "flags": 0 });
    match call(SOCKET, "io.systemd.Resolve.ResolveHostname", parameters) {
        Ok(found) => {
            let octets: [u8; 4] = serde_json::from_value(found["addresses"][0]["address"].clone())
                .map_err(|_| found.to_string())?;
            Ok(Outcome::Said(Said::Address(octets.into())))
        }
        Err(error) if error.contains("DNSError") && error.contains("3") => {
            Ok(Outcome::Said(Said::NoName))
        }
        Err(error) if error.starts_with("io.systemd.Resolve.") => Ok(Outcome::Failed),
        Err(error) => Err(error),
    }
}
