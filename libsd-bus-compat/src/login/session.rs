//! What is known of a session.

use super::state::State;
use super::unit::is_session;
use super::{Login, no_data};
use crate::number::{parse_boolean, parse_pid, parse_u32, parse_u64, parse_uid};
use crate::{Errno, Result};

impl Login {
    /// Whether it is in the foreground of its seat.
    ///
    /// # Errors
    /// Here and below: EINVAL for a name that no session can have, ENXIO without such a session, ENODATA if what is asked is
    /// not known of it, EIO if it must be. Without a name this process's own session is meant.
    pub fn session_is_active(&self, session: Option<&str>) -> Result<bool> {
        let state = self.session(session)?;
        parse_boolean(state.get("ACTIVE").ok_or(Errno::IO)?)
    }

    /// Whether its user is at another computer.
    ///
    /// # Errors
    /// As [`Login::session_is_active`].
    pub fn session_is_remote(&self, session: Option<&str>) -> Result<bool> {
        let state = self.session(session)?;
        parse_boolean(state.get("REMOTE").ok_or(Errno::NODATA)?)
    }

    /// `online`, `active` or `closing`.
    ///
    /// # Errors
    /// As [`Login::session_is_active`].
    pub fn session_state(&self, session: Option<&str>) -> Result<String> {
        let state = self.session(session)?;
        state.get("STATE").map(str::to_owned).ok_or(Errno::IO)
    }

    /// Its user.
    ///
    /// # Errors
    /// As [`Login::session_is_active`].
    pub fn session_uid(&self, session: Option<&str>) -> Result<u32> {
        let state = self.session(session)?;
        parse_uid(state.get("UID").ok_or(Errno::IO)?)
    }

    /// The number of its virtual terminal.
    ///
    /// # Errors
    /// As [`Login::session_is_active`].
    pub fn session_vt(&self, session: Option<&str>) -> Result<u32> {
        let state = self.session(session)?;
        parse_u32(state.get("VTNR").ok_or(Errno::IO)?)
    }

    /// When it began, in µs of the wall clock.
    ///
    /// # Errors
    /// As [`Login::session_is_active`].
    pub fn session_start(&self, session: Option<&str>) -> Result<u64> {
        let state = self.session(session)?;
        parse_u64(state.get("REALTIME").ok_or(Errno::IO)?)
    }

    /// Its first process.
    ///
    /// # Errors
    /// As [`Login::session_is_active`].
    pub fn session_leader(&self, session: Option<&str>) -> Result<i32> {
        let state = self.session(session)?;
        parse_pid(state.get("LEADER").ok_or(Errno::NODATA)?)
    }

    /// What a key of its file says.
    ///
    /// # Errors
    /// As [`Login::session_is_active`].
    pub fn session_text(&self, session: Option<&str>, key: &str) -> Result<String> {
        let state = self.session(session)?;
        state.get(key).map(str::to_owned).ok_or(Errno::NODATA)
    }

    fn session(&self, session: Option<&str>) -> Result<State> {
        let own;
        let session = match session {
            Some(session) if is_session(session) => session,
            Some(_) => return Err(Errno::INVAL),
            None => {
                own = self.pid_session(0).map_err(no_data)?;
                &own
            }
        };
        State::known(&self.path(&format!("/run/systemd/sessions/{session}")))
    }
}
