//! To whom a process belongs.

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{Login, unit};
use crate::number::parse_i32;
use crate::{Errno, Result, errno_of};

impl Login {
    /// The path of its cgroup.
    ///
    /// # Errors
    /// ESRCH if there is no such process, ENXIO if what is asked is not so of it; so do all here. 0 is this process.
    pub fn pid_cgroup(&self, pid: i32) -> Result<String> {
        self.cgroup(pid)
    }

    /// The session it was started in.
    ///
    /// # Errors
    /// ESRCH, ENXIO
    pub fn pid_session(&self, pid: i32) -> Result<String> {
        self.of_cgroup(pid, |path| unit::session(path).map(str::to_owned))
    }

    /// The unit it is a part of.
    ///
    /// # Errors
    /// ESRCH, ENXIO
    pub fn pid_unit(&self, pid: i32) -> Result<String> {
        self.of_cgroup(pid, |path| unit::unit(path).map(str::to_owned))
    }

    /// The unit of a user's service manager.
    ///
    /// # Errors
    /// ESRCH, ENXIO
    pub fn pid_user_unit(&self, pid: i32) -> Result<String> {
        self.of_cgroup(pid, |path| unit::user_unit(path).map(str::to_owned))
    }

    /// The slice.
    ///
    /// # Errors
    /// ESRCH, ENXIO
    pub fn pid_slice(&self, pid: i32) -> Result<String> {
        self.of_cgroup(pid, |path| Ok(unit::slice(path).to_owned()))
    }

    /// The slice of a user's service manager.
    ///
    /// # Errors
    /// ESRCH, ENXIO
    pub fn pid_user_slice(&self, pid: i32) -> Result<String> {
        self.of_cgroup(pid, |path| unit::user_slice(path).map(str::to_owned))
    }

    /// The user whose slice it is in: not always the user it runs as.
    ///
    /// # Errors
    /// ESRCH, ENXIO
    pub fn pid_owner(&self, pid: i32) -> Result<u32> {
        self.of_cgroup(pid, unit::owner)
    }

    /// The machine, container or VM, that it is a part of.
    ///
    /// # Errors
    /// ESRCH, ENXIO; ENOENT if its unit is no machine's.
    pub fn pid_machine(&self, pid: i32) -> Result<String> {
        self.of_cgroup(pid, |path| self.machine_of_unit(unit::unit(path)?))
    }

    /// The machine that a unit is: machined leaves a symbolic link whose text is the name.
    fn machine_of_unit(&self, unit: &str) -> Result<String> {
        let link = self.path(&format!("/run/systemd/machines/unit:{unit}"));
        let name = fs::read_link(link).map_err(|error| errno_of(&error))?;
        name.into_os_string()
            .into_string()
            .map_err(|_| Errno::INVAL)
    }

    fn of_cgroup<T>(&self, pid: i32, read: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        self.cgroup(pid).and_then(|path| read(&path))
    }

    /// The number of the process that a pidfd is of.
    ///
    /// # Errors
    /// EBADF if it is not open, ENOTTY if it is no pidfd, ESRCH if its process has ended.
    pub fn pid_of(&self, pidfd: BorrowedFd<'_>) -> Result<i32> {
        let file = self.path(&format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()));
        let info = fs::read_to_string(file).map_err(|error| match errno_of(&error) {
            Errno::NOENT => Errno::BADF,
            errno => errno,
        })?;
        match pid_in(&info)? {
            pid if pid > 0 => Ok(pid),
            // Of a pid namespace that is not below ours.
            0 => Err(Errno::REMOTE),
            _ => Err(Errno::SRCH),
        }
    }

    /// Asks something about the process of a pidfd, and makes sure that it was that process all the while.
    ///
    /// # Errors
    /// Of [`Login::pid_of`], and those of `ask`.
    pub fn of_pidfd<T>(
        &self,
        pidfd: BorrowedFd<'_>,
        ask: impl FnOnce(&Self, i32) -> Result<T>,
    ) -> Result<T> {
        let answer = ask(self, self.pid_of(pidfd)?)?;
        // The kernel shows the number for as long as nobody has waited for the process: until then it is no other's.
        self.pid_of(pidfd).map(|_| answer)
    }
}

/// How sd_pid_get_session(3) and its like say that something is not so of a process; sd_peer_get_session(3) does not.
pub fn no_data(errno: Errno) -> Errno {
    match errno {
        Errno::NXIO | Errno::NOMEDIUM => Errno::NODATA,
        errno => errno,
    }
}

/// `Pid:` of proc_pid_fdinfo(5); it is -1 when the process was waited for.
fn pid_in(info: &str) -> Result<i32> {
    let value = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    parse_i32(value.ok_or(Errno::NOTTY)?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_of_a_pidfd() {
        assert_eq!(pid_in("pos:\t0\nPid:\t17\nNSpid:\t17\n"), Ok(17));
        assert_eq!(pid_in("Pid:\t-1\n"), Ok(-1));
        assert_eq!(pid_in("pos:\t0\n"), Err(Errno::NOTTY));
    }
}
