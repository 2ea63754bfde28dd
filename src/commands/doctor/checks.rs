//! What is looked at, in the order in which a start would meet it.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use access::Context;
use ingest::log::{Examined, LogError, examine};
use store::embedded::Embedded;
use store::scylla::Scylla;
use store::{Catalog, StoreError};

use super::{Report, cql};
use crate::commands::Failure;
use crate::config::Config;
use crate::serve;

/// With less room than this, a node may soon refuse messages: it is what the log's and the store's next files take.
const FREE_BYTES_MIN: u64 = 256 << 20;

/// Runs all checks.
pub(super) async fn run(data: &Path, config: &Config, report: &mut Report) -> Result<(), Failure> {
    if !data.is_dir() {
        report.fine("folder", "there is none yet: a node makes it at its first start");
        store(data, config, report).await;
        return Ok(());
    }
    writable(data, report);
    private(data, report);
    context(data, report);
    room(data, report);
    let log = data.join("log");
    let running = match examine(&log) {
        Err(LogError::InUse(_)) => {
            report.fine(
                "node",
                match config.store.is_embedded() {
                    true => "one is running here: its log and its store are not looked at, stop it to have them checked",
                    false => "one is running here: its log is not looked at, stop it to have it checked",
                },
            );
            true
        }
        looked => {
            report.fine("node", "none is running here");
            self::log(looked, data, report);
            false
        }
    };
    // A store of many processes may be looked at beside them.
    if !running || !config.store.is_embedded() {
        store(data, config, report).await;
    }
    Ok(())
}

/// Tries what changes nothing: to open for writing what every node has made.
fn writable(data: &Path, report: &mut Report) {
    let file = data.join("log").join("lock");
    match OpenOptions::new().write(true).open(&file) {
        Ok(_) => report.fine("folder", "it may be written"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            report.fine("folder", "no node has written to it yet");
        }
        Err(error) => report.problem(
            "folder",
            &format!("{} can't be written: {error}", file.display()),
            "A node can't start on it.",
            "Give the folder to the user that runs the node, and see that its file system is not mounted read-only.",
        ),
    }
}

/// What opens the node's doors is for its owner only.
fn private(data: &Path, report: &mut Report) {
    let open: Vec<String> = ["context.json", "issuer.pk8"]
        .into_iter()
        .map(|name| data.join(name))
        .filter(|path| fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0))
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        report.fine("secrets", "only their owner may read them");
    } else {
        let files = open.join(" ");
        report.problem(
            "secrets",
            &format!("others than their owner may read {files}"),
            "Whoever has an account on this machine may sign in as this node's client, or sign tokens itself.",
            &format!("`chmod 600 {files}`; if others have been here, remove them: the next start makes new ones."),
        );
    }
}

fn context(data: &Path, report: &mut Report) {
    match Context::load(data) {
        Ok(Some(context)) => report.fine("context", &format!("commands find the node at {}", context.url)),
        Ok(None) => report.fine("context", "there is none: no node with its own client has run here"),
        Err(error) => report.problem(
            "context",
            &error.to_string(),
            "Commands can't sign in by this folder. Messages are not concerned.",
            "Remove the file: the next start makes a new one.",
        ),
    }
}

/// Free room, as `df` tells it.
fn room(data: &Path, report: &mut Report) {
    let told = Command::new("df").arg("-Pk").arg(data).output();
    let text = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned()).unwrap_or_default();
    let free = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    match free.map(|kib| kib << 10) {
        None => report.fine("disk", "how much room is left is unknown here"),
        Some(free) if free >= FREE_BYTES_MIN => report.fine("disk", &format!("{} MiB are free", free >> 20)),
        Some(free) => report.problem(
            "disk",
            &format!("only {} MiB are free", free >> 20),
            "A node refuses messages while its disk is full, and goes on by itself when it is not.",
            "Make room, or shorten the streams' retention.",
        ),
    }
}

fn log(looked: Result<Examined, LogError>, data: &Path, report: &mut Report) {
    let data = data.display();
    match looked {
        Ok(log) => {
            let size = format!("{} files, {} bytes, {} records", log.files, log.bytes, log.records);
            match log.torn {
                None => report.fine("log", &format!("healthy: {size}")),
                Some(torn) => report.problem(
                    "log",
                    &format!(
                        "torn: {} ends in {} bytes, from byte {} on, that are no frame; {size}",
                        torn.file.display(),
                        torn.bytes,
                        torn.offset
                    ),
                    "A crash has cut a write short, before it was acknowledged. Nothing is lost that anybody was promised.",
                    "Nothing: the next start cuts it and says so.",
                ),
            }
            for file in &log.set_aside {
                report.line("", "", &format!("an earlier repair keeps {}", file.display()));
            }
        }
        Err(LogError::Damaged { file, offset, what }) => report.problem(
            "log",
            &format!("damaged: {} at byte {offset}: {what}", file.display()),
            "Bytes that were durable have changed since: a fault of the disk, or something else has written there. \
             Acknowledged messages may be lost, and a node does not start on it.",
            &format!(
                "Restore the folder from a copy that is whole. Without one: `tidegate doctor --repair --data {data}` sets the \
                 damaged part aside, keeps the rest, and says what is missing."
            ),
        ),
        Err(error) => report.problem(
            "log",
            &chain(&error),
            "The log can't be read, and so a node can't start.",
            "See to the folder's permissions and its disk.",
        ),
    }
}

async fn store(data: &Path, config: &Config, report: &mut Report) {
    let folder = data.join("store");
    if config.store.is_embedded() {
        if !folder.is_dir() {
            return report.fine("store", "there is none yet");
        }
    } else if !cql::run(config, data, report).await {
        // What stands in the way of opening it was said.
        return;
    }
    match streams(&folder, config).await {
        Ok(count) => report.fine("store", &format!("it opens, and knows {count} streams")),
        Err(error) => report.problem(
            "store",
            &chain(&error),
            "Messages that were accepted can't be read, and a node does not start.",
            "What the sentence above says.",
        ),
    }
}

/// How many streams the store knows.
async fn streams(folder: &Path, config: &Config) -> Result<usize, StoreError> {
    let streams = if config.store.is_embedded() {
        Embedded::open(folder, config.store.embedded())?.streams().await?
    } else {
        let password = config.store.password().map_err(StoreError::Open)?;
        Scylla::open(&config.store.cql(), &password, Arc::new(serve::now)).await?.streams().await?
    };
    Ok(streams.len())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
