//! Where messages rest: traits that say what a store must do, and the backends that do it.
//!
//! A store is one value behind [`Store`]. Ingest writes through it, in an order that makes every step repeatable: rows
//! and dead letters, then the journal, then the checkpoint. The gateway reads through it. They meet nowhere else.
//!
//! To add a backend: implement the traits of [`traits`] and [`leases`], run `conformance` against it (feature `conformance`).
//! A method that only one backend needs is a leak: buckets, leases' slots and sweeping are a backend's own business.
//!
//! **Invariants.** Only this crate names a database driver. Every write can be repeated with the same result: keys come
//! from positions, never from the clock. A look-up gives `Result<Option<T>>`.

pub mod announce;
pub mod catalog;
pub mod embedded;
pub mod error;
mod fields;
pub mod leases;
pub mod letters;
pub mod merge;
pub mod publish;
pub mod scylla;
pub mod traits;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use announce::{Announce, Unheard};
pub use catalog::StreamRecord;
pub use error::StoreError;
pub use leases::{Lease, LeaseState, Leases, Registration, Report};
pub use letters::{Discarded, LetterDecisions, NoReplays, Replay, ReplayError, Replayed};
pub use publish::{Publish, PublishError, PublishRequest, Published, WritePolicy};
pub use traits::{
    Catalog, DeadLetter, DeadLetters, Entries, Entry, IdClaim, Ids, Journal, JournalRow, Messages, Next,
    Order, RowMark, Store, TopicActivity, TopicFilter, TopicPage,
};
