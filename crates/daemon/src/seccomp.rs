//! System calls that neither a daemon of ours nor anything it starts has a use for.
//!
//! A list of what is denied, not of what is allowed: the helpers that enter containers, and the shells people open in
//! them, run under it too, and a list of what libc may call next year can't be written today. What is denied gives
//! EPERM, so that a program that tries can go another way.
//!
//! A filter is inherited, and what a container runs may be 32-bit programs. Their calls have other numbers: there is a
//! list for each interface that a 64-bit kernel has.

mod denied;

use std::io;

use libc::sock_filter;

/// AUDIT_ARCH_* of linux/audit.h: what this program speaks, and the 32-bit interface beside it.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURES: Option<(u32, u32)> = Some((0xc000_003e, 0x4000_0003));
#[cfg(target_arch = "aarch64")]
const ARCHITECTURES: Option<(u32, u32)> = Some((0xc000_00b7, 0x4000_0028));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURES: Option<(u32, u32)> = None;

/// The numbers of x86-64's x32 calls are those of the plain ones with this bit.
#[cfg(target_arch = "x86_64")]
const X32_BIT: u32 = 0x4000_0000;
#[cfg(not(target_arch = "x86_64"))]
const X32_BIT: u32 = 0;

/// Where the number and the architecture of a call are in struct seccomp_data, seccomp(2).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// Puts the filter on this process and all that it starts. no_new_privs (or CAP_SYS_ADMIN) must be set. To be called while
/// there is one thread: filters belong to threads.
///
/// A call by an interface that is neither this program's nor its 32-bit sibling's ends the process.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] on an architecture that there is no list for; the kernel's, if it has no filters.
pub fn deny_what_nobody_needs() -> io::Result<()> {
    crate::sys::set_filter(&program()?)
}

/// By the architecture of the call to its list, in classic BPF (networking/filter.rst of the kernel).
fn program() -> io::Result<Vec<sock_filter>> {
    let (native, foreign) = ARCHITECTURES.ok_or(io::ErrorKind::Unsupported)?;
    let mut program = vec![load(ARCHITECTURE)];
    program.extend(interface(
        native,
        !X32_BIT,
        &[denied::NATIVE, denied::NATIVE_HERE],
    )?);
    program.extend(interface(foreign, !0, &[denied::FOREIGN])?);
    program.push(answer(libc::SECCOMP_RET_KILL_PROCESS));
    Ok(program)
}

/// Deals with all calls of one architecture, and goes on to what follows for others. Only the bits of `mask` count of a
/// number.
fn interface(architecture: u32, mask: u32, denied: &[&[i64]]) -> io::Result<Vec<sock_filter>> {
    let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut block = vec![load(NUMBER), statement(libc::BPF_ALU | libc::BPF_AND, mask)];
    for &number in denied.iter().copied().flatten() {
        let number = u32::try_from(number).map_err(too_long)?;
        block.push(unless_equal(number, 1));
        block.push(answer(
            libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned(),
        ));
    }
    block.push(answer(libc::SECCOMP_RET_ALLOW));
    let length = u8::try_from(block.len()).map_err(too_long)?;
    block.insert(0, unless_equal(architecture, length));
    Ok(block)
}

fn load(offset: u32) -> sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

fn answer(action: u32) -> sock_filter {
    statement(libc::BPF_RET, action)
}

/// Skips this many instructions unless what was loaded is `value`.
fn unless_equal(value: u32, skipped: u8) -> sock_filter {
    sock_filter {
        jf: skipped,
        ..statement(libc::BPF_JMP | libc::BPF_JEQ, value)
    }
}

/// An instruction with a constant (BPF_K).
fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter {
        // The codes of classic BPF have 16 bits.
        code: (code | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would do: the instructions that are used here.
    fn verdict(architecture: u32, number: u32) -> u32 {
        let program = program().unwrap();
        let (mut at, mut value) = (0, 0);
        loop {
            let instruction = program[at];
            at += 1;
            match u32::from(instruction.code) {
                code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS => {
                    value = match instruction.k {
                        NUMBER => number,
                        _ => architecture,
                    }
                }
                code if code == libc::BPF_ALU | libc::BPF_AND => value &= instruction.k,
                code if code == libc::BPF_JMP | libc::BPF_JEQ => {
                    at += usize::from(match value == instruction.k {
                        true => instruction.jt,
                        false => instruction.jf,
                    });
                }
                code if code == libc::BPF_RET => return instruction.k,
                code => panic!("{code:#x}"),
            }
        }
    }

    const DENIED: u32 = libc::SECCOMP_RET_ERRNO | 1;

    #[test]
    fn each_interface_has_its_numbers() {
        let (native, foreign) = ARCHITECTURES.unwrap();
        let number = |number: i64| u32::try_from(number).unwrap();
        for &call in denied::NATIVE.iter().chain(denied::NATIVE_HERE) {
            assert_eq!(verdict(native, number(call)), DENIED, "{call}");
            assert_eq!(verdict(native, number(call) | X32_BIT), DENIED, "{call}");
        }
        for &call in denied::FOREIGN {
            assert_eq!(verdict(foreign, number(call)), DENIED, "{call}");
        }
        let allowed = libc::SECCOMP_RET_ALLOW;
        assert_eq!(verdict(native, number(libc::SYS_openat)), allowed);
        assert_eq!(verdict(foreign, 1), allowed); // exit(2), on both
        assert_eq!(verdict(7, 1), libc::SECCOMP_RET_KILL_PROCESS);
    }

    #[test]
    fn the_filter_is_within_the_kernels_limit() {
        const BPF_MAXINSNS: usize = 4096;
        assert!(program().unwrap().len() < BPF_MAXINSNS);
    }
}
