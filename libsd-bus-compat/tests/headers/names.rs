//! Which type and which number of the code is which of the headers.

/// What the types of each module of `ffi` are called in C, where it has any. A module within another that has one of the same
/// name is taken by itself.
pub const TYPES: &[(&str, &[(&str, &str)])] = &[
    (
        "bus",
        &[
            ("Bus", "sd_bus"),
            ("Creds", "sd_bus_creds"),
            ("Destroy", "sd_bus_destroy_t"),
            ("Enumerate", "sd_bus_node_enumerator_t"),
            ("Error", "sd_bus_error"),
            ("Event", "sd_event"),
            ("Find", "sd_bus_object_find_t"),
            ("Handler", "sd_bus_message_handler_t"),
            ("Id", "sd_id128_t"),
            ("List", "struct arguments"),
            ("MapEntry", "sd_bus_error_map"),
            ("Message", "sd_bus_message"),
            ("Raw", "sd_bus_vtable"),
            ("Slot", "sd_bus_slot"),
            ("Track", "sd_bus_track"),
        ],
    ),
    (
        "bus::track",
        &[
            ("TrackHandler", "sd_bus_track_handler_t"),
            ("Track", "sd_bus_track"),
            ("Bus", "sd_bus"),
            ("Message", "sd_bus_message"),
            ("Destroy", "sd_bus_destroy_t"),
        ],
    ),
    (
        "event",
        &[
            ("ChildHandler", "sd_event_child_handler_t"),
            ("Destroy", "sd_event_destroy_t"),
            ("Event", "sd_event"),
            ("Handler", "sd_event_handler_t"),
            ("InotifyHandler", "sd_event_inotify_handler_t"),
            ("IoHandler", "sd_event_io_handler_t"),
            ("SignalHandler", "sd_event_signal_handler_t"),
            ("Source", "sd_event_source"),
            ("TimeHandler", "sd_event_time_handler_t"),
        ],
    ),
    ("id128", &[("Id", "sd_id128_t")]),
    ("login", &[("Monitor", "sd_login_monitor")]),
];

/// Objects that C holds by a pointer alone. In Rust it is const, since several may share one; in C it is not.
pub const OBJECTS: &[&str] = &[
    "sd_bus",
    "sd_bus_creds",
    "sd_bus_message",
    "sd_bus_slot",
    "sd_bus_track",
    "sd_event",
    "sd_event_source",
];

/// Functions that C hands an object as const.
pub const OF_CONST: &[&str] = &["sd_bus_creds_get_mask", "sd_bus_creds_get_augmented_mask"];

/// Structures that programs hold: of C, the module, of Rust, and the fields of both. The layout of sd_bus_vtable is in no type of
/// Rust's, since there are two of it; that programs compiled with the header work is shown where it is read.
pub const STRUCTURES: &[Structure] = &[
    Structure {
        in_c: "sd_bus_error",
        module: "bus",
        name: "Error",
        fields: &[
            ("name", "name"),
            ("message", "message"),
            ("_need_free", "need_free"),
        ],
    },
    Structure {
        in_c: "sd_bus_error_map",
        module: "bus",
        name: "MapEntry",
        fields: &[("name", "name"), ("code", "code")],
    },
    Structure {
        in_c: "sd_id128_t",
        module: "id128",
        name: "Id",
        fields: &[("bytes", "bytes")],
    },
];

/// A structure that programs hold, in both languages.
pub struct Structure {
    pub in_c: &'static str,
    pub module: &'static str,
    pub name: &'static str,
    pub fields: &'static [(&'static str, &'static str)],
}

/// Numbers of a module, and of C.
pub const CONSTANTS: &[(&str, &[(&str, &str)])] = &[
    (
        "ffi::bus::vtable",
        &[
            ("DEPRECATED", "SD_BUS_VTABLE_DEPRECATED"),
            ("HIDDEN", "SD_BUS_VTABLE_HIDDEN"),
            ("UNPRIVILEGED", "SD_BUS_VTABLE_UNPRIVILEGED"),
            ("METHOD_NO_REPLY", "SD_BUS_VTABLE_METHOD_NO_REPLY"),
            ("PROPERTY_CONST", "SD_BUS_VTABLE_PROPERTY_CONST"),
            (
                "PROPERTY_EMITS_CHANGE",
                "SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE",
            ),
            (
                "PROPERTY_EMITS_INVALIDATION",
                "SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION",
            ),
            ("PROPERTY_EXPLICIT", "SD_BUS_VTABLE_PROPERTY_EXPLICIT"),
            ("SENSITIVE", "SD_BUS_VTABLE_SENSITIVE"),
            ("ABSOLUTE_OFFSET", "SD_BUS_VTABLE_ABSOLUTE_OFFSET"),
        ],
    ),
    (
        "ffi::bus::names",
        &[
            ("REPLACE_EXISTING", "SD_BUS_NAME_REPLACE_EXISTING"),
            ("ALLOW_REPLACEMENT", "SD_BUS_NAME_ALLOW_REPLACEMENT"),
            ("QUEUE", "SD_BUS_NAME_QUEUE"),
        ],
    ),
    ("event::add", &[("BLOCK", "SD_EVENT_SIGNAL_PROCMASK")]),
    (
        "ffi::event::object",
        &[
            ("Initial", "SD_EVENT_INITIAL"),
            ("Armed", "SD_EVENT_ARMED"),
            ("Pending", "SD_EVENT_PENDING"),
            ("Running", "SD_EVENT_RUNNING"),
            ("Exiting", "SD_EVENT_EXITING"),
            ("Finished", "SD_EVENT_FINISHED"),
            ("Preparing", "SD_EVENT_PREPARING"),
        ],
    ),
];

/// Numbers of C, and what Rust has for them where a test can see it.
pub fn values() -> Vec<(&'static str, u64)> {
    use dbus::message::Kind;
    use dbus::types;
    let mut all = vec![
        (
            "SD_LISTEN_FDS_START",
            sd_bus_compat::daemon::START.try_into().unwrap(),
        ),
        ("SD_BUS_MESSAGE_METHOD_CALL", Kind::MethodCall.code().into()),
        (
            "SD_BUS_MESSAGE_METHOD_RETURN",
            Kind::MethodReturn.code().into(),
        ),
        ("SD_BUS_MESSAGE_METHOD_ERROR", Kind::Error.code().into()),
        ("SD_BUS_MESSAGE_SIGNAL", Kind::Signal.code().into()),
    ];
    let types = [
        ("SD_BUS_TYPE_BYTE", types::BYTE),
        ("SD_BUS_TYPE_BOOLEAN", types::BOOLEAN),
        ("SD_BUS_TYPE_INT16", types::INT16),
        ("SD_BUS_TYPE_UINT16", types::UINT16),
        ("SD_BUS_TYPE_INT32", types::INT32),
        ("SD_BUS_TYPE_UINT32", types::UINT32),
        ("SD_BUS_TYPE_INT64", types::INT64),
        ("SD_BUS_TYPE_UINT64", types::UINT64),
        ("SD_BUS_TYPE_DOUBLE", types::DOUBLE),
        ("SD_BUS_TYPE_STRING", types::STRING),
        ("SD_BUS_TYPE_OBJECT_PATH", types::OBJECT_PATH),
        ("SD_BUS_TYPE_SIGNATURE", types::SIGNATURE),
        ("SD_BUS_TYPE_UNIX_FD", types::UNIX_FD),
        ("SD_BUS_TYPE_ARRAY", types::ARRAY),
        ("SD_BUS_TYPE_VARIANT", types::VARIANT),
        ("SD_BUS_TYPE_STRUCT", types::STRUCT),
        ("SD_BUS_TYPE_DICT_ENTRY", types::DICT_ENTRY),
    ];
    for (name, length) in [
        (
            "SD_BUS_MAXIMUM_SIGNATURE_LENGTH",
            dbus::signature::MAX_LENGTH,
        ),
        ("SD_BUS_MAXIMUM_NAME_LENGTH", dbus::name::MAX_LENGTH),
    ] {
        all.push((name, length.try_into().unwrap()));
    }
    macro_rules! masks {
        ($($name:ident)*) => {
            all.extend([$((
                concat!("SD_BUS_CREDS_", stringify!($name)),
                sd_bus_compat::bus::creds::mask::$name,
            )),*])
        };
    }
    masks! {
        PID TID PPID UID EUID SUID FSUID GID EGID SGID FSGID SUPPLEMENTARY_GIDS COMM TID_COMM EXE CMDLINE CGROUP UNIT SLICE USER_UNIT
        USER_SLICE SESSION OWNER_UID EFFECTIVE_CAPS PERMITTED_CAPS INHERITABLE_CAPS BOUNDING_CAPS SELINUX_CONTEXT AUDIT_SESSION_ID
        AUDIT_LOGIN_UID TTY UNIQUE_NAME WELL_KNOWN_NAMES DESCRIPTION PIDFD AUGMENT
    }
    all.extend(types.map(|(name, code)| (name, code.into())));
    all
}
