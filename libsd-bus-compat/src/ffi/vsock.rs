//! An address of vsock(7) as the kernel takes it, which rustix has none of.

use std::mem::size_of;

use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};

/// A machine, by its CID, and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    pub cid: u32,
    pub port: u32,
}

// SAFETY: the pointer is to a structure that lives during the call, with its size.
unsafe impl SocketAddrArg for Address {
    unsafe fn with_sockaddr<R>(
        &self,
        f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R,
    ) -> R {
        // SAFETY: it is made of numbers alone.
        let mut raw = unsafe { std::mem::zeroed::<libc::sockaddr_vm>() };
        raw.svm_family = libc::sa_family_t::try_from(libc::AF_VSOCK).unwrap_or_default();
        raw.svm_cid = self.cid;
        raw.svm_port = self.port;
        let length = SocketAddrLen::try_from(size_of::<libc::sockaddr_vm>()).unwrap_or_default();
        f((&raw const raw).cast(), length)
    }
}
