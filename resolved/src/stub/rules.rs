//! Which questions are refused before anyone is asked.

use hickory_proto::op::ResponseCode;

use super::query::{Query, bit};

/// Classes: the internet, and any.
const IN: u16 = 1;
const ANY: u16 = 255;

/// The code that a question is refused with; `None`: it is looked up. The codes are those of systemd's stub.
pub(super) fn refusal(query: &Query<'_>) -> Option<ResponseCode> {
    if query.edns.is_some_and(|edns| edns.version != 0) {
        // RFC 6891, 6.1.3
        return Some(ResponseCode::BADVERS);
    }
    match query.rtype {
        // None at all, OPT, RRSIG, TKEY, TSIG: nothing that can be asked for.
        0 | 41 | 46 | 249 | 250 => return Some(ResponseCode::FormErr),
        // MD, MF, MB, MG, MR, NULL, WKS, MINFO, NXT, A6: obsolete. IXFR, AXFR: transfers. MAILB, MAILA: obsolete.
        3 | 4 | 7..=11 | 14 | 30 | 38 | 251..=254 => return Some(ResponseCode::Refused),
        _ => {}
    }
    // Without recursion only what is cached could be told, which is nobody's business.
    let served = matches!(query.class, IN | ANY) && query.has(bit::RECURSION_DESIRED);
    (!served).then_some(ResponseCode::Refused)
}

/// Whether a question goes to the servers as it is: the client validates by itself.
pub(super) fn bypasses(query: &Query<'_>) -> bool {
    query.dnssec_ok() && query.has(bit::CHECKING_DISABLED)
}
