//! The passwd and group databases: users and groups of containers, as the host numbers them.

use nss_host::{Failure, GroupAnswer, Groups, UserAnswer, UserQuestion, Users};
use unix_call::{Deadline, Fault, Holdoff};
use varlink_call::userdb::{self, Field};
use varlink_call::{Outcome, Request, Scanner, Server, call};

use crate::hosts::unavailable;
use crate::name::MachineName;
use crate::switchyard::{LIMIT, PAUSE};

/// Served alike by Switchyard's and systemd's machined.
const USER_DATABASE: Server<'_> = Server {
    path: "/run/systemd/userdb/io.systemd.Machine",
    uid: 0,
};
const SERVICE: &[u8] = b"io.systemd.Machine";

/// The first number that a user namespace may have been given (systemd's `HOST_UID_LIMIT`). Below
/// are the host's own, for which machined is neither asked nor believed.
const FIRST: u32 = 0x10000;
/// `nobody`, the group of every such user.
const NOBODY: u32 = 65534;

/// The users and groups of all machines.
pub(crate) struct MappedUsers;

impl Users for MappedUsers {
    fn user(question: UserQuestion<'_>, answer: &mut UserAnswer<'_>) -> Result<(), Failure> {
        let request = Request::new("io.systemd.UserDatabase.GetUserRecord");
        let mut request = word(request, question, "userName", "uid", b"vu-")?;
        let mut valid = true;
        ask(&mut request, &mut |scanner| {
            userdb::user(scanner, &mut |field| match field {
                Field::Name(name) => {
                    valid &= matches_name(question, name, b"vu-");
                    answer.name(name);
                }
                Field::Uid(uid) => {
                    valid &= matches_id(question, uid);
                    answer.uid(uid);
                }
                Field::Gid(gid) => {
                    valid &= gid >= NOBODY;
                    answer.gid(gid);
                }
                // Not worth refusing a user for.
                Field::RealName(name) if !is_passwd_field(name) => {}
                Field::RealName(name) => answer.real_name(name),
                Field::Home(path) => {
                    valid &= is_passwd_field(path);
                    answer.home(path);
                }
                Field::Shell(path) => {
                    valid &= is_passwd_field(path);
                    answer.shell(path);
                }
            })
        })?;
        believe(valid)
    }
}

impl Groups for MappedUsers {
    fn group(question: UserQuestion<'_>, answer: &mut GroupAnswer<'_>) -> Result<(), Failure> {
        let request = Request::new("io.systemd.UserDatabase.GetGroupRecord");
        let mut request = word(request, question, "groupName", "gid", b"vg-")?;
        let mut valid = true;
        ask(&mut request, &mut |scanner| {
            userdb::group(scanner, &mut |field| match field {
                Field::Name(name) => {
                    valid &= matches_name(question, name, b"vg-");
                    answer.name(name);
                }
                Field::Gid(gid) => {
                    valid &= matches_id(question, gid);
                    answer.gid(gid);
                }
                _ => {}
            })
        })?;
        believe(valid)
    }
}

/// Whether a name is `PREFIXmachine-number`.
fn is_mapped(name: &[u8], prefix: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(prefix) else {
        return false;
    };
    let Some(dash) = rest.iter().rposition(|&byte| byte == b'-') else {
        return false;
    };
    let Some((machine, [_, number @ ..])) = rest.split_at_checked(dash) else {
        return false;
    };
    MachineName::new(machine).is_some()
        && matches!(number.len(), 1..=10)
        && number.iter().all(u8::is_ascii_digit)
}

/// Words the question, or answers it: most names and numbers can't be mapped ones.
fn word(
    request: Request,
    question: UserQuestion<'_>,
    name_key: &str,
    id_key: &str,
    prefix: &[u8],
) -> Result<Request, Failure> {
    let request = match question {
        UserQuestion::Name(name) if is_mapped(name, prefix) => request.text(name_key, name),
        // -1 is nobody's: chown(2) takes it for "leave as it is".
        UserQuestion::Id(id) if (FIRST..u32::MAX).contains(&id) => request.integer(id_key, id),
        _ => return Err(Failure::NotFound),
    };
    Ok(request.text("service", SERVICE))
}

/// Whether a record's name answers the question and is a mapped one: a daemon can't rename root.
fn matches_name(question: UserQuestion<'_>, name: &[u8], prefix: &[u8]) -> bool {
    match question {
        UserQuestion::Name(asked) => asked == name,
        UserQuestion::Id(_) => is_mapped(name, prefix),
    }
}

/// Whether a record's number answers the question and is a mapped one.
fn matches_id(question: UserQuestion<'_>, id: u32) -> bool {
    match question {
        UserQuestion::Name(_) => (FIRST..u32::MAX).contains(&id),
        UserQuestion::Id(asked) => asked == id,
    }
}

/// Whether a text can stand in a line of passwd(5), into which programs print it.
fn is_passwd_field(text: &[u8]) -> bool {
    !text
        .iter()
        .any(|&byte| byte == b':' || byte.is_ascii_control())
}

fn believe(valid: bool) -> Result<(), Failure> {
    if valid {
        Ok(())
    } else {
        Err(unavailable(Fault::Shape))
    }
}

fn ask(
    request: &mut Request,
    read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>,
) -> Result<(), Failure> {
    static HOLDOFF: Holdoff = Holdoff::new();
    let exchange = || call(USER_DATABASE, Deadline::after(LIMIT), request, read);
    match HOLDOFF.guard(PAUSE, exchange).map_err(unavailable)? {
        Outcome::Returned => Ok(()),
        Outcome::Failed(name) => Err(match name.as_bytes() {
            b"io.systemd.UserDatabase.NoRecordFound"
            | b"io.systemd.UserDatabase.NonMatchingRecordFound"
            | b"io.systemd.UserDatabase.ConflictingRecordFound" => Failure::NotFound,
            _ => Failure::Unavailable(libc::EREMOTEIO),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_mapped_names() {
        for name in ["vu-web-0", "vu-a-b-4294967295", "vu-a.b_c-65534"] {
            assert!(is_mapped(name.as_bytes(), b"vu-"), "{name}");
        }
        for name in [
            "root",
            "vu-",
            "vu-web",
            "vu-web-",
            "vu--0",
            "vu-web-x",
            "vg-web-0",
            "vu-a..b-0",
            "vu-web-12345678901",
        ] {
            assert!(!is_mapped(name.as_bytes(), b"vu-"), "{name}");
        }
    }

    #[test]
    fn ordinary_users_are_not_asked_about() {
        let word = |question| word(Request::new("x"), question, "userName", "uid", b"vu-").is_ok();
        for id in [0, 1000, NOBODY, 65535, u32::MAX] {
            assert!(!word(UserQuestion::Id(id)), "{id}");
        }
        assert!(word(UserQuestion::Id(FIRST)));
        assert!(!word(UserQuestion::Name(b"root")));
        assert!(word(UserQuestion::Name(b"vu-web-0")));
    }
}
