//! Builds the page with Node and lays its files out as a table of Rust.
//!
//! One build of the page serves every Cargo profile: it stands in `web/dist`, stamped with a fingerprint
//! of its sources. Where it cannot be built, the crate compiles without a page and says what is missing,
//! unless `TIDEGATE_REQUIRE_CONSOLE=1` makes that an error.
#![expect(clippy::print_stdout, reason = "Cargo reads a build script's instructions from its output")]

mod inputs;
mod node;
mod page;
mod table;

use std::path::{Path, PathBuf};
use std::{env, io, process};

use page::Missing;

const REQUIRE: &str = "TIDEGATE_REQUIRE_CONSOLE";

fn main() -> io::Result<()> {
    let web = variable("CARGO_MANIFEST_DIR").join("web");
    let out = variable("OUT_DIR");
    println!("cargo::rerun-if-env-changed={REQUIRE}");
    println!("cargo::rerun-if-changed=build");
    for input in inputs::INPUTS {
        println!("cargo::rerun-if-changed=web/{input}");
    }
    match embed(&web, &out)? {
        None => Ok(()),
        Some(missing) if env::var(REQUIRE).is_ok_and(|value| value == "1") => {
            report("error", &missing);
            process::exit(1);
        }
        Some(missing) => {
            report("warning", &missing);
            // Node may be there, but not on this path.
            println!("cargo::rerun-if-env-changed=PATH");
            table::write_empty(&out, &missing.text)
        }
    }
}

/// Builds the page and writes its table, or tells what is missing.
fn embed(web: &Path, out: &Path) -> io::Result<Option<Missing>> {
    // Held until the files are copied: another build must not replace them meanwhile.
    let lock = page::lock(web)?;
    let built = page::build(web)?;
    if built.is_none() {
        table::write(&page::dist(web), out)?;
    }
    drop(lock);
    Ok(built)
}

fn report(level: &str, missing: &Missing) {
    println!("cargo::{level}={}", missing.text);
    for line in &missing.output {
        println!("cargo::{level}=  {line}");
    }
}

/// A path that Cargo hands to every build script.
fn variable(name: &str) -> PathBuf {
    env::var_os(name).map(PathBuf::from).unwrap_or_else(|| panic!("{name} is not set: run me through Cargo"))
}
