//! Faults between the store and its servers, made by a proxy: what its callers see, and what is there in the end.
//!
//! `cargo test -p store faults -- --nocapture` prints what was seen of each fault in each operation: the table in
//! `docs/cql.md` is made of it.

mod lasting;
mod operation;
mod passing;
mod refused;

use super::*;
use operation::Operation;
