//! The authentication (D-Bus specification, "Authentication Protocol").

use unix_call::{Fault, Reader};

/// The client's side, sent without waiting. EXTERNAL without an identity is "whoever the kernel
/// says I am", which is right too where a user namespace gives us another number than the bus knows.
pub(crate) const COMMANDS: &[u8] = b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";

/// Reads the server's side: `DATA` for the missing identity, and `OK`.
pub(crate) fn accept(reader: &mut Reader<'_>) -> Result<(), Fault> {
    for expected in [b"DATA", b"OK G"] {
        let (start, length) = line(reader)?;
        // "OK" is followed by a space and the server's GUID.
        match &start {
            b"REJE" | b"ERRO" => return Err(Fault::System(libc::EACCES)),
            b"DATA" if expected == b"DATA" && length == 4 => {}
            [b'O', b'K', b' ', _] if expected != b"DATA" => {}
            _ => return Err(Fault::Protocol),
        }
    }
    Ok(())
}

/// Reads a line, of which the start is of interest.
fn line(reader: &mut Reader<'_>) -> Result<([u8; 4], usize), Fault> {
    /// An honest line is `OK` and 32 digits, or a list of mechanisms.
    const LIMIT: usize = 256;
    let mut start = [0; 4];
    for length in 0..LIMIT {
        let byte = reader.byte()?;
        match byte {
            b'\r' if reader.byte()? == b'\n' => return Ok((start, length)),
            b'\r' | b'\n' => return Err(Fault::Protocol),
            _ => {}
        }
        if let Some(place) = start.get_mut(length) {
            *place = byte;
        }
    }
    Err(Fault::Protocol)
}
