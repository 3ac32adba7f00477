//! Addresses as they stand on the wire, on either interface: a number for the family, and bytes.

use std::net::IpAddr;

/// AF_INET of Linux, which stands on the wire whatever the machine.
pub(crate) const AF_INET: i32 = 2;
/// AF_INET6 of Linux.
pub(crate) const AF_INET6: i32 = 10;

/// The family and the bytes of an address.
pub(crate) fn parts(ip: IpAddr) -> (i32, Vec<u8>) {
    match ip {
        IpAddr::V4(ip) => (AF_INET, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AF_INET6, ip.octets().to_vec()),
    }
}

/// The address of these bytes, if they fit the family.
pub(crate) fn address(family: i32, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        AF_INET6 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{address, parts};

    #[test]
    fn there_and_back() {
        assert_eq!(
            address(2, &[192, 0, 2, 1]).unwrap().to_string(),
            "192.0.2.1"
        );
        assert_eq!(address(10, &[0; 16]).unwrap().to_string(), "::");
        let (family, bytes) = parts("fe80::1".parse().unwrap());
        assert_eq!(address(family, &bytes).unwrap().to_string(), "fe80::1");
    }

    #[test]
    fn bytes_that_do_not_fit() {
        assert!(address(2, &[0; 16]).is_none() && address(10, &[0; 4]).is_none());
        assert!(address(1, &[0; 4]).is_none() && address(2, &[]).is_none());
    }
}
