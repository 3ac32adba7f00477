//! A Varlink server over zlink: one task a connection, limits, credentials, introspection
