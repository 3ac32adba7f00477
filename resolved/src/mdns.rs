//! Multicast DNS and DNS-SD (RFC 6762, RFC 6763): resolver, responder, browser.
