//! What is known of a seat: a screen, a keyboard, and who sits there.

use super::Login;
use super::state::State;
use crate::number::{parse_boolean, parse_uid};
use crate::{Errno, Result};

/// Who is in the foreground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// The session.
    pub session: Option<String>,
    /// Its user.
    pub uid: Option<u32>,
}

/// The sessions of a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatSessions {
    /// Their names.
    pub sessions: Vec<String>,
    /// Their users.
    pub uids: Vec<u32>,
}

impl Login {
    /// Who is in the foreground.
    ///
    /// # Errors
    /// Here and below: EINVAL for a name that no seat can have, ENXIO without such a seat, ENODATA if it is not known.
    /// Without a name the seat of this process's own session is meant.
    pub fn seat_active(&self, seat: Option<&str>) -> Result<Active> {
        let state = self.seat(seat)?;
        Ok(Active {
            session: state.get("ACTIVE").map(str::to_owned),
            uid: state.get("ACTIVE_UID").map(parse_uid).transpose()?,
        })
    }

    /// Its sessions.
    ///
    /// # Errors
    /// As [`Login::seat_active`].
    pub fn seat_sessions(&self, seat: Option<&str>) -> Result<SeatSessions> {
        let state = self.seat(seat)?;
        let uids = state.words("UIDS").map(parse_uid);
        Ok(SeatSessions {
            sessions: state.words("SESSIONS").map(str::to_owned).collect(),
            uids: uids.collect::<Result<_>>()?,
        })
    }

    /// What it can do: `CAN_TTY`, `CAN_GRAPHICAL`.
    ///
    /// # Errors
    /// As [`Login::seat_active`].
    pub fn seat_can(&self, seat: Option<&str>, key: &str) -> Result<bool> {
        let state = self.seat(seat)?;
        parse_boolean(state.get(key).ok_or(Errno::NODATA)?)
    }

    pub(super) fn seat(&self, seat: Option<&str>) -> Result<State> {
        let own;
        let seat = match seat {
            Some(seat) => seat,
            None => {
                own = self.session_text(None, "SEAT")?;
                &own
            }
        };
        match seat {
            "" | "." | ".." => Err(Errno::INVAL),
            seat if seat.len() > 255 || seat.contains('/') => Err(Errno::INVAL),
            seat => State::known(&self.path(&format!("/run/systemd/seats/{seat}"))),
        }
    }
}
