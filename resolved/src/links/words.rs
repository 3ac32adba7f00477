//! Lists of words in the files about links.

use hickory_proto::rr::Name;

use crate::server::DnsServer;

/// Reads every word, or none.
pub(super) fn all<T>(
    text: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    text.split_whitespace().map(read).collect()
}

/// A server of this link.
pub(super) fn server(word: &str, ifindex: u32) -> Result<DnsServer, String> {
    let server = crate::config::server::parse(word, &|_| None)?;
    if server.ifindex != 0 && server.ifindex != ifindex {
        return Err(format!("{word:?} is a server of another link"));
    }
    Ok(DnsServer { ifindex, ..server })
}

/// A name on the wire.
pub(super) fn name(word: &str) -> Result<Name, String> {
    let name = crate::name::parse(word).ok();
    name.as_ref()
        .and_then(crate::name::to_ascii)
        .ok_or_else(|| format!("{word:?} is no domain name"))
}
