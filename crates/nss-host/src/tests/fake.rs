//! What the tests ask.

use super::set_errno;
use crate::*;

pub const LINK_LOCAL: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub const UNIQUE_LOCAL: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/// A service that answers by the name it is asked about.
pub struct Fake;

impl Hosts for Fake {
    fn by_name(question: ByName<'_>, answer: &mut AddressAnswer<'_>) -> Result<(), Failure> {
        // What a service does to errno is not the caller's business.
        set_errno(9999);
        let mut add = |octets: &[u8]| answer.address(Address::new(octets, 7).unwrap());
        match question.name {
            b"web" => {
                add(&[10, 0, 0, 1]);
                add(&UNIQUE_LOCAL);
                add(&LINK_LOCAL);
                answer.time_to_live(60);
            }
            b"alias" => {
                add(&[10, 0, 0, 1]);
                answer.canonical_name(b"canonical");
                answer.canonical_name(b"second");
            }
            b"mixed" => {
                for octets in [
                    &[10, 0, 0, 1][..],
                    &UNIQUE_LOCAL,
                    &[10, 0, 0, 2],
                    &LINK_LOCAL,
                ] {
                    add(octets);
                }
                answer.list_ipv6_first();
            }
            b"many" => (0..250).for_each(|i| add(&[10, 0, 0, i])),
            b"nothing" => {}
            b"unknown" => return Err(Failure::NotFound),
            b"range" => return Err(Failure::Unavailable(libc::ERANGE)),
            _ => return Err(Failure::TryAgain(libc::EAGAIN)),
        }
        Ok(())
    }

    fn by_address(question: Address, answer: &mut NameAnswer<'_>) -> Result<(), Failure> {
        if question.octets() == [10, 0, 0, 1] {
            answer.name(b"web");
            answer.name(b"www");
            answer.name(b"w3");
        }
        Ok(())
    }
}

impl Users for Fake {
    fn user(question: UserQuestion<'_>, answer: &mut UserAnswer<'_>) -> Result<(), Failure> {
        match question {
            UserQuestion::Name(b"alice") | UserQuestion::Id(1000) => {
                answer.name(b"alice");
                answer.uid(1000);
                answer.gid(100);
                answer.real_name(b"Alice");
                answer.home(b"/home/alice");
            }
            UserQuestion::Name(_) => answer.name(b"half"),
            UserQuestion::Id(_) => return Err(Failure::NotFound),
        }
        Ok(())
    }
}

impl Groups for Fake {
    fn group(_: UserQuestion<'_>, answer: &mut GroupAnswer<'_>) -> Result<(), Failure> {
        answer.name(b"users");
        answer.gid(100);
        Ok(())
    }
}
