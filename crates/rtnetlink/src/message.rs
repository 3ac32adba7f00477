//! Messages in a datagram: netlink(7), and `struct nlmsghdr` of linux/netlink.h.

/// NLMSG_ERROR: the kernel refused, or acknowledged.
pub(crate) const ERROR: u16 = 2;
/// NLMSG_DONE: the end of a dump.
pub(crate) const DONE: u16 = 3;

/// NLM_F_REQUEST
pub(crate) const REQUEST: u16 = 0x1;
/// NLM_F_DUMP_INTR: what was dumped changed meanwhile, and part of it may be missing.
pub(crate) const INTERRUPTED: u16 = 0x10;
/// NLM_F_ROOT | NLM_F_MATCH
pub(crate) const DUMP: u16 = 0x300;

/// Bytes of the header.
const HEADER: usize = 16;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    /// That of the question it answers.
    pub sequence: u32,
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The message as it is sent. It needs no padding: `body` is a multiple of four bytes in all that we ask.
    pub fn to_bytes(self) -> Vec<u8> {
        let length = u32::try_from(HEADER + self.body.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEADER + self.body.len());
        bytes.extend(length.to_ne_bytes());
        bytes.extend(self.kind.to_ne_bytes());
        bytes.extend(self.flags.to_ne_bytes());
        bytes.extend(self.sequence.to_ne_bytes());
        // The port of the sender: the kernel knows it.
        bytes.extend([0; 4]);
        bytes.extend(self.body);
        bytes
    }

    /// The error in an NLMSG_ERROR or NLMSG_DONE, as errno; 0 for none.
    pub fn errno(&self) -> i32 {
        u32_at(self.body, 0).map_or(0, |code| code.cast_signed().saturating_neg())
    }
}

/// The messages of a datagram, in order. What is cut short is left out.
pub(crate) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(datagram, 0)?).ok()?;
        let message = datagram.get(..length)?;
        let body = message.get(HEADER..)?;
        // Each begins at a multiple of four.
        datagram = datagram
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
        Some(Message {
            kind: u16_at(message, 4)?,
            flags: u16_at(message, 6)?,
            sequence: u32_at(message, 8)?,
            body,
        })
    })
}

/// A number in the machine's byte order.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A number in the machine's byte order.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_datagrams_end() {
        let cases: [&[u8]; 6] = [
            &[],
            &[1, 2, 3],
            &[0; 16],
            &[255; 64],
            &[16, 0, 0, 0],
            &[8, 0, 0, 0, 0, 0, 0, 0],
        ];
        for case in cases {
            assert_eq!(messages(case).count(), 0);
        }
    }

    #[test]
    fn two_messages_and_a_rest() {
        let first = Message {
            kind: DONE,
            flags: INTERRUPTED,
            sequence: 7,
            body: &[1, 2, 3, 4, 5],
        };
        let second = Message { body: &[], ..first };
        let mut datagram = first.to_bytes();
        datagram.extend([0; 3]);
        datagram.extend(second.to_bytes());
        datagram.extend([9; 5]);
        assert_eq!(messages(&datagram).collect::<Vec<_>>(), [first, second]);
    }

    #[test]
    fn errors_are_negative() {
        let body = (-16i32).to_ne_bytes();
        let message = Message {
            kind: ERROR,
            flags: 0,
            sequence: 0,
            body: &body,
        };
        assert_eq!(message.errno(), 16);
    }
}
