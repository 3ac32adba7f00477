//! What machined asks for, and what it gets.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use crate::{
    fault::Fault,
    packet::{Reader, Writer, malformed},
    socket,
};

/// Which tree a half of a copy works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The host's, in the root directory and with the privileges that the process was started with.
    Host,
    /// The machine's, from inside it.
    Machine,
}

/// One operation. Where it says *leader*, a pidfd of the machine's leader goes along, as the first descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The text of os-release: leader → text.
    OsRelease,
    /// The root directory: leader → descriptor.
    RootDirectory,
    /// The reading half of a copy: leader, socket to the writing half → nothing.
    Send {
        /// Where to read.
        side: Side,
        /// An absolute path.
        path: String,
    },
    /// The writing half of a copy: leader, socket to the reading half → nothing.
    Receive {
        /// Where to write.
        side: Side,
        /// An absolute path.
        path: String,
        /// Whether to write over what is there.
        replace: bool,
    },
    /// Mounts a path of the host into the machine: leader → nothing.
    Bind {
        /// An absolute path of the host.
        source: String,
        /// An absolute path in the machine.
        destination: String,
        /// Whether the machine may only read.
        read_only: bool,
        /// Whether to make the destination where it is missing.
        mkdir: bool,
    },
    /// A new terminal: leader → its path inside; our end, the other end, and, if asked for, a socket connected to the
    /// machine's system bus, where there is one.
    Terminal {
        /// Whether the terminal is of the host.
        host: bool,
        /// Whether to look for a bus.
        bus: bool,
    },
    /// Runs a program on a terminal: leader, the terminal → nothing, as soon as it runs. The process stays to wait for it.
    Session {
        /// Whether to run it on the host.
        host: bool,
        /// What to run.
        program: Program,
    },
}

/// What a session runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// login(1).
    Login {
        /// `KEY=value` each.
        environment: Vec<String>,
    },
    /// A program as a user.
    Shell {
        /// Name or number.
        user: String,
        /// An absolute path; empty for the user's shell.
        path: String,
        /// With argv\[0\]; empty for the path alone.
        args: Vec<String>,
        /// `KEY=value` each.
        environment: Vec<String>,
    },
}

/// How a message begins that runs login(1).
const LOGIN: u32 = 6;

/// How a message begins that runs a program.
const SHELL: u32 = 7;

impl Side {
    fn code(self) -> u32 {
        u32::from(self == Self::Machine)
    }

    fn decode(code: u32) -> Self {
        if code == 0 { Self::Host } else { Self::Machine }
    }
}

impl Request {
    /// The message.
    ///
    /// # Errors
    /// E2BIG.
    pub fn encode(&self) -> Result<Vec<u8>, Fault> {
        let mut w = Writer::default();
        match self {
            Self::OsRelease => w.u32(0),
            Self::RootDirectory => w.u32(1),
            Self::Send { side, path } => w.u32(2).u32(side.code()).bytes(path.as_bytes()),
            Self::Receive {
                side,
                path,
                replace,
            } => w
                .u32(3)
                .u32(side.code())
                .bytes(path.as_bytes())
                .u32((*replace).into()),
            Self::Bind {
                source,
                destination,
                read_only,
                mkdir,
            } => w
                .u32(4)
                .bytes(source.as_bytes())
                .bytes(destination.as_bytes())
                .u32((*read_only).into())
                .u32((*mkdir).into()),
            Self::Terminal { host, bus } => w.u32(5).u32((*host).into()).u32((*bus).into()),
            Self::Session {
                host,
                program: Program::Login { environment },
            } => w.u32(LOGIN).u32((*host).into()).list(environment),
            Self::Session {
                host,
                program:
                    Program::Shell {
                        user,
                        path,
                        args,
                        environment,
                    },
            } => w
                .u32(SHELL)
                .u32((*host).into())
                .bytes(user.as_bytes())
                .bytes(path.as_bytes())
                .list(args)
                .list(environment),
        };
        w.finish()
    }

    /// Whether a message that begins so is one that runs a program of the machine.
    pub fn runs_programs(code: [u8; 4]) -> bool {
        matches!(u32::from_le_bytes(code), LOGIN | SHELL)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// EBADMSG.
    pub fn decode(message: &[u8]) -> Result<Self, Fault> {
        let mut r = Reader::new(message);
        Ok(match r.u32()? {
            0 => Self::OsRelease,
            1 => Self::RootDirectory,
            2 => Self::Send {
                side: Side::decode(r.u32()?),
                path: r.string()?,
            },
            3 => Self::Receive {
                side: Side::decode(r.u32()?),
                path: r.string()?,
                replace: r.u32()? != 0,
            },
            4 => Self::Bind {
                source: r.string()?,
                destination: r.string()?,
                read_only: r.u32()? != 0,
                mkdir: r.u32()? != 0,
            },
            5 => Self::Terminal {
                host: r.u32()? != 0,
                bus: r.u32()? != 0,
            },
            LOGIN => Self::Session {
                host: r.u32()? != 0,
                program: Program::Login {
                    environment: r.list()?,
                },
            },
            SHELL => Self::Session {
                host: r.u32()? != 0,
                program: Program::Shell {
                    user: r.string()?,
                    path: r.string()?,
                    args: r.list()?,
                    environment: r.list()?,
                },
            },
            _ => return Err(malformed()),
        })
    }
}

/// What an operation gives: text, descriptors, or both.
#[derive(Debug, Default)]
pub struct Reply {
    /// Text, of any bytes: it may come from the machine.
    pub text: Vec<u8>,
    /// At most [`socket::MAX_FDS`].
    pub fds: Vec<OwnedFd>,
}

impl Reply {
    /// Sends a reply or a fault.
    ///
    /// # Errors
    /// Those of [`socket::send`].
    pub fn send(result: &Result<Self, Fault>, socket: impl AsFd) -> Result<(), Errno> {
        let mut w = Writer::default();
        let mut fds: Vec<BorrowedFd<'_>> = Vec::new();
        match result {
            Ok(reply) => {
                w.u32(0).bytes(&reply.text);
                fds.extend(reply.fds.iter().map(AsFd::as_fd));
            }
            Err(fault) => {
                let errno = u32::try_from(fault.errno.raw_os_error()).unwrap_or(5);
                w.u32(errno.max(1)).bytes(fault.what.as_bytes());
            }
        }
        let message = w.finish().map_err(|fault| fault.errno)?;
        socket::send(socket, &message, &fds)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// The fault that it tells of; EBADMSG.
    pub fn decode(message: &[u8], fds: Vec<OwnedFd>) -> Result<Self, Fault> {
        let mut r = Reader::new(message);
        match r.u32()? {
            0 => Ok(Self {
                text: r.bytes()?.to_vec(),
                fds,
            }),
            errno => Err(Fault::new(
                String::from_utf8_lossy(r.bytes()?),
                Errno::from_raw_os_error(i32::try_from(errno).unwrap_or(5)),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_survives_the_socket() {
        let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        for request in [
            Request::OsRelease,
            Request::RootDirectory,
            Request::Send {
                side: Side::Machine,
                path: "/a".into(),
            },
            Request::Receive {
                side: Side::Host,
                path: "/b".into(),
                replace: true,
            },
            Request::Bind {
                source: "/s".into(),
                destination: "/d".into(),
                read_only: true,
                mkdir: false,
            },
            Request::Terminal {
                host: false,
                bus: true,
            },
            Request::Session {
                host: true,
                program: Program::Login {
                    environment: strings(&["TERM=vt100"]),
                },
            },
            Request::Session {
                host: false,
                program: Program::Shell {
                    user: "root".into(),
                    path: "/bin/sh".into(),
                    args: strings(&["sh", "-c", ""]),
                    environment: strings(&["A=b"]),
                },
            },
        ] {
            let message = request.encode().unwrap();
            let session = matches!(request, Request::Session { .. });
            let code = message[..4].try_into().unwrap();
            assert_eq!(Request::runs_programs(code), session);
            assert_eq!(Request::decode(&message).unwrap(), request);
        }
        assert!(Request::decode(b"").is_err());
        assert!(Request::decode(&[99, 0, 0, 0]).is_err());
    }

    #[test]
    fn a_fault_keeps_its_number_and_text() {
        let (ours, theirs) = socket::pair().unwrap();
        let fault = Fault::new("Failed to open /x", Errno::ACCESS);
        Reply::send(&Err(fault.clone()), theirs).unwrap();
        let (message, fds) = socket::receive(ours).unwrap();
        assert_eq!(Reply::decode(&message, fds).unwrap_err(), fault);
    }
}
