//! What is taken for a query, and what is refused at once.

use hickory_proto::op::ResponseCode;

use super::*;

/// The code of the reply that comes at once; `None`: it is looked up.
fn code(asked: &Bytes) -> Option<ResponseCode> {
    match verdict(&asked.bytes(), Profile::STUB) {
        Verdict::LookUp => None,
        Verdict::Reply(reply) => {
            // A wrong packet costs no more than its size; an OPT record is answered with one.
            assert!(reply.len() <= asked.bytes().len());
            let message = read(&reply, asked);
            assert_eq!(
                message.edns.is_some(),
                message.queries.len() == 1 && asked.counts[3] == 1
            );
            Some(message.metadata.response_code)
        }
        Verdict::Ignore => panic!("ignored"),
    }
}

#[test]
fn what_is_in_order_is_looked_up() {
    for asked in [
        ask("web.test", 1),
        ask("", 2),
        ask("web.test", 255),
        ask("web.test", 65280),
        ask("web.test", 1).class(255),
        ask("web.test", 1).opt(1232, 0, false),
        ask("web.test", 1).opt(0, 0, true).flags(RD | CD),
        // Bits that mean nothing in a query, and bytes after its end.
        ask("web.test", 1).flags(RD | AD | 1 << 10 | 1 << 7 | 1 << 6 | 3),
        ask("web.test", 1).append(b"xyz"),
        ask(
            &format!("{0}.{0}.{0}.{1}", "x".repeat(63), "y".repeat(61)),
            1,
        ),
    ] {
        assert_eq!(code(&asked), None, "{:02x?}", asked.bytes());
    }
}

#[test]
fn what_is_refused() {
    // To hickory 16 is BADSIG, which is of TSIG.
    use ResponseCode::{BADSIG as BADVERS, FormErr, NotImp, Refused};
    for rtype in [3, 4, 7, 8, 9, 10, 11, 14, 30, 38, 251, 252, 253, 254] {
        assert_eq!(code(&ask("web.test", rtype)), Some(Refused), "{rtype}");
    }
    for rtype in [0, 41, 46, 249, 250] {
        assert_eq!(code(&ask("web.test", rtype)), Some(FormErr), "{rtype}");
    }
    for class in [0, 2, 3, 4, 254] {
        assert_eq!(
            code(&ask("web.test", 1).class(class)),
            Some(Refused),
            "{class}"
        );
    }
    assert_eq!(code(&ask("web.test", 1).flags(0)), Some(Refused));
    assert_eq!(code(&ask("web.test", 1).opt(1232, 1, false)), Some(BADVERS));
    for opcode in 1..16 {
        assert_eq!(
            code(&ask("web.test", 1).flags(RD | opcode << 11)),
            Some(NotImp)
        );
    }
}

#[test]
fn what_is_malformed() {
    let mut cut = ask("web.test", 1);
    let mut wrong = Vec::new();
    while cut.body.pop().is_some() {
        wrong.push(cut.clone());
    }
    for counts in [
        [0, 0, 0, 0],
        [2, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 0, 1, 0],
        [1, 0, 0, 1],
        [1, 0, 0, u16::MAX],
    ] {
        wrong.push(ask("web.test", 1).counts(counts));
    }
    wrong.push(ask("web.test", 1).flags(RD | 1 << 9));
    wrong.push(ask("web.test", 1).opt(1232, 0, false).opt(1232, 0, false));
    // An OPT record that is not at the root; options that end too early.
    let mut owned = ask("web.test", 1).append(&[1, b'x', 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    owned.counts[3] = 1;
    wrong.push(owned);
    let mut options =
        ask("web.test", 1).append(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 5, 0, 10, 0, 2, 1]);
    options.counts[3] = 1;
    wrong.push(options);
    // Names: a pointer, a label of 64, 256 bytes in all.
    let query = |body: &[u8]| Bytes {
        body: body.to_vec(),
        ..ask("", 1)
    };
    wrong.push(query(&[0xc0, 12, 0, 1, 0, 1]));
    wrong.push(query(&[&[64][..], &[b'x'; 64], &[0, 0, 1, 0, 1]].concat()));
    let label = [&[63][..], &[b'x'; 63]].concat();
    wrong.push(query(
        &[&label[..], &label, &label, &label, &[0, 0, 1, 0, 1]].concat(),
    ));
    for asked in wrong {
        assert_eq!(
            code(&asked),
            Some(ResponseCode::FormErr),
            "{:02x?}",
            asked.bytes()
        );
    }
}

#[test]
fn what_is_ignored() {
    let query = ask("web.test", 1);
    let mut packets: Vec<_> = (0..HEADER)
        .map(|end| query.bytes()[..end].to_vec())
        .collect();
    packets.push(query.flags(RD | 1 << 15).bytes());
    for packet in packets {
        assert!(matches!(verdict(&packet, Profile::STUB), Verdict::Ignore));
    }
}

#[test]
fn the_opt_record_is_read() {
    let packet = ask("web.test", 1).opt(100, 0, true).bytes();
    let query = query::parse(&packet).unwrap();
    // RFC 6891, 6.2.3: less than 512 is 512.
    let edns = query::Edns {
        size: 512,
        version: 0,
        dnssec_ok: true,
    };
    assert_eq!(query.edns, Some(edns));
    assert_eq!(query.name, b"\x03web\x04test\0");
}
