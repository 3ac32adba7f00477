//! The interfaces that every object has, as tables for introspection. Their calls are answered in [`crate::serve`] and
//! [`crate::properties`], because they need to see the whole tree.

use crate::table::{Handler, Interface, Method, Reply, Signal};

pub(crate) const PEER: &str = "org.freedesktop.DBus.Peer";
pub(crate) const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";
pub(crate) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// In the order of introspection data.
pub(crate) const DESCRIBED: &[&Interface<()>] =
    &[&PEER_TABLE, &INTROSPECTABLE_TABLE, &PROPERTIES_TABLE];

/// Stands in the tables, and is never asked.
const ELSEWHERE: Handler<()> = Handler::Now(elsewhere);

fn elsewhere((): &(), call: &crate::Call) -> Reply {
    call.reply(&())
}

static PEER_TABLE: Interface<()> = Interface {
    name: PEER,
    methods: &[
        Method::new("Ping", &[], &[], ELSEWHERE),
        Method::new("GetMachineId", &[], &[("s", "machine_uuid")], ELSEWHERE),
    ],
    properties: &[],
    signals: &[],
};

static INTROSPECTABLE_TABLE: Interface<()> = Interface {
    name: INTROSPECTABLE,
    methods: &[Method::new(
        "Introspect",
        &[],
        &[("s", "xml_data")],
        ELSEWHERE,
    )],
    properties: &[],
    signals: &[],
};

static PROPERTIES_TABLE: Interface<()> = Interface {
    name: PROPERTIES,
    methods: &[
        Method::new(
            "Get",
            &[("s", "interface_name"), ("s", "property_name")],
            &[("v", "value")],
            ELSEWHERE,
        ),
        Method::new(
            "GetAll",
            &[("s", "interface_name")],
            &[("a{sv}", "props")],
            ELSEWHERE,
        ),
        Method::new(
            "Set",
            &[
                ("s", "interface_name"),
                ("s", "property_name"),
                ("v", "value"),
            ],
            &[],
            ELSEWHERE,
        ),
    ],
    properties: &[],
    signals: &[Signal {
        name: "PropertiesChanged",
        args: &[
            ("s", "interface_name"),
            ("a{sv}", "changed_properties"),
            ("as", "invalidated_properties"),
        ],
    }],
};
