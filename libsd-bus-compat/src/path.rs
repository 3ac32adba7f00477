//! Where things are: sd_path_lookup(3), file-hierarchy(7), the XDG base directory specification.

mod home;
mod place;
mod search;

use std::path::Path;

use self::place::{Place, place};
use crate::{Errno, Result};

/// What a lookup goes by.
pub struct World<'a> {
    /// A variable of the environment, if that is to be believed.
    pub variable: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// The user.
    pub uid: u32,
    /// Its list of users; an NSS module that asks for a path is not to be called from within.
    pub passwd: &'a Path,
}

/// The paths of a number, with something behind each of them; whether it is a list of them, and not one alone.
///
/// # Errors
/// EOPNOTSUPP for a number without meaning; ENXIO if a variable is not set; ESRCH if nobody knows where the user is at home.
pub fn lookup(world: &World<'_>, number: u64, suffix: &[u8]) -> Result<Vec<Vec<u8>>> {
    let place = place(number).ok_or(Errno::OPNOTSUPP)?;
    if let Some(list) = world.list(place)? {
        let with_suffix = |path: Vec<u8>| match suffix {
            [] => path,
            suffix => join(&path, suffix),
        };
        return Ok(list.into_iter().map(with_suffix).collect());
    }
    let path = world.one(place)?;
    let begin = suffix.iter().position(|byte| *byte != b'/');
    let path = match begin.and_then(|begin| suffix.get(begin..)) {
        Some(suffix) => join(&path, suffix),
        None => path,
    };
    Ok(vec![path])
}

impl World<'_> {
    /// A variable that is an absolute path.
    fn absolute(&self, name: &str) -> Option<Vec<u8>> {
        (self.variable)(name).filter(|path| path.starts_with(b"/"))
    }

    /// The path of what has one.
    fn one(&self, place: Place) -> Result<Vec<u8>> {
        match place {
            Place::Fixed(path) => Ok(path.into()),
            Place::Temporary(path) => Ok(self.temporary(path)),
            Place::Variable(name) => self.absolute(name).ok_or(Errno::NXIO),
            Place::Libraries => Ok(libraries()),
            Place::Home(variable, below) => self.in_home(variable, below),
            Place::HomeLibraries => self.in_home(None, &format!(".local/lib/{TRIPLET}")),
            Place::Configuration(below) => Ok(join(&self.configuration()?, below.as_bytes())),
            Place::UserDirectory(name, below) => self.user_directory(name, below),
            // Lists are looked at before.
            _ => Err(Errno::OPNOTSUPP),
        }
    }

    /// Where short-lived files go: where a variable says, if that is a folder.
    fn temporary(&self, path: &str) -> Vec<u8> {
        let names = ["TMPDIR", "TEMP", "TMP"];
        let given = names.iter().filter_map(|name| self.absolute(name));
        let mut folders = given.filter(|path| as_path(path).is_dir());
        folders.next().unwrap_or_else(|| path.into())
    }
}

/// How Debian, and with it others, calls the folder of libraries of an architecture.
const TRIPLET: &str = if cfg!(all(target_arch = "x86_64", target_pointer_width = "32")) {
    "x86_64-linux-gnux32"
} else if cfg!(target_arch = "x86_64") {
    "x86_64-linux-gnu"
} else if cfg!(target_arch = "aarch64") {
    "aarch64-linux-gnu"
} else if cfg!(target_arch = "x86") {
    "i386-linux-gnu"
} else if cfg!(target_arch = "arm") {
    "arm-linux-gnueabihf"
} else if cfg!(target_arch = "riscv64") {
    "riscv64-linux-gnu"
} else if cfg!(target_arch = "s390x") {
    "s390x-linux-gnu"
} else if cfg!(all(target_arch = "powerpc64", target_endian = "little")) {
    "powerpc64le-linux-gnu"
} else {
    ""
};

/// The folder of libraries of this architecture on this machine, as its distribution has it.
fn libraries() -> Vec<u8> {
    let all = [&format!("/usr/lib/{TRIPLET}"), "/usr/lib64"];
    let is_one = |path: &&str| path.len() > "/usr/lib/".len() && Path::new(path).is_dir();
    let found = all.into_iter().find(is_one);
    found.unwrap_or("/usr/lib").into()
}

/// One path below another.
fn join(path: &[u8], below: &[u8]) -> Vec<u8> {
    match path.ends_with(b"/") || below.starts_with(b"/") {
        true => [path, below].concat(),
        false => [path, b"/", below].concat(),
    }
}

fn as_path(path: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(variables: &[(&str, &str)], number: u64, suffix: &str) -> Result<Vec<String>> {
        let world = World {
            variable: &|name| {
                let found = variables.iter().find(|(own, _)| *own == name);
                found.map(|(_, value)| value.as_bytes().to_vec())
            },
            uid: 12345,
            passwd: Path::new("/dev/null"),
        };
        let found = lookup(&world, number, suffix.as_bytes())?;
        let text = |path: Vec<u8>| String::from_utf8(path).unwrap();
        Ok(found.into_iter().map(text).collect())
    }

    #[test]
    fn one_path() {
        let at_home = &[("HOME", "/home/u/")];
        assert_eq!(look(at_home, 9, "//x/").unwrap(), ["/etc/x/"]);
        assert_eq!(look(at_home, 16, "").unwrap(), ["/home/u/.local/bin"]);
        assert_eq!(look(&[("HOME", "u")], 16, ""), Err(Errno::SRCH));
        assert_eq!(look(at_home, 21, ""), Err(Errno::NXIO));
        assert_eq!(look(at_home, 77, ""), Err(Errno::OPNOTSUPP));
        assert_eq!(look(at_home, u64::MAX, ""), Err(Errno::OPNOTSUPP));
    }

    #[test]
    fn several_paths() {
        let given = &[("HOME", "/h"), ("XDG_DATA_DIRS", "/a::/b"), ("PATH", "/p:")];
        assert_eq!(
            look(given, 36, "x").unwrap(),
            ["/h/.local/share/x", "/a/x", "/b/x"]
        );
        assert_eq!(look(given, 32, "").unwrap(), ["/p"]);
        let given = &[("SYSTEMD_UNIT_PATH", "/a:/b")];
        assert_eq!(look(given, 47, "/x").unwrap(), ["/a/x", "/b/x"]);
    }
}
