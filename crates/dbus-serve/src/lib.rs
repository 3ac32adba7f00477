//! D-Bus objects served from tables, over zbus: introspection, properties, callers, polkit
