//! Messages of D-Bus, built and read: a dictionary of six properties, and an array of a mebibyte beside memcpy.
//!
//! The best of some rounds, each of which is long enough for the clock.

use std::{hint::black_box, time::Instant};

use dbus::{Basic, Builder, Message};

const ROUNDS: usize = 15;
const MEBIBYTE: usize = 1 << 20;

/// The time of one call in nanoseconds.
fn measure(count: u32, mut call: impl FnMut() -> dbus::Result<()>) -> dbus::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..count {
            call()?;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(count));
    }
    Ok(best)
}

fn properties() -> dbus::Result<Message> {
    let mut builder = Builder::method_call(
        Some(b"org.example.Service"),
        b"/org/example/Service",
        Some(b"org.example.Interface"),
        b"Method",
    )?;
    builder.open_container(b'a', b"{sv}")?;
    let values = [
        (c"Name", Basic::String(c"a text of some length")),
        (c"Path", Basic::ObjectPath(c"/org/example/object")),
        (c"Count", Basic::Uint32(7)),
        (c"Size", Basic::Uint64(1 << 40)),
        (c"Active", Basic::Boolean(true)),
        (c"Ratio", Basic::Double(0.5)),
    ];
    for (key, value) in values {
        builder.open_container(b'e', b"sv")?;
        builder.append_basic(Basic::String(key))?;
        builder.open_container(b'v', &[value.code()])?;
        builder.append_basic(value)?;
        builder.close_container()?;
        builder.close_container()?;
    }
    builder.close_container()?;
    builder.seal(1)
}

fn read(message: &Message) -> dbus::Result<()> {
    let mut cursor = message.cursor();
    cursor.enter_container(message, b'a', Some(b"{sv}"))?;
    while cursor.enter_container(message, b'e', Some(b"sv"))? {
        black_box(cursor.read_basic(message, b's')?);
        let contents = cursor.peek_type(message)?.map(|next| next.1);
        cursor.enter_container(message, b'v', contents)?;
        let code = contents.and_then(|contents| contents.first().copied());
        black_box(cursor.read_basic(message, code.unwrap_or_default())?);
        cursor.exit_container()?;
        cursor.exit_container()?;
    }
    cursor.exit_container()
}

fn array(values: &[u8]) -> dbus::Result<Message> {
    let mut builder = Builder::signal(b"/a", b"a.b", b"C")?;
    builder.append_array(b'y', values)?;
    builder.seal(1)
}

fn main() -> dbus::Result<()> {
    let message = properties()?;
    let bytes = [message.head(), message.body()].concat();
    let build = measure(20_000, || properties().map(|built| drop(black_box(built))))?;
    println!("a{{sv}} of six: build and seal {build:.0} ns");
    let cursor = measure(20_000, || read(black_box(&message)))?;
    println!("a{{sv}} of six: read {cursor:.0} ns");
    let parse = measure(20_000, || read(&Message::parse(bytes.clone(), 0)?))?;
    println!("a{{sv}} of six: parse and read {parse:.0} ns");
    let values = vec![1_u8; MEBIBYTE];
    let copy = measure(200, || {
        drop(black_box(black_box(&values).to_vec()));
        Ok(())
    })?;
    let build = measure(200, || {
        array(black_box(&values)).map(|built| drop(black_box(built)))
    })?;
    println!("ay of 1 MiB: memcpy {copy:.0} ns, build and seal {build:.0} ns");
    Ok(())
}
