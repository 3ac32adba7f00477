//! The state of a container, as a runtime hands it to its hooks: runtime-spec, runtime.md, "State".

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// What a hook reads of the state. Every other key is skipped.
#[derive(Debug, Deserialize)]
pub struct State {
    /// The container's id, unique on this host.
    pub id: String,
    /// creating, created, running or stopped.
    #[serde(default)]
    pub status: String,
    /// The first process, in the hook's PID namespace; 0 or absent once it is gone.
    #[serde(default)]
    pub pid: i64,
    /// The folder of config.json.
    #[serde(default)]
    pub bundle: PathBuf,
    /// The root directory; crun's addition, which spares reading config.json.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// Keys and texts. runc sends `null` for none; a value that is no text is not looked at.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, serde_json::Value>>,
}

impl State {
    /// The annotation's text, if the container has it.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key)?.as_str()
    }
}

/// Where the container is in its life.
#[derive(Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its first process stands: createRuntime, or prestart of older runtimes.
    Start,
    /// It is over: poststop.
    Stopped,
}

/// Reads a state.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &[u8]) -> Result<State, String> {
    serde_json::from_slice(text).map_err(|error| format!("not the state of a container: {error}"))
}

/// The stage, told by the state: hooks of every stage are run the same way.
///
/// # Errors
/// A state that fits neither.
pub fn stage(state: &State) -> Result<Stage, String> {
    match (state.status.as_str(), state.pid) {
        ("stopped", _) => Ok(Stage::Stopped),
        ("creating" | "created" | "running", 1..) => Ok(Stage::Start),
        (status, pid) => Err(format!(
            "nothing to do for a container of status '{}' and PID {pid}",
            status.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Stage, parse, stage};

    #[test]
    fn crun_and_runc() {
        let crun = parse(include_bytes!("../samples/podman-crun.json")).unwrap();
        assert_eq!(stage(&crun), Ok(Stage::Start));
        assert_eq!(crun.annotation("io.container.manager"), Some("libpod"));
        let runc = parse(include_bytes!("../samples/runc.json")).unwrap();
        assert_eq!(stage(&runc), Ok(Stage::Start));
        assert_eq!(runc.annotation("x"), None);
        let stopped = parse(include_bytes!("../samples/crun-poststop.json")).unwrap();
        assert_eq!(stage(&stopped), Ok(Stage::Stopped));
    }

    #[test]
    fn hostile_states_are_refused_or_harmless() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "{\"id\":1}",
            "{\"id\":null}",
            "{\"id\":\"a\"",
            "{\"id\":\"a\",\"id\":\"b\"}",
            "{\"id\":\"a\",\"pid\":1e99}",
            "{\"id\":\"a\",\"pid\":\"1\"}",
            "{\"id\":\"a\",\"bundle\":7}",
            "{\"id\":\"a\",\"annotations\":[]}",
            "\u{0}",
            "{\"id\":\"\\ud800\"}",
            &deep,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:.60}");
        }
        let odd = parse(br#"{"id":"a","annotations":{"k":7},"hooks":[[[]]]}"#).unwrap();
        assert_eq!(odd.annotation("k"), None);
        assert!(stage(&odd).is_err());
        let gone = parse(br#"{"id":"a","status":"created","pid":-1}"#).unwrap();
        assert!(stage(&gone).is_err());
    }
}
