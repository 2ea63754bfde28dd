//! What the store knows of the embedded log's partitions: a log that was lost, or is damaged, must not give a sequence again.

use std::path::Path;

use schema::{PartitionId, StreamName};
use store::{Next, Store};

use crate::StartError;
use crate::consume::ConsumeError;
use crate::log::{self, Known, LogError, Repaired};
use crate::streams::Streams;

/// How far the store knows each partition, so that a log that was lost goes on behind it instead of giving positions anew.
pub(crate) async fn known(streams: &Streams, store: &dyn Store) -> Result<Vec<Known>, StartError> {
    let mut known = Vec::new();
    for stream in streams.all() {
        known.extend(known_of(stream.name(), store).await?);
    }
    Ok(known)
}

/// The same for one stream.
async fn known_of(stream: &StreamName, store: &dyn Store) -> Result<Vec<Known>, StartError> {
    let mut known = Vec::new();
    for lease in store.leases(stream).await? {
        let Some(index) = embedded_index(&lease.partition) else { continue };
        // Rows go on behind the checkpoint: what they hold was given a position, too.
        let mut last = lease.checkpoint;
        loop {
            match store.next_journal(stream, &lease.partition, last).await? {
                Next::Row(row) => last = row.last,
                Next::Gap { to } => last = to,
                Next::Wait => break,
            }
        }
        let Some(last) = last.as_u64() else {
            return Err(ConsumeError::ForeignLog(stream.clone(), lease.partition).into());
        };
        known.push((stream.clone(), index, last));
    }
    Ok(known)
}

/// Sets aside what is damaged of the log in `log_folder`, so that Tidegate can start again; see [`crate::log::repair`]. The
/// store and the number of partitions a stream say which sequences may have been given.
///
/// # Errors
/// [`StartError`]: while a node has the folder, or if the store can't be read or files can't be written.
pub async fn repair(
    log_folder: &Path,
    store: &dyn Store,
    partitions_per_stream: u32,
) -> Result<Repaired, StartError> {
    let mut known: Vec<Known> = Vec::new();
    for stream in store.streams().await? {
        let name = stream.name();
        known.extend((0..partitions_per_stream).map(|index| (name.clone(), index, 0)));
        known.extend(known_of(name, store).await?);
    }
    let folder = log_folder.to_path_buf();
    let repairing = tokio::task::spawn_blocking(move || log::repair(&folder, &known)).await;
    Ok(repairing.map_err(|error| LogError::Io {
        doing: "repair the log in",
        path: log_folder.to_path_buf(),
        source: std::io::Error::other(error),
    })??)
}

/// Which partition of an embedded log this is, if it is one.
fn embedded_index(partition: &PartitionId) -> Option<u32> {
    let index = partition.as_str().rsplit('-').next()?.parse().ok()?;
    (PartitionId::embedded(index) == *partition).then_some(index)
}
