//! Running a copy of this program that can't be written to.
//!
//! A program of the machine that is really `/proc/self/exe`, say by its `#!` line, makes a second one of this process, and
//! one that the machine may look at. By its /proc/PID/exe the machine's root, where it is the host's, could write to our
//! file, which the host's root is going to run (CVE-2019-5736). So what runs programs runs from sealed memory.

use std::{
    env,
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use rustix::{
    fs::{MemfdFlags, SealFlags},
    io::Errno,
};

use crate::fault::{Fault, errno};

const SEALS: SealFlags = SealFlags::WRITE
    .union(SealFlags::GROW)
    .union(SealFlags::SHRINK)
    .union(SealFlags::SEAL);

/// Returns in a process that runs from sealed memory: this one, if it does, or else itself started anew.
pub fn ensure() -> Result<(), Fault> {
    let failed = || Fault::to("run from sealed memory");
    let file = File::open("/proc/self/exe").map_err(|error| failed()(errno(&error)))?;
    if rustix::fs::fcntl_get_seals(&file).is_ok_and(|seals| seals.contains(SEALS)) {
        return Ok(());
    }
    let error = start_anew(file).err().unwrap_or_else(|| Errno::IO.into());
    Err(failed()(errno(&error)))
}

fn start_anew(mut file: File) -> io::Result<()> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let name = env!("CARGO_PKG_NAME");
    // Before Linux 6.3 all may be executed, and the flag is unknown.
    let memory = rustix::fs::memfd_create(name, flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create(name, flags))?;
    let mut memory = File::from(memory);
    io::copy(&mut file, &mut memory)?;
    rustix::fs::fcntl_add_seals(memory.as_fd(), SEALS)?;
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let mut command = Command::new(path);
    Err(command.args(env::args_os().skip(1)).exec())
}
