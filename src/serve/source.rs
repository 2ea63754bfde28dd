//! The log that the settings name.

use std::path::Path;

use ingest::Source;
use ingest::kinesis::KinesisSource;

use crate::commands::Failure;
use crate::config::Config;

/// The log in the data folder, or Kinesis.
pub(super) fn of(config: &Config) -> Result<Source, Failure> {
    let folder = config.server.data.join("log");
    if !config.kinesis.is_on() {
        return Ok(Source::Embedded(folder));
    }
    if config.stream.is_empty() {
        return Err("kinesis.region is set, and no [[stream]]: name the Kinesis streams to consume".into());
    }
    if holds_a_log(&folder) {
        return Err(format!(
            "messages of the data folder {} have come by its own log: give Kinesis a data folder of its own",
            config.server.data.display()
        )
        .into());
    }
    let settings = config.kinesis.clone();
    Ok(Source::Kinesis(Box::new(KinesisSource {
        settings,
        worker: worker()?,
        is_alone: config.store.is_embedded(),
    })))
}

fn holds_a_log(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}

/// This process's name among those that share streams: where it runs, and what nobody else bears.
fn worker() -> Result<String, Failure> {
    let host = rustix::system::uname();
    let mut random = [0; 4];
    getrandom::fill(&mut random)?;
    let random = u32::from_be_bytes(random);
    Ok(format!("{}-{}-{random:08x}", host.nodename().to_string_lossy(), std::process::id()))
}
