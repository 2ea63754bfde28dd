//! `tidegate streams`

use serde::Deserialize;

use super::{Failure, block_on, node::Node, say};
use crate::cli::NodeArgs;

const QUERY: &str = r#"{"query":"{ streams { name rootField topic time retention } }"}"#;

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Data {
    streams: Option<Vec<Stream>>,
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

/// Lists streams, a line each.
pub(crate) fn run(args: &NodeArgs) -> Result<(), Failure> {
    let body = block_on(async {
        Node::sign_in(args).await?.post("/graphql", "application/json", QUERY.into()).await
    })?;
    let answer: Answer = serde_json::from_slice(&body)?;
    let Some(streams) = answer.data.and_then(|data| data.streams) else {
        return Err(format!("the streams can't be listed: {}", serde_json::to_string(&answer.errors)?).into());
    };
    let mut rows = vec![["STREAM", "FIELD", "TOPIC", "TIME", "RETENTION"].map(String::from)];
    rows.extend(streams.into_iter().map(|stream| {
        let time = stream.time.unwrap_or_else(|| "arrival".into());
        [stream.name, stream.root_field, stream.topic, time, stream.retention]
    }));
    say(&table(&rows))
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
