//! The shapes of io.systemd.Resolve's replies, which io.systemd's resolved and the hosts interface
//! of machined share.

use unix_call::Fault;

use crate::{Members, Scanner};

/// The Linux numbers of the families, `AF_INET` and `AF_INET6`.
const INET: i64 = 2;
const INET6: i64 = 10;

/// Something a reply holds, handed over as soon as it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// An address in network order: 4 bytes of IPv4 or 16 of IPv6.
    Address {
        /// The 4 or 16 bytes.
        octets: &'a [u8],
        /// The link it belongs to, 0 if the reply says none.
        ifindex: u32,
    },
    /// A name as the daemon spelled it: any UTF-8, NUL included.
    Name(&'a [u8]),
    /// For how many seconds the answer holds, of a daemon that tells.
    TimeToLive(u32),
}

/// Reads the parameters of a reply to `ResolveHostname`: addresses, the canonical name and the time
/// to live anywhere among them. Addresses of other families than the two are left out.
///
/// # Errors
/// [`Fault::Shape`] if `addresses` is missing, or any of them is not of the length of its family.
pub fn hostname(
    scanner: &mut Scanner<'_, '_>,
    found: &mut dyn FnMut(Found<'_>),
) -> Result<(), Fault> {
    let mut complete = Err(Fault::Shape);
    let mut members = Members::open(scanner, &[b"addresses", b"name", b"ttl"])?;
    while let Some(member) = members.next(scanner)? {
        match member {
            0 => {
                scanner.array()?;
                while scanner.element()? {
                    address(scanner, found)?;
                }
                complete = Ok(());
            }
            1 => found(Found::Name(scanner.string()?)),
            _ => found(Found::TimeToLive(scanner.integer()?)),
        }
    }
    complete
}

fn address(scanner: &mut Scanner<'_, '_>, found: &mut dyn FnMut(Found<'_>)) -> Result<(), Fault> {
    let (mut ifindex, mut family, mut octets) = (0, None, None);
    let mut members = Members::open(scanner, &[b"ifindex", b"family", b"address"])?;
    while let Some(member) = members.next(scanner)? {
        match member {
            0 => ifindex = scanner.optional_integer()?.unwrap_or(0),
            1 => family = Some(scanner.integer::<i64>()?),
            _ => octets = Some(Octets::read(scanner)?),
        }
    }
    let (family, octets) = family.zip(octets).ok_or(Fault::Shape)?;
    let expected = match family {
        INET => 4,
        INET6 => 16,
        _ => return Ok(()),
    };
    if octets.count != expected {
        return Err(Fault::Shape);
    }
    let octets = octets.bytes.get(..expected).unwrap_or_default();
    found(Found::Address { octets, ifindex });
    Ok(())
}

/// An array of bytes, of which the first 16 are kept.
struct Octets {
    bytes: [u8; 16],
    count: usize,
}

impl Octets {
    fn read(scanner: &mut Scanner<'_, '_>) -> Result<Self, Fault> {
        let mut octets = Self {
            bytes: [0; 16],
            count: 0,
        };
        scanner.array()?;
        while scanner.element()? {
            let octet = scanner.integer()?;
            if let Some(place) = octets.bytes.get_mut(octets.count) {
                *place = octet;
            }
            octets.count = octets.count.saturating_add(1);
        }
        Ok(octets)
    }
}

/// Reads the parameters of a reply to `ResolveAddress`: names, the canonical one first.
///
/// # Errors
/// [`Fault::Shape`] if `names` is missing, or any of them has none.
pub fn address_names(
    scanner: &mut Scanner<'_, '_>,
    found: &mut dyn FnMut(Found<'_>),
) -> Result<(), Fault> {
    let mut complete = Err(Fault::Shape);
    let mut members = Members::open(scanner, &[b"names", b"ttl"])?;
    while let Some(member) = members.next(scanner)? {
        if member == 1 {
            found(Found::TimeToLive(scanner.integer()?));
            continue;
        }
        scanner.array()?;
        while scanner.element()? {
            let mut named = Err(Fault::Shape);
            let mut members = Members::open(scanner, &[b"name"])?;
            while members.next(scanner)?.is_some() {
                found(Found::Name(scanner.string()?));
                named = Ok(());
            }
            named?;
        }
        complete = Ok(());
    }
    complete
}
