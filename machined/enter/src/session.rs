//! A program on a terminal of the machine, without help from inside: for machines that run no service manager.

use std::{
    ffi::OsString,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    process::{Resource, Rlimit},
    thread::{CapabilitySet, Gid, Uid},
};

use crate::{
    fault::{Fault, errno},
    passwd::User,
    privilege,
    request::Program,
    root::Root,
    sys,
};

/// What login(1) sets where nothing else is configured.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The soft limit of open descriptors that Linux starts PID 1 with (INR_OPEN_CUR, linux/fs.h). machined has a higher one, with
/// which programs that call select(2) on a descriptor from 1024 on write past their sets.
const DESCRIPTORS: u64 = 1024;

/// Starts the program as a child: in a session of its own, the terminal its controlling terminal, and with no more
/// capabilities than the programs of the machine can have, nor than machined has. no_new_privs stays with it: su(1) and
/// sudo(8) in it give nothing.
pub fn start(
    root: &Root,
    program: &Program,
    terminal: OwnedFd,
    bounding: CapabilitySet,
) -> Result<Child, Fault> {
    let (user, mut command) = match program {
        Program::Login { environment } => login(root, environment)?,
        Program::Shell {
            user,
            path,
            args,
            environment,
        } => shell(root, user, path, args, environment)?,
    };
    // As login(1) leaves it. Not essential, and a devpts may be mounted to forbid it.
    let _ = rustix::fs::fchown(&terminal, Some(Uid::from_raw(user.uid)), None);
    let _ = rustix::fs::fchmod(&terminal, Mode::from_raw_mode(0o620));
    let end = || {
        terminal
            .try_clone()
            .map(Stdio::from)
            .map_err(|error| Fault::to("copy the terminal's descriptor")(errno(&error)))
    };
    command.stdin(end()?).stdout(end()?).stderr(end()?);
    drop(terminal);
    let program = PathBuf::from(command.get_program());
    sys::spawn_prepared(&mut command, move || become_user(&user, bounding))
        .map_err(|error| Fault::on("run", &program)(errno(&error)))
}

/// In the new process, its standard input the terminal already.
fn become_user(user: &User, bounding: CapabilitySet) -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
    let groups: Vec<Gid> = user.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
    match rustix::thread::set_thread_groups(&groups) {
        // A user namespace made without privileges denies setgroups (user_namespaces(7)); there are none left to drop.
        Err(Errno::PERM) => {}
        other => other?,
    }
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    privilege::keep(bounding).map_err(|fault| io::Error::from(fault.errno))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let soft = limit
        .maximum
        .map_or(DESCRIPTORS, |hard| hard.min(DESCRIPTORS));
    let current = Some(soft);
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current, ..limit })?;
    // As a shell does without a home.
    if rustix::process::chdir(&user.home).is_err() {
        rustix::process::chdir("/")?;
    }
    Ok(())
}

fn login(root: &Root, environment: &[String]) -> Result<(User, Command), Fault> {
    let path = ["/usr/bin/login", "/bin/login"]
        .into_iter()
        .find(|path| root.open(Path::new(path), OFlags::PATH).is_ok())
        .ok_or_else(|| {
            Fault::new(
                "The machine has neither a service manager nor login(1): try machinectl shell",
                Errno::NOENT,
            )
        })?;
    let user = User::find(root, "root")?;
    let mut command = Command::new(path);
    set_environment(&mut command, None, environment);
    Ok((user, command))
}

fn shell(
    root: &Root,
    user: &str,
    path: &str,
    args: &[String],
    environment: &[String],
) -> Result<(User, Command), Fault> {
    let user = User::find(root, user)?;
    let mut command;
    if path.is_empty() {
        command = Command::new(&user.shell);
        // The dash says that it is a login shell.
        let mut name = OsString::from("-");
        name.push(user.shell.file_name().unwrap_or_default());
        command.arg0(name);
    } else {
        command = Command::new(path);
        if let Some((first, rest)) = args.split_first() {
            command.arg0(first).args(rest);
        }
    }
    set_environment(&mut command, Some(&user), environment);
    Ok((user, command))
}

fn set_environment(command: &mut Command, user: Option<&User>, given: &[String]) {
    command.env_clear().env("PATH", PATH);
    if let Some(user) = user {
        command
            .env("USER", &user.name)
            .env("LOGNAME", &user.name)
            .env("HOME", &user.home)
            .env("SHELL", &user.shell);
    }
    for (key, value) in given.iter().filter_map(|pair| pair.split_once('=')) {
        command.env(key, value);
    }
}
