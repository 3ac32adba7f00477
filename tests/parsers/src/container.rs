//! What comes out of containers.

use std::collections::HashSet;

use machined::trial::try_os_release;
use machined_enter::{
    Request,
    trial::{try_copy, try_user},
};

use crate::parts;

/// os-release(5): each field once, under a name that a shell could give it.
pub fn os_release(bytes: &[u8]) {
    let fields = try_os_release(bytes);
    let mut seen = HashSet::new();
    for (key, value) in &fields {
        assert!(seen.insert(key), "{key} twice");
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        assert!(!key.is_empty() && key.bytes().all(is_key) && !value.contains('\0'));
    }
}

/// passwd(5) and group(5): whoever is found has a number, and groups in order, each once.
pub fn user_database(bytes: &[u8]) {
    let text = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).into_owned();
    let mut parts = parts(bytes);
    let [key, passwd, group] = [(); 3].map(|()| text(parts.next()));
    let Some((uid, groups)) = try_user(&passwd, &group, &key) else {
        return;
    };
    assert_ne!(uid, u32::MAX);
    assert!(groups.is_sorted_by(|a, b| a < b));
    assert!(!groups.is_empty() && !groups.contains(&u32::MAX));
}

/// A step of a copy, which the half inside of a container tells; and a request to it. What is read is read again.
pub fn copy_message(bytes: &[u8]) {
    if let Ok(written) = try_copy(bytes) {
        assert!(written.len() <= bytes.len());
        assert_eq!(try_copy(&written).expect("our own message"), written);
    }
    if let Ok(request) = Request::decode(bytes) {
        let written = request.encode().expect("no longer than it came");
        assert_eq!(Request::decode(&written).expect("our own message"), request);
    }
}
