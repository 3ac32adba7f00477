//! Bytes that are nearly right: kept ones, damaged. The same ones in every run.

/// Numbers that parsers stumble over, in one byte and more.
const ODD: [&[u8]; 10] = [
    b"\0",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\xc0\x0c",
    b"-1",
    b"99999999999999999999",
];

/// Longer ones tell nothing new.
const LONGEST: usize = 8192;

pub struct Damage<'k> {
    kept: &'k [Vec<u8>],
    /// xorshift, Marsaglia 2003.
    state: u64,
    bytes: Vec<u8>,
}

impl<'k> Damage<'k> {
    pub fn new(kept: &'k [Vec<u8>]) -> Self {
        Self {
            kept,
            state: 0x9e37_79b9_7f4a_7c15,
            bytes: Vec::new(),
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap() % end.max(1)
    }

    /// A part of one that is kept.
    fn part(&mut self) -> &'k [u8] {
        let kept = &self.kept[self.below(self.kept.len())];
        let begin = self.below(kept.len() + 1);
        let length = self.below(kept.len() - begin + 1);
        &kept[begin..begin + length]
    }

    pub fn next(&mut self) -> &[u8] {
        // Damage on damage now and then leads further.
        if self.below(4) > 0 || self.bytes.len() > LONGEST {
            self.bytes = self.kept[self.below(self.kept.len())].clone();
        }
        for _ in 0..=self.below(6) {
            self.once();
        }
        &self.bytes
    }

    fn once(&mut self) {
        let at = self.below(self.bytes.len() + 1);
        let to = at + self.below((self.bytes.len() - at + 1).min(16));
        let byte = u8::try_from(self.below(256)).unwrap();
        match self.below(9) {
            0 => self.bytes.truncate(at),
            1 => drop(self.bytes.drain(at..to)),
            2 => self.bytes.insert(at, byte),
            3 => {
                let odd = ODD[self.below(ODD.len())];
                drop(self.bytes.splice(at..to, odd.iter().copied()));
            }
            4 => {
                let part = self.part();
                drop(self.bytes.splice(at..to, part.iter().copied()));
            }
            5 => {
                let again = self.bytes[at..to].to_vec();
                drop(self.bytes.splice(at..at, again));
            }
            6 => {
                if let Some(place) = self.bytes.get_mut(at) {
                    *place ^= 1 << (byte % 8);
                }
            }
            7 => {
                if let Some(place) = self.bytes.get_mut(at) {
                    *place = place.wrapping_add(byte % 3).wrapping_sub(1);
                }
            }
            _ => {
                if let Some(place) = self.bytes.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
}
