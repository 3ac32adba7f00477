//! Addresses of servers (D-Bus specification, "Server Addresses"), as sd-bus takes them.

mod escape;
mod parse;

pub use escape::{escape, unescape};
pub use parse::addresses;
pub(crate) use parse::guid;
pub use parse::is_machine;

/// A server, and how to come to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The way.
    pub transport: Transport,
    /// What the server must say of itself.
    pub guid: Option<Guid>,
}

/// What a server is told by, wherever it listens.
pub type Guid = [u8; 16];

/// A way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `unix:`
    Unix(Unix),
    /// `unixexec:`, a program that speaks through its standard input and output.
    UnixExec {
        /// Of the program.
        path: Vec<u8>,
        /// All of its arguments, from the one that is its name.
        arguments: Vec<Vec<u8>>,
    },
    /// `tcp:`
    Tcp {
        /// A name or an address.
        host: Vec<u8>,
        /// A number or the name of a service.
        port: Vec<u8>,
        /// The only family that is tried.
        family: Option<Family>,
    },
    /// `x-machine-unix:`, the system bus of a container.
    Machine(Machine),
}

/// A socket of AF_UNIX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unix {
    /// `path`: without NUL.
    Path(Vec<u8>),
    /// `abstract`: its name without the NUL in front.
    Abstract(Vec<u8>),
    /// `dir` or `tmpdir`: a folder to listen in, under a name of its own. Nobody can connect to that.
    Directory(Vec<u8>),
    /// `runtime=yes`: `bus` in the runtime directory of the user, to listen at.
    Runtime,
}

/// A family of `tcp:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `ipv4`
    Ipv4,
    /// `ipv6`
    Ipv6,
}

/// Which container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machine {
    /// `machine`: by its name, `.host` for none.
    Name(String),
    /// `pid`: by a process in it.
    Leader(u32),
}

#[cfg(test)]
mod tests;
