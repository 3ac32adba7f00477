//! Texts that calls, files and command lines have.

use dbus_serve::{decode_label, encode_label};
use resolved::{
    config::{domain, server},
    local::literal,
    name,
};

/// A name, a server, a domain, a label of an object's path: what is read is what is read of it when it is written.
pub fn name_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(read) = name::parse(text) {
        let written = name::format(&read);
        assert!(written.chars().all(|c| !c.is_control()), "{written:?}");
        assert_eq!(name::parse(&written), Ok(read), "{written:?}");
    }
    if let Ok(read) = server::parse(text, &|_| Some(7)) {
        let written = server::format(&read);
        assert_eq!(server::parse(&written, &|_| Some(7)), Ok(read), "{written}");
    }
    if let Ok(read) = domain::parse(text) {
        let written = domain::format(&read);
        assert_eq!(domain::parse(&written), Ok(read), "{written}");
    }
    let label = encode_label(text);
    assert!(
        label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    );
    assert_eq!(decode_label(&label).as_deref(), Some(text));
    if let Some(decoded) = decode_label(text) {
        assert_eq!(decode_label(&encode_label(&decoded)), Some(decoded));
    }
    drop(literal(text, 0, &resolved::links::Network::default()));
}
