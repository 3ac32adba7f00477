//! The map of known answers that a daemon shares with every process that asks. docs/lookaside.md

use std::{env, path::Path};

use lookaside::{Settings, Writer};

/// `no` switches it off, whatever the configuration says.
const SWITCH: &str = "SWITCHYARD_LOOKASIDE";

/// Makes the map, if it is wanted: as root, for nobody but root can make it smaller under its readers then. A map that cannot
/// be made is said to the log. What a predecessor left is retired, so that its readers ask.
#[must_use]
pub fn create(path: &Path, is_wanted: bool) -> Option<Writer> {
    let is_off = env::var_os(SWITCH).is_some_and(|value| value == "no" || value == "0");
    if is_off || !is_wanted {
        Writer::retire(path);
        return None;
    }
    let made = Writer::create(path, Settings::default());
    made.inspect_err(|error| {
        let path = path.display();
        tracing::warn!("Failed to make {path}, so every lookup asks: {error}");
    })
    .ok()
}
