use unix_call::Source;

use super::*;

/// Feeds a text in pieces of a given length, so that every token is cut at every place.
struct Pieces<'t>(&'t [u8], usize);

impl Source for Pieces<'_> {
    fn fill(&mut self, window: &mut [u8]) -> Result<usize, Fault> {
        let (now, later) = self.0.split_at(self.1.min(self.0.len()));
        window[..now.len()].copy_from_slice(now);
        self.0 = later;
        Ok(now.len())
    }
}

/// Reads a whole message and writes its tokens down.
fn scan(text: &[u8], piece: usize) -> Result<String, Fault> {
    let mut source = Pieces(text, piece);
    let mut reader = Reader::new(&mut source);
    let mut scanner = Scanner::new(&mut reader);
    let mut tokens = String::new();
    loop {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        tokens += &match scanner.token()? {
            Token::ObjectStart => "{ ".to_owned(),
            Token::ObjectEnd => "} ".to_owned(),
            Token::ArrayStart => "[ ".to_owned(),
            Token::ArrayEnd => "] ".to_owned(),
            Token::Key(key) => format!("{:?}: ", text(key)),
            Token::String(string) => format!("{:?} ", text(string.bytes)),
            Token::Integer(value) => format!("{value} "),
            Token::Number => "number ".to_owned(),
            Token::Bool(value) => format!("{value} "),
            Token::Null => "null ".to_owned(),
        };
        if scanner.depth() == 0 {
            scanner.end_of_message()?;
            return Ok(tokens);
        }
    }
}

#[test]
fn reads_every_kind_of_value_cut_anywhere() {
    let text = "  {\"a\" : [ 1,-2 , 0,-0, 9223372036854775807, -9223372036854775808,\
                9223372036854775808, 1.5, 2e3, 1E-2 ], \"\": {},\t\"b\":[[],{}],\n\
                \"s\\u0041\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\\u0000\u{e9}\u{1f600}\",\
                \"t\":true,\"f\":false,\"n\":null} \r\n\0";
    let expected = "{ \"a\": [ 1 -2 0 0 9223372036854775807 -9223372036854775808 \
                    number number number number ] \"\": { } \"b\": [ [ ] { } ] \
                    \"sA\": \"\\\"\\\\/\\u{8}\\u{c}\\n\\r\\té€😀\\0é😀\" \
                    \"t\": true \"f\": false \"n\": null } ";
    for piece in [1, 2, 3, 7, 1000] {
        assert_eq!(
            scan(text.as_bytes(), piece).as_deref(),
            Ok(expected),
            "pieces of {piece}"
        );
    }
}

#[test]
fn refuses_what_is_no_json() {
    let texts: &[&[u8]] = &[
        b"}\0",
        b"]\0",
        b",\0",
        b":\0",
        b"{]\0",
        b"[}\0",
        b"{,}\0",
        b"[,]\0",
        b"[1,]\0",
        b"[1 2]\0",
        b"{\"a\"}\0",
        b"{\"a\":}\0",
        b"{\"a\":1,}\0",
        b"{\"a\":1 \"b\":2}\0",
        b"{\"a\" 1}\0",
        b"{a:1}\0",
        b"{'a':1}\0",
        b"{1:1}\0",
        b"[01]\0",
        b"[-]\0",
        b"[+1]\0",
        b"[.5]\0",
        b"[1.]\0",
        b"[1e]\0",
        b"[1e+]\0",
        b"[-01]\0",
        b"[0x10]\0",
        b"[NaN]\0",
        b"[Infinity]\0",
        b"[tru]\0",
        b"[True]\0",
        b"[nul]\0",
        b"[\"\\x\"]\0",
        b"[\"\\u12\"]\0",
        b"[\"\\u12g4\"]\0",
        b"[\"\\ud800\"]\0",
        b"[\"\\ud800\\u0041\"]\0",
        b"[\"\\udc00\"]\0",
        b"[\"\n\"]\0",
        b"[\"\0\"]\0",
        b"[\"\xff\"]\0",
        b"[\"\xc0\x80\"]\0",
        b"[\"\xed\xa0\x80\"]\0",
        b"[\"\xe2\x82\"]\0",
        b"[\"\xc3\\u0041\"]\0",
        b"[\"\xf5\x80\x80\x80\"]\0",
        b"[] x\0",
        b"[][]\0",
        b"{}}\0",
        b"\0",
        b"\xef\xbb\xbf[]\0",
        b"[/**/]\0",
        b"hello\0",
    ];
    for text in texts {
        let shown = text.escape_ascii();
        assert_eq!(scan(text, 1), Err(Fault::Protocol), "{shown}");
    }
}

#[test]
fn refuses_half_a_message() {
    let text = b"{\"a\":[1,\"b\\u0041\",{}],\"c\":-1.5e3,\"d\":null} \0";
    assert!(scan(text, 4).is_ok());
    for end in 0..text.len() {
        let half = scan(&text[..end], 4);
        assert_eq!(
            half,
            Err(Fault::System(libc::ECONNRESET)),
            "the first {end} bytes"
        );
    }
}

#[test]
fn nests_as_deep_as_it_says_and_no_deeper() {
    let nested = |depth: u32| {
        let depth = depth as usize;
        scan(
            format!("{}{}\0", "[".repeat(depth), "]".repeat(depth)).as_bytes(),
            100,
        )
    };
    assert!(nested(Scanner::DEPTH).is_ok());
    assert_eq!(nested(Scanner::DEPTH + 1), Err(Fault::Protocol));
    assert_eq!(nested(100_000), Err(Fault::Protocol));
}

#[test]
fn keeps_what_fits_of_a_string() {
    for length in [
        0,
        1,
        Scanner::TEXT - 1,
        Scanner::TEXT,
        Scanner::TEXT + 1,
        100_000,
    ] {
        let text = format!("\"{}\"\0", "x".repeat(length));
        let mut source = text.as_bytes();
        let mut reader = Reader::new(&mut source);
        let mut scanner = Scanner::new(&mut reader);
        let Ok(Token::String(kept)) = scanner.token() else {
            panic!("no string")
        };
        assert_eq!(kept.bytes.len(), length.min(Scanner::TEXT));
        assert_eq!(kept.whole, length <= Scanner::TEXT);
        assert_eq!(scanner.end_of_message(), Ok(()));
    }
}
