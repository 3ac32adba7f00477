//! The four lookups of both interfaces: host name, address, record, service.
