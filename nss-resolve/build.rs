//! Says by `cfg(module)` whether the crate is built for the shared object, by the profile `module`.
//!
//! Only then it has a panic handler of its own. A build of the whole workspace gives the crates below
//! it `std` (features are united), which brings another. Cargo does not name a build script its
//! profile; it is known by the `opt-level` that `module` gives this package, and no other profile.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(module)");
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level == "2") {
        println!("cargo::rustc-cfg=module");
    }
}
