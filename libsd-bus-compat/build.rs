//! Compiles the one C file: a function that takes `...` can't be defined in stable Rust.
//!
//! By the compiler and the archiver of the environment (CC, AR), as dist/link-library.sh links.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = "src/ffi/varargs.c";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=../include/systemd");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let object = out.join("varargs.o");
    let archive = out.join("libsd_varargs.a");
    let flags =
        "-std=c11 -O2 -fPIC -fvisibility=default -ffunction-sections -Wall -Wextra -I../include";
    run(tool("CC", "cc")
        .args(flags.split(' '))
        .args(["-c", SOURCE, "-o"])
        .arg(&object))?;
    // `q` appends; what a build before has left would be kept.
    let _ = std::fs::remove_file(&archive);
    run(tool("AR", "ar").arg("qcs").arg(&archive).arg(&object))?;
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=static=sd_varargs");
    Ok(())
}

fn tool(variable: &str, default: &str) -> Command {
    println!("cargo::rerun-if-env-changed={variable}");
    Command::new(env::var(variable).unwrap_or_else(|_| default.to_owned()))
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    match command.status()?.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed").into()),
    }
}
