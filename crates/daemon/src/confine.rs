//! What of the file system a daemon may touch: Landlock, landlock(7).

use std::{io, path::Path};

use landlock::{
    ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus,
};

/// Written against this version of the kernel's interface (Linux 6.2); an older kernel enforces what it knows.
const VERSION: ABI = ABI::V3;

/// From now on everything can be read, and nothing written, made or run but below `writable`. no_new_privs must be set. To
/// be called while there is one thread.
///
/// Returns whether the kernel enforces any of it.
///
/// # Errors
/// If a directory can't be opened, or the kernel refuses.
pub fn write_only_below(writable: &[&Path]) -> io::Result<bool> {
    let other = |error: landlock::RulesetError| io::Error::other(error);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let all = AccessFs::from_all(VERSION);
    let open = |path: &Path| PathFd::new(path).map_err(io::Error::other);
    let mut ruleset = Ruleset::default()
        .handle_access(all)
        .map_err(other)?
        .create()
        .map_err(other)?
        .add_rule(PathBeneath::new(open(Path::new("/"))?, read))
        .map_err(other)?;
    for path in writable {
        let rule = PathBeneath::new(open(path)?, all & !AccessFs::Execute);
        ruleset = ruleset.add_rule(rule).map_err(other)?;
    }
    let status = ruleset.restrict_self().map_err(other)?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    #[test]
    fn nothing_is_written_elsewhere() {
        let directory = std::env::temp_dir().join(format!("confine-{}", std::process::id()));
        let (inside, outside) = (directory.join("inside"), directory.join("outside"));
        fs::create_dir_all(&inside).unwrap();
        let (kept, denied) = (inside.clone(), outside.clone());
        let enforced = thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            let enforced = write_only_below(&[&kept]).unwrap();
            fs::write(kept.join("file"), "x").unwrap();
            assert!(fs::read("/proc/self/status").is_ok());
            assert_eq!(fs::write(&denied, "x").is_err(), enforced);
            enforced
        })
        .join()
        .unwrap();
        assert_eq!(outside.exists(), !enforced);
        fs::remove_dir_all(&directory).unwrap();
    }
}
