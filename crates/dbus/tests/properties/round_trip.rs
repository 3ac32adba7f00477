//! What is built is read.

use dbus::Message;

use crate::{
    noise::Noise,
    value::{any_message, read_all},
};

#[test]
fn what_is_built_is_read() {
    let mut noise = Noise::new(1);
    let mut types = String::new();
    for _ in 0..4000 {
        let (values, message) = any_message(&mut noise);
        assert_eq!(message.check(), Ok(()), "{values:?}");
        assert_eq!(read_all(&message).as_ref(), Ok(&values));
        let bytes = [message.head(), message.body()].concat();
        assert_eq!(dbus::message::message_length(&bytes), Ok(bytes.len()));
        let received = Message::parse(bytes, 0).unwrap();
        assert_eq!(read_all(&received), Ok(values));
        let signature = message.signature();
        assert_eq!(
            message.cursor().skip(&message, Some(signature)),
            Ok(!signature.is_empty())
        );
        types += std::str::from_utf8(signature).unwrap();
    }
    // They were of all kinds.
    assert!("ybnqiuxtdsogav({".chars().all(|code| types.contains(code)));
    assert!(types.contains("a{s") && types.contains("a(") && types.contains("aa"));
}
