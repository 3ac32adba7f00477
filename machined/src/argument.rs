//! The arguments of calls that the registry checks, whatever interface they came by.

/// What a caller has said. An interface on which arguments have names can tell by this which one was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// The name of a machine.
    Name,
    /// Its class.
    Class,
    /// The process that stands for it.
    Leader,
    /// The process that watches over it.
    Supervisor,
    /// Its root directory on the host.
    RootDirectory,
    /// The host's interfaces that belong to it.
    Interfaces,
    /// The program that runs it.
    Service,
    /// Where its SSH answers.
    SshAddress,
    /// The key for that.
    SshPrivateKeyPath,
    /// A signal.
    Signal,
    /// What to copy or mount.
    Source,
    /// Where to.
    Destination,
    /// Who is to run a program.
    User,
    /// The program.
    Path,
    /// Its arguments.
    Args,
    /// Its environment.
    Environment,
}
