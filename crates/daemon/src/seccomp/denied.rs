//! What is denied, by the numbers of each architecture that a process here may speak.
//!
//! The kernel itself: another one (kexec), more of it (modules), programs in it (bpf). Large attack surfaces without a use
//! here: perf_event_open, userfaultfd, io_uring. Keys, which are not namespaced: one of the daemon's would be one of the
//! container's. The machine as a whole: reboot, swap, accounting, quota, its name, its clock. Other processes' memory, but
//! by ptrace, which a debugger in a container's shell needs. Handles of files, which reach past mounts: the way out of a
//! container known as "shocker". On x86 also ports and segments, and calls that are only there for programs of old.

/// By the interface that this program is built for.
pub(super) const NATIVE: &[i64] = &[
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_process_vm_writev,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_open_by_handle_at,
];

/// The same, where this architecture has more.
#[cfg(target_arch = "x86_64")]
pub(super) const NATIVE_HERE: &[i64] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    // x32 has numbers of its own for these: kexec_load, move_pages, process_vm_writev (syscall_64.tbl of the kernel).
    528,
    533,
    540,
];

#[cfg(not(target_arch = "x86_64"))]
pub(super) const NATIVE_HERE: &[i64] = &[];

/// By the 32-bit interface that the same kernel has: i386's, in the order of [`NATIVE`] (syscall_32.tbl of the kernel).
#[cfg(target_arch = "x86_64")]
pub(super) const FOREIGN: &[i64] = &[
    283, // kexec_load
    128, // init_module
    350, // finit_module
    129, // delete_module
    357, // bpf
    336, // perf_event_open
    374, // userfaultfd
    425, // io_uring_setup
    426, // io_uring_enter
    427, // io_uring_register
    286, // add_key
    287, // request_key
    288, // keyctl
    88,  // reboot
    87,  // swapon
    115, // swapoff
    51,  // acct
    131, // quotactl
    443, // quotactl_fd
    74,  // sethostname
    121, // setdomainname
    111, // vhangup
    25,  // stime
    79,  // settimeofday
    264, // clock_settime
    404, // clock_settime64
    124, // adjtimex
    343, // clock_adjtime
    405, // clock_adjtime64
    348, // process_vm_writev
    317, // move_pages
    294, // migrate_pages
    342, // open_by_handle_at
    110, // iopl
    101, // ioperm
    123, // modify_ldt
    62,  // ustat
    135, // sysfs
    86,  // uselib
    113, // vm86old
    166, // vm86
];

/// By the 32-bit interface that the same kernel has: that of Arm's EABI, in the order of [`NATIVE`] (syscall.tbl).
#[cfg(target_arch = "aarch64")]
pub(super) const FOREIGN: &[i64] = &[
    347, // kexec_load
    401, // kexec_file_load
    128, // init_module
    379, // finit_module
    129, // delete_module
    386, // bpf
    364, // perf_event_open
    388, // userfaultfd
    425, // io_uring_setup
    426, // io_uring_enter
    427, // io_uring_register
    309, // add_key
    310, // request_key
    311, // keyctl
    88,  // reboot
    87,  // swapon
    115, // swapoff
    51,  // acct
    131, // quotactl
    443, // quotactl_fd
    74,  // sethostname
    121, // setdomainname
    111, // vhangup
    79,  // settimeofday
    262, // clock_settime
    404, // clock_settime64
    124, // adjtimex
    372, // clock_adjtime
    405, // clock_adjtime64
    377, // process_vm_writev
    344, // move_pages
    400, // migrate_pages
    371, // open_by_handle_at
    62,  // ustat
    135, // sysfs
    86,  // uselib
];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const FOREIGN: &[i64] = &[];
