//! Who is on a bus, who has sent a message, and whether they may: sd_bus_get_name_creds(3), sd_bus_query_sender_creds(3).

use std::ffi::{CStr, CString, c_char, c_int};
use std::os::fd::OwnedFd;

use dbus::message::Field;
use dbus::{Basic, Builder, Kind, types};

use super::call::{call, running};
use super::connection::{ALWAYS_TOLD, Bus, State, shared, within};
use super::creds::{Creds, give_new};
use super::matches::{error_number, of_bus};
use super::message::{Message, errno, message};
use crate::bus::connection::Phase;
use crate::bus::creds::{Answer, Creds as Content, Held, check, mask};
use crate::bus::message::Sealed;
use crate::ffi::boundary::entry;
use crate::ffi::id128::Id;
use crate::ffi::peer;
use crate::ffi::pointer::{Out, text};
use crate::ffi::shared::Shared;
use crate::id128::{Id128, machine};
use crate::login::Login;
use crate::{Errno, Result};

const DRIVER: &CStr = c"org.freedesktop.DBus";
const LOCAL: &CStr = c"org.freedesktop.DBus.Local";

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_negotiate_creds(of: *const Bus, on: c_int, fields: u64) -> c_int {
    let set = |state: &mut State| {
        if fields & !mask::ALL != 0 {
            return Err(Errno::INVAL);
        }
        not_over(state)?;
        let asked = match on {
            0 => state.creds_mask & !fields,
            _ => state.creds_mask | fields,
        };
        state.creds_mask = asked | ALWAYS_TOLD;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

/// Nobody tells when a message was sent: that was kdbus.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_negotiate_timestamp(of: *const Bus, _on: c_int) -> c_int {
    // SAFETY: the contract of C.
    unsafe { within(of, |state| not_over(state).map(|()| 0)) }
}

fn not_over(state: &State) -> Result<()> {
    match state.connection.phase {
        Phase::Closing | Phase::Closed => Err(Errno::PERM),
        _ => Ok(()),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_creds_mask(of: *const Bus, to: *mut u64) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        unsafe { Out::required(to) }?.set(state.creds_mask);
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

/// Who has made the bus: what the kernel knows of the other end of the connection.
fn of_owner(bus: &Bus, wanted: u64) -> Result<Content> {
    let (socket, is_local) = {
        let state = bus.enter()?;
        state.connection.check_open()?;
        let connection = &state.connection;
        (connection.socket()?.clone(), connection.is_local)
    };
    let input = socket.input();
    let wants = |field| wanted & field != 0;
    let peer = peer::credentials(input).ok();
    let label = wants(mask::SELINUX_CONTEXT).then(|| peer::label(input));
    let groups = wants(mask::SUPPLEMENTARY_GIDS).then(|| peer::groups(input));
    let (label, groups) = (label.and_then(Result::ok), groups.and_then(Result::ok));
    if peer.is_none() && label.is_none() && groups.is_none() {
        return Err(Errno::NODATA);
    }
    let mut content = Content::default();
    let pid = peer.map(|peer| peer.pid).filter(|pid| *pid > 0);
    if let Some(peer) = peer {
        content.users.effective = peer.user;
        content.groups.effective = peer.group;
        content.told(wanted & (mask::EUID | mask::EGID));
    }
    if let Some(pid) = pid {
        content.pid = pid;
        content.told(wanted & mask::PID);
    }
    if let Some(label) = label {
        content.selinux_context = label;
        content.told(mask::SELINUX_CONTEXT);
    }
    if let Some(groups) = groups {
        content.supplementary_gids = groups;
        content.told(mask::SUPPLEMENTARY_GIDS);
    }
    let augments = wants(mask::AUGMENT) && is_local;
    let Some(pid) = pid.filter(|_| augments || wants(mask::PIDFD)) else {
        return Ok(content);
    };
    let pidfd = match peer::pidfd(input) {
        Err(errno) if augments => return Err(errno),
        pidfd => pidfd.unwrap_or_default(),
    };
    keep(&mut content, wanted, pidfd.as_ref())?;
    if augments {
        let login = Login::system();
        let held = match pidfd {
            Some(pidfd) => Held::by_pidfd(&login, pidfd)?,
            None => Held::by_number(&login, pid)?,
        };
        held.augment(&mut content, wanted)?;
    }
    Ok(content)
}

/// Notes a pidfd that was told by who knows, if it is asked for.
fn keep(content: &mut Content, wanted: u64, pidfd: Option<&OwnedFd>) -> Result<()> {
    if wanted & mask::PIDFD != 0
        && let Some(pidfd) = pidfd
    {
        let copy = pidfd.try_clone();
        content.pidfd = Some(copy.map_err(|error| crate::errno_of(&error))?);
        content.told(mask::PIDFD);
    }
    Ok(())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_owner_creds(
    of: *const Bus,
    wanted: u64,
    to: *mut *const Creds,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        check(wanted)?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        give_new(to, of_owner(&bus, wanted)?);
        Ok(0)
    })
}

/// Asks the bus something about a name.
fn ask(bus: &Shared<Bus>, member: &[u8], name: &CStr) -> Result<Sealed> {
    let question = of_bus(bus, member, |builder| {
        builder.append_basic(Basic::String(name))
    })?;
    let answer = call(bus, &question, 0)?;
    match answer.message().header().kind() {
        Kind::Error => Err(error_number(&answer)),
        _ => Ok(answer),
    }
}

fn ask_number(bus: &Shared<Bus>, member: &[u8], name: &CStr) -> Result<u32> {
    let answer = ask(bus, member, name)?;
    let body = answer.message();
    match body.cursor().read_basic(body, types::UINT32) {
        Ok(Some(Basic::Uint32(number))) => Ok(number),
        _ => Err(Errno::BADMSG),
    }
}

/// The unique name of who has a name.
fn owner_of(bus: &Shared<Bus>, name: &CStr) -> Result<CString> {
    let answer = ask(bus, b"GetNameOwner", name)?;
    let body = answer.message();
    match body.cursor().read_basic(body, types::STRING) {
        Ok(Some(Basic::String(owner))) => Ok(owner.to_owned()),
        _ => Err(Errno::BADMSG),
    }
}

/// What the bus was told by the kernel of who has a name; of a bus that has not the one call, by one for each.
fn told(bus: &Shared<Bus>, name: &CStr, wanted: u64) -> Result<Answer> {
    match ask(bus, b"GetConnectionCredentials", name) {
        Ok(answer) => return Answer::parse(&answer),
        // What org.freedesktop.DBus.Error.UnknownMethod stands for.
        Err(Errno::BADR) => {}
        Err(errno) => return Err(errno),
    }
    let mut answer = Answer::default();
    if wanted & (mask::PID | mask::AUGMENT) != 0 {
        answer.pid = Some(ask_number(bus, b"GetConnectionUnixProcessID", name)?);
    }
    if wanted & mask::EUID != 0 {
        answer.user = Some(ask_number(bus, b"GetConnectionUnixUser", name)?);
    }
    if wanted & mask::SELINUX_CONTEXT != 0 {
        let label = ask(bus, b"GetConnectionSELinuxSecurityContext", name);
        answer.label = label.ok().and_then(|label| Answer::label(&label));
    }
    Ok(answer)
}

/// Whether the numbers that the bus gives processes are those that this process sees: that of this process itself is.
fn shares_numbers(bus: &Shared<Bus>) -> Result<bool> {
    let own = {
        let state = bus.enter()?;
        match state.shares_pids {
            Some(known) => return Ok(known),
            None => state.connection.unique_name.clone().ok_or(Errno::NOTCONN)?,
        }
    };
    let told = ask_number(bus, b"GetConnectionUnixProcessID", &own);
    let shares = matches!(told, Ok(pid) if pid == std::process::id());
    bus.enter()?.shares_pids = Some(shares);
    Ok(shares)
}

/// Who has a name on the bus. None if only that somebody has it was asked.
fn of_name(bus: &Shared<Bus>, name: &CStr, wanted: u64) -> Result<Content> {
    /// What the bus can tell.
    const TOLD: u64 =
        mask::PID | mask::EUID | mask::SELINUX_CONTEXT | mask::SUPPLEMENTARY_GIDS | mask::PIDFD;
    let is_local = bus.enter()?.connection.is_local;
    let augments = wanted & mask::AUGMENT != 0 && wanted & mask::OF_PROCESS != 0 && is_local;
    let is_unique = dbus::name::is_unique(name.to_bytes());
    // Answers to several questions are about the same one only under the unique name.
    let asks_owner = !is_unique && (wanted & mask::UNIQUE_NAME != 0 || augments);
    let unique = match wanted == 0 || asks_owner {
        true => owner_of(bus, name)?,
        false => name.to_owned(),
    };
    let mut content = Content::default();
    if wanted & mask::UNIQUE_NAME != 0 {
        content.unique_name = unique.clone();
        content.told(mask::UNIQUE_NAME);
    }
    if wanted & TOLD == 0 && !augments {
        return Ok(content);
    }
    let answer = told(bus, &unique, wanted)?;
    let pid = answer.pid.and_then(|pid| i32::try_from(pid).ok());
    let pid = pid.filter(|pid| *pid > 0);
    if let Some(user) = answer.user {
        content.users.effective = user;
        content.told(wanted & mask::EUID);
    }
    if let Some(groups) = answer.groups {
        content.supplementary_gids = groups;
        content.told(wanted & mask::SUPPLEMENTARY_GIDS);
    }
    if let Some(label) = answer.label {
        content.selinux_context = label;
        content.told(wanted & mask::SELINUX_CONTEXT);
    }
    if let Some(pid) = pid {
        content.pid = pid;
        content.told(wanted & mask::PID);
    }
    keep(&mut content, wanted, answer.pidfd.as_ref())?;
    let is_missing = wanted & mask::OF_PROCESS & !content.mask() != 0;
    let Some(pid) = pid.filter(|_| augments && is_missing) else {
        return Ok(content);
    };
    let login = Login::system();
    if let Some(pidfd) = answer.pidfd {
        Held::by_pidfd(&login, pidfd)?.augment(&mut content, wanted)?;
    } else if shares_numbers(bus)? {
        Held::by_number(&login, pid)?.augment(&mut content, wanted)?;
        // Who is still connected has not ended before all was read, so the number was not another's.
        if ask_number(bus, b"GetConnectionUnixProcessID", &unique)? != pid.cast_unsigned() {
            return Err(Errno::SRCH);
        }
    }
    Ok(content)
}

/// Who has a name, as both functions that ask for it have it.
fn named(bus: &Shared<Bus>, name: &CStr, wanted: u64) -> Result<Content> {
    check(wanted)?;
    if !dbus::name::is_bus(name.to_bytes()) || name == LOCAL {
        return Err(Errno::INVAL);
    }
    {
        let state = bus.enter()?;
        if !state.connection.is_client {
            return Err(Errno::INVAL);
        }
        state.connection.check_open()?;
    }
    match name == DRIVER {
        true => of_owner(bus, wanted),
        false => of_name(bus, name, wanted),
    }
}

/// Whether somebody has a name.
///
/// # Errors
/// ENXIO if nobody has.
pub fn exists(bus: &Shared<Bus>, name: &CStr) -> Result<()> {
    match name == DRIVER {
        // A bus is there for as long as the connection is.
        true => bus.enter()?.connection.socket().map(drop),
        false => named(bus, name, 0).map(drop),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_name_creds(
    of: *const Bus,
    name: *const c_char,
    wanted: u64,
    to: *mut *const Creds,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let name = unsafe { text(name) }?;
        check(wanted)?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        if to.is_none() && (wanted != 0 || name == DRIVER) {
            return Err(Errno::INVAL);
        }
        let content = named(&bus, name, wanted)?;
        if let Some(to) = to {
            match wanted == 0 && name != DRIVER {
                true => to.set(std::ptr::null()),
                false => give_new(to, content),
            }
        }
        Ok(0)
    })
}

/// Sees that a message is one whose sender can be asked for.
fn sender_of(call: &Message) -> Result<Option<CString>> {
    let sender = {
        let own = call.enter()?;
        own.content.sealed()?;
        own.content.header().text(Field::Sender).map(CStr::to_owned)
    };
    call.bus.enter()?.connection.check_open()?;
    Ok(sender)
}

/// Who has sent a message: by its name on the bus or, where there is no bus, by the connection.
fn of_sender(call: &Message, wanted: u64) -> Result<Content> {
    match sender_of(call)? {
        Some(sender) => named(&call.bus, &sender, wanted),
        None => {
            check(wanted)?;
            of_owner(&call.bus, wanted)
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_query_sender_creds(
    call: *const Message,
    wanted: u64,
    to: *mut *const Creds,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        sender_of(call)?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        match call.creds()? {
            Some(known) if wanted & !known.content.mask() == 0 => to.set(Shared::into_raw(known)),
            _ => give_new(to, of_sender(call, wanted)?),
        }
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_creds(of: *const Message) -> *const Creds {
    let get = || {
        // SAFETY: the contract of C.
        let creds = unsafe { message(of) }?.creds()?;
        // The message keeps it.
        Ok::<_, Errno>(creds.map_or(std::ptr::null(), |creds| Shared::as_ptr(&creds)))
    };
    let got = crate::ffi::boundary::whole(get);
    got.and_then(Result::ok).unwrap_or(std::ptr::null())
}

/// Whether the sender of a message may what needs a capability. Nobody who knows tells capabilities, and what /proc says of them
/// may be of another process: so it is who is the same user, and root.
pub fn is_privileged(call: &Message) -> Result<bool> {
    let user = of_sender(call, mask::UID | mask::EUID)?.trusted_user();
    Ok(user.is_some_and(|user| user == 0 || user == rustix::process::getuid().as_raw()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_query_sender_privilege(
    call: *const Message,
    _capability: c_int,
) -> c_int {
    // SAFETY: the contract of C.
    entry(|| is_privileged(unsafe { message(call) }?).map(c_int::from))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_name_machine_id(
    of: *const Bus,
    name: *const c_char,
    to: *mut Id,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let name = unsafe { text(name) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        if !dbus::name::is_bus(name.to_bytes()) || !bus.enter()?.connection.is_client {
            return Err(Errno::INVAL);
        }
        running(&bus)?;
        let is_own = bus.enter()?.connection.name() == Some(name);
        let id = match is_own {
            true => machine(std::path::Path::new("/etc/machine-id"))?,
            false => machine_of(&bus, name)?,
        };
        to.set(id.into());
        Ok(0)
    })
}

/// Asks somebody on the bus for the id of the machine.
fn machine_of(bus: &Shared<Bus>, name: &CStr) -> Result<Id128> {
    let interface = Some(&b"org.freedesktop.DBus.Peer"[..]);
    let mut builder = Builder::method_call(Some(name.to_bytes()), b"/", interface, b"GetMachineId")
        .map_err(errno)?;
    builder.set_auto_start(false).map_err(errno)?;
    let question = Message::new(Shared::clone(bus), builder);
    let answer = call(bus, &question, 0)?;
    if answer.message().header().kind() == Kind::Error {
        return Err(error_number(&answer));
    }
    let body = answer.message();
    match body.cursor().read_basic(body, types::STRING) {
        Ok(Some(Basic::String(id))) => Id128::parse(id.to_bytes()),
        _ => Err(Errno::BADMSG),
    }
}
