//! What the process gives up, and when.

use rustix::{
    process::{DumpableBehavior, Signal},
    thread::{CapabilitySet, CapabilitySets},
};

use crate::{fault::Fault, sys};

/// Done first, before a request is read: no descriptor but the standard three, no way to gain privileges by exec, and
/// nobody may look into or steer this process. The last holds for a container's root too once the process has joined its
/// user namespace: what is not dumpable is traced only by CAP_SYS_PTRACE in the namespace it was started in (ptrace(2)).
pub fn isolate() -> Result<(), Fault> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(Fault::to("become undumpable"))?;
    rustix::thread::set_no_new_privs(true).map_err(Fault::to("set no_new_privs"))?;
    sys::close_inherited().map_err(Fault::to("close descriptors"))?;
    rustix::process::setsid().map_err(Fault::to("start a session"))?;
    rustix::process::umask(rustix::fs::Mode::empty());
    Ok(())
}

/// Ends this process when machined ends. The kernel forgets it when credentials change: to be said again then.
pub fn end_with_parent() -> Result<(), Fault> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(Fault::to("tie the process to its parent"))
}

/// Keeps these capabilities and no others. With no_new_privs exec can't bring them back, whatever the bounding set says
/// (security/commoncap.c), so the bounding set matters no more and CAP_SETPCAP is not needed.
pub fn keep(wanted: CapabilitySet) -> Result<(), Fault> {
    let now = rustix::thread::capabilities(None).map_err(Fault::to("read capabilities"))?;
    let kept = now.permitted & wanted;
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, sets).map_err(Fault::to("drop capabilities"))
}
