//! io.systemd.UserDatabase: names for the users and groups of containers as the host sees them, `vu-NAME-UID` and
//! `vg-NAME-GID`.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use super::user_filter::{DISPOSITION, Filter};
use crate::{class::Class, error::Error, machine::Machine, manager::Manager};

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.systemd.UserDatabase",
    description: include_str!("io.systemd.UserDatabase.varlink"),
    methods: &[
        Method("GetUserRecord", |m, call| Box::pin(user_record(m, call))),
        Method("GetGroupRecord", |m, call| Box::pin(group_record(m, call))),
        Method("GetMemberships", |_, call| Box::pin(memberships(call))),
    ],
};

/// The name of our socket, which a caller must use: one socket may serve several.
const SERVICE: &str = "io.systemd.Machine";

/// Ids below belong to the host.
const FIRST: u32 = 0x10000;

/// The group of all these users: `nogroup` of the kernel's overflowgid.
const NOBODY: u32 = 65534;

/// The longest name of a user that utmp(5) can hold (UT_NAMESIZE), with its final NUL.
const NAME_MAX: usize = 31;

/// What both kinds of records have a word of their own for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::User => "vu-",
            Self::Group => "vg-",
        }
    }

    fn outside(self, manager: &Manager, machine: &Machine, id: u32) -> Result<u32, Error> {
        match self {
            Self::User => manager.user_from_machine(machine, id),
            Self::Group => manager.group_from_machine(machine, id),
        }
    }

    fn inside(self, manager: &Manager, id: u32) -> Result<(Rc<Machine>, u32), Error> {
        match self {
            Self::User => manager.user_to_machine(id),
            Self::Group => manager.group_to_machine(id),
        }
    }
}

/// A user or group of a container: the machine's name, the id inside, the id outside.
struct Mapped {
    machine: String,
    inside: u32,
    outside: u32,
}

impl Mapped {
    fn name(&self, kind: Kind) -> String {
        format!("{}{}-{}", kind.prefix(), self.machine, self.inside)
    }
}

fn refused(name: &str) -> Failure {
    Failure::named(format!("io.systemd.UserDatabase.{name}"))
}

/// Finds a record by name, id, or both.
fn find(
    manager: &Manager,
    kind: Kind,
    service: &str,
    name: Option<&str>,
    id: Option<u32>,
) -> Result<Mapped, Failure> {
    if service != SERVICE {
        return Err(refused("BadService"));
    }
    let found = match (name, id) {
        (None, None) => return Err(refused("EnumerationNotSupported")),
        (Some(name), _) => by_name(manager, kind, name),
        (None, Some(id)) => by_id(manager, kind, id),
    };
    let found = found.filter(|found| found.name(kind).len() <= NAME_MAX);
    let found = found.ok_or_else(|| refused("NoRecordFound"))?;
    if id.is_some_and(|id| id != found.outside) {
        return Err(refused("ConflictingRecordFound"));
    }
    Ok(found)
}

fn by_id(manager: &Manager, kind: Kind, id: u32) -> Option<Mapped> {
    if id < FIRST {
        return None;
    }
    let (machine, inside) = kind.inside(manager, id).ok()?;
    (machine.class == Class::Container).then(|| Mapped {
        machine: machine.name.to_string(),
        inside,
        outside: id,
    })
}

fn by_name(manager: &Manager, kind: Kind, name: &str) -> Option<Mapped> {
    let (machine, inside) = split(kind, name)?;
    let machine = manager.machine(machine).ok()?;
    if machine.class != Class::Container {
        return None;
    }
    let outside = kind.outside(manager, &machine, inside).ok()?;
    (outside >= FIRST).then(|| Mapped {
        machine: machine.name.to_string(),
        inside,
        outside,
    })
}

/// The machine and the id that a name speaks of. The id stands behind the last '-', in the one form that we give it.
fn split(kind: Kind, name: &str) -> Option<(&str, u32)> {
    let (machine, digits) = name.strip_prefix(kind.prefix())?.rsplit_once('-')?;
    let id = digits.parse::<u32>().ok()?;
    (id.to_string() == digits).then_some((machine, id))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserQuestion {
    user_name: Option<String>,
    uid: Option<u32>,
    service: String,
}

async fn user_record(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Record {
        user_name: String,
        uid: u32,
        gid: u32,
        real_name: String,
        home_directory: &'static str,
        shell: &'static str,
        locked: bool,
        service: &'static str,
        disposition: &'static str,
    }
    #[derive(Serialize)]
    struct Reply {
        record: Record,
    }
    let q: UserQuestion = call.parameters()?;
    let filter: Filter = call.parameters()?;
    let user = find(
        manager,
        Kind::User,
        &q.service,
        q.user_name.as_deref(),
        q.uid,
    )?;
    let name = user.name(Kind::User);
    let real_name = format!("UID {} of Container {}", user.inside, user.machine);
    if !filter.meets(user.outside, &[&name, &real_name]) {
        return Err(refused("NonMatchingRecordFound"));
    }
    let record = Record {
        user_name: name,
        uid: user.outside,
        gid: NOBODY,
        real_name,
        home_directory: "/",
        shell: "/usr/sbin/nologin",
        locked: true,
        service: SERVICE,
        disposition: DISPOSITION,
    };
    call.reply(&Reply { record }).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupQuestion {
    group_name: Option<String>,
    gid: Option<u32>,
    service: String,
}

async fn group_record(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Record {
        group_name: String,
        gid: u32,
        description: String,
        service: &'static str,
        disposition: &'static str,
    }
    #[derive(Serialize)]
    struct Reply {
        record: Record,
    }
    let q: GroupQuestion = call.parameters()?;
    let filter: Filter = call.parameters()?;
    let group = find(
        manager,
        Kind::Group,
        &q.service,
        q.group_name.as_deref(),
        q.gid,
    )?;
    let name = group.name(Kind::Group);
    let description = format!("GID {} of Container {}", group.inside, group.machine);
    if !filter.meets(group.outside, &[&name, &description]) {
        return Err(refused("NonMatchingRecordFound"));
    }
    let record = Record {
        group_name: name,
        gid: group.outside,
        description,
        service: SERVICE,
        disposition: DISPOSITION,
    };
    call.reply(&Reply { record }).await
}

/// These users are in no groups.
async fn memberships(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Question {
        service: String,
    }
    let Question { service } = call.parameters()?;
    Err(refused(if service == SERVICE {
        "NoRecordFound"
    } else {
        "BadService"
    }))
}

#[cfg(test)]
mod tests {
    use super::{Kind, split};

    #[test]
    fn names() {
        assert_eq!(split(Kind::User, "vu-web-0"), Some(("web", 0)));
        assert_eq!(split(Kind::Group, "vg-a-b-17"), Some(("a-b", 17)));
        for wrong in [
            "vu-web-",
            "vu-web-00",
            "vu-web-+1",
            "vu-web",
            "vg-web-0",
            "vu-web-4294967296",
        ] {
            assert_eq!(split(Kind::User, wrong), None, "{wrong}");
        }
    }
}
