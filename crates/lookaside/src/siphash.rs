//! SipHash-2-4 of eight bytes (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012).

/// The value under `key` of the little-endian bytes of `message`.
pub(crate) fn siphash(key: [u64; 2], message: u64) -> u64 {
    /// The length of the message, in the highest byte of its last block.
    const END: u64 = 8 << 56;
    let [k0, k1] = key;
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    for block in [message, END] {
        v[3] ^= block;
        round(&mut v);
        round(&mut v);
        v[0] ^= block;
    }
    v[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[inline(always)]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    #![expect(deprecated, reason = "the hasher of std's that is SipHash-2-4")]

    use std::hash::{Hasher, SipHasher};

    use super::siphash;

    #[test]
    fn a_value_is_as_the_reference_has_it() {
        // vectors_sip64[8] of the reference implementation: the key is 00, 01, … 0f, the message 00, 01, … 07.
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        assert_eq!(siphash(key, key[0]), 0x93f5_f579_9a93_2462);
    }

    #[test]
    fn values_are_as_std_has_them() {
        let mut random: u64 = 1;
        let mut next = || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            random
        };
        for _ in 0..1000 {
            let (k0, k1, message) = (next(), next(), next());
            let mut hasher = SipHasher::new_with_keys(k0, k1);
            hasher.write(&message.to_le_bytes());
            assert_eq!(siphash([k0, k1], message), hasher.finish());
        }
    }
}
