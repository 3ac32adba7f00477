//! Who is logged in, which machines run, and to whom a process belongs (sd-login(3)).
//!
//! All of it is read out of /run/systemd and /proc; nobody is asked.

mod cgroup;
mod list;
mod machine;
mod monitor;
mod process;
mod seat;
mod session;
mod state;
pub mod unit;
mod user;

use std::path::{Path, PathBuf};

pub use self::monitor::{Category, monitor};
pub use self::process::no_data;
pub use self::seat::{Active, SeatSessions};
pub(crate) use self::state::State;

/// The files of a system.
#[derive(Clone, Debug)]
pub struct Login {
    root: PathBuf,
}

/// Which sessions of a user are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those in the foreground of a seat.
    Active,
    /// Those that are not being closed.
    Online,
    /// All.
    All,
}

impl Login {
    /// Of the system this process runs on.
    pub fn system() -> Self {
        Self::below(Path::new("/"))
    }

    /// Of a tree of files.
    pub fn below(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::Errno;

    /// The files of a system with one session and one machine.
    fn system() -> (tempfile::TempDir, Login) {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run/systemd");
        for (file, text) in [
            (
                "sessions/1",
                "UID=1000\nACTIVE=1\nSTATE=active\nSEAT=seat0\n",
            ),
            (
                "users/1000",
                "STATE=active\nSESSIONS=1 2 1\nACTIVE_SESSIONS=1\n",
            ),
            (
                "seats/seat0",
                "ACTIVE=1\nACTIVE_UID=1000\nSESSIONS=1\nUIDS=1000\nCAN_TTY=yes\n",
            ),
            ("machines/web", "CLASS=container\nNETIF=\"5 3\"\n"),
        ] {
            let path = run.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        symlink("web", run.join("machines/unit:machine-web.scope")).unwrap();
        let login = Login::below(root.path());
        (root, login)
    }

    #[test]
    fn what_the_files_say() {
        let (_root, login) = system();
        assert_eq!(login.session_is_active(Some("1")), Ok(true));
        assert_eq!(login.session_uid(Some("1")), Ok(1000));
        assert_eq!(login.session_vt(Some("1")), Err(Errno::IO));
        assert_eq!(login.session_state(Some("2")), Err(Errno::NXIO));
        assert_eq!(login.session_state(Some("../1")), Err(Errno::INVAL));
        assert_eq!(login.uid_sessions(1000, Which::All).unwrap(), ["1", "2"]);
        assert_eq!(login.uid_state(1001).unwrap(), "offline");
        assert_eq!(login.uid_is_on_seat(1000, true, Some("seat0")), Ok(true));
        assert_eq!(login.seat_active(Some("seat0")).unwrap().uid, Some(1000));
        assert_eq!(login.seat_can(Some("seat0"), "CAN_TTY"), Ok(true));
        assert_eq!(
            login.seat_can(Some("../seat0"), "CAN_TTY"),
            Err(Errno::INVAL)
        );
        assert_eq!(login.machine_class("web").unwrap(), "container");
        assert_eq!(login.machine_ifindices("web").unwrap(), [5, 3]);
    }

    #[test]
    fn what_there_is() {
        let (root, login) = system();
        assert_eq!(login.machines().unwrap(), ["web"]);
        assert_eq!(login.uids().unwrap(), [1000]);
        fs::remove_dir_all(root.path().join("run/systemd/seats")).unwrap();
        assert_eq!(login.seats().unwrap(), [""; 0]);
        let wants_seats = monitor(&login, &Category::ALL);
        assert_eq!(wants_seats.err(), Some(Errno::NOENT));
        monitor(&login, &[Category::Machine]).unwrap();
    }
}
