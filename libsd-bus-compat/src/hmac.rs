//! HMAC over SHA-256 (RFC 2104).

use crate::sha256::digest;

/// The code of a message under a key of no more than a block.
pub fn hmac_sha256(key: &[u8; 16], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let keyed = |pad: u8, message: &[u8]| {
        let mut whole = block.map(|byte| byte ^ pad).to_vec();
        whole.extend(message);
        digest(&whole)
    };
    keyed(0x5c, &keyed(0x36, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 has no key of 16 bytes; python's hmac module gave this.
    #[test]
    fn a_key_of_sixteen_bytes() {
        let mut key = [0; 16];
        for (byte, value) in key.iter_mut().zip(1..) {
            *byte = value;
        }
        let code = hmac_sha256(&key, b"what do ya want for nothing?");
        assert_eq!(code, EXPECTED);
    }

    const EXPECTED: [u8; 32] = [
        0x5a, 0x17, 0xec, 0x71, 0x7f, 0x42, 0xde, 0xd7, 0x92, 0xac, 0x2d, 0x6b, 0xce, 0x63, 0x49,
        0xa3, 0xed, 0xcd, 0x46, 0xb3, 0xa1, 0xdf, 0xe3, 0xd9, 0x5c, 0xc9, 0x2e, 0xbe, 0x85, 0x98,
        0x8e, 0x79,
    ];
}
