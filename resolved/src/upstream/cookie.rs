//! DNS cookies (RFC 7873): a server that has them proves with each answer that it saw the question.

use hickory_proto::{
    op::{Edns, Message},
    rr::rdata::opt::{EdnsCode, EdnsOption},
};

const OPTION: u16 = 10;
/// Section 4: the client's part, and the least and most of the server's.
const CLIENT: usize = 8;
const SERVER: std::ops::RangeInclusive<usize> = 8..=32;

/// Those that are kept for one server.
#[derive(Clone, Debug, Default)]
pub(super) struct Cookies {
    client: Option<[u8; CLIENT]>,
    server: Option<Vec<u8>>,
}

/// What an answer's cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// It is the server's answer, or the server has no cookies.
    Fine,
    /// Somebody else's answer: to be dropped (section 5.3).
    Foreign,
    /// This server had a cookie before: likely somebody else's answer.
    Missing,
}

impl Cookies {
    /// Puts them into a question.
    pub fn put(&mut self, edns: &mut Edns) {
        let Some(client) = self.client() else {
            return;
        };
        let mut cookie = client.to_vec();
        cookie.extend(self.server.iter().flatten());
        edns.options_mut()
            .insert(EdnsOption::Unknown(OPTION, cookie));
    }

    fn client(&mut self) -> Option<[u8; CLIENT]> {
        if self.client.is_none() {
            let mut client = [0; CLIENT];
            let got = rustix::rand::getrandom(&mut client, rustix::rand::GetRandomFlags::empty());
            // Without randomness a cookie would be a lie.
            self.client = (got == Ok(CLIENT)).then_some(client);
        }
        self.client
    }

    /// Checks the cookie of a response to a question with [`Cookies::put`], and keeps the server's part.
    pub fn check(&mut self, response: &Message) -> Check {
        let Some(cookie) = read(response) else {
            return if self.server.is_some() {
                Check::Missing
            } else {
                Check::Fine
            };
        };
        let Some((client, server)) = cookie.split_first_chunk::<CLIENT>() else {
            return Check::Foreign;
        };
        if self.client.as_ref() != Some(client) {
            return Check::Foreign;
        }
        if server.is_empty() && self.server.is_none() {
            // It repeats options that it does not know.
            return Check::Fine;
        }
        if !SERVER.contains(&server.len()) {
            return Check::Foreign;
        }
        self.server = Some(server.to_vec());
        Check::Fine
    }

    /// The server may have lost its own.
    pub fn forget_server(&mut self) {
        self.server = None;
    }
}

fn read(message: &Message) -> Option<&[u8]> {
    match message.edns.as_ref()?.option(EdnsCode::Cookie)? {
        EdnsOption::Unknown(_, data) => Some(data),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::OpCode;

    use super::*;

    fn with(cookie: Option<&[u8]>) -> Message {
        let mut message = Message::response(1, OpCode::Query);
        let mut edns = Edns::new();
        if let Some(cookie) = cookie {
            edns.options_mut()
                .insert(EdnsOption::Unknown(OPTION, cookie.to_vec()));
        }
        message.set_edns(edns);
        message
    }

    #[test]
    fn kept_checked_and_missed() {
        let mut cookies = Cookies::default();
        let mut question = Edns::new();
        cookies.put(&mut question);
        let mut message = Message::query();
        message.set_edns(question);
        let client = read(&message).unwrap().to_vec();
        assert_eq!(client.len(), CLIENT);

        assert_eq!(cookies.check(&with(None)), Check::Fine);
        assert_eq!(cookies.check(&with(Some(&client))), Check::Fine);
        let answer = [client.as_slice(), &[7; 16]].concat();
        assert_eq!(cookies.check(&with(Some(&answer))), Check::Fine);
        assert_eq!(cookies.check(&with(None)), Check::Missing);
        let mut question = Edns::new();
        cookies.put(&mut question);
        message.set_edns(question);
        assert_eq!(read(&message), Some(answer.as_slice()));

        let mut foreign = answer.clone();
        foreign[0] ^= 1;
        assert_eq!(cookies.check(&with(Some(&foreign))), Check::Foreign);
        assert_eq!(cookies.check(&with(Some(&client))), Check::Foreign);
        assert_eq!(cookies.check(&with(Some(&[1]))), Check::Foreign);
        cookies.forget_server();
        assert_eq!(cookies.check(&with(None)), Check::Fine);
    }
}
