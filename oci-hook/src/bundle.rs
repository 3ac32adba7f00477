//! What container managers leave beside the container: its config.json, and their own record of its name.
//!
//! No manager tells its runtime the name that a person gave the container, so it is read where they keep it. Anything
//! missing or odd there is "unknown": the container has an id in any case.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::state::State;

/// The longest file that is read: the record of ten thousand containers is about 6 MB.
const FILE_MAX: u64 = 16 << 20;

/// What is read of config.json.
#[derive(Debug, Default, Deserialize)]
pub struct Config {
    #[serde(default)]
    root: Option<Root>,
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Debug, Deserialize)]
struct Root {
    path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Mount {
    #[serde(default)]
    source: PathBuf,
}

impl Config {
    /// The root directory, perhaps relative to the bundle.
    pub fn root_path(&self) -> Option<&Path> {
        self.root.as_ref().map(|root| root.path.as_path())
    }
}

/// The program that runs the container, and the name it knows it by.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Manager {
    /// E.g. `podman`; `None`: the runtime was called without one.
    pub service: Option<String>,
    /// The name, if it has one.
    pub name: Option<String>,
}

/// The bundle's configuration, if it can be read.
pub fn config(bundle: &Path) -> Option<Config> {
    read(&bundle.join("config.json"))
}

/// Finds out who runs the container, by where its bundle lies: podman runs the hooks of poststop itself and leaves most
/// annotations out of their state.
pub fn manager(state: &State, config: Option<&Config>) -> Manager {
    let manager = |service: &str, name| Manager {
        service: Some(service.to_owned()),
        name,
    };
    if let Some(store) = podman_store(state) {
        return manager("podman", podman_name(state, store));
    }
    // Under containerd the bundle is …/io.containerd.runtime.v2.task/NAMESPACE/ID; docker's namespace is moby.
    let mut ancestors = state.bundle.iter().rev().skip(1);
    match (ancestors.next(), ancestors.next()) {
        (Some(namespace), Some(task)) if task == "io.containerd.runtime.v2.task" => {
            if namespace == "moby" {
                manager("docker", docker_name(state, config))
            } else {
                manager(
                    "containerd",
                    state.annotation("nerdctl/name").map(str::to_owned),
                )
            }
        }
        _ => Manager::default(),
    }
}

/// The folder of containers/storage, if the bundle is STORAGE/DRIVER-containers/ID/userdata.
fn podman_store(state: &State) -> Option<&Path> {
    let folder = state.bundle.parent()?;
    let store = folder.parent()?;
    let ours = state.bundle.file_name()? == "userdata"
        && folder.file_name()? == state.id.as_str()
        && store.file_name()?.to_str()?.ends_with("-containers");
    ours.then_some(store)
}

/// There lie the names of all containers, in one file, or in two where `podman run --rm` has one of its own.
fn podman_name(state: &State, store: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Stored {
        id: String,
        #[serde(default)]
        names: Option<Vec<String>>,
    }
    ["containers.json", "volatile-containers.json"]
        .into_iter()
        .filter_map(|file| read::<Vec<Stored>>(&store.join(file)))
        .flatten()
        .find(|stored| stored.id == state.id)
        .and_then(|stored| stored.names?.into_iter().next())
}

/// docker mounts three files of the container's own folder into it; its record lies beside them.
fn docker_name(state: &State, config: Option<&Config>) -> Option<String> {
    #[derive(Deserialize)]
    struct Record {
        #[serde(rename = "Name")]
        name: String,
    }
    let own = |mount: &Mount| {
        let folder = mount.source.parent()?;
        let ours =
            mount.source.file_name()? == "hostname" && folder.file_name()? == state.id.as_str();
        ours.then(|| folder.join("config.v2.json"))
    };
    let record: Record = read(&config?.mounts.iter().find_map(own)?)?;
    Some(record.name.trim_start_matches('/').to_owned())
}

/// Reads a JSON file.
fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut text = Vec::new();
    let file = File::open(path).ok()?;
    file.take(FILE_MAX + 1).read_to_end(&mut text).ok()?;
    if text.len() as u64 > FILE_MAX {
        return None;
    }
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::{Manager, config, manager};
    use crate::state::{self, State};

    const ID: &str = "8e24e4633258acd79bea829a0760d8c80c6534ee23cccee2fae9cbeab01878ac";

    /// A folder of this test's own, removed with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("oci-hook-{test}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.0.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn state(&self, bundle: &str, annotations: &str) -> State {
            let bundle = self.0.join(bundle);
            let text = format!(
                r#"{{"id":"{ID}","bundle":"{}","annotations":{annotations}}}"#,
                bundle.display()
            );
            state::parse(text.as_bytes()).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn found(state: &State) -> Manager {
        manager(state, config(&state.bundle).as_ref())
    }

    fn is(service: &str, name: Option<&str>) -> Manager {
        Manager {
            service: Some(service.into()),
            name: name.map(Into::into),
        }
    }

    #[test]
    fn podman() {
        let folder = Folder::new("podman");
        let state = folder.state(&format!("overlay-containers/{ID}/userdata"), "{}");
        assert_eq!(found(&state), is("podman", None));
        folder.write(
            "overlay-containers/volatile-containers.json",
            &format!(r#"[{{"id":"{ID}","names":["web"]}}]"#),
        );
        assert_eq!(found(&state), is("podman", Some("web")));
        folder.write(
            "overlay-containers/containers.json",
            r#"[{"id":"0","names":["db"]},{"id":"1"}]"#,
        );
        assert_eq!(found(&state), is("podman", Some("web")));
        folder.write("overlay-containers/volatile-containers.json", "[{");
        assert_eq!(found(&state), is("podman", None));
    }

    #[test]
    fn docker() {
        let folder = Folder::new("docker");
        let task = format!("run/io.containerd.runtime.v2.task/moby/{ID}");
        let state = folder.state(&task, "null");
        assert_eq!(found(&state), is("docker", None));
        let own = folder.0.join("containers").join(ID);
        let mounts = format!(
            r#"{{"root":{{"path":"/merged"}},"mounts":[{{"destination":"/proc"}},{{"source":"{}/hostname"}}]}}"#,
            own.display()
        );
        folder.write(&format!("{task}/config.json"), &mounts);
        folder.write(
            &format!("containers/{ID}/config.v2.json"),
            r#"{"ID":"x","Name":"/web"}"#,
        );
        assert_eq!(found(&state), is("docker", Some("web")));
        assert_eq!(
            config(&state.bundle).unwrap().root_path().unwrap(),
            "/merged"
        );
    }

    #[test]
    fn nerdctl_and_none() {
        let folder = Folder::new("others");
        let task = format!("run/io.containerd.runtime.v2.task/default/{ID}");
        assert_eq!(
            found(&folder.state(&task, r#"{"nerdctl/name":"web"}"#)),
            is("containerd", Some("web"))
        );
        assert_eq!(
            found(&folder.state("bundle", r#"{"nerdctl/name":"web"}"#)),
            Manager::default()
        );
    }
}
