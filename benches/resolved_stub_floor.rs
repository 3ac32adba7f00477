//! What the kernel alone takes for a query: a program that reads a datagram and writes one of an answer's length back.

use std::net::UdpSocket;

/// The argument by which the benchmark is that program.
const ARGUMENT: &str = "--floor";

pub const ADDRESS: &str = "127.0.0.13:53";

/// An AAAA record after the question, its name a pointer.
const RECORD: usize = 28;

/// Does its work, if this program was started for it.
pub fn run_if_asked() {
    if std::env::args().nth(1).as_deref() == Some(ARGUMENT) {
        answer();
    }
}

/// What starts it.
pub fn command() -> Vec<String> {
    let program = std::env::current_exe().unwrap();
    vec![program.to_str().unwrap().to_owned(), ARGUMENT.to_owned()]
}

fn answer() -> ! {
    let socket = UdpSocket::bind(ADDRESS).unwrap();
    let mut message = [0; 512];
    loop {
        let (length, peer) = socket.recv_from(&mut message).unwrap();
        // One answer, as the client looks for.
        message[7] = 1;
        socket.send_to(&message[..length + RECORD], peer).unwrap();
    }
}
