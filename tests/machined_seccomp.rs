//! The filter on machined's system calls, and on what it starts.

#![cfg(target_arch = "x86_64")]

#[path = "machined_seccomp/elf32.rs"]
mod elf32;
#[path = "machined_seccomp/inject.rs"]
mod inject;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};

use support::{Options, Via, Which, sandbox, skip_for_machine};

const EPERM: i64 = 1;

/// What is denied: all that crates/daemon has by its name for this interface.
const DENIED: [(&str, i64); 36] = [
    ("kexec_load", libc::SYS_kexec_load),
    ("kexec_file_load", libc::SYS_kexec_file_load),
    ("init_module", libc::SYS_init_module),
    ("finit_module", libc::SYS_finit_module),
    ("delete_module", libc::SYS_delete_module),
    ("bpf", libc::SYS_bpf),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("userfaultfd", libc::SYS_userfaultfd),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("io_uring_enter", libc::SYS_io_uring_enter),
    ("io_uring_register", libc::SYS_io_uring_register),
    ("add_key", libc::SYS_add_key),
    ("request_key", libc::SYS_request_key),
    ("keyctl", libc::SYS_keyctl),
    ("reboot", libc::SYS_reboot),
    ("swapon", libc::SYS_swapon),
    ("swapoff", libc::SYS_swapoff),
    ("acct", libc::SYS_acct),
    ("quotactl", libc::SYS_quotactl),
    ("quotactl_fd", libc::SYS_quotactl_fd),
    ("sethostname", libc::SYS_sethostname),
    ("setdomainname", libc::SYS_setdomainname),
    ("vhangup", libc::SYS_vhangup),
    ("settimeofday", libc::SYS_settimeofday),
    ("clock_settime", libc::SYS_clock_settime),
    ("adjtimex", libc::SYS_adjtimex),
    ("clock_adjtime", libc::SYS_clock_adjtime),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("move_pages", libc::SYS_move_pages),
    ("migrate_pages", libc::SYS_migrate_pages),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("iopl", libc::SYS_iopl),
    ("ioperm", libc::SYS_ioperm),
    ("modify_ldt", libc::SYS_modify_ldt),
    ("ustat", libc::SYS_ustat),
    ("sysfs", libc::SYS_sysfs),
];

/// A process without a filter, and with the capabilities of machined.
fn unfiltered() -> Child {
    let kept = "-all,+chown,+dac_override,+dac_read_search,+fowner,+fsetid,+kill,+setgid,+setuid,+linux_immutable,\
        +sys_chroot,+sys_ptrace,+sys_admin,+mknod,+setfcap";
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--inh-caps", "-all", "--bounding-set", kept, "sleep", "60"]);
    setpriv.spawn().unwrap()
}

/// The running daemon, not only a filter that could be built.
#[test]
fn machined_is_refused_what_it_has_no_use_for() {
    sandbox!(|s| {
        let pid = s.machined().pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
        let mut other = unfiltered();
        let comm = format!("/proc/{}/comm", other.id());
        let is_sleep = || fs::read_to_string(&comm).unwrap() == "sleep\n";
        s.wait_for(is_sleep, "a process to compare with");
        let mut shown = Vec::new();
        for (name, number) in DENIED {
            assert_eq!(inject::call(pid, number), -EPERM, "{name}");
            // Without arguments most fail for another reason where no filter is, and others need a capability more.
            if inject::call(other.id(), number) != -EPERM {
                shown.push(name);
            }
        }
        println!("refused by the filter alone: {shown:?}");
        assert!(!shown.is_empty());
        other.kill().unwrap();
        other.wait().unwrap();
        // One that is not on the list comes to the kernel, and so would these.
        let own = inject::call(pid, libc::SYS_getpid);
        assert_eq!(own, i64::from(pid));
        assert!(s.run("machinectl list").ok().contains("No machines."));
        assert!(s.machined().is_running());
    });
}

#[test]
fn a_shell_runs_programs_of_32_bits() {
    sandbox!(Options::new().modules(Which::Peer), |s| {
        const KEYCTL: u32 = 288;
        let web = s.container("web").no_network().start();
        s.register(&web, Via::BusRegister);
        let program = web.inside("/bin32");
        fs::write(&program, elf32::program("thirty-two ", KEYCTL)).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let plain = web.run("/bin32");
        if plain.status != Some(0) {
            skip_for_machine!("this kernel runs no programs of 32 bits");
        }
        // Outside of the filter, the call fails for another reason, if it does.
        assert!(!plain.stdout.contains("thirty-two 1\n"), "{plain}");
        let shown = s.run("sleep 1 | machinectl -q shell web /bin32").ok();
        assert!(shown.contains("thirty-two 1"), "{shown:?}");
    });
}
