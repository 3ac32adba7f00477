//! BLAKE2b-256 with a salt and a personalization (RFC 7693 and the BLAKE2 paper, section 2.8).
//!
//! Ours, because the reader goes into every process: docs/decisions.md has the sizes. Tests hold it
//! against RustCrypto's.

/// The words that every state begins with (RFC 7693, section 2.6).
const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Which words of the message each round takes, a hexadecimal digit each (RFC 7693, section 2.7).
const ROUNDS: [u64; 12] = [
    0x0123_4567_89ab_cdef,
    0xea48_9fd6_1c02_b753,
    0xb8c0_52fd_ae36_7194,
    0x7931_dcbe_265a_40f8,
    0x9057_24af_e1bc_683d,
    0x2c6a_0b83_4d75_fe19,
    0xc51f_ed4a_0763_928b,
    0xdb7e_c139_50f4_862a,
    0x6fe9_b308_c2d7_14a5,
    0xa284_7615_fb9e_3cd0,
    0x0123_4567_89ab_cdef,
    0xea48_9fd6_1c02_b753,
];

/// The bytes of a block.
const BLOCK: usize = 128;

/// The digest of `message`: 32 bytes, as four words that stand for theirs, the lowest first.
pub(crate) fn digest(salt: &[u8; 16], person: &[u8; 16], message: &[u8]) -> [u64; 4] {
    let mut state = IV;
    // A digest of 32 bytes, no key, and one leaf of a tree that is none.
    state[0] ^= 0x0101_0020;
    let ([a, b], [c, d]) = (words(salt), words(person));
    state[4] ^= a;
    state[5] ^= b;
    state[6] ^= c;
    state[7] ^= d;

    let mut rest = message;
    let mut taken: u64 = 0;
    loop {
        let (block, after) = rest.split_at_checked(BLOCK).unwrap_or((rest, &[]));
        rest = after;
        taken = taken.wrapping_add(block.len() as u64);
        let last = rest.is_empty();
        compress(&mut state, &words(block), taken, last);
        if last {
            let [a, b, c, d, ..] = state;
            return [a, b, c, d];
        }
    }
}

/// Bytes as words, with zeros for those that are missing.
fn words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut words = [0; N];
    let (whole, part) = bytes.as_chunks();
    for (word, bytes) in words.iter_mut().zip(whole) {
        *word = u64::from_le_bytes(*bytes);
    }
    if let Some(word) = words.get_mut(whole.len()) {
        for byte in part.iter().rev() {
            *word = *word << 8 | u64::from(*byte);
        }
    }
    words
}

/// F of RFC 7693, section 3.2. No message is so long that the upper half of the counter is not zero.
fn compress(state: &mut [u64; 8], block: &[u64; 16], taken: u64, last: bool) {
    let [a, b, c, d, e, f, g, h] = *state;
    let [i, j, k, l, m, n, o, p] = IV;
    let o = if last { !o } else { o };
    let mut v = [a, b, c, d, e, f, g, h, i, j, k, l, m ^ taken, n, o, p];
    for mut round in ROUNDS {
        let mut word = || {
            round = round.rotate_left(4);
            block.get((round & 15) as usize).copied().unwrap_or(0)
        };
        macro_rules! mix {
            ($a:literal $b:literal $c:literal $d:literal) => {
                v[$a] = v[$a].wrapping_add(v[$b]).wrapping_add(word());
                v[$d] = (v[$d] ^ v[$a]).rotate_right(32);
                v[$c] = v[$c].wrapping_add(v[$d]);
                v[$b] = (v[$b] ^ v[$c]).rotate_right(24);
                v[$a] = v[$a].wrapping_add(v[$b]).wrapping_add(word());
                v[$d] = (v[$d] ^ v[$a]).rotate_right(16);
                v[$c] = v[$c].wrapping_add(v[$d]);
                v[$b] = (v[$b] ^ v[$c]).rotate_right(63);
            };
        }
        mix!(0 4 8 12);
        mix!(1 5 9 13);
        mix!(2 6 10 14);
        mix!(3 7 11 15);
        mix!(0 5 10 15);
        mix!(1 6 11 12);
        mix!(2 7 8 13);
        mix!(3 4 9 14);
    }
    let (low, high) = v.split_at(8);
    for ((word, low), high) in state.iter_mut().zip(low).zip(high) {
        *word ^= low ^ high;
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    use super::digest;

    // The values are Python's, whose hashlib has the reference implementation.

    fn bytes(words: [u64; 4]) -> impl Iterator<Item = u8> {
        words.into_iter().flat_map(u64::to_le_bytes)
    }

    fn hexadecimal(words: [u64; 4]) -> String {
        bytes(words).map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn without_a_salt_it_is_plain_blake2b() {
        let expected = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
        assert_eq!(hexadecimal(digest(&[0; 16], &[0; 16], b"abc")), expected);
    }

    #[test]
    fn messages_of_every_length_are_as_the_reference_has_them() {
        let expected = "58d7bca492d3509e0f15edf011898e0fccec068841ba5808d24ac5b8aed3ed15";
        let salt: [u8; 16] = core::array::from_fn(|at| at as u8);
        let person: [u8; 16] = core::array::from_fn(|at| at as u8 + 100);
        let message: Vec<u8> = (0..600).map(|at| (at * 7 + 3) as u8).collect();
        let mut all = Vec::new();
        for length in 0..600 {
            all.extend(bytes(digest(&salt, &person, &message[..length])));
        }
        // The digest of the digests.
        assert_eq!(hexadecimal(digest(&[0; 16], &[0; 16], &all)), expected);
    }
}
