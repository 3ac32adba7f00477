//! sd-event without C: when what is called.
//!
//! A [`Loop`] knows sources by number and says which is next. What is called for it is C's, and is kept and called by `ffi`.

mod add;
mod clock;
mod enable;
mod epoll;
mod inotify;
mod limit;
mod poll;
mod pressure;
mod signal;
mod source;
mod turn;
mod watchdog;

pub use self::add::{BLOCK, open_watched};
pub use self::clock::{Clock, NEVER, timespec};
pub use self::limit::RateLimit;
pub use self::poll::Elapsed;
pub use self::pressure::{Pressure, Stall};
pub use self::signal::{SignalSet, is_signal, name as signal_name};
pub use self::source::{Child, Enabled, Happened, Id, Kind, Source, Time};
pub use self::turn::{Loop, Occurrence};
