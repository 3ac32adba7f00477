//! What programs that are called read.

use std::{cell::OnceCell, fs};

use oci_hook::trial::try_state;
use resolvconf::trial::try_input;
use tempfile::TempDir;

use crate::{config::memory, parts};

thread_local! {
    static BUNDLE: OnceCell<TempDir> = const { OnceCell::new() };
}

/// A container's state and config.json: every name is one that a machine may have, and the root is nowhere above.
pub fn oci_state(bytes: &[u8]) {
    let mut parts = parts(bytes);
    let (state, config) = (parts.next().unwrap_or_default(), parts.next());
    BUNDLE.with(|bundle| {
        let bundle = bundle.get_or_init(memory).path();
        fs::write(bundle.join("config.json"), config.unwrap_or_default()).unwrap();
        let Ok(Some(trial)) = try_state(state, bundle) else {
            return;
        };
        assert!(!trial.names.is_empty());
        for name in &trial.names {
            assert!(machined::name::MachineName::new(name).is_ok(), "{name:?}");
        }
        assert!(trial.root.is_empty() || trial.root.starts_with('/'));
        assert!(!trial.root.split('/').any(|part| part == ".."));
    });
}

/// resolv.conf(5) on resolvconf's standard input: every word of what is told stands there.
pub fn resolvconf_input(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(trial) = try_input(&text) else {
        return;
    };
    assert!(!trial.servers.is_empty());
    for (domain, _) in &trial.domains {
        assert!(text.contains(domain.as_str()) && !domain.contains(char::is_whitespace));
    }
    for (_, _, name) in &trial.servers {
        assert!(text.contains(name.as_str()));
    }
}
