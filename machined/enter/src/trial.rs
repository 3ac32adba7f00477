//! What comes out of a container, through all that reads it, without one: for fuzzing.

use crate::{
    copy::Message,
    fault::Fault,
    passwd::{self, User},
};

/// A step of a copy, read, and as it would be written again.
///
/// # Errors
/// What is wrong with it.
pub fn try_copy(message: &[u8]) -> Result<Vec<u8>, Fault> {
    Message::decode(message)?.encode()
}

/// A user's number and groups, by a container's passwd(5) and group(5).
#[must_use]
pub fn try_user(passwd: &str, group: &str, key: &str) -> Option<(u32, Vec<u32>)> {
    let user: User = passwd::parse(passwd, key)?;
    let groups = passwd::groups(group, &user.name, user.gid);
    Some((user.uid, groups))
}
