//! JSON as bytes: checked once when it comes in, then walked in place, never parsed into a tree.
//!
//! [`check()`] is the gate: I-JSON, or a reason. [`Cursor`] walks what passed it. [`Pointer`] finds one value.

mod check;
mod cursor;
mod kind;
mod pointer;
mod scan;
mod text;

pub use check::{CheckLimits, Fault, body_fault, check};
pub use cursor::Cursor;
pub use kind::{Kind, Malformed};
pub use pointer::{InvalidPointer, Pointer};
pub use text::Text;
