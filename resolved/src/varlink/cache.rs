//! The cache, whole and by name.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure};

use super::{call::allow, settings::domain_name};
use crate::{access::Action, manager::Manager};

/// As on the bus, everyone may.
pub(super) async fn flush(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        name: Option<String>,
    }
    let p: Parameters = call.parameters()?;
    match &p.name {
        Some(text) => manager.flush_name(&domain_name("name", text)?),
        None => manager.flush_caches(),
    }
    call.done().await
}

/// Who may see what is in the cache, may see this.
pub(super) async fn statistics(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        name: Option<String>,
        allow_interactive_authentication: Option<bool>,
    }
    #[derive(Serialize)]
    struct Statistics {
        entries: u64,
        bytes: usize,
        hits: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        misses: Option<u64>,
    }
    let p: Parameters = call.parameters()?;
    let name = p.name.map(|text| domain_name("name", &text)).transpose()?;
    let action = match name {
        Some(_) => Action::DumpCache,
        None => Action::DumpStatistics,
    };
    allow(
        manager,
        &call,
        action,
        p.allow_interactive_authentication,
        &[],
    )
    .await?;
    let statistics = match &name {
        Some(name) => {
            let of_name = manager.cache.statistics_of(name);
            Statistics {
                entries: of_name.size,
                bytes: of_name.bytes,
                hits: of_name.hits,
                misses: None,
            }
        }
        None => {
            let all = manager.cache.statistics();
            Statistics {
                entries: all.size,
                bytes: manager.cache.bytes(),
                hits: all.hits,
                misses: Some(all.misses),
            }
        }
    };
    call.reply(&statistics).await
}
