//! The filter on machined's system calls, and on what it starts.

#![cfg(target_arch = "x86_64")]

#[path = "machined_seccomp/elf32.rs"]
mod elf32;
#[path = "machined_seccomp/inject.rs"]
mod inject;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use support::{Options, Via, Which, sandbox};

const EPERM: i64 = 1;

/// The running daemon, not only a filter that could be built.
#[test]
fn machined_is_refused_what_it_has_no_use_for() {
    sandbox!(|s| {
        let pid = s.machined().pid();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
        for (name, number) in [
            ("add_key", libc::SYS_add_key),
            ("bpf", libc::SYS_bpf),
            ("sethostname", libc::SYS_sethostname),
            ("open_by_handle_at", libc::SYS_open_by_handle_at),
        ] {
            assert_eq!(inject::call(pid, number), -EPERM, "{name}");
        }
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
            return; // a kernel without IA32_EMULATION
        }
        // Outside of the filter, the call fails for another reason, if it does.
        assert!(!plain.stdout.contains("thirty-two 1\n"), "{plain}");
        let shown = s.run("sleep 1 | machinectl -q shell web /bin32").ok();
        assert!(shown.contains("thirty-two 1"), "{shown:?}");
    });
}
