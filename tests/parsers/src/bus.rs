//! What a bus sends to an NSS module.

use dbus_call::{Message, Outcome, reply};
use unix_call::{Fault, Reader};

/// Authentication and messages up to the reply to GetMachineAddresses: no more is read of it than there is.
pub fn dbus_reply(bytes: &[u8]) {
    let mut source = bytes;
    let mut octets = 0;
    let outcome = reply(&mut Reader::new(&mut source), "a(iay)", &mut |body| {
        body.array(8, &mut |body| address(body, &mut octets))
    });
    assert!(octets <= bytes.len());
    match outcome {
        Ok(Outcome::Failed(name)) => assert!(name.as_bytes().len() <= 80),
        Ok(Outcome::Returned) => assert!(bytes.starts_with(b"DATA\r\nOK ")),
        Err(_) => {}
    }
}

fn address(body: &mut Message<'_, '_>, octets: &mut usize) -> Result<(), Fault> {
    body.u32()?;
    body.array(1, &mut |body| {
        *octets += 1;
        body.u8().map(drop)
    })
}
