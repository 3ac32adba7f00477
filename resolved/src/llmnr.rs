//! Link-local multicast name resolution (RFC 4795): resolver and responder.
