//! io.systemd.Resolve: looking up.

use std::rc::Rc;

use varlink_serve::{Interface, Method};

use super::{
    browse, configuration,
    lookup::{self, Form},
};
use crate::manager::Manager;

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.systemd.Resolve",
    description: include_str!("io.systemd.Resolve.varlink"),
    methods: &[
        Method("ResolveHostname", |m, call| {
            Box::pin(lookup::hostname(m, call, Form::Systemd))
        }),
        Method("ResolveAddress", |m, call| {
            Box::pin(lookup::address(m, call, Form::Systemd))
        }),
        Method("ResolveService", |m, call| {
            Box::pin(lookup::service(m, call))
        }),
        Method("ResolveRecord", |m, call| Box::pin(lookup::record(m, call))),
        Method("BrowseServices", |m, call| {
            Box::pin(browse::browse(m, call))
        }),
        Method("DumpDNSConfiguration", |m, call| {
            Box::pin(configuration::dump(m, call))
        }),
    ],
};
