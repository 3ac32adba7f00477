//! What /proc says of a process, all of it of the same one.

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, pidfd_open, test_kill_process};

use super::status::{Stat, Status, audit, c_string, cmdline, escaped, line};
use super::{Creds, mask};
use crate::login::{Login, unit};
use crate::{Errno, Result, errno_of};

/// A process that was named, and is asked about.
#[derive(Debug)]
pub struct Held<'a> {
    login: &'a Login,
    pid: i32,
    /// If there is one, the number is this process's for as long as this shows it.
    pidfd: Option<OwnedFd>,
    /// What its stat has said first; nothing if this process may not read it.
    first: Option<Stat>,
}

impl<'a> Held<'a> {
    /// The process that has this number now.
    ///
    /// # Errors
    /// ESRCH if there is none, or one that has ended.
    pub fn by_number(login: &'a Login, pid: i32) -> Result<Self> {
        let first = stat(login, pid)?;
        // Where no start shows whether it is the same process still, a pidfd does; if there is /proc to show that.
        let is_shown = login.path(&format!("/proc/{pid}")).exists();
        let pidfd = match first {
            None if is_shown => open(pid),
            _ => None,
        };
        Ok(Self {
            login,
            pid,
            pidfd,
            first,
        })
    }

    /// The process of a pidfd.
    ///
    /// # Errors
    /// EBADF if it is none; ESRCH; EREMOTE if it is in a pid namespace that is not below ours.
    pub fn by_pidfd(login: &'a Login, pidfd: OwnedFd) -> Result<Self> {
        let pid = login.pid_of(pidfd.as_fd())?;
        Ok(Self {
            login,
            pid,
            pidfd: Some(pidfd),
            first: stat(login, pid)?,
        })
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Adds what is asked for and not known. What this process may not see of it stays unknown.
    ///
    /// # Errors
    /// ESRCH if the process has ended, or another has its number now; of reading /proc.
    pub fn augment(mut self, creds: &mut Creds, wanted: u64) -> Result<()> {
        let missing = wanted & mask::OF_PROCESS & !creds.known;
        creds.pid = self.pid;
        creds.known |= mask::PID;
        if missing & mask::STATUS != 0 {
            self.status(creds, missing & mask::STATUS)?;
        }
        if missing & mask::OF_CGROUP != 0 {
            self.cgroup(creds, missing & mask::OF_CGROUP)?;
        }
        let wants = |field| missing & field != 0;
        if wants(mask::SELINUX_CONTEXT)
            && let Some(text) = self.optional("attr/current")?
        {
            creds.selinux_context = c_string(line(&text));
            creds.found(mask::SELINUX_CONTEXT);
        }
        if wants(mask::COMM)
            && let Some(text) = self.read("comm")?
        {
            creds.comm = escaped(line(&text));
            creds.found(mask::COMM);
        }
        if wants(mask::EXE) {
            self.exe(creds)?;
        }
        if wants(mask::CMDLINE)
            && let Some(text) = self.read("cmdline")?
        {
            creds.cmdline = cmdline(&text);
            creds.found(mask::CMDLINE);
        }
        if wants(mask::AUDIT_SESSION_ID)
            && let Some(text) = self.optional("sessionid")?
        {
            creds.audit_session_id = audit(&text)?;
            creds.found(mask::AUDIT_SESSION_ID);
        }
        if wants(mask::AUDIT_LOGIN_UID)
            && let Some(text) = self.optional("loginuid")?
        {
            creds.audit_login_uid = audit(&text)?;
            creds.found(mask::AUDIT_LOGIN_UID);
        }
        if wants(mask::TTY)
            && let Some(stat) = self.first
        {
            creds.tty = self.tty(stat.tty);
            creds.found(mask::TTY);
        }
        if wants(mask::PIDFD) {
            self.pidfd = self.pidfd.take().or_else(|| open(self.pid));
        }
        self.still()?;
        if wants(mask::PIDFD) && self.pidfd.is_some() {
            creds.pidfd = self.pidfd;
            creds.found(mask::PIDFD);
        }
        Ok(())
    }

    /// Sees that the number is still the same process's, so that all that was read is of it.
    fn still(&self) -> Result<()> {
        let now = stat(self.login, self.pid)?;
        if now.map(|stat| stat.start) != self.first.map(|stat| stat.start) {
            return Err(Errno::SRCH);
        }
        match &self.pidfd {
            Some(pidfd) => match self.login.pid_of(pidfd.as_fd())? {
                pid if pid == self.pid => Ok(()),
                _ => Err(Errno::SRCH),
            },
            None => Ok(()),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.login.path(&format!("/proc/{}/{file}", self.pid))
    }

    /// A file that each process has. None if this process may not read it.
    fn read(&self, file: &str) -> Result<Option<Vec<u8>>> {
        match fs::read(self.path(file)) {
            Ok(text) => Ok(Some(text)),
            Err(error) => match errno_of(&error) {
                Errno::NOENT if self.first.is_none() => Ok(None),
                Errno::NOENT => Err(Errno::SRCH),
                Errno::ACCESS | Errno::PERM => Ok(None),
                errno => Err(errno),
            },
        }
    }

    /// A file that a kernel may be without.
    fn optional(&self, file: &str) -> Result<Option<Vec<u8>>> {
        match self.read(file) {
            // Without any such security module reading it fails with EINVAL.
            Err(Errno::SRCH | Errno::INVAL) => Ok(None),
            read => read,
        }
    }

    fn status(&self, creds: &mut Creds, missing: u64) -> Result<()> {
        let Some(text) = self.read("status")? else {
            return Ok(());
        };
        let status = Status::parse(&text)?;
        let (users, groups, caps) = (&mut creds.users, &mut creds.groups, &mut creds.caps);
        let take = |field: u64, to: &mut u32, from: u32| {
            if missing & field != 0 {
                *to = from;
            }
        };
        take(mask::UID, &mut users.real, status.users.real);
        take(mask::EUID, &mut users.effective, status.users.effective);
        take(mask::SUID, &mut users.saved, status.users.saved);
        take(mask::FSUID, &mut users.filesystem, status.users.filesystem);
        take(mask::GID, &mut groups.real, status.groups.real);
        take(mask::EGID, &mut groups.effective, status.groups.effective);
        take(mask::SGID, &mut groups.saved, status.groups.saved);
        take(
            mask::FSGID,
            &mut groups.filesystem,
            status.groups.filesystem,
        );
        if missing & mask::SUPPLEMENTARY_GIDS != 0 {
            creds.supplementary_gids = status.supplementary_gids;
        }
        // PID 1 and what the kernel has started have no parent.
        creds.ppid = Some(status.ppid).filter(|ppid| *ppid != 0);
        // Nobody but /proc tells these.
        *caps = status.caps;
        creds.found(missing);
        Ok(())
    }

    fn cgroup(&self, creds: &mut Creds, missing: u64) -> Result<()> {
        let path = match self.login.pid_cgroup(self.pid) {
            Ok(path) => path,
            // It may not be read, or that of PID 1 may not; it is in none that counts, or there are none.
            Err(Errno::ACCESS | Errno::PERM | Errno::SRCH | Errno::NODATA | Errno::NOMEDIUM) => {
                return Ok(());
            }
            Err(errno) => return Err(errno),
        };
        let text = |name: &str| c_string(name.as_bytes());
        creds.unit = unit::unit(&path).ok().map(text);
        creds.slice = text(unit::slice(&path));
        creds.user_unit = unit::user_unit(&path).ok().map(text);
        creds.user_slice = unit::user_slice(&path).ok().map(text);
        creds.session = unit::session(&path).ok().map(text);
        creds.owner_uid = unit::owner(&path).ok();
        creds.cgroup = text(&path);
        creds.found(missing);
        Ok(())
    }

    fn exe(&self, creds: &mut Creds) -> Result<()> {
        creds.exe = match fs::read_link(self.path("exe")) {
            Ok(path) => {
                let path = path.as_os_str().as_bytes();
                Some(c_string(path.strip_suffix(b" (deleted)").unwrap_or(path)))
            }
            Err(error) => match errno_of(&error) {
                // A kernel's thread; of a process that has ended this is told in the end.
                Errno::NOENT if self.first.is_some() => None,
                Errno::NOENT | Errno::ACCESS | Errno::PERM => return Ok(()),
                errno => return Err(errno),
            },
        };
        creds.found(mask::EXE);
        Ok(())
    }

    /// The name of its terminal below /dev.
    fn tty(&self, device: u32) -> Option<CString> {
        if device == 0 {
            return None;
        }
        // As the kernel's new_encode_dev() has it.
        let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
        let below = format!("char/{major}:{minor}");
        let name = match fs::read_link(self.login.path(&format!("/dev/{below}"))) {
            Ok(target) => {
                let target = target.as_os_str().as_bytes();
                let name = target.strip_prefix(b"../").unwrap_or(target);
                name.strip_prefix(b"/dev/").unwrap_or(name).to_vec()
            }
            // UNIX98_PTY_SLAVE_MAJOR, eight of them, which nobody makes links for.
            Err(_) if (136..144).contains(&major) => {
                format!("pts/{}", (major - 136) << 20 | minor).into_bytes()
            }
            Err(_) => below.into_bytes(),
        };
        Some(c_string(&name))
    }
}

/// A pidfd, where the kernel has such and the number is a process's, not a thread's.
fn open(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// Whether there is a process of this number, as kill(2) knows.
fn exists(pid: i32) -> bool {
    let asked = Pid::from_raw(pid).map(test_kill_process);
    matches!(asked, Some(Ok(()) | Err(Errno::PERM)))
}

/// What its stat says of a process that has not ended.
fn stat(login: &Login, pid: i32) -> Result<Option<Stat>> {
    let text = match fs::read(login.path(&format!("/proc/{pid}/stat"))) {
        Ok(text) => text,
        Err(error) => {
            return match errno_of(&error) {
                // /proc may hide it, or not be there.
                Errno::NOENT if exists(pid) => Ok(None),
                Errno::NOENT => Err(Errno::SRCH),
                Errno::ACCESS | Errno::PERM => Ok(None),
                errno => Err(errno),
            };
        }
    };
    let stat = Stat::parse(&text)?;
    match stat.is_dead {
        false => Ok(Some(stat)),
        true => Err(Errno::SRCH),
    }
}
