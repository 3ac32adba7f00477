//! sd-event.h

mod add;
mod child;
mod default;
mod io;
mod limit;
mod object;
mod run;
mod settings;
mod source;
mod state;
pub mod sys;
mod time;
