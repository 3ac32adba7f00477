//! glibc's NSS contract for hosts, users and groups, as safe Rust without allocation or panic
