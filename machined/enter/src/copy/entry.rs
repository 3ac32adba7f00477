//! What the two halves of a copy say to each other.

use rustix::fs::Stat;

use crate::{
    fault::Fault,
    packet::{Reader, Writer, malformed},
};

/// One step of a walk through a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Something in the current directory. A directory is the current one from here to its `Leave`.
    Entry(Entry),
    /// The current directory has no more entries.
    Leave,
    /// That was all.
    End,
}

/// A file of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the current directory. Nothing is meant by the first one's.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// What is known of it.
    pub metadata: Metadata,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file; it goes along, open for reading.
    File,
    /// A symbolic link to this.
    Symlink(Vec<u8>),
    /// A device, FIFO or socket.
    Node,
}

/// What is kept of a file besides its contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Kind and permissions, as in st_mode.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Which device, for a node that is one.
    pub device: u64,
    /// Last access and last modification: seconds and nanoseconds.
    pub times: [(i64, u32); 2],
    /// Extended attributes: name and value.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl From<&Stat> for Metadata {
    fn from(stat: &Stat) -> Self {
        let nanoseconds = |value| u32::try_from(value).unwrap_or(0);
        Self {
            mode: stat.st_mode,
            uid: stat.st_uid,
            gid: stat.st_gid,
            device: stat.st_rdev,
            times: [
                (stat.st_atime, nanoseconds(stat.st_atime_nsec)),
                (stat.st_mtime, nanoseconds(stat.st_mtime_nsec)),
            ],
            attributes: Vec::new(),
        }
    }
}

impl Message {
    /// The message.
    pub fn encode(&self) -> Result<Vec<u8>, Fault> {
        let mut w = Writer::default();
        match self {
            Self::End => {
                w.u32(0);
            }
            Self::Leave => {
                w.u32(1);
            }
            Self::Entry(entry) => {
                match &entry.kind {
                    Kind::Directory => w.u32(2),
                    Kind::File => w.u32(3),
                    Kind::Symlink(target) => w.u32(4).bytes(target),
                    Kind::Node => w.u32(5),
                };
                w.bytes(&entry.name);
                entry.metadata.encode(&mut w);
            }
        }
        w.finish()
    }

    /// Reads a message.
    pub fn decode(message: &[u8]) -> Result<Self, Fault> {
        let mut r = Reader::new(message);
        let kind = match r.u32()? {
            0 => return Ok(Self::End),
            1 => return Ok(Self::Leave),
            2 => Kind::Directory,
            3 => Kind::File,
            4 => Kind::Symlink(r.bytes()?.to_vec()),
            5 => Kind::Node,
            _ => return Err(malformed()),
        };
        Ok(Self::Entry(Entry {
            kind,
            name: r.bytes()?.to_vec(),
            metadata: Metadata::decode(&mut r)?,
        }))
    }
}

impl Metadata {
    fn encode(&self, w: &mut Writer) {
        w.u32(self.mode)
            .u32(self.uid)
            .u32(self.gid)
            .u64(self.device);
        for (seconds, nanoseconds) in self.times {
            w.u64(seconds.cast_unsigned()).u32(nanoseconds);
        }
        for (name, value) in &self.attributes {
            w.u32(1).bytes(name).bytes(value);
        }
        w.u32(0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut metadata = Self {
            mode: r.u32()?,
            uid: r.u32()?,
            gid: r.u32()?,
            device: r.u64()?,
            ..Self::default()
        };
        for time in &mut metadata.times {
            *time = (r.u64()?.cast_signed(), r.u32()?);
        }
        while r.u32()? != 0 {
            let name = r.bytes()?.to_vec();
            metadata.attributes.push((name, r.bytes()?.to_vec()));
        }
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_survives_the_socket() {
        let metadata = Metadata {
            mode: 0o100_644,
            uid: 1,
            gid: 2,
            device: 3,
            times: [(-4, 5), (6, 7)],
            attributes: vec![(b"user.a".to_vec(), vec![0, 1])],
        };
        let entry = |kind| {
            Message::Entry(Entry {
                name: b"\xff".to_vec(),
                kind,
                metadata: metadata.clone(),
            })
        };
        for message in [
            Message::End,
            Message::Leave,
            entry(Kind::Directory),
            entry(Kind::File),
            entry(Kind::Symlink(b"../x".to_vec())),
            entry(Kind::Node),
        ] {
            let bytes = message.encode().unwrap();
            assert_eq!(Message::decode(&bytes).unwrap(), message);
            assert!(Message::decode(&bytes[..bytes.len() - 1]).is_err());
        }
    }
}
