//! The time that maps count in.

use core::mem::MaybeUninit;

/// The second on `CLOCK_MONOTONIC`, as of the last tick of the kernel's.
///
/// The coarse clock is the only one that is a read of memory and nothing else (vdso(7)): 7 ns instead of
/// 34. The others read the processor's counter, which ends a process that has entered seccomp's strict mode
/// (`disable_TSC()`, kernel/seccomp.c), or make a system call where the counter is no good. There is no coarse
/// `CLOCK_BOOTTIME`; the header of a map has the difference.
pub(crate) fn seconds() -> u32 {
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: `now` is writable and of the right type. The call can't fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, now.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid timespec too.
    unsafe { now.assume_init() }.tv_sec as u32
}
