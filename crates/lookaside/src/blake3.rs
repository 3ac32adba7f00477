//! BLAKE3, keyed (J. O'Connor, J.-P. Aumasson, S. Neves, Z. Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", 2020), of
//! messages that are one chunk: 1,024 bytes at most, so that there is no tree.
//!
//! Ours, because the reader goes into every process: docs/decisions.md has the sizes.

/// The words that every state has (section 2.2): the first bits of the square roots of primes, as in SHA-256.
const IV: [u32; 4] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a];

/// How often the state is mixed (section 2.2).
const ROUNDS: usize = 7;

/// The bytes of a block.
pub(crate) const BLOCK: usize = 64;

/// What a block is (section 2.2, table 3).
mod flag {
    pub(super) const CHUNK_START: u32 = 1;
    pub(super) const CHUNK_END: u32 = 2;
    pub(super) const ROOT: u32 = 8;
    pub(super) const KEYED_HASH: u32 = 16;
}

/// A message under way, which is handed over block by block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyed {
    state: [u32; 8],
    start: u32,
}

impl Keyed {
    /// With a key of 32 bytes, in two halves.
    pub(crate) fn new([one, other]: [&[u8; 16]; 2]) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (words(one), words(other));
        Self {
            state: [a, b, c, d, e, f, g, h],
            start: flag::CHUNK_START,
        }
    }

    /// Takes a block that is not the last.
    pub(crate) fn block(&mut self, block: &[u8; BLOCK]) {
        let flags = self.start | flag::KEYED_HASH;
        self.state = compress(&self.state, block, BLOCK, flags);
        self.start = 0;
    }

    /// The digest: the words stand for their bytes, the lowest first. The last block has `length` bytes, and zeros after them.
    pub(crate) fn last(self, block: &[u8; BLOCK], length: usize) -> [u32; 8] {
        let flags = self.start | flag::KEYED_HASH | flag::CHUNK_END | flag::ROOT;
        compress(&self.state, block, length, flags)
    }
}

fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u32; WORDS] {
    let mut words = [0; WORDS];
    let (chunks, _) = bytes.as_chunks();
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*chunk);
    }
    words
}

/// The words of a message as the next round takes them (section 2.2, table 2).
fn permuted([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [u32; 16]) -> [u32; 16] {
    [c, g, d, k, h, a, e, n, b, l, m, f, j, o, p, i]
}

/// The first half of what section 2.2 has the compression function give. A chunk that is the only one has the number 0.
fn compress(state: &[u32; 8], block: &[u8; BLOCK], length: usize, flags: u32) -> [u32; 8] {
    let [a, b, c, d, e, f, g, h] = *state;
    let [i, j, k, l] = IV;
    let mut v = [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l,
        0,
        0,
        length as u32,
        flags,
    ];
    let mut m: [u32; 16] = words(block);
    macro_rules! mix {
        ($a:literal $b:literal $c:literal $d:literal, $x:literal $y:literal) => {
            v[$a] = v[$a].wrapping_add(v[$b]).wrapping_add(m[$x]);
            v[$d] = (v[$d] ^ v[$a]).rotate_right(16);
            v[$c] = v[$c].wrapping_add(v[$d]);
            v[$b] = (v[$b] ^ v[$c]).rotate_right(12);
            v[$a] = v[$a].wrapping_add(v[$b]).wrapping_add(m[$y]);
            v[$d] = (v[$d] ^ v[$a]).rotate_right(8);
            v[$c] = v[$c].wrapping_add(v[$d]);
            v[$b] = (v[$b] ^ v[$c]).rotate_right(7);
        };
    }
    // A loop, in which the words of the message are moved each time: 2 kB less for 14 ns of a name that is not remembered.
    for _ in 0..ROUNDS {
        mix!(0 4 8 12, 0 1);
        mix!(1 5 9 13, 2 3);
        mix!(2 6 10 14, 4 5);
        mix!(3 7 11 15, 6 7);
        mix!(0 5 10 15, 8 9);
        mix!(1 6 11 12, 10 11);
        mix!(2 7 8 13, 12 13);
        mix!(3 4 9 14, 14 15);
        m = permuted(m);
    }
    let (low, high) = v.split_at(8);
    let mut new = [0; 8];
    for ((word, low), high) in new.iter_mut().zip(low).zip(high) {
        *word = low ^ high;
    }
    new
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    use super::{BLOCK, Keyed};

    // The values are those of the reference implementation.

    fn digest(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
        let (one, other) = key.split_first_chunk().unwrap();
        let mut hash = Keyed::new([one, other.try_into().unwrap()]);
        let mut rest = message;
        while let Some((block, after)) = rest
            .split_first_chunk()
            .filter(|(_, after)| !after.is_empty())
        {
            hash.block(block);
            rest = after;
        }
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        let words = hash.last(&block, rest.len());
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        bytes.try_into().unwrap()
    }

    fn hexadecimal(bytes: [u8; 32]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn values_are_as_published() {
        // keyed_hash of the first two of test_vectors.json.
        let key = b"whats the Elvish word for friend";
        let empty = "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26";
        assert_eq!(hexadecimal(digest(key, b"")), empty);
        let zero = "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b";
        assert_eq!(hexadecimal(digest(key, &[0])), zero);
    }

    #[test]
    fn messages_of_every_length_are_as_the_reference_has_them() {
        let expected = "27e6eb8e061c6553059568d20a15cef111634dc735be77ac4b55f704b9ac99ac";
        let message: Vec<u8> = (0..600).map(|at| (at * 7 + 3) as u8).collect();
        // Each digest is the key of the next.
        let mut key = core::array::from_fn(|at| at as u8 + 100);
        for length in 0..600 {
            key = digest(&key, &message[..length]);
        }
        assert_eq!(hexadecimal(key), expected);
    }
}
