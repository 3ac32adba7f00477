//! What is known of a user who is logged in.

use super::state::State;
use super::{Login, Which};
use crate::number::{is_uid, parse_u64, parse_uid};
use crate::{Errno, Result};

impl Login {
    /// `offline`, `lingering`, `online`, `active` or `closing`.
    ///
    /// # Errors
    /// Here and below: EINVAL for a number that no user has.
    pub fn uid_state(&self, uid: u32) -> Result<String> {
        match self.user(uid)? {
            None => Ok("offline".to_owned()),
            Some(state) => state.get("STATE").map(str::to_owned).ok_or(Errno::IO),
        }
    }

    /// The session that is the user's graphical one.
    ///
    /// # Errors
    /// ENODATA if there is none.
    pub fn uid_display(&self, uid: u32) -> Result<String> {
        let state = self.user(uid)?.ok_or(Errno::NODATA)?;
        state.get("DISPLAY").map(str::to_owned).ok_or(Errno::NODATA)
    }

    /// When the user logged in, in µs of the wall clock.
    ///
    /// # Errors
    /// ENXIO if the user is not.
    pub fn uid_login_time(&self, uid: u32) -> Result<u64> {
        let state = self.user(uid)?.ok_or(Errno::NXIO)?;
        parse_u64(state.get("REALTIME").ok_or(Errno::IO)?)
    }

    /// Sessions.
    ///
    /// # Errors
    /// EINVAL
    pub fn uid_sessions(&self, uid: u32, which: Which) -> Result<Vec<String>> {
        self.user_words(
            uid,
            match which {
                Which::Active => "ACTIVE_SESSIONS",
                Which::Online => "ONLINE_SESSIONS",
                Which::All => "SESSIONS",
            },
        )
    }

    /// The seats of these sessions.
    ///
    /// # Errors
    /// EINVAL
    pub fn uid_seats(&self, uid: u32, which: Which) -> Result<Vec<String>> {
        self.user_words(
            uid,
            match which {
                Which::Active => "ACTIVE_SEATS",
                Which::Online => "ONLINE_SEATS",
                Which::All => "SEATS",
            },
        )
    }

    /// Whether the user has a session on a seat, in its foreground if `active`.
    ///
    /// # Errors
    /// Of the seat, as [`Login::seat_active`] has them, but that there is no such seat.
    pub fn uid_is_on_seat(&self, uid: u32, active: bool, seat: Option<&str>) -> Result<bool> {
        if !is_uid(uid) {
            return Err(Errno::INVAL);
        }
        let state = match self.seat(seat) {
            Ok(state) => state,
            Err(Errno::NXIO) => return Ok(false),
            Err(errno) => return Err(errno),
        };
        let key = if active { "ACTIVE_UID" } else { "UIDS" };
        let found = state.words(key).any(|word| parse_uid(word) == Ok(uid));
        Ok(found)
    }

    fn user_words(&self, uid: u32, key: &str) -> Result<Vec<String>> {
        let Some(state) = self.user(uid)? else {
            return Ok(Vec::new());
        };
        let mut words: Vec<String> = Vec::new();
        for word in state.words(key) {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        Ok(words)
    }

    fn user(&self, uid: u32) -> Result<Option<State>> {
        match is_uid(uid) {
            true => State::find(&self.path(&format!("/run/systemd/users/{uid}"))),
            false => Err(Errno::INVAL),
        }
    }
}
