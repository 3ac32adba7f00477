//! System calls that neither a daemon of ours nor anything it starts has a use for.
//!
//! A list of what is denied, not of what is allowed: the helpers that enter containers, and the shells people open in
//! them, run under it too, and a list of what libc may call next year can't be written today. What is denied gives
//! EPERM, so that a program that tries can go another way.

use std::{collections::BTreeMap, io};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// The numbers of x86-64's x32 calls are those of the plain ones with this bit.
#[cfg(target_arch = "x86_64")]
const X32_BIT: i64 = 0x4000_0000;

/// What is denied, on every architecture.
const DENIED: &[i64] = &[
    // The kernel itself: another one, more of it, programs in it.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    // Large attack surfaces without a use here.
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Keys are not namespaced: a key of the daemon's would be one of the container's.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The machine as a whole.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // The clock.
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    // Other processes' memory, but by ptrace, which a debugger in a container's shell needs.
    libc::SYS_process_vm_writev,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    // Handles of files reach past mounts: the way out of a container known as "shocker".
    libc::SYS_open_by_handle_at,
];

#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[i64] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_ustat,
    libc::SYS_sysfs,
];

#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[i64] = &[];

/// Puts the filter on this process and all that it starts. no_new_privs (or CAP_SYS_ADMIN) must be set.
///
/// A call by another architecture's interface (32-bit on a 64-bit kernel) ends the process.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] on an architecture or a kernel without filters.
pub fn deny_what_nobody_needs() -> io::Result<()> {
    seccompiler::apply_filter(&program()?).map_err(io::Error::other)
}

fn program() -> io::Result<BpfProgram> {
    let denied = DENIED.iter().chain(DENIED_HERE).copied();
    #[cfg(target_arch = "x86_64")]
    let denied = denied.flat_map(|number| [number, number | X32_BIT]);
    let rules: BTreeMap<i64, _> = denied.map(|number| (number, Vec::new())).collect();
    let architecture = std::env::consts::ARCH
        .try_into()
        .map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
    let denial = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, denial, architecture)
        .and_then(TryInto::try_into)
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn the_filter_can_be_built_and_is_within_the_kernels_limit() {
        const BPF_MAXINSNS: usize = 4096;
        let program = program().unwrap();
        assert!(!program.is_empty() && program.len() < BPF_MAXINSNS);
    }
}
