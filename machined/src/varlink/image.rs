//! io.systemd.MachineImage. Images are not managed here yet: there are none, and what would change them is refused.

use std::rc::Rc;

use serde::Deserialize;
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use crate::manager::Manager;

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.systemd.MachineImage",
    description: include_str!("io.systemd.MachineImage.varlink"),
    methods: &[
        Method("List", |_, call| Box::pin(list(call))),
        Method("Update", |_, _| Box::pin(refuse())),
        Method("Clone", |_, _| Box::pin(refuse())),
        Method("Remove", |_, _| Box::pin(refuse())),
        Method("SetPoolLimit", |_, _| Box::pin(refuse())),
        Method("CleanPool", |_, _| Box::pin(refuse())),
    ],
};

async fn list(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Which {
        name: Option<String>,
    }
    let which: Which = call.parameters()?;
    if which.name.is_none() && !call.more() {
        return Err(Failure::expected_more());
    }
    // Varlink has no reply for an empty list but an error.
    Err(Failure::named("io.systemd.MachineImage.NoSuchImage"))
}

async fn refuse() -> Result<Answer, Failure> {
    Err(Failure::named("io.systemd.MachineImage.NotSupported"))
}
