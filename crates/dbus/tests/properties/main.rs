//! What holds of any message, tried with many that are made up, the same ones in every run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod damage;
mod noise;
mod oracle;
mod round_trip;
mod value;
