//! io.systemd.Resolve.Monitor: watching the resolver. For root, and for whom polkit lets.

use std::rc::Rc;

use serde::Deserialize;
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use super::{call::allow, configuration, dump, query_results};
use crate::{access::Action, manager::Manager};

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.systemd.Resolve.Monitor",
    description: include_str!("io.systemd.Resolve.Monitor.varlink"),
    methods: &[
        Method("SubscribeQueryResults", |m, call| {
            Box::pin(subscribe_query_results(m, call))
        }),
        Method("SubscribeDNSConfiguration", |m, call| {
            Box::pin(subscribe_configuration(m, call))
        }),
        Method("DumpCache", |m, call| Box::pin(dump_cache(m, call))),
        Method("DumpServerState", |m, call| {
            Box::pin(dump_server_state(m, call))
        }),
        Method("DumpStatistics", |m, call| {
            Box::pin(dump_statistics(m, call))
        }),
        Method("ResetStatistics", |m, call| {
            Box::pin(reset_statistics(m, call))
        }),
        Method("FlushCaches", |m, call| Box::pin(flush_caches(m, call))),
        Method("ResetServerFeatures", |m, call| {
            Box::pin(reset_server_features(m, call))
        }),
    ],
};

/// Lets the caller in. No method here has parameters but this one, which every method of systemd has that asks polkit.
async fn admit(manager: &Rc<Manager>, call: &Call<'_>, action: Action) -> Result<(), Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        allow_interactive_authentication: Option<bool>,
    }
    let p: Parameters = call.parameters()?;
    allow(
        manager,
        call,
        action,
        p.allow_interactive_authentication,
        &[],
    )
    .await
}

async fn subscribe_query_results(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    if !call.more() {
        return Err(Failure::expected_more());
    }
    admit(manager, &call, Action::SubscribeQueryResults).await?;
    query_results::follow(manager, call).await
}

async fn subscribe_configuration(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    if !call.more() {
        return Err(Failure::expected_more());
    }
    admit(manager, &call, Action::SubscribeDnsConfiguration).await?;
    configuration::follow(manager, call).await
}

async fn dump_cache(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    admit(manager, &call, Action::DumpCache).await?;
    call.reply(&dump::cache(manager)).await
}

async fn dump_server_state(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    admit(manager, &call, Action::DumpServerState).await?;
    call.reply(&dump::server_state(manager)).await
}

async fn dump_statistics(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    admit(manager, &call, Action::DumpStatistics).await?;
    call.reply(&dump::statistics(manager)).await
}

async fn reset_statistics(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    admit(manager, &call, Action::ResetStatistics).await?;
    manager.reset_statistics();
    call.done().await
}

async fn flush_caches(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    admit(manager, &call, Action::FlushCaches).await?;
    manager.flush_caches();
    call.done().await
}

async fn reset_server_features(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    admit(manager, &call, Action::ResetServerFeatures).await?;
    manager.reset_server_features();
    call.done().await
}
