//! What a runtime and a container manager say of a container, through all that reads it: for fuzzing.

use std::path::Path;

use crate::{
    cli::HookOptions,
    container::Container,
    state::{self, State},
};

/// What would be registered.
#[derive(Debug, PartialEq, Eq)]
pub struct Trial {
    /// Names, the best first.
    pub names: Vec<String>,
    /// The root directory; empty: unknown.
    pub root: String,
}

/// Reads the state of a container whose bundle is this one, whatever it says itself. `None`: it is none of ours.
///
/// # Errors
/// What is wrong with it.
pub fn try_state(text: &[u8], bundle: &Path) -> Result<Option<Trial>, String> {
    let state = State {
        bundle: bundle.to_owned(),
        ..state::parse(text)?
    };
    let options = HookOptions {
        trust_annotations: true,
        ..HookOptions::default()
    };
    let container = Container::of(&state, &options)?;
    Ok(container.map(|container| Trial {
        names: container.names,
        root: container.root,
    }))
}
