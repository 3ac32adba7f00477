//! io.systemd.service: what every daemon of systemd answers about itself.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use crate::manager::Manager;

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.systemd.service",
    description: include_str!("io.systemd.service.varlink"),
    methods: &[
        Method("Ping", |_, call| Box::pin(call.done())),
        Method("SetLogLevel", |_, call| Box::pin(set_log_level(call))),
        Method("GetEnvironment", |_, call| Box::pin(get_environment(call))),
    ],
};

fn root_only(call: &Call<'_>) -> Result<(), Failure> {
    match call.peer().uid() {
        0 => Ok(()),
        _ => Err(Failure::permission_denied()),
    }
}

/// syslog(3)'s levels, by their numbers.
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

async fn set_log_level(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        level: usize,
    }
    root_only(&call)?;
    let Parameters { level } = call.parameters()?;
    let level = LEVELS
        .get(level)
        .ok_or_else(|| Failure::invalid_parameter("level"))?;
    daemon::log::set_level(level).map_err(|_| Failure::invalid_parameter("level"))?;
    call.done().await
}

async fn get_environment(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    struct Environment {
        environment: Vec<String>,
    }
    root_only(&call)?;
    let assignment = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some(format!(
            "{}={}",
            name.into_string().ok()?,
            value.into_string().ok()?
        ))
    };
    let environment = std::env::vars_os().filter_map(assignment).collect();
    call.reply(&Environment { environment }).await
}
