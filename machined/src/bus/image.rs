//! Images and the pool of disks: this machined keeps none, and says so. Who may not do a thing with images is told that
//! first, as from a machined that has some.

use dbus_serve::{Arg, Call, Handler, Later, Method, Reply};
use zbus::ObjectPath;

use super::{call::caller, manager::This};
use crate::{access::Action, error::Error};

const NAME: &[Arg] = &[("s", "name")];

pub(super) const REMOVE: Method<This> = manage("RemoveImage", NAME);
pub(super) const RENAME: Method<This> = manage("RenameImage", &[("s", "name"), ("s", "new_name")]);
pub(super) const CLONE: Method<This> = manage(
    "CloneImage",
    &[("s", "name"), ("s", "new_name"), ("b", "read_only")],
);
pub(super) const MARK_READ_ONLY: Method<This> =
    manage("MarkImageReadOnly", &[("s", "name"), ("b", "read_only")]);
pub(super) const SET_LIMIT: Method<This> = manage("SetImageLimit", &[("s", "name"), ("t", "size")]);
pub(super) const GET_HOSTNAME: Method<This> = look("GetImageHostname", &[("s", "hostname")]);
pub(super) const GET_MACHINE_ID: Method<This> = look("GetImageMachineID", &[("ay", "id")]);
pub(super) const GET_MACHINE_INFO: Method<This> =
    look("GetImageMachineInfo", &[("a{ss}", "machine_info")]);
pub(super) const GET_OS_RELEASE: Method<This> =
    look("GetImageOSRelease", &[("a{ss}", "os_release")]);
pub(super) const SET_POOL_LIMIT: Method<This> = Method::new(
    "SetPoolLimit",
    &[("t", "size")],
    &[],
    Handler::Later(|this, call| refuse(this, call, Action::ManageMachines)),
);
pub(super) const CLEAN_POOL: Method<This> = Method::new(
    "CleanPool",
    &[("s", "mode")],
    &[("a(st)", "images")],
    Handler::Later(|this, call| refuse(this, call, Action::ManageMachines)),
);

/// A method that changes an image.
const fn manage(name: &'static str, takes: &'static [Arg]) -> Method<This> {
    let handler = Handler::Later(|this, call| refuse(this, call, Action::ManageImages));
    Method::new(name, takes, &[], handler)
}

/// A method that looks into an image.
const fn look(name: &'static str, gives: &'static [Arg]) -> Method<This> {
    Method::new(name, NAME, gives, Handler::Now(|_, _| Err(not_supported())))
}

fn not_supported() -> dbus_serve::Error {
    Error::NotSupported("Images and disk pools are not managed here.".to_owned()).into()
}

fn refuse(this: This, call: Call, action: Action) -> Later {
    Box::pin(async move {
        let caller = caller(&call).await?;
        this.manager.authorize(&caller, action, &[]).await?;
        Err(not_supported())
    })
}

/// GetImage.
pub(super) fn get(_: &This, call: &Call) -> Reply {
    let name = call.args::<&str>()?;
    Err(Error::NoSuchImage(name.to_owned()).into())
}

/// ListImages.
pub(super) fn list(_: &This, call: &Call) -> Reply {
    type Row<'a> = (&'a str, &'a str, bool, u64, u64, u64, ObjectPath<'a>);
    call.reply(&Vec::<Row<'_>>::new())
}
