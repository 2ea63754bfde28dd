//! What can go wrong in a store.

use schema::PartitionId;

/// A failure of the store: whoever writes may try again, after what the error asks for. Only [`StoreError::Refused`] may be of
/// what is written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The backend could not be reached or could not do it now.
    #[error("the store could not {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The backend could, and will not take this: it is too large for it, say. It is not known yet whether it ever will.
    #[error("the store will not {doing}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// Why it refuses.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was read is not what was written.
    #[error("the store holds something unreadable under {what}")]
    Corrupt {
        /// What was being read.
        what: String,
    },
    /// A partition was to be registered before one that it goes on from.
    #[error("partition {partition} can't be registered: its parent {parent} is not")]
    NoParent {
        /// The partition.
        partition: PartitionId,
        /// The parent that is not registered.
        parent: PartitionId,
    },
    /// The store can't be opened.
    #[error("{0}")]
    Open(String),
}

impl StoreError {
    /// Wraps a backend's error.
    pub fn unavailable(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable { doing, source: source.into() }
    }
}
