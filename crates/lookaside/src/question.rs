//! What is asked.

/// The longest name, with a dot at its end (RFC 1035, section 2.3.4, counts 255 bytes on the wire).
const LONGEST: usize = 254;

/// The family of addresses that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 and IPv6
    Any,
    /// IPv4
    Inet,
    /// IPv6
    Inet6,
}

/// The kinds of questions, each a bit of its own.
pub(crate) const NAME: u8 = 1;
pub(crate) const ADDRESS: u8 = 2;

impl Family {
    fn number(self) -> u8 {
        match self {
            Family::Any => 0,
            Family::Inet => 4,
            Family::Inet6 => 6,
        }
    }
}

/// A question, in the form that it is hashed in: kind, family, and the name or the address.
#[derive(Clone, Debug)]
pub struct Question {
    message: [u8; 2 + LONGEST],
    length: usize,
}

impl Question {
    /// The addresses of a name, whatever its case. `None` if it is empty or longer than 254 bytes: no
    /// map has those. A dot at its end is part of the name; whoever knows that it means nothing takes
    /// it off.
    pub fn name(name: &[u8], family: Family) -> Option<Self> {
        if name.is_empty() || name.len() > LONGEST {
            return None;
        }
        Some(Self::new([NAME, family.number()], name))
    }

    /// The names of an address: 4 or 16 bytes in network order.
    pub fn address(octets: &[u8]) -> Option<Self> {
        let family = match octets.len() {
            4 => Family::Inet,
            16 => Family::Inet6,
            _ => return None,
        };
        let mut new = Self::new([ADDRESS, family.number()], &[]);
        new.append(octets.iter().copied());
        Some(new)
    }

    /// A number by which it can be told from others, not to be relied on against who chooses names.
    #[cfg(any(test, feature = "writer"))]
    pub fn digest(&self) -> u64 {
        use std::hash::{DefaultHasher, Hasher};
        let mut hasher = DefaultHasher::new();
        hasher.write(self.message());
        hasher.finish()
    }

    fn new(head: [u8; 2], name: &[u8]) -> Self {
        let mut new = Self {
            message: [0; 2 + LONGEST],
            length: 0,
        };
        new.append(head.into_iter());
        new.append(name.iter().map(u8::to_ascii_lowercase));
        new
    }

    fn append(&mut self, bytes: impl Iterator<Item = u8>) {
        let free = self.message.iter_mut().skip(self.length);
        for (place, byte) in free.zip(bytes) {
            *place = byte;
            self.length += 1;
        }
    }

    /// [`NAME`] or [`ADDRESS`].
    pub(crate) fn kind(&self) -> u32 {
        self.message().first().copied().unwrap_or(0).into()
    }

    pub(crate) fn message(&self) -> &[u8] {
        self.message.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_a_name_means_nothing() {
        let question = Question::name(b"Www.EXAMPLE.com", Family::Inet6).unwrap();
        assert_eq!(question.message(), b"\x01\x06www.example.com");
    }

    #[test]
    fn an_address_is_taken_as_it_is() {
        let question = Question::address(b"ABCD").unwrap();
        assert_eq!(question.message(), b"\x02\x04ABCD");
        assert_eq!(Question::address(&[b'A'; 16]).unwrap().message()[1], 6);
        assert!(Question::address(&[0; 5]).is_none());
    }

    #[test]
    fn what_is_too_long_is_no_question() {
        assert!(Question::name(b"", Family::Any).is_none());
        assert!(Question::name(&[b'a'; 255], Family::Any).is_none());
        let longest = Question::name(&[b'a'; 254], Family::Any).unwrap();
        assert_eq!(longest.message().len(), 256);
    }
}
