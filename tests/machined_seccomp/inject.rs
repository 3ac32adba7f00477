//! A system call made by another process, against its will.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::ptr::null_mut;
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_long, pid_t, user_regs_struct};

/// The instruction of x86-64.
const SYSCALL: [u8; 2] = [0x0f, 0x05];

/// For how long a process may be at work before it waits again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a system call without arguments gives to the process that is made to call it; negative: an errno.
///
/// The process is stopped where it waits in a system call, and led through the same instruction once more. One that is at
/// work, or still being loaded, is let go on until it waits.
pub fn call(pid: u32, number: c_long) -> i64 {
    let begun = Instant::now();
    let (process, before, instruction) = loop {
        let process = Traced::seize(pid.cast_signed());
        let before = process.registers();
        let instruction = before.rip - 2;
        if process.code(instruction) == SYSCALL {
            break (process, before, instruction);
        }
        drop(process);
        assert!(begun.elapsed() < PATIENCE, "{pid} waits in no system call");
        thread::sleep(Duration::from_millis(1));
    };
    process.set_registers(user_regs_struct {
        rip: instruction,
        rax: number.cast_unsigned(),
        // Not in a system call that would have to be restarted.
        orig_rax: u64::MAX,
        rdi: 0,
        rsi: 0,
        rdx: 0,
        r10: 0,
        r8: 0,
        ..before
    });
    process.step();
    let result = process.registers().rax.cast_signed();
    process.set_registers(before);
    result
}

/// A stopped process; it goes on when this is dropped.
struct Traced(pid_t);

impl Traced {
    fn seize(pid: pid_t) -> Self {
        let traced = Self(pid);
        traced.request(libc::PTRACE_SEIZE, 0, 0);
        traced.request(libc::PTRACE_INTERRUPT, 0, 0);
        traced.wait();
        traced
    }

    fn registers(&self) -> user_regs_struct {
        // SAFETY: all bytes zero are registers, too.
        let mut registers: user_regs_struct = unsafe { std::mem::zeroed() };
        self.request(libc::PTRACE_GETREGS, 0, (&raw mut registers).addr());
        registers
    }

    fn set_registers(&self, registers: user_regs_struct) {
        self.request(libc::PTRACE_SETREGS, 0, (&raw const registers).addr());
    }

    /// One instruction.
    fn step(&self) {
        self.request(libc::PTRACE_SINGLESTEP, 0, 0);
        self.wait();
    }

    /// Two bytes of it.
    fn code(&self, address: u64) -> [u8; 2] {
        let mut bytes = [0; 2];
        let memory = File::open(format!("/proc/{}/mem", self.0)).unwrap();
        memory.read_exact_at(&mut bytes, address).unwrap();
        bytes
    }

    fn wait(&self) {
        // SAFETY: waits, and stores nothing.
        let waited = unsafe { libc::waitpid(self.0, null_mut(), libc::__WALL) };
        assert_eq!(waited, self.0, "{}", io::Error::last_os_error());
    }

    fn request(&self, request: libc::c_uint, address: u64, data: usize) {
        // SAFETY: `data` is no pointer, or one to registers that the caller holds; `address` is of the other process.
        let result = unsafe { libc::ptrace(request, self.0, address, data) };
        assert_eq!(result, 0, "ptrace: {}", io::Error::last_os_error());
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.request(libc::PTRACE_DETACH, 0, 0);
    }
}
