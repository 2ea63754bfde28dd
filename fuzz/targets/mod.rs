//! Targets: functions of arbitrary bytes that panic where Tidegate breaks a promise.
//!
//! `replay.rs` runs each over its corpus, as part of `cargo test`. `libfuzzer/` looks for new inputs: README.md.

mod json;
mod log;
mod page_cursor;
mod position;
mod projector;
mod resume_cursor;
mod shape;
mod time;
mod tree;

/// A target's name, which is that of its folder in `corpus/`, and the target.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const TARGETS: [Target; 8] = [
    ("json", json::target),
    ("shape", shape::target),
    ("projector", projector::target),
    ("page_cursor", page_cursor::target),
    ("resume_cursor", resume_cursor::target),
    ("position", position::target),
    ("time", time::target),
    ("log", log::target),
];
