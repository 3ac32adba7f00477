//! Packets to try the stub with: queries, and what becomes of them by damage. The same ones for the same start.

/// Queries to begin with: plain, EDNS with DO, EDNS with options, TSIG behind OPT.
const SEEDS: [&[u8]; 4] = [
    b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01",
    b"\x12\x34\x01\x20\0\x01\0\0\0\0\0\x01\x03wWw\x07eXample\x03com\0\0\x1c\0\x01\0\0\x29\x10\0\0\0\x80\0\0\0",
    b"\0\x01\x01\0\0\x01\0\0\0\0\0\x01\0\0\x02\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x08abcdefgh",
    b"\0\x02\x01\x10\0\x01\0\0\0\0\0\x02\x01a\0\0\x10\0\x01\0\0\x29\x02\0\0\0\0\0\0\0\xc0\x0c\0\xfa\0\xff\0\0\0\0\0\x02xy",
];

/// Numbers that look random (xorshift64).
#[derive(Clone, Debug)]
pub struct Packets(u64);

impl Packets {
    /// `start`: not 0.
    pub const fn new(start: u64) -> Self {
        Self(start)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or_default()
    }

    fn damage(&mut self, packet: &mut Vec<u8>) {
        let at = self.below(packet.len());
        let byte = self.byte();
        match self.below(6) {
            0 => packet.truncate(at),
            1 => packet.insert(at, byte),
            2 if !packet.is_empty() => drop(packet.remove(at)),
            3 => packet.extend(std::iter::repeat_n(byte, at)),
            4 => {
                let other = SEEDS
                    .get(self.below(SEEDS.len()))
                    .copied()
                    .unwrap_or_default();
                packet.extend(other.iter().skip(at));
            }
            _ => {
                if let Some(place) = packet.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
}

impl Iterator for Packets {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let seed = self.below(SEEDS.len() + 1);
        let mut packet = match SEEDS.get(seed) {
            Some(seed) => seed.to_vec(),
            None => (0..self.below(80)).map(|_| self.byte()).collect(),
        };
        for _ in 0..self.below(5) {
            self.damage(&mut packet);
        }
        Some(packet)
    }
}
