//! What every lookup checks first.

use std::net::IpAddr;

use hickory_proto::rr::{DNSClass, Name, RecordType};

use crate::{failure::Failure, flags::Flags, name};

/// "Any" as both interfaces write an address family.
pub const AF_UNSPEC: i32 = 0;
/// IPv4.
pub const AF_INET: i32 = 2;
/// IPv6.
pub const AF_INET6: i32 = 10;

/// A link's number: 0 for any.
pub(super) fn ifindex(index: i64) -> Result<u32, Failure> {
    u32::try_from(index)
        .ok()
        .filter(|index| i32::try_from(*index).is_ok())
        .ok_or_else(|| invalid("ifindex", format!("{index} is no network interface")))
}

/// The types of records that hold addresses of a family.
pub(super) fn address_types(family: i32) -> Result<Vec<RecordType>, Failure> {
    match family {
        AF_UNSPEC => Ok(vec![RecordType::A, RecordType::AAAA]),
        AF_INET => Ok(vec![RecordType::A]),
        AF_INET6 => Ok(vec![RecordType::AAAA]),
        _ => Err(invalid(
            "family",
            format!("{family} is no address family of the Internet"),
        )),
    }
}

pub(super) fn flags(bits: u64, more: Flags) -> Result<Flags, Failure> {
    Flags::from_call(bits, more).ok_or_else(|| {
        invalid(
            "flags",
            format!("{bits:#x} has a bit that means nothing here"),
        )
    })
}

pub(super) fn host(text: &str) -> Result<Name, Failure> {
    name::parse(text).map_err(|_| invalid("name", format!("{text:?} is no domain name")))
}

/// An address of this family, in network order.
pub(crate) fn address(family: i32, bytes: &[u8]) -> Result<IpAddr, Failure> {
    let wrong = |_| {
        invalid(
            "address",
            format!("{} bytes are no address of family {family}", bytes.len()),
        )
    };
    match family {
        AF_INET => <[u8; 4]>::try_from(bytes).map(IpAddr::from).map_err(wrong),
        AF_INET6 => <[u8; 16]>::try_from(bytes).map(IpAddr::from).map_err(wrong),
        _ => Err(invalid(
            "family",
            format!("{family} is no address family of the Internet"),
        )),
    }
}

pub(super) fn invalid(parameter: &'static str, what: String) -> Failure {
    Failure::InvalidParameter(parameter, what)
}

/// Whether records of this type and class can be looked up at all.
///
/// # Errors
/// For pseudo-types and pseudo-classes (RFC 6895, 3.1), zone transfers, and types that RFCs made obsolete.
pub fn check_type(class: DNSClass, rtype: RecordType) -> Result<(), Failure> {
    /// Reserved, OPT, TKEY, TSIG: no data, but ways to ask.
    const PSEUDO: [u16; 4] = [0, 41, 249, 250];
    /// MD, MF, MB, MG, MR, NULL, WKS, MINFO, MAILB, MAILA: RFC 1035 and its successors. NXT: RFC 3755. A6: RFC 6563. Those are
    /// systemd-resolved's; others that nobody uses are let through.
    const OBSOLETE: [u16; 12] = [3, 4, 7, 8, 9, 10, 11, 14, 30, 38, 253, 254];
    match class {
        DNSClass::IN => {}
        // Nobody here speaks CHAOS or Hesiod.
        DNSClass::CH | DNSClass::HS | DNSClass::NONE | DNSClass::Unknown(_) => {
            return Err(Failure::NoNameServers);
        }
        DNSClass::ANY | DNSClass::OPT(_) => return Err(Failure::TypeInvalidForQuery),
    }
    let number = u16::from(rtype);
    if matches!(rtype, RecordType::AXFR | RecordType::IXFR) {
        Err(Failure::ZoneTransferNotPermitted)
    } else if PSEUDO.contains(&number) {
        Err(Failure::TypeInvalidForQuery)
    } else if OBSOLETE.contains(&number) {
        Err(Failure::TypeObsolete)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_can_not_be_asked_for() {
        let check = |rtype| check_type(DNSClass::IN, rtype);
        assert_eq!(check(RecordType::A), Ok(()));
        assert_eq!(check(RecordType::ANY), Ok(()));
        assert_eq!(
            check(RecordType::AXFR),
            Err(Failure::ZoneTransferNotPermitted)
        );
        assert_eq!(check(RecordType::OPT), Err(Failure::TypeInvalidForQuery));
        assert_eq!(check(RecordType::Unknown(3)), Err(Failure::TypeObsolete));
        assert_eq!(
            check_type(DNSClass::ANY, RecordType::A),
            Err(Failure::TypeInvalidForQuery)
        );
    }

    #[test]
    fn addresses_have_the_length_of_their_family() {
        assert!(address(AF_INET, &[1, 2, 3, 4]).is_ok());
        assert!(address(AF_INET6, &[0; 16]).is_ok());
        for (family, length) in [(AF_INET, 16), (AF_INET6, 4), (AF_INET, 0), (1, 4), (0, 4)] {
            assert!(
                address(family, &vec![0; length]).is_err(),
                "{family} {length}"
            );
        }
    }
}
