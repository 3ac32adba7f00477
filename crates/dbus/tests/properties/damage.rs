//! Any bytes are a message or are refused.

use dbus::{Error, Message};
use zbus::wire::Endian;

use crate::{
    noise::Noise,
    oracle,
    value::{any_message, read_all},
};

/// What is neither a message nor malformed is a fault of ours, and so is what a reader takes that a check refuses.
#[test]
fn damaged_messages_are_read_or_refused() {
    let mut noise = Noise::new(2);
    let (mut parsed, mut whole) = (0, 0);
    for _ in 0..2000 {
        let (values, message) = any_message(&mut noise);
        let kept = match values.as_slice() {
            [] => [message.head(), message.body()].concat(),
            values => oracle::bytes(values, *noise.pick(&[Endian::Little, Endian::Big])),
        };
        for _ in 0..20 {
            let mut bytes = kept.clone();
            for _ in 0..=noise.below(3) {
                // Lengths and types, which lead far, are hit more often.
                let at = noise.below(bytes.len());
                bytes[at] = match noise.below(3) {
                    0 => noise.next() as u8,
                    1 => bytes[at] ^ 1 << noise.below(8),
                    _ => *noise.pick(b"\0\x01\x04\x08\x7f\xffavs({"),
                };
            }
            let message = match Message::parse(bytes, 0) {
                Ok(message) => message,
                Err(error) => {
                    assert_eq!(error, Error::Malformed);
                    continue;
                }
            };
            parsed += 1;
            let (checked, read) = (message.check(), read_all(&message));
            if checked.is_ok() {
                whole += 1;
                assert!(read.is_ok(), "{message:?}");
            }
            assert!(matches!(read, Ok(_) | Err(Error::Malformed)), "{message:?}");
        }
    }
    // Enough of both came about.
    assert!(
        parsed > 5000 && whole > 2000 && parsed - whole > 1000,
        "{parsed} {whole}"
    );
}
