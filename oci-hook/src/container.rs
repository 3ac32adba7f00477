//! The container, as it is to be registered.

use std::path::Path;

use crate::{
    bundle,
    cli::HookOptions,
    name,
    state::{self, Stage, State},
};

/// The annotation that names a machine, where annotations are trusted. Empty: the container is not to be registered.
pub const NAME_ANNOTATION: &str = "io.switchyard.name";

/// Kubernetes runtimes set one of these on every container of a pod.
const POD_ANNOTATIONS: [&str; 2] = [
    "io.kubernetes.cri.sandbox-id",
    "io.kubernetes.cri-o.SandboxID",
];

/// A container, as it is to be registered or forgotten.
#[derive(Debug, PartialEq, Eq)]
pub struct Container {
    /// The names to try, the best first; the next one is taken where a machine has the one before.
    pub names: Vec<String>,
    /// Its first process, in decimal. Text, because what is wrong with it is to be told when it is used.
    pub leader: String,
    /// The program that runs it.
    pub service: String,
    /// Its root directory on the host, absolute; empty: unknown.
    pub root: String,
    /// The machine id, where the container's own id is one.
    pub id: Option<[u8; 16]>,
}

impl Container {
    /// The container of this state, or `None` where it is none of ours.
    ///
    /// Pods are not registered: whoever may start one in the cluster names it, and would name hosts for every program of
    /// the node.
    ///
    /// # Errors
    /// A container without a name that a machine can have.
    pub fn of(state: &State, options: &HookOptions) -> Result<Option<Self>, String> {
        let starts = state::stage(state)? == Stage::Start;
        // podman sets the annotations of CRI-O too, all but this one, and says who it is.
        let pod = POD_ANNOTATIONS
            .iter()
            .any(|key| state.annotation(key).is_some());
        if starts && pod && state.annotation("io.container.manager") != Some("libpod") {
            return Ok(None);
        }
        let annotation = if options.trust_annotations {
            state.annotation(NAME_ANNOTATION)
        } else {
            None
        };
        if starts && annotation == Some("") {
            return Ok(None);
        }
        let config = bundle::config(&state.bundle);
        let manager = bundle::manager(state, config.as_ref());
        let chosen = options.name.as_deref().or(annotation).map(str::to_owned);
        let names = name::candidates(&state.id, chosen, manager.name)?;
        let root = state
            .root
            .as_deref()
            .or(config.as_ref().and_then(|c| c.root_path()));
        Ok(Some(Self {
            names,
            leader: state.pid.to_string(),
            service: manager.service.unwrap_or_else(runtime),
            root: root
                .map(|path| absolute(&state.bundle, path))
                .unwrap_or_default(),
            id: name::machine_id(&state.id),
        }))
    }
}

/// A root directory relative to its bundle (config.md, "Root") made absolute; empty where it can't be told without following it.
fn absolute(bundle: &Path, path: &Path) -> String {
    let joined = bundle.join(path);
    let plain = joined.is_absolute() && !joined.components().any(|c| c.as_os_str() == "..");
    let cleaned: std::path::PathBuf = joined.components().collect();
    match cleaned.to_str() {
        Some(text) if plain => text.to_owned(),
        _ => String::new(),
    }
}

/// The runtime is the parent of its hooks: its name, e.g. `crun`.
fn runtime() -> String {
    let parent = std::os::unix::process::parent_id();
    let comm = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    match comm.trim_end() {
        "" => "oci".to_owned(),
        comm => comm.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Container, absolute};
    use crate::{cli::HookOptions, state};

    const HEX: &str = "8e24e4633258acd79bea829a0760d8c80c6534ee23cccee2fae9cbeab01878ac";

    fn of(text: &[u8], options: &HookOptions) -> Option<Container> {
        Container::of(&state::parse(text).unwrap(), options).unwrap()
    }

    #[test]
    fn podman_by_crun() {
        let container = of(
            include_bytes!("../samples/podman-crun.json"),
            &HookOptions::default(),
        )
        .unwrap();
        assert_eq!(
            container.names,
            ["8e24e4633258"],
            "its store is not here, so nobody knows a better name"
        );
        assert_eq!(container.service, "podman");
        assert!(container.root.ends_with("/merged"), "{}", container.root);
        assert_eq!(container.id.unwrap()[..2], [0x8e, 0x24]);
    }

    #[test]
    fn a_pod_is_not_registered() {
        let pod = br#"{"id":"a","status":"created","pid":7,"annotations":{"io.kubernetes.cri.sandbox-id":"x"}}"#;
        assert_eq!(of(pod, &HookOptions::default()), None);
    }

    #[test]
    fn an_image_can_not_choose_the_name() {
        let state = format!(
            r#"{{"id":"{HEX}","status":"created","pid":7,"annotations":{{"io.switchyard.name":"registry.example"}}}}"#
        );
        let plain = of(state.as_bytes(), &HookOptions::default()).unwrap();
        assert_eq!(plain.names, [&HEX[..12]]);
        let trusting = HookOptions {
            trust_annotations: true,
            ..HookOptions::default()
        };
        assert_eq!(
            of(state.as_bytes(), &trusting).unwrap().names,
            ["registry.example", &HEX[..12]]
        );
        let none = state.replace("registry.example", "");
        assert_eq!(of(none.as_bytes(), &trusting), None);
    }

    #[test]
    fn roots() {
        let root = |bundle: &str, path: &str| absolute(bundle.as_ref(), path.as_ref());
        assert_eq!(root("/b", "rootfs"), "/b/rootfs");
        assert_eq!(root("/b/", "./rootfs/"), "/b/rootfs");
        assert_eq!(root("/b", "/r"), "/r");
        assert_eq!(root("/b", "../r"), "");
        assert_eq!(root("b", "r"), "");
    }
}
