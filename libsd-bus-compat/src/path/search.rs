//! Lists of folders, of which the first that has something counts.

use std::os::unix::ffi::OsStringExt;

use super::place::{Place, Search};
use super::{TRIPLET, World, join, libraries};
use crate::Result;

type Paths = Vec<Vec<u8>>;

impl World<'_> {
    /// The paths of what is a list.
    pub fn list(&self, place: Place) -> Result<Option<Paths>> {
        Ok(Some(match place {
            Place::List(paths) => owned(paths),
            Place::Search(search) => self.search(search, owned(search.others)),
            Place::SearchLibraries => {
                let search = Search {
                    home_variable: None,
                    home: &format!(".local/lib/{TRIPLET}"),
                    variable: Some("LD_LIBRARY_PATH"),
                    is_all: true,
                    others: &[],
                };
                self.search(search, vec![libraries()])
            }
            Place::SystemUnits => self.overridden("SYSTEMD_UNIT_PATH", owned(SYSTEM_UNITS)),
            Place::UserUnits => {
                let units = self.user_units()?;
                self.overridden("SYSTEMD_UNIT_PATH", units)
            }
            Place::Overridden(variable, paths) => self.overridden(variable, owned(paths)),
            Place::Below(below) => {
                let folders = ["/etc", "/run", "/usr/local/lib", "/usr/lib"];
                let below = below.as_bytes();
                let path = |folder: &&str| match below {
                    [] => folder.as_bytes().to_vec(),
                    below => join(folder.as_bytes(), below),
                };
                folders.iter().map(path).collect()
            }
            Place::HomeBelow(below) => {
                let of_run = self.absolute("XDG_RUNTIME_DIR");
                let library = self.in_home(None, ".local/lib")?;
                let folders = [Some(self.configuration()?), of_run, Some(library)];
                let below = |folder: Vec<u8>| join(&folder, below.as_bytes());
                folders.into_iter().flatten().map(below).collect()
            }
            _ => return Ok(None),
        }))
    }

    fn search(&self, search: Search<'_>, others: Paths) -> Paths {
        let given = search.variable.and_then(|name| (self.variable)(name));
        let given = given.map(|list| split(&list));
        if search.is_all
            && let Some(given) = given
        {
            return given;
        }
        let named = search.home_variable.and_then(|name| self.absolute(name));
        // The list of users is not asked for what is a guess only.
        let below = |home: Vec<u8>| join(&home, search.home.as_bytes());
        let home = named.or_else(|| self.absolute("HOME").map(below));
        let others = given.unwrap_or(others);
        home.into_iter().chain(others).collect()
    }

    /// What a variable says instead; and these, too, if it ends in a colon.
    fn overridden(&self, variable: &str, paths: Paths) -> Paths {
        let Some(given) = (self.variable)(variable) else {
            return unique(paths);
        };
        let mut list: Paths = split(&given);
        if given.ends_with(b":") {
            list.extend(paths);
        }
        unique(list)
    }

    /// Where a user's service manager looks for units: systemd.unit(5).
    fn user_units(&self) -> Result<Paths> {
        let folder = |name: &str| (self.variable)(name).filter(|path| !path.is_empty());
        let home = |name: &str, below: &str| match folder(name) {
            Some(path) => Ok(path),
            None => self.in_home(None, below),
        };
        let list = |name: &str, others: &[&str]| match (self.variable)(name) {
            Some(list) => split(&list),
            None => owned(others),
        };
        let configuration = home("XDG_CONFIG_HOME", ".config")?;
        let data = home("XDG_DATA_HOME", ".local/share")?;
        let run = folder("XDG_RUNTIME_DIR");
        let mut paths = Paths::new();
        let mut add = |folder: &[u8], below: &str| paths.push(join(folder, below.as_bytes()));
        add(&configuration, "systemd/user.control");
        if let Some(run) = &run {
            add(run, "systemd/user.control");
            add(run, "systemd/transient");
            add(run, "systemd/generator.early");
        }
        add(&configuration, "systemd/user");
        for folder in list("XDG_CONFIG_DIRS", &["/etc/xdg"]) {
            add(&folder, "systemd/user");
        }
        add(b"/etc", "systemd/user");
        if let Some(run) = &run {
            add(run, "systemd/user");
        }
        add(b"/run", "systemd/user");
        if let Some(run) = &run {
            add(run, "systemd/generator");
        }
        add(&data, "systemd/user");
        let others = ["/usr/local/share", "/usr/share"];
        for folder in list("XDG_DATA_DIRS", &others) {
            add(&folder, "systemd/user");
        }
        for folder in [
            "/usr/local/lib",
            "/usr/local/share",
            "/usr/lib",
            "/usr/share",
        ] {
            add(folder.as_bytes(), "systemd/user");
        }
        if let Some(run) = &run {
            add(run, "systemd/generator.late");
        }
        Ok(paths)
    }
}

const SYSTEM_UNITS: &[&str] = &[
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
];

fn owned(paths: &[&str]) -> Paths {
    paths.iter().map(|path| path.as_bytes().to_vec()).collect()
}

fn split(list: &[u8]) -> Paths {
    let parts = list.split(|byte| *byte == b':');
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(<[u8]>::to_vec).collect()
}

/// Each once, and from where this process is.
fn unique(paths: Paths) -> Paths {
    let mut list = Paths::new();
    for path in paths {
        let path = match path.starts_with(b"/") {
            true => path,
            false => match std::env::current_dir() {
                Ok(folder) => join(&folder.into_os_string().into_vec(), &path),
                Err(_) => continue,
            },
        };
        if !list.contains(&path) {
            list.push(path);
        }
    }
    list
}
