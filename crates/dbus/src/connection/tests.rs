use std::io::IoSlice;

use super::*;
use crate::{Basic, Builder, Error, Message};

fn message(serial: u32, descriptors: u32, body: usize) -> Message {
    let mut builder = Builder::signal(b"/a", b"a.b", b"C").unwrap();
    for index in 0..descriptors {
        builder.append_basic(Basic::UnixFd(index)).unwrap();
    }
    builder.append_array(b'y', &vec![7; body]).unwrap();
    builder.seal(serial).unwrap()
}

fn bytes(message: &Message) -> Vec<u8> {
    message.rest(0).concat()
}

fn free(room: &Vec<u8>) -> usize {
    room.capacity() - room.len()
}

/// Reads like a socket would, so many bytes at a time.
fn receive(incoming: &mut Incoming<u32>, mut bytes: &[u8], at_most: usize) -> Vec<(u32, Vec<u32>)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let room = incoming.room().unwrap();
        let count = at_most.min(bytes.len()).min(free(room));
        assert!(count > 0);
        room.extend_from_slice(&bytes[..count]);
        bytes = &bytes[count..];
        incoming.received([]).unwrap();
        while let Some((message, descriptors)) = incoming.next_message().unwrap() {
            assert_eq!(message.check(), Ok(()));
            all.push((message.header().serial(), descriptors));
        }
    }
    all
}

#[test]
fn messages_come_in_any_pieces() {
    let sizes = [0, 100, 3000, 5000, 9, 70_000, 0, (1 << 20) + 5, 3];
    let serials = 1..=u32::try_from(sizes.len()).unwrap();
    let all: Vec<u8> = serials
        .clone()
        .zip(sizes)
        .flat_map(|(serial, size)| bytes(&message(serial, 0, size)))
        .collect();
    let expected: Vec<_> = serials.map(|serial| (serial, vec![])).collect();
    for at_most in [1, 15, 16, 17, 4095, 100_000, usize::MAX] {
        for leaves_nothing in [false, true] {
            let mut incoming = Incoming::default();
            if leaves_nothing {
                incoming.leave_nothing();
            }
            let received = receive(&mut incoming, &all, at_most);
            assert_eq!(received, expected, "{at_most}, {leaves_nothing}");
            assert!(!incoming.is_partial());
        }
    }
}

#[test]
fn what_came_with_authentication_is_read_first() {
    let one = bytes(&message(1, 0, 0));
    let mut incoming = Incoming::<u32>::new(&one[..20]);
    assert!(incoming.is_partial());
    assert_eq!(
        receive(&mut incoming, &one[20..], usize::MAX),
        [(1, vec![])]
    );
}

fn feed(incoming: &mut Incoming<u32>, bytes: &[u8], descriptors: &[u32]) -> crate::Result<()> {
    let room = incoming.room()?;
    assert!(bytes.len() <= free(room));
    room.extend_from_slice(bytes);
    incoming.received(descriptors.iter().copied())
}

#[test]
fn what_one_read_has_brought_is_known() {
    let mut incoming = Incoming::default();
    let (first, second) = (bytes(&message(1, 0, 5)), bytes(&message(2, 0, 5)));
    let (begin, end) = second.split_at(20);
    feed(&mut incoming, &[&first[..], begin].concat(), &[]).unwrap();
    assert!(incoming.is_ready());
    incoming.next_message().unwrap().unwrap();
    assert!(!incoming.is_ready());
    feed(&mut incoming, end, &[]).unwrap();
    assert!(incoming.is_ready());
    incoming.next_message().unwrap().unwrap();
    feed(&mut incoming, &[b'x'; 16], &[]).unwrap();
    assert!(incoming.is_ready() && incoming.next_message().is_err());
}

#[test]
fn descriptors_go_with_their_message() {
    let [none, two, one] =
        [(1, 0), (2, 2), (3, 1)].map(|(serial, count)| bytes(&message(serial, count, 0)));
    let mut incoming = Incoming::default();
    let together = [&none[..], &two, &one[..5]].concat();
    feed(&mut incoming, &together, &[7, 8, 9]).unwrap();
    feed(&mut incoming, &one[5..], &[]).unwrap();
    for expected in [(1, vec![]), (2, vec![7, 8]), (3, vec![9])] {
        let (message, descriptors) = incoming.next_message().unwrap().unwrap();
        assert_eq!((message.header().serial(), descriptors), expected);
    }
    assert!(incoming.next_message().unwrap().is_none());
}

#[test]
fn descriptors_that_no_message_has_or_that_are_missing() {
    for (said, sent) in [(2, &[7][..]), (0, &[7]), (1, &[7, 8]), (1, &[])] {
        let mut incoming = Incoming::default();
        feed(&mut incoming, &bytes(&message(1, said, 0)), sent).unwrap();
        assert_eq!(incoming.next_message().map(drop), Err(Error::Malformed));
    }
    let mut incoming = Incoming::default();
    feed(&mut incoming, b"l", &[7; MAX_DESCRIPTORS]).unwrap();
    assert_eq!(feed(&mut incoming, b"\x01", &[7]), Err(Error::Malformed));
}

#[test]
fn a_header_is_not_worth_memory() {
    let mut header = bytes(&message(1, 0, 0))[..16].to_vec();
    header[4..8].copy_from_slice(&(100_u32 << 20).to_le_bytes());
    let mut incoming = Incoming::default();
    feed(&mut incoming, &header, &[]).unwrap();
    assert!(incoming.room().unwrap().capacity() <= 1 << 20);
    header[4..8].copy_from_slice(&(129_u32 << 20).to_le_bytes());
    let mut incoming = Incoming::default();
    feed(&mut incoming, &header, &[]).unwrap();
    assert_eq!(incoming.room().map(drop), Err(Error::Malformed));
}

#[test]
fn what_is_written_in_part_goes_on() {
    let messages = [
        message(1, 1, 10),
        message(2, 0, 0),
        message(3, 0, 500),
        message(4, 1, 0),
    ];
    let all: Vec<u8> = messages.iter().flat_map(bytes).collect();
    for at_most in [1, 7, 100, 300, 100_000] {
        let mut outgoing = Outgoing::default();
        for message in &messages {
            outgoing.push(message.clone()).unwrap();
        }
        let (mut sent, mut done, mut with_descriptors) = (Vec::new(), Vec::new(), Vec::new());
        while let Some((message, already)) = outgoing.front() {
            if already == 0 && message.header().descriptors() > 0 {
                with_descriptors.push((message.header().serial(), sent.len()));
            }
            let mut slices = [IoSlice::new(&[]); 16];
            let count = outgoing.gather(&mut slices);
            let mut bytes = together(&slices[..count]);
            bytes.truncate(at_most);
            let finished = outgoing.wrote(bytes.len());
            done.extend(finished.map(|message| message.header().serial()));
            sent.extend(bytes);
        }
        assert!(sent == all && outgoing.is_empty(), "{at_most}");
        assert_eq!(done, [1, 2, 3, 4]);
        // Each once, and with its first byte.
        let last = all.len() - messages[3].length();
        assert_eq!(with_descriptors, [(1, 0), (4, last)], "{at_most}");
    }
}

fn together(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.to_vec()).collect()
}

#[test]
fn few_slices_hold_the_beginning() {
    let mut outgoing = Outgoing::default();
    // What is small is in one piece, what is large in two.
    let messages = [message(1, 0, 1), message(2, 0, 1000), message(3, 0, 1000)];
    for message in messages.clone() {
        outgoing.push(message).unwrap();
    }
    let mut slices = [IoSlice::new(&[]); 4];
    assert_eq!(outgoing.gather(&mut slices), 4);
    let [one, two, three] = &messages;
    let there = [one.head(), one.body(), two.head(), two.body(), three.head()];
    assert_eq!(together(&slices), there.concat());
    assert_eq!(outgoing.len(), 3);
}

#[test]
fn queues_are_full_some_day() {
    let mut outgoing = Outgoing::default();
    let message = std::sync::Arc::new(message(1, 0, 0));
    for _ in 0..MAX_QUEUE {
        outgoing.push(std::sync::Arc::clone(&message)).unwrap();
    }
    assert_eq!(outgoing.push(message), Err(Error::Full));
}

#[test]
fn numbers_of_messages() {
    let mut replies = Replies::default();
    let mut serials = Serials::default();
    assert_eq!([1, 2, 3].map(|_| serials.next(&replies)), [1, 2, 3]);
    let mut serials = Serials::at(u32::MAX - 1);
    replies.insert(1, u64::MAX, ()).unwrap();
    assert_eq!([1, 2, 3].map(|_| serials.next(&replies)), [u32::MAX, 2, 3]);
}

#[test]
fn answers_and_the_lack_of_them() {
    let mut replies = Replies::default();
    assert_eq!(replies.deadline(), None);
    for (serial, deadline) in [(1, 300), (2, 100), (3, u64::MAX), (4, 200)] {
        replies.insert(serial, deadline, serial * 10).unwrap();
    }
    assert_eq!(replies.insert(2, 100, 0), Err(Error::Exists));
    assert_eq!(replies.take(9), None);
    assert_eq!(replies.deadline(), Some(100));
    assert_eq!(replies.take(2), Some(20));
    assert_eq!(replies.take(2), None);
    assert_eq!(replies.deadline(), Some(200));
    assert_eq!(replies.expire(199), None);
    assert_eq!(replies.expire(300), Some((4, 40)));
    assert_eq!(replies.expire(300), Some((1, 10)));
    assert_eq!(replies.expire(u64::MAX), None);
    assert_eq!(replies.len(), 1);
    assert_eq!(replies.abandon(), Some((3, 30)));
    assert!(replies.is_empty());
}
