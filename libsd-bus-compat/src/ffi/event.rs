//! sd-event.h

mod add;
mod child;
mod default;
mod io;
mod object;
mod run;
mod source;
mod state;
pub mod sys;
mod time;
