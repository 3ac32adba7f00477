//! A blocking connection to the system bus that sends any bytes.

#![allow(dead_code, reason = "each program uses its part")]

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use zbus::Message;

/// Types of messages, as in their second byte.
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;

/// The connection.
pub struct Raw {
    pub socket: UnixStream,
    serial: u32,
    message: Vec<u8>,
}

impl Raw {
    pub fn connect() -> Self {
        let mut socket = UnixStream::connect("/run/dbus/system_bus_socket").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let uid = rustix::process::geteuid().as_raw().to_string();
        let hex: String = uid.bytes().map(|byte| format!("{byte:02x}")).collect();
        for line in [
            format!("\0AUTH EXTERNAL {hex}\r\n"),
            "NEGOTIATE_UNIX_FD\r\n".to_owned(),
        ] {
            socket.write_all(line.as_bytes()).unwrap();
            let length = socket.read(&mut [0; 256]).unwrap();
            assert!(length > 0, "{line}");
        }
        socket.write_all(b"BEGIN\r\n").unwrap();
        let mut raw = Self {
            socket,
            serial: 0,
            message: vec![0; 1 << 17],
        };
        let hello = Message::method_call("/org/freedesktop/DBus", "Hello")
            .destination("org.freedesktop.DBus")
            .interface("org.freedesktop.DBus")
            .build(&())
            .unwrap();
        raw.call(hello.data().bytes()).unwrap();
        raw
    }

    /// A message with the next serial in it.
    pub fn numbered(&mut self, message: &[u8]) -> Vec<u8> {
        self.serial += 1;
        let mut message = message.to_vec();
        let serial = match message[0] {
            b'B' => self.serial.to_be_bytes(),
            _ => self.serial.to_le_bytes(),
        };
        message[8..12].copy_from_slice(&serial);
        message
    }

    /// Sends a call and reads until its reply: whether that is one, or an error with its text in it.
    pub fn call(&mut self, call: &[u8]) -> Result<(), String> {
        let call = self.numbered(call);
        self.socket.write_all(&call).unwrap();
        loop {
            match self.read_message() {
                METHOD_RETURN => return Ok(()),
                ERROR => {
                    let said = String::from_utf8_lossy(&self.message);
                    return Err(said.trim_end_matches('\0').to_owned());
                }
                _ => (), // NameAcquired
            }
        }
    }

    /// Reads one message; its type.
    fn read_message(&mut self) -> u8 {
        let (start, rest) = self.message.split_at_mut(16);
        self.socket.read_exact(start).unwrap();
        let number = |at: usize| {
            let bytes = [start[at], start[at + 1], start[at + 2], start[at + 3]];
            match start[0] {
                b'B' => u32::from_be_bytes(bytes),
                _ => u32::from_le_bytes(bytes),
            }
        };
        let length = number(12).next_multiple_of(8) + number(4);
        let kind = start[1];
        self.socket
            .read_exact(&mut rest[..length as usize])
            .unwrap();
        rest[length as usize..].fill(0);
        kind
    }
}
