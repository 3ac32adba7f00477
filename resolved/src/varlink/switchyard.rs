//! io.switchyard.Resolve: what is said and told beyond io.systemd.Resolve.

use std::rc::Rc;

use varlink_serve::{Interface, Method};

use super::{
    cache,
    lookup::{self, Form},
    settings,
};
use crate::manager::Manager;

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.switchyard.Resolve",
    description: include_str!("io.switchyard.Resolve.varlink"),
    methods: &[
        Method("ResolveHostname", |m, call| {
            Box::pin(lookup::hostname(m, call, Form::Switchyard))
        }),
        Method("ResolveAddress", |m, call| {
            Box::pin(lookup::address(m, call, Form::Switchyard))
        }),
        Method("SetLink", |m, call| Box::pin(settings::set_link(m, call))),
        Method("RevertLink", |m, call| {
            Box::pin(settings::revert_link(m, call))
        }),
        Method("FlushCaches", |m, call| Box::pin(cache::flush(m, call))),
        Method("CacheStatistics", |m, call| {
            Box::pin(cache::statistics(m, call))
        }),
        Method("ResetServerFeatures", |m, call| {
            Box::pin(settings::reset_server_features(m, call))
        }),
    ],
};
