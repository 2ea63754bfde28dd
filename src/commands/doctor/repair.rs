//! `--repair`: asks nothing, and says what it did.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use ingest::log::{LogError, Missing, Repaired, examine};
use schema::PartitionId;

use crate::commands::Failure;
use crate::config::Config;
use crate::serve;

/// Sets aside what is damaged of the log; gives what it did.
pub(super) async fn run(data: &Path, config: &Config) -> Result<String, Failure> {
    let log = data.join("log");
    match examine(&log) {
        Err(LogError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Ok("Nothing is damaged, so nothing was changed.\n".into()),
    }
    // It says which sequences were given: without it some might be given again.
    let opened = serve::store::open(config, data, true, Arc::new(serve::now)).await.map_err(|error| {
        format!("nothing was changed, as the log is repaired by what the store knows: {error}")
    })?;
    let repaired = ingest::repair(&log, &*opened.store, config.ingest.partitions_per_stream).await?;
    tell(&repaired).map_err(Into::into)
}

fn tell(repaired: &Repaired) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for file in &repaired.files {
        for (from, to) in &file.gaps {
            writeln!(text, "Set aside bytes {from} to {to} of {}.", file.file.display())?;
        }
        writeln!(text, "The file as it was is kept as {}.", file.kept_as.display())?;
    }
    writeln!(text, "{} records of the log were kept.", repaired.records)?;
    if repaired.stored > 0 {
        writeln!(text, "{} that the log has lost are in the store already.", repaired.stored)?;
    }
    for missing in &repaired.missing {
        let Missing { stream, partition, first, last, certain } = missing;
        let partition = PartitionId::embedded(*partition);
        match certain {
            true => writeln!(
                text,
                "Missing: stream {stream}, partition {partition}, sequences {first} to {last}."
            )?,
            false => writeln!(
                text,
                "Perhaps missing: stream {stream}, partition {partition}, what came after sequence {}, at most to {last}: \
                 those sequences are not given again.",
                first - 1
            )?,
        }
    }
    if repaired.missing.is_empty() {
        writeln!(text, "No message is missing.")?;
    } else {
        writeln!(text, "Readers of the journal are told of it as a gap.")?;
    }
    Ok(text)
}
