//! What the machine's administrator set: /etc/switchyard/machined.conf and its drop-ins.

use std::path::PathBuf;

use config_file::{Diagnostic, Wrong, files, parse_boolean, syntax};

const SECTION: &str = "Machine";

/// All of it. [`Config::default`] is what holds without any file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `Lookaside=`: whether every process reads names and addresses of machines from a map. docs/lookaside.md
    pub lookaside: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { lookaside: true }
    }
}

/// Reads everything below these folders, [`files::ROOTS`] on a real machine. It never fails: what is wrong is skipped, and named.
#[must_use]
pub fn load(roots: &[PathBuf]) -> (Config, Vec<Diagnostic>) {
    let (mut config, mut wrong) = (Config::default(), Wrong::default());
    for path in files::with_drop_ins(roots, "switchyard/machined.conf", &mut wrong) {
        let Some(bytes) = files::read(&path, &mut wrong) else {
            continue;
        };
        for set in syntax::parse(&path, &bytes, SECTION, &mut wrong) {
            let message = match (set.key.as_str(), parse_boolean(&set.value)) {
                ("Lookaside", Some(value)) => {
                    config.lookaside = value;
                    continue;
                }
                ("Lookaside", None) => format!("Lookaside= is yes or no, not {:?}", set.value),
                (key, _) => format!("unknown key {key}= in [{SECTION}]"),
            };
            wrong.line(&path, set.line, message);
        }
    }
    (config, wrong.into_list())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn drop_ins_go_last_and_what_is_wrong_is_named() {
        let dir = std::env::temp_dir().join(format!("machined.conf-{}", std::process::id()));
        let drop_ins = dir.join("switchyard/machined.conf.d");
        fs::create_dir_all(&drop_ins).unwrap();
        let roots = [dir.clone()];
        assert_eq!(load(&roots), (Config::default(), vec![]));
        fs::write(
            dir.join("switchyard/machined.conf"),
            "[Machine]\nLookaside=no\n",
        )
        .unwrap();
        assert_eq!(load(&roots), (Config { lookaside: false }, vec![]));
        let text = "[Machine]\nLookaside=perhaps\nLookaside=yes\nOther=1\n";
        fs::write(drop_ins.join("a.conf"), text).unwrap();
        let (config, wrong) = load(&roots);
        assert!(config.lookaside);
        let lines: Vec<_> = wrong.iter().map(|one| one.line).collect();
        assert_eq!(lines, [2, 4]);
        fs::remove_dir_all(dir).unwrap();
    }
}
