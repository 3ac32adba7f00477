//! What is here was tried on libsystemd 252 as well, but for what docs/decisions.md says is otherwise.

mod append;
mod header;
mod read;

use super::*;

fn call() -> Builder {
    Builder::method_call(Some(b"a.b"), b"/", Some(b"c.d"), b"E").unwrap()
}

/// The body is `(su)vauays`.
fn mixed() -> Message {
    let mut builder = call();
    builder.open_container(b'r', b"su").unwrap();
    builder.append_basic(Basic::String(c"x")).unwrap();
    builder.append_basic(Basic::Uint32(7)).unwrap();
    builder.close_container().unwrap();
    builder.open_container(b'v', b"s").unwrap();
    builder.append_basic(Basic::String(c"y")).unwrap();
    builder.close_container().unwrap();
    builder.append_array(b'u', &9_u32.to_ne_bytes()).unwrap();
    builder.append_array(b'y', b"abc").unwrap();
    builder.append_text(b's', b"end").unwrap();
    builder.seal(1).unwrap()
}
