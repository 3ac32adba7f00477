//! org.varlink.service, which every server has.

use serde::{Deserialize, Serialize};

use crate::{
    call::{Answer, Call},
    failure::Failure,
    server::Shared,
};

/// Its name.
pub(crate) const NAME: &str = "org.varlink.service";

/// Its description.
pub(crate) const DESCRIPTION: &str = include_str!("org.varlink.service.varlink");

/// What else every server of systemd's names: errors, and no method.
pub(crate) const ERRORS: &str = "io.systemd";

/// Its description.
const ERRORS_DESCRIPTION: &str = include_str!("io.systemd.varlink");

/// Answers one of its methods; `method` is the name without the interface's.
pub(crate) async fn call<S>(
    server: &Shared<S>,
    method: &str,
    call: Call<'_>,
) -> Result<Answer, Failure> {
    match method {
        "GetInfo" => get_info(server, call).await,
        "GetInterfaceDescription" => get_interface_description(server, call).await,
        _ => Err(Failure::method_not_found(call.method())),
    }
}

async fn get_info<S>(server: &Shared<S>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    struct Info<'a> {
        vendor: &'a str,
        product: &'a str,
        version: &'a str,
        url: &'a str,
        interfaces: Vec<&'a str>,
    }
    let mut interfaces: Vec<_> = server.interfaces.iter().map(|i| i.name).collect();
    interfaces.extend([NAME, ERRORS]);
    interfaces.sort_unstable();
    let vendor = &server.vendor;
    call.reply(&Info {
        vendor: vendor.vendor,
        product: vendor.product,
        version: vendor.version,
        url: vendor.url,
        interfaces,
    })
    .await
}

async fn get_interface_description<S>(
    server: &Shared<S>,
    call: Call<'_>,
) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Parameters<'a> {
        #[serde(borrow)]
        interface: std::borrow::Cow<'a, str>,
    }
    #[derive(Serialize)]
    struct Description<'a> {
        description: &'a str,
    }
    let Parameters { interface } = call.parameters()?;
    let description = match &*interface {
        NAME => DESCRIPTION,
        ERRORS => ERRORS_DESCRIPTION,
        interface => {
            let mut known = server.interfaces.iter();
            known
                .find(|known| known.name == interface)
                .ok_or_else(|| Failure::interface_not_found(interface))?
                .description
        }
    };
    call.reply(&Description { description }).await
}
