//! From a call to what the resolver understands: who is calling, and arguments that several methods share.

use dbus_serve::{Call, Error};

use super::error::refused;
use crate::{
    access::{Access, Action, Caller, Subject},
    failure::Failure,
};

/// Lets the caller do this, or says why not.
pub(super) async fn allow(
    access: &Access,
    call: &Call,
    action: Action,
    details: &[(&str, &str)],
) -> Result<(), Error> {
    let caller = caller(call).await?;
    let checked = access.check(&caller, action, details).await;
    checked.map_err(refused)
}

/// Who is calling, as the bus says.
pub(super) async fn caller(call: &Call) -> Result<Caller, Error> {
    let credentials = call.credentials().await?;
    Ok(Caller {
        uid: credentials.uid,
        subject: Subject::BusName(credentials.name),
        interactive: call.interactive(),
    })
}

/// The number of one link.
pub(super) fn ifindex(index: i32) -> Result<u32, Failure> {
    match u32::try_from(index) {
        Ok(index) if index > 0 => Ok(index),
        _ => Err(Failure::InvalidParameter(
            "ifindex",
            format!("{index} is no network interface"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::ifindex;

    #[test]
    fn numbers_of_links() {
        assert_eq!(ifindex(1), Ok(1));
        for wrong in [0, -1, i32::MIN] {
            assert!(ifindex(wrong).is_err(), "{wrong}");
        }
    }
}
