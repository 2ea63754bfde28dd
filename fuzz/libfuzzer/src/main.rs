//! libFuzzer's main: runs the target that `TIDEGATE_FUZZ` names. Started by `fuzz/run`, which builds it as it must be.
#![no_main]

#[path = "../../targets/mod.rs"]
mod targets;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(|input: &[u8]| TARGET.get_or_init(named)(input));

fn named() -> fn(&[u8]) {
    let name = std::env::var("TIDEGATE_FUZZ").unwrap_or_default();
    let found = targets::TARGETS.into_iter().find(|(known, _)| *known == name);
    let known: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    found.unwrap_or_else(|| panic!("TIDEGATE_FUZZ is {name:?}: expected one of {known:?}")).1
}
