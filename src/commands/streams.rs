//! `tidegate streams`

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Failure, block_on, node::Node, say};
use crate::cli::{NodeArgs, StreamsArgs};

const ALL: &str = "{ streams { name rootField topic time retention } }";
const ONE: &str = "query($name: String!) { stream(name: $name) { partitions {
    partition owner ended progress { lag checkpointAge bytesPerSecond throttles retries deadLetters } } } }";

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct All {
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct One {
    stream: Option<Partitions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    name: String,
    root_field: String,
    topic: String,
    time: Option<String>,
    retention: String,
}

#[derive(Deserialize)]
struct Partitions {
    partitions: Vec<Partition>,
}

#[derive(Deserialize)]
struct Partition {
    partition: String,
    owner: Option<String>,
    ended: bool,
    progress: Option<Progress>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    lag: f64,
    checkpoint_age: f64,
    bytes_per_second: f64,
    throttles: u64,
    retries: u64,
    dead_letters: u64,
}

/// Lists streams, or the partitions of one, a line each.
pub(crate) fn run(args: &StreamsArgs) -> Result<(), Failure> {
    match &args.stream {
        None => {
            let All { streams } = ask(&args.node, ALL, None)?;
            say(&table(&streams_table(streams)))
        }
        Some(name) => {
            let One { stream } = ask(&args.node, ONE, Some(name))?;
            let stream =
                stream.ok_or_else(|| format!("there is no stream {name}: `tidegate streams` lists them"))?;
            say(&table(&partitions_table(stream.partitions)))
        }
    }
}

fn ask<T: DeserializeOwned>(node: &NodeArgs, document: &str, name: Option<&str>) -> Result<T, Failure> {
    let body = json!({ "query": document, "variables": { "name": name } }).to_string();
    let answer = block_on(async {
        Node::sign_in(node).await?.post("/graphql", "application/json", body.into()).await
    })?;
    let answer: Answer<T> = serde_json::from_slice(&answer)?;
    let errors = answer.errors;
    answer.data.ok_or_else(|| match serde_json::to_string(&errors) {
        Ok(errors) => format!("the streams can't be listed: {errors}").into(),
        Err(error) => error.into(),
    })
}

fn streams_table(streams: Vec<Stream>) -> Vec<[String; 5]> {
    let head = ["STREAM", "FIELD", "TOPIC", "TIME", "RETENTION"].map(String::from);
    let line = |stream: Stream| {
        let time = stream.time.unwrap_or_else(|| "arrival".into());
        [stream.name, stream.root_field, stream.topic, time, stream.retention]
    };
    std::iter::once(head).chain(streams.into_iter().map(line)).collect()
}

/// What nobody says of a partition is `-`: it has ended, nobody has it, or an embedded log needs no owner.
fn partitions_table(partitions: Vec<Partition>) -> Vec<[String; 8]> {
    let head =
        ["PARTITION", "OWNER", "LAG", "NO CHECKPOINT FOR", "BYTES/S", "THROTTLED", "RETRIED", "DEAD LETTERS"];
    let line = |Partition { partition, owner, ended, progress }: Partition| {
        let owner = if ended { "(ended)".into() } else { owner.unwrap_or_else(|| "-".into()) };
        let said = match progress {
            None => [(); 6].map(|()| "-".to_owned()),
            Some(progress) => [
                format!("{:.1}s", progress.lag),
                format!("{:.1}s", progress.checkpoint_age),
                format!("{:.0}", progress.bytes_per_second),
                progress.throttles.to_string(),
                progress.retries.to_string(),
                progress.dead_letters.to_string(),
            ],
        };
        let [lag, age, bytes, throttles, retries, letters] = said;
        [partition, owner, lag, age, bytes, throttles, retries, letters]
    };
    std::iter::once(head.map(String::from)).chain(partitions.into_iter().map(line)).collect()
}

/// Lines of cells, each column as wide as its widest.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
