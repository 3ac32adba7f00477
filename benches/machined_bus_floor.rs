//! What the bus alone costs: a program that has the name of machined, waits for calls and writes the same reply to each.

use std::{
    io::{Read, Write},
    ops::Range,
    process::{Child, Command},
};

use rustix::event::{PollFd, PollFlags, poll};
use zbus::message::Message;

use crate::raw::Raw;

/// The argument by which this program is that one.
const ARGUMENT: &str = "--floor";

/// Of machined.
pub const NAME: &str = "org.freedesktop.machine1";

/// Where a message has its serial, and where a reply has that of the call, if that is the first of its fields.
const SERIAL: Range<usize> = 8..12;
const REPLY_SERIAL: Range<usize> = 20..24;

/// Does its work, if this program was started for it.
pub fn run_if_asked() {
    if std::env::args().nth(1).as_deref() == Some(ARGUMENT) {
        answer();
    }
}

/// Starts it.
pub fn start() -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program).arg(ARGUMENT).spawn().unwrap()
}

fn answer() -> ! {
    let mut bus = Raw::connect();
    let request = Message::method_call("/org/freedesktop/DBus", "RequestName")
        .destination("org.freedesktop.DBus")
        .interface("org.freedesktop.DBus")
        .build(&(NAME, 0u32));
    bus.call(request.unwrap().data().bytes()).unwrap();
    let socket = &mut bus.socket;
    let mut call = [0; 4096];
    let mut reply = None;
    loop {
        // A reader that sleeps in read(2) is also woken when the bus has taken the reply; poll(2) hears of calls alone.
        poll(&mut [PollFd::new(socket, PollFlags::IN)], None).unwrap();
        // One read has all of a call: the bus writes it at once, and the next one comes after the reply.
        if socket.read(&mut call).unwrap() == 0 {
            std::process::exit(0);
        }
        let reply = reply.get_or_insert_with(|| reply_to(&call));
        reply[REPLY_SERIAL].copy_from_slice(&call[SERIAL]);
        socket.write_all(reply).unwrap();
    }
}

/// GetMachineAddresses' reply for a machine with an address of each family.
fn reply_to(call: &[u8]) -> Vec<u8> {
    let sender = call.windows(4).position(|field| field == b"\x07\x01s\0");
    let sender = &call[sender.unwrap() + 8..];
    let end = sender.iter().position(|byte| *byte == 0).unwrap();
    let sender = std::str::from_utf8(&sender[..end]).unwrap();
    let call = Message::method_call("/", "Call").sender(sender).build(&());
    let addresses = vec![(2i32, vec![10u8, 88, 0, 2]), (10, vec![253; 16])];
    let reply = Message::method_return(&call.unwrap().header()).build(&addresses);
    let reply = reply.unwrap().data().bytes().to_vec();
    assert_eq!(reply[16], 5, "the serial of the call does not come first");
    reply
}
