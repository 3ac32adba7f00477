//! sd-event.h

mod add;
mod child;
pub mod default;
mod io;
mod limit;
pub mod object;
mod pressure;
mod run;
mod settings;
pub mod source;
mod state;
pub mod sys;
mod time;
