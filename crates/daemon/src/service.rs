//! io.systemd.service: what every daemon of systemd answers about itself.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use crate::log;

/// The interface, which needs nothing of the state.
#[must_use]
pub const fn interface<S>() -> Interface<S> {
    Interface {
        name: "io.systemd.service",
        description: include_str!("io.systemd.service.varlink"),
        methods: &[
            Method("Ping", |_, call| Box::pin(ping(call))),
            Method("SetLogLevel", |_, call| Box::pin(set_log_level(call))),
            Method("GetLogLevel", |_, call| Box::pin(get_log_level(call))),
            Method("GetEnvironment", |_, call| Box::pin(get_environment(call))),
        ],
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Level {
    /// A level of syslog(3), by its number.
    level: usize,
}

fn root_only(call: &Call<'_>) -> Result<(), Failure> {
    match call.peer().uid() {
        0 => Ok(()),
        _ => Err(Failure::permission_denied()),
    }
}

async fn ping(call: Call<'_>) -> Result<Answer, Failure> {
    call.parameters::<Nothing>()?;
    call.done().await
}

async fn set_log_level(call: Call<'_>) -> Result<Answer, Failure> {
    let wrong = || Failure::invalid_parameter("level");
    let Level { level } = call.parameters()?;
    let level = log::level_of_number(level).ok_or_else(wrong)?;
    root_only(&call)?;
    log::set_level(level).map_err(|_| wrong())?;
    call.done().await
}

async fn get_log_level(call: Call<'_>) -> Result<Answer, Failure> {
    call.parameters::<Nothing>()?;
    let level = log::number_of_level();
    call.reply(&Level { level }).await
}

async fn get_environment(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    struct Environment {
        environment: Vec<String>,
    }
    call.parameters::<Nothing>()?;
    root_only(&call)?;
    let assignment = |(name, value): (OsString, OsString)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        Some(format!("{name}={value}"))
    };
    let environment = std::env::vars_os().filter_map(assignment).collect();
    call.reply(&Environment { environment }).await
}
