//! Hexadecimal digits.

/// The byte of two digits.
pub(crate) fn byte(high: u8, low: u8) -> Option<u8> {
    let value = |digit: u8| -> Option<u8> { char::from(digit).to_digit(16)?.try_into().ok() };
    Some(value(high)? << 4 | value(low)?)
}

/// Bytes as digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of these digits; nothing if they are none.
pub(crate) fn decode(digits: &str) -> Option<Vec<u8>> {
    match digits.as_bytes().as_chunks::<2>() {
        (pairs, []) => pairs.iter().map(|[high, low]| byte(*high, *low)).collect(),
        _ => None,
    }
}
