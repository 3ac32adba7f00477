//! `ask MAP OWNER NAME...`: asks a map for names, in a process of 32 bits.

use std::ffi::CString;

use lookaside::{Family, Lookaside, Question};

fn main() {
    assert_eq!(usize::BITS, 32);
    let mut arguments = std::env::args().skip(1);
    let path = CString::new(arguments.next().unwrap()).unwrap();
    let owner = arguments.next().unwrap().parse().unwrap();
    let map = Lookaside::owned_by(owner, Box::leak(path.into_boxed_c_str()));
    for name in arguments {
        let question = Question::name(name.as_bytes(), Family::Any).unwrap();
        let verdict = map.lookup(&question, &mut |item| println!("{name}: {item:?}"));
        println!("{name}: {verdict:?}");
    }
}
