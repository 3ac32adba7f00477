//! What a state file says of a machine, in the keys that libsystemd, its NSS modules and `ps` read.
//!
//! Keys and their order are systemd's (252's, with 258's where they stand there). Keys of our own come last:
//! `LEADER_START_TIME` proves the leader where there is no pidfd id, `SCOPE_CGROUP` is a scope that we made ourselves,
//! and `ADDRESSES` those that the caller gave.

use std::net::IpAddr;

use crate::{class::Class, name::MachineName};

/// What a state file says of a machine. Text that is missing is empty, numbers that are missing or wrong are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub name: MachineName,
    pub uid: u32,
    pub unit: String,
    pub subgroup: String,
    pub service: String,
    pub root_directory: String,
    pub id: Option<[u8; 16]>,
    pub leader: ProcessRecord,
    pub supervisor: Option<ProcessRecord>,
    pub class: Class,
    pub realtime: u64,
    pub monotonic: u64,
    pub network_interfaces: Vec<i32>,
    pub vsock_cid: Option<u32>,
    pub ssh_address: Option<String>,
    pub ssh_private_key_path: Option<String>,
    pub scope_cgroup: Option<String>,
    pub addresses: Vec<IpAddr>,
}

/// A process, and what proves it the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessRecord {
    pub pid: u32,
    pub pidfd_id: Option<u64>,
    pub start_time: Option<u64>,
}

impl Record {
    /// Reads a file's text, from whichever release. What can be done without is taken leniently; the text of an error
    /// says what can't.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, String> {
        let mut values = Vec::new();
        for (key, value) in env_file::parse(text) {
            // None of ours has any (admission.rs), and written again a line feed in a value would begin a line of its own: UID=0.
            if value.chars().any(char::is_control) {
                return Err(format!(
                    "it has control characters in {}",
                    key.escape_debug()
                ));
            }
            values.push((key, value));
        }
        // The last of several, as systemd's reader has it.
        let text = |key| {
            let found = values.iter().rev().find(|(known, _)| *known == key);
            found.map_or("", |(_, value)| value.as_str())
        };
        let owned = |key| Some(text(key)).filter(|text| !text.is_empty());
        let number = |key| text(key).parse::<u64>().ok();
        let process = |pid, pidfd_id, start_time| {
            Some(ProcessRecord {
                pid: text(pid).parse().ok().filter(|&pid: &u32| pid > 1)?,
                pidfd_id: number(pidfd_id),
                start_time: number(start_time),
            })
        };
        let name = MachineName::new(file_name).map_err(|error| error.to_string())?;
        if owned("NAME").is_some_and(|inside| inside != file_name) {
            return Err(format!(
                "it is another machine's, {}",
                text("NAME").escape_debug()
            ));
        }
        let leader = process("LEADER", "LEADER_PIDFDID", "LEADER_START_TIME");
        Ok(Self {
            name,
            uid: uid(text("UID"))?,
            unit: text("SCOPE").to_owned(),
            subgroup: text("SUBGROUP").to_owned(),
            service: text("SERVICE").to_owned(),
            root_directory: text("ROOT").to_owned(),
            id: id(text("ID")),
            leader: leader.ok_or("it names no leader")?,
            supervisor: process("SUPERVISOR", "SUPERVISOR_PIDFDID", "SUPERVISOR_START_TIME"),
            class: Class::from_caller(text("CLASS")).map_err(|error| error.to_string())?,
            realtime: number("REALTIME").unwrap_or(0),
            monotonic: number("MONOTONIC").unwrap_or(0),
            network_interfaces: list(text("NETIF"), |&index| index > 0),
            vsock_cid: text("VSOCK_CID").parse().ok(),
            ssh_address: owned("SSH_ADDRESS").map(str::to_owned),
            ssh_private_key_path: owned("SSH_PRIVATE_KEY_PATH").map(str::to_owned),
            scope_cgroup: owned("SCOPE_CGROUP").map(str::to_owned),
            addresses: list(text("ADDRESSES"), |_| true),
        })
    }

    /// The file's text.
    pub fn format(&self) -> String {
        let mut file = "# This is private data. Do not parse.\n".to_owned();
        let mut push = |key: &str, value: &str| env_file::push(&mut file, key, value);
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        push("NAME", self.name.as_str());
        push("UID", &self.uid.to_string());
        push("SCOPE", &self.unit);
        push("SUBGROUP", &self.subgroup);
        push("SERVICE", &self.service);
        push("ROOT", &self.root_directory);
        push("ID", &self.id.map(hex).unwrap_or_default());
        push("LEADER", &self.leader.pid.to_string());
        push("LEADER_PIDFDID", &number(self.leader.pidfd_id));
        if let Some(supervisor) = &self.supervisor {
            push("SUPERVISOR", &supervisor.pid.to_string());
            push("SUPERVISOR_PIDFDID", &number(supervisor.pidfd_id));
        }
        push("CLASS", self.class.as_str());
        push("REALTIME", &self.realtime.to_string());
        push("MONOTONIC", &self.monotonic.to_string());
        push("NETIF", &joined(&self.network_interfaces));
        push("VSOCK_CID", &number(self.vsock_cid.map(u64::from)));
        push(
            "SSH_ADDRESS",
            self.ssh_address.as_deref().unwrap_or_default(),
        );
        push(
            "SSH_PRIVATE_KEY_PATH",
            self.ssh_private_key_path.as_deref().unwrap_or_default(),
        );
        push("LEADER_START_TIME", &number(self.leader.start_time));
        push(
            "SUPERVISOR_START_TIME",
            &number(self.supervisor.and_then(|s| s.start_time)),
        );
        push(
            "SCOPE_CGROUP",
            self.scope_cgroup.as_deref().unwrap_or_default(),
        );
        push("ADDRESSES", &joined(&self.addresses));
        file
    }
}

/// The user who registered it. Releases before 258 wrote none: then it was root, or someone whom root trusted. One that
/// can't be read must not pass for root.
fn uid(text: &str) -> Result<u32, String> {
    match text {
        "" => Ok(0),
        text => text
            .parse()
            .map_err(|_| format!("it names no user: {}", text.escape_debug())),
    }
}

fn joined(list: &[impl ToString]) -> String {
    let words: Vec<_> = list.iter().map(ToString::to_string).collect();
    words.join(" ")
}

fn list<T: std::str::FromStr>(text: &str, is_good: impl Fn(&T) -> bool) -> Vec<T> {
    let words = text.split_ascii_whitespace();
    words
        .filter_map(|word| word.parse().ok())
        .filter(is_good)
        .collect()
}

fn hex(id: [u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 hexadecimal digits, or a UUID with dashes; the id of zeros is none.
pub(crate) fn id(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|&c| c != '-').collect();
    let is_plain = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let id = u128::from_str_radix(&digits, 16)
        .ok()
        .filter(|_| is_plain)?;
    (id != 0).then(|| id.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 252 writes it: no UID, bare values with C escapes.
    const OF_252: &str = "\
# This is private data. Do not parse.
NAME=my-web
SCOPE=machine-my\\\\x2dweb.scope
SERVICE=systemd-nspawn
ROOT=/var/lib/machines/my web
ID=0123456789abcdef0123456789abcdef
LEADER=4242
CLASS=container
REALTIME=1700000000000000
MONOTONIC=5000000
NETIF=7 9
";

    /// As 258 and later write it: quoted where a shell would need it, with a stray blank.
    const OF_258: &str = "\
# This is private data. Do not parse.
NAME=my-web
UID=1000
SCOPE=\"machine-my\\\\x2dweb.scope\"
SERVICE=systemd-nspawn
ROOT=\"/var/lib/machines/my web\"
ID=0123456789abcdef0123456789abcdef
LEADER=4242
LEADER_PIDFDID=77
SUPERVISOR=4241
SUPERVISOR_PIDFDID=76
CLASS=vm
REALTIME=1700000000000000
MONOTONIC=5000000
NETIF=\" 7 9\"
VSOCK_CID=3
SSH_ADDRESS=192.0.2.1
SSH_PRIVATE_KEY_PATH=\"/run/a key\"
";

    fn common(record: &Record) {
        assert_eq!(record.name.as_str(), "my-web");
        assert_eq!(record.unit, "machine-my\\x2dweb.scope");
        assert_eq!(record.root_directory, "/var/lib/machines/my web");
        let id = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128;
        assert_eq!(record.id, Some(id.to_be_bytes()));
        assert_eq!(record.leader.pid, 4242);
        assert_eq!(
            (record.realtime, record.monotonic),
            (1_700_000_000_000_000, 5_000_000)
        );
        assert_eq!(record.network_interfaces, [7, 9]);
    }

    #[test]
    fn files_of_every_release() {
        let old = Record::parse("my-web", OF_252).unwrap();
        common(&old);
        assert_eq!((old.uid, old.class), (0, Class::Container));
        assert_eq!((old.leader.pidfd_id, old.supervisor), (None, None));
        let new = Record::parse("my-web", OF_258).unwrap();
        common(&new);
        assert_eq!((new.uid, new.class), (1000, Class::Vm));
        assert_eq!(new.leader.pidfd_id, Some(77));
        assert_eq!(new.supervisor.unwrap().pid, 4241);
        assert_eq!(new.vsock_cid, Some(3));
        assert_eq!(new.ssh_private_key_path.as_deref(), Some("/run/a key"));
    }

    /// Byte for byte what is written. A change here is a change for every reader.
    #[test]
    fn our_own_file() {
        let mut record = Record::parse("my-web", OF_258).unwrap();
        record.leader.start_time = Some(123);
        record.scope_cgroup = Some("/machine.slice/machine-my\\x2dweb.scope".to_owned());
        record.addresses = vec!["192.0.2.1".parse().unwrap(), "fd00::1".parse().unwrap()];
        let expected = OF_258.replace("\" 7 9\"", "\"7 9\"")
            + "LEADER_START_TIME=123\n\
            SCOPE_CGROUP=\"/machine.slice/machine-my\\\\x2dweb.scope\"\n\
            ADDRESSES=\"192.0.2.1 fd00::1\"\n";
        let text = record.format();
        assert_eq!(text, expected);
        assert_eq!(Record::parse("my-web", &text).unwrap(), record);
    }

    #[test]
    fn no_value_writes_a_line_of_its_own() {
        let of_service = |service: &str| {
            let text = format!("UID=1000\nLEADER=4242\nCLASS=container\nSERVICE={service}\n");
            Record::parse("web", &text)
        };
        assert_eq!(of_service("lab").unwrap().uid, 1000);
        assert!(of_service("lab\\nUID=0").is_err());
        assert!(of_service("lab\\x0aUID=0").is_err());
    }

    #[test]
    fn a_user_that_is_none_is_not_root() {
        let parse = |uid| Record::parse("a", &format!("LEADER=2\nUID={uid}\n"));
        assert_eq!(parse("1000").unwrap().uid, 1000);
        for bad in ["x", "-1", "4294967296"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_can_be_done_without() {
        let least = Record::parse("a", "LEADER=2\n").unwrap();
        assert_eq!(least.class, Class::Container);
        let odd = "LEADER=2\nID=xyz\nNETIF=1 x -4 0 2\nVSOCK_CID=-1\nREALTIME=soon\nNEW_KEY=1\n";
        let odd = Record::parse("a", odd).unwrap();
        assert_eq!(
            (odd.id, odd.vsock_cid, odd.realtime, odd.uid),
            (None, None, 0, 0)
        );
        assert_eq!(odd.network_interfaces, [1, 2]);
    }

    #[test]
    fn what_can_not() {
        let wrong = [
            "",
            "LEADER=0",
            "LEADER=1",
            "LEADER=-7",
            "LEADER=x",
            "NAME=b\nLEADER=2",
            "LEADER=2\nCLASS=host",
        ];
        for text in wrong {
            assert!(Record::parse("a", text).is_err(), "{text}");
        }
        for name in ["..", ".host", "a/b", "unit:x"] {
            assert!(Record::parse(name, "LEADER=2").is_err(), "{name}");
        }
    }

    #[test]
    fn ids() {
        assert_eq!(id("00000000000000000000000000000000"), None);
        assert_eq!(id("+1234567890123456789012345678901"), None);
        assert!(id("01234567-89ab-cdef-0123-456789abcdef").is_some());
    }
}
