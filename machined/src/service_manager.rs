//! The service manager, where there is one on the bus: org.freedesktop.systemd1(5).

use std::{fs, num::NonZeroUsize, os::fd::AsFd, time::Duration};

use futures_util::StreamExt;
use serde::Serialize;
use zbus::{
    Connection, DynamicType, MatchRule, Message, MessageStream, message,
    wire::{Fd, ObjectPath, OwnedObjectPath, OwnedVariant, Variant},
};

use crate::{error::Error, leader::Leader};

const NAME: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const INTERFACE: &str = "org.freedesktop.systemd1.Manager";

/// How long the service manager may take to answer, and to make a scope.
const PATIENCE: Duration = Duration::from_secs(25);

/// Tasks of a machine unless the caller says otherwise.
pub(crate) const TASKS_MAX: u64 = 16384;

/// The slice of a machine unless the caller says otherwise.
pub(crate) const SLICE: &str = "machine.slice";

/// Properties of a unit, as its caller gave them.
pub(crate) type Properties = Vec<(String, OwnedVariant)>;

/// A service manager on the bus.
pub(crate) struct ServiceManager(Connection);

impl ServiceManager {
    /// The one of this machine, if it has any. systemd is one as PID 1 alone, so the kernel can tell: where there is none,
    /// no bus is asked, and one that hangs keeps nobody waiting.
    ///
    /// # Errors
    /// [`Error::TimedOut`] if the bus does not say; [`Error::NotAvailable`] if systemd runs the machine, but can't be
    /// talked to: nobody else may make cgroups then (<https://systemd.io/CGROUP_DELEGATION>).
    pub async fn find(bus: Option<Connection>) -> Result<Option<Self>, Error> {
        if !systemd_runs_this_machine() {
            return Ok(None);
        }
        let absent =
            || Error::NotAvailable("systemd runs this machine, but is not on the bus".to_owned());
        let bus = bus.ok_or_else(absent)?;
        let (name, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
        let asked = bus.call_method(Some(name), path, Some(name), "NameHasOwner", &NAME);
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let answer = answer.map_err(|_| timed_out("NameHasOwner"))?;
        let is_there = answer.and_then(|answer| answer.body().deserialize());
        match is_there.map_err(failed("NameHasOwner"))? {
            true => Ok(Some(Self(bus))),
            false => Err(absent()),
        }
    }

    /// Makes a scope with this process in it. Returns when it stands.
    ///
    /// # Errors
    /// [`Error::JobFailed`] if it can't be made; [`Error::TimedOut`].
    pub async fn start_scope(
        &self,
        scope: &str,
        description: &str,
        leader: &Leader,
        user: u32,
        properties: &Properties,
    ) -> Result<(), Error> {
        // The signal may come before the reply to the call that it is about.
        let mut signals = self.removed_jobs().await?;
        // Without a subscriber it sends its signals to nobody but, from 220 on, to whoever queued the job. An error means
        // that we have subscribed already.
        let _ = self.call("Subscribe", &()).await;
        let by_descriptor = (
            "PIDFDs",
            Variant::from(vec![Fd::from(leader.pidfd.as_fd())]),
        );
        let by_number = ("PIDs", Variant::from(vec![leader.pid]));
        let start = async |process| {
            let all = scope_properties(description, process, user, properties);
            let auxiliary: Vec<(&str, Vec<(&str, Variant<'_>)>)> = Vec::new();
            self.call("StartTransientUnit", &(scope, "fail", all, auxiliary))
                .await
        };
        // PIDFDs is known from 253 on; an older one refuses the property before it does anything. One that refuses because
        // the process has ended must not be given its number, which may be another's.
        let reply = match start(by_descriptor).await {
            Err(Error::JobFailed(_)) if leader.is_alive() => start(by_number).await?,
            reply => reply?,
        };
        let job: OwnedObjectPath = reply.body().deserialize().map_err(failed("job"))?;
        let result = tokio::time::timeout(PATIENCE, result_of(&job, &mut signals)).await;
        match result
            .map_err(|_| timed_out("StartTransientUnit"))?
            .as_deref()
        {
            Some("done") => Ok(()),
            Some(result) => Err(Error::JobFailed(format!(
                "The job for {scope} ended with: {result}"
            ))),
            None => Err(Error::JobFailed("The bus went away".to_owned())),
        }
    }

    /// Stops a unit; returns once that is under way.
    ///
    /// # Errors
    /// [`Error::JobFailed`], [`Error::TimedOut`].
    pub async fn stop(&self, unit: &str) -> Result<(), Error> {
        self.call("StopUnit", &(unit, "fail")).await.map(drop)
    }

    /// Signals all processes of a unit.
    ///
    /// # Errors
    /// [`Error::JobFailed`], [`Error::TimedOut`].
    pub async fn kill(&self, unit: &str, signal: i32) -> Result<(), Error> {
        self.call("KillUnit", &(unit, "all", signal))
            .await
            .map(drop)
    }

    /// Gives back the reference that AddRef took: the unit goes when its last process does.
    pub async fn unref(&self, unit: &str) {
        if let Err(error) = self.call("UnrefUnit", &unit).await {
            tracing::debug!("Failed to give {unit} back: {error}");
        }
    }

    async fn removed_jobs(&self) -> Result<MessageStream, Error> {
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(NAME)
            .path(PATH);
        let rule = rule.interface(INTERFACE).member("JobRemoved").build();
        let rule = rule.map_err(failed("match rule"))?;
        // Room for the jobs of others that end meanwhile: a full queue drops the oldest.
        let room = NonZeroUsize::new(1024);
        let stream = MessageStream::for_match_rule(rule, &self.0, room);
        stream.await.map_err(failed("match rule"))
    }

    async fn call<B: Serialize + DynamicType>(
        &self,
        method: &str,
        body: &B,
    ) -> Result<Message, Error> {
        let reply = self
            .0
            .call_method(Some(NAME), PATH, Some(INTERFACE), method, body);
        let reply = tokio::time::timeout(PATIENCE, reply).await;
        reply
            .map_err(|_| timed_out(method))?
            .map_err(failed(method))
    }
}

/// Whether PID 1 is systemd, which names itself so whatever it was started as.
fn systemd_runs_this_machine() -> bool {
    fs::read_to_string("/proc/1/comm").is_ok_and(|name| name.trim_end() == "systemd")
}

/// Ours first, then the caller's, of which the last counts.
fn scope_properties<'a>(
    description: &'a str,
    process: (&'a str, Variant<'a>),
    user: u32,
    properties: &'a Properties,
) -> Vec<(&'a str, Variant<'a>)> {
    let mut all = vec![
        ("Description", Variant::from(description)),
        ("Slice", Variant::from(SLICE)),
        process,
        ("Delegate", Variant::from(true)),
        ("CollectMode", Variant::from("inactive-or-failed")),
        ("AddRef", Variant::from(true)),
        ("TasksMax", Variant::from(TASKS_MAX)),
    ];
    if user != 0 {
        all.push(("User", Variant::from(user.to_string())));
    }
    for (name, value) in properties {
        // Fails only for descriptors, when there is none left.
        if let Ok(value) = value.try_clone() {
            all.push((name, value.into()));
        }
    }
    all
}

/// How the job ended: `done`, `failed`, …; `None` if the bus went away.
async fn result_of(job: &ObjectPath<'_>, signals: &mut MessageStream) -> Option<String> {
    while let Some(Ok(signal)) = signals.next().await {
        let body = signal.body();
        let arguments: Result<(u32, ObjectPath<'_>, &str, &str), _> = body.deserialize();
        match arguments {
            Ok((_, path, _, result)) if path == *job => return Some(result.to_owned()),
            _ => {}
        }
    }
    None
}

fn failed(what: &str) -> impl FnOnce(zbus::Error) -> Error {
    move |error| Error::JobFailed(format!("The service manager refused ({what}): {error}"))
}

fn timed_out(method: &str) -> Error {
    Error::TimedOut(format!(
        "The service manager did not answer {method} in time"
    ))
}
