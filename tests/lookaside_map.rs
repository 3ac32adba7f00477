//! A map of known answers, as it says of itself.

use serde_json::Value;
use support::Sandbox;

/// What `switchyard-lookaside stat --json` has of the map at a path.
#[track_caller]
pub fn stat(s: &Sandbox, map: &str) -> Value {
    let text = s
        .run(&format!("switchyard-lookaside stat --json {map}"))
        .ok();
    let all: Value = serde_json::from_str(&text).unwrap();
    let all = all.as_array().unwrap();
    assert_eq!((all.len(), &all[0]["path"]), (1, &map.into()));
    all[0].clone()
}
