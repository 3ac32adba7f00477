//! Both halves in one process, on scratch directories.

use std::{
    fs,
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    thread,
};

use rustix::{
    fs::{FileType, Mode, OFlags, XattrFlags},
    io::Errno,
};

use super::*;
use crate::root::Root;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("machined-copy-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        for side in ["from", "to"] {
            fs::create_dir_all(path.join(side)).unwrap();
        }
        Self(path)
    }

    fn root(&self, side: &str) -> Root {
        crate::reopen::prepare().unwrap();
        Root::new(rustix::fs::open(self.0.join(side), OFlags::PATH, Mode::empty()).unwrap())
    }

    fn from(&self, path: &str) -> PathBuf {
        self.0.join("from").join(path)
    }

    fn to(&self, path: &str) -> PathBuf {
        self.0.join("to").join(path)
    }

    fn copy(&self, from: &str, to: &str, replace: bool) -> Result<(), Fault> {
        let (reader, writer) = socket::pair().unwrap();
        let (source, target) = (self.root("from"), self.root("to"));
        thread::scope(|scope| {
            let sent = scope.spawn(move || send(&source, Path::new(from), reader.as_fd()));
            let path = Path::new(to);
            let received = receive(&target, path, replace, Rules::SAME, writer.as_fd());
            drop(writer);
            match (sent.join().unwrap(), received) {
                (Err(fault), _) if !socket::is_gone(fault.errno) => Err(fault),
                (_, received) => received,
            }
        })
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.to("")).unwrap();
        let mut names: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn tree(scratch: &Scratch) {
    fs::create_dir_all(scratch.from("tree/sub")).unwrap();
    fs::write(scratch.from("tree/file"), "hello").unwrap();
    fs::set_permissions(
        scratch.from("tree/file"),
        fs::Permissions::from_mode(0o2640),
    )
    .unwrap();
    fs::write(scratch.from("tree/sub/deep"), "deep").unwrap();
    symlink("../nowhere", scratch.from("tree/link")).unwrap();
    let pipe = scratch.from("tree/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
    let file = fs::File::open(scratch.from("tree/file")).unwrap();
    rustix::fs::fsetxattr(&file, "user.note", b"kept", XattrFlags::empty()).unwrap();
    fs::set_permissions(scratch.from("tree/sub"), fs::Permissions::from_mode(0o500)).unwrap();
}

#[test]
fn copies_a_tree_with_what_belongs_to_it() {
    let s = Scratch::new("tree");
    tree(&s);
    s.copy("/tree", "/copy", false).unwrap();
    assert_eq!(s.names(), ["copy"]);
    assert_eq!(fs::read(s.to("copy/file")).unwrap(), b"hello");
    assert_eq!(fs::read(s.to("copy/sub/deep")).unwrap(), b"deep");
    assert_eq!(
        fs::read_link(s.to("copy/link")).unwrap(),
        Path::new("../nowhere")
    );
    for name in ["", "/file", "/sub", "/sub/deep", "/link", "/pipe"] {
        let from = fs::symlink_metadata(s.from(&format!("tree{name}"))).unwrap();
        let to = fs::symlink_metadata(s.to(&format!("copy{name}"))).unwrap();
        assert_eq!(from.mode(), to.mode(), "{name}");
        assert_eq!((from.uid(), from.gid()), (to.uid(), to.gid()), "{name}");
        assert_eq!(from.modified().unwrap(), to.modified().unwrap(), "{name}");
    }
    let mut value = [0; 8];
    let file = fs::File::open(s.to("copy/file")).unwrap();
    assert_eq!(rustix::fs::fgetxattr(&file, "user.note", &mut value), Ok(4));
}

#[test]
fn fills_a_directory_up_and_replaces_only_when_told() {
    let s = Scratch::new("merge");
    tree(&s);
    fs::create_dir(s.to("copy")).unwrap();
    fs::write(s.to("copy/file"), "mine").unwrap();
    fs::write(s.to("copy/other"), "mine").unwrap();
    s.copy("/tree", "/copy", false).unwrap();
    assert_eq!(fs::read(s.to("copy/file")).unwrap(), b"mine");
    assert_eq!(fs::read(s.to("copy/sub/deep")).unwrap(), b"deep");
    s.copy("/tree", "/copy", true).unwrap();
    assert_eq!(fs::read(s.to("copy/file")).unwrap(), b"hello");
    assert_eq!(fs::read(s.to("copy/other")).unwrap(), b"mine");
}

#[test]
fn what_is_there_is_an_error_at_the_top() {
    let s = Scratch::new("exists");
    tree(&s);
    fs::write(s.to("taken"), "mine").unwrap();
    fs::create_dir(s.to("dir")).unwrap();
    let errno = |from, to, replace| s.copy(from, to, replace).unwrap_err().errno;
    assert_eq!(errno("/tree/file", "/taken", false), Errno::EXIST);
    assert_eq!(errno("/tree/file", "/dir/", false), Errno::EXIST);
    assert_eq!(errno("/tree/file", "/dir", true), Errno::EXIST);
    assert_eq!(errno("/tree", "/taken", true), Errno::NOTDIR);
    assert_eq!(errno("/tree/file", "/no/such", true), Errno::NOENT);
    assert_eq!(errno("/none", "/x", true), Errno::NOENT);
    assert_eq!(errno("/", "/x", true), Errno::INVAL);
    s.copy("/tree/file", "/taken", true).unwrap();
    assert_eq!(fs::read(s.to("taken")).unwrap(), b"hello");
    assert_eq!(s.names(), ["dir", "taken"]);
}

#[test]
fn keeps_holes() {
    let s = Scratch::new("holes");
    let file = fs::File::create(s.from("sparse")).unwrap();
    rustix::io::pwrite(&file, b"begin", 0).unwrap();
    rustix::io::pwrite(&file, b"middle", 64 << 20).unwrap();
    file.set_len(128 << 20).unwrap();
    s.copy("/sparse", "/sparse", false).unwrap();
    let copy = fs::metadata(s.to("sparse")).unwrap();
    assert_eq!(copy.len(), 128 << 20);
    assert!(copy.blocks() * 512 < 1 << 20, "{} blocks", copy.blocks());
    let copy = fs::File::open(s.to("sparse")).unwrap();
    let mut buffer = [0; 6];
    rustix::io::pread(&copy, &mut buffer, 64 << 20).unwrap();
    assert_eq!(&buffer, b"middle");
}

#[test]
fn links_lead_nowhere_outside() {
    let s = Scratch::new("escape");
    fs::write(s.0.join("secret"), "outside").unwrap();
    fs::write(s.from("file"), "x").unwrap();
    symlink(s.0.join("secret"), s.from("absolute")).unwrap();
    symlink(&s.0, s.to("away")).unwrap();
    symlink("../..", s.to("up")).unwrap();
    symlink(s.0.join("secret"), s.to("file")).unwrap();
    // The link itself is what is copied.
    s.copy("/absolute", "/link", false).unwrap();
    assert!(fs::symlink_metadata(s.to("link")).unwrap().is_symlink());
    assert!(s.copy("/file", "/away/planted", true).is_err());
    s.copy("/file", "/up/planted", true).unwrap();
    assert!(!s.0.join("planted").exists());
    assert!(s.to("planted").exists());
    s.copy("/file", "/file", true).unwrap();
    assert_eq!(fs::read(s.0.join("secret")).unwrap(), b"outside");
}

#[test]
fn leaves_nothing_behind_when_the_reader_stops() {
    let s = Scratch::new("partial");
    let (reader, writer) = socket::pair().unwrap();
    let entry = |name: &str, kind, mode| {
        Message::Entry(entry::Entry {
            name: name.into(),
            kind,
            metadata: entry::Metadata {
                mode,
                ..Default::default()
            },
        })
    };
    tell(
        reader.as_fd(),
        &entry("a", entry::Kind::Directory, 0o040_755),
        &[],
    )
    .unwrap();
    tell(
        reader.as_fd(),
        &entry("b", entry::Kind::Directory, 0o040_755),
        &[],
    )
    .unwrap();
    let link = entry("l", entry::Kind::Symlink(b"x".to_vec()), 0o120_777);
    tell(reader.as_fd(), &link, &[]).unwrap();
    drop(reader);
    let root = s.root("to");
    let fault = receive(
        &root,
        Path::new("/copy"),
        false,
        Rules::SAME,
        writer.as_fd(),
    );
    assert!(socket::is_gone(fault.unwrap_err().errno));
    assert!(s.names().is_empty(), "{:?}", s.names());
}

#[test]
fn names_from_the_other_half_are_not_believed() {
    for name in ["", ".", "..", "../x", "a/b", "/etc", "a\0b"] {
        let s = Scratch::new("names");
        let (reader, writer) = socket::pair().unwrap();
        let entry = |name: &str| {
            Message::Entry(entry::Entry {
                name: name.into(),
                kind: entry::Kind::Directory,
                metadata: entry::Metadata::default(),
            })
        };
        tell(reader.as_fd(), &entry("top"), &[]).unwrap();
        tell(reader.as_fd(), &entry(name), &[]).unwrap();
        let root = s.root("to");
        let fault = receive(
            &root,
            Path::new("/copy"),
            false,
            Rules::SAME,
            writer.as_fd(),
        );
        assert_eq!(fault.unwrap_err().errno, Errno::BADMSG, "{name:?}");
        assert!(s.names().is_empty());
    }
}

#[test]
fn a_copy_into_its_own_source_ends() {
    let s = Scratch::new("self");
    fs::create_dir(s.from("tree")).unwrap();
    fs::write(s.from("tree/file"), "x").unwrap();
    fs::remove_dir(s.to("")).unwrap();
    symlink(s.from("tree"), s.0.join("to")).unwrap();
    s.copy("/tree", "/inner", false).unwrap();
    assert!(s.from("tree/inner/file").exists());
    assert!(!s.from("tree/inner/inner").exists());
}

#[test]
fn a_tree_that_changes_is_copied_or_refused_but_never_left() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let s = Scratch::new("race");
    fs::write(s.0.join("secret"), "outside").unwrap();
    fs::create_dir_all(s.0.join("outside")).unwrap();
    fs::write(s.0.join("outside/planted"), "outside").unwrap();
    fs::create_dir_all(s.from("tree")).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let at = |name| s.from(&format!("tree/{name}"));
            while !stop.load(Ordering::Relaxed) {
                let _ = fs::create_dir(at("d"));
                let _ = fs::write(at("d/planted"), "inside");
                let _ = fs::write(at("f"), "inside");
                let _ = fs::rename(at("d"), at("d2"));
                let _ = symlink("../../outside", at("d"));
                let _ = symlink(s.0.join("secret"), at("l"));
                let _ = fs::rename(at("l"), at("f"));
                let _ = fs::remove_file(at("d"));
                let _ = fs::remove_file(at("f"));
                let _ = fs::remove_dir_all(at("d2"));
            }
        });
        for _ in 0..300 {
            let _ = s.copy("/tree", "/copy", true);
            for name in ["f", "d/planted", "d2/planted"] {
                let path = s.to(&format!("copy/{name}"));
                let link = fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink());
                let below = fs::symlink_metadata(s.to("copy/d")).is_ok_and(|m| m.is_symlink());
                if !link && !below {
                    assert_ne!(fs::read(&path).unwrap_or_default(), b"outside", "{name}");
                }
            }
            let _ = fs::remove_dir_all(s.to("copy"));
        }
        stop.store(true, Ordering::Relaxed);
    });
}
