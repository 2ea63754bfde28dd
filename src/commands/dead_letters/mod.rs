//! `tidegate dead-letters`

mod ask;
mod outcomes;

use super::streams::table;
use super::{Failure, block_on, node::Node, say};
use crate::cli::{DeadLettersCommand, LetterArgs, LettersArgs, LettersToDo};
use ask::{BYTES, DISCARD, Letter, REPLAY, letter, letters, outcomes};
use outcomes::Counts;

/// Does what was asked for.
pub(crate) fn run(command: &DeadLettersCommand) -> Result<(), Failure> {
    block_on(async {
        match command {
            DeadLettersCommand::List(args) => list(args).await,
            DeadLettersCommand::Show(args) => show(args).await,
            DeadLettersCommand::Replay(args) => change(args, REPLAY).await,
            DeadLettersCommand::Discard(args) => change(args, DISCARD).await,
            DeadLettersCommand::Export(args) => export(args).await,
        }
    })
}

/// A line each. Columns are as wide as a page of them needs.
async fn list(args: &LettersArgs) -> Result<(), Failure> {
    let node = Node::sign_in(&args.node).await?;
    let (mut after, mut head) =
        (None, Some(["POSITION", "ARRIVED", "KEY", "BYTES", "REASON"].map(String::from)));
    loop {
        let page = letters(&node, &args.stream, after.as_deref(), "").await?;
        let Some(last) = page.last() else { break };
        after = Some(last.position.clone());
        let rows = page.into_iter().map(|letter| {
            let Letter { position, arrived_at, key, size_bytes, reason, .. } = letter;
            [position, arrived_at, printable(&key), size_bytes.to_string(), printable(&reason)]
        });
        let rows: Vec<_> = head.take().into_iter().chain(rows).collect();
        say(&table(&rows))?;
    }
    if head.is_some() { say(&format!("stream {} has no dead letters", args.stream)) } else { Ok(()) }
}

async fn show(args: &LetterArgs) -> Result<(), Failure> {
    let node = Node::sign_in(&args.node).await?;
    let letter = letter(&node, &args.stream, &args.position).await?.ok_or_else(|| {
        format!(
            "stream {} has no dead letter at {}: `tidegate dead-letters list {0}` lists those that there are",
            args.stream, args.position
        )
    })?;
    let Letter { position, arrived_at, key, reason, size_bytes, text, base64, .. } = letter;
    let (how, bytes) = text.map_or(("base64", base64), |text| ("text", Some(text)));
    say(&format!(
        "position  {position}\narrived   {arrived_at}\nkey       {}\nreason    {}\nbytes     {size_bytes}, as {how}:\n\n{}\n",
        printable(&key),
        printable(&reason),
        bytes.unwrap_or_default()
    ))
}

async fn export(args: &LettersArgs) -> Result<(), Failure> {
    let node = Node::sign_in(&args.node).await?;
    let mut after = None;
    loop {
        let page = letters(&node, &args.stream, after.as_deref(), BYTES).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.position.clone());
        let mut lines = String::new();
        for letter in page {
            lines += &serde_json::to_string(&letter.exported(&args.stream))?;
            lines.push('\n');
        }
        say(&lines)?;
    }
}

/// Replays or discards, a line for what became of each; fails unless all is as it was asked for.
async fn change(args: &LettersToDo, mutation: &str) -> Result<(), Failure> {
    let node = Node::sign_in(&args.node).await?;
    let mut counts = Counts::default();
    if args.all {
        let mut after = None;
        loop {
            let page = letters(&node, &args.stream, after.as_deref(), "").await?;
            let Some(last) = page.last() else { break };
            after = Some(last.position.clone());
            let positions: Vec<String> = page.into_iter().map(|letter| letter.position).collect();
            tell(&node, args, mutation, &positions, &mut counts).await?;
        }
        if counts.is_nothing() {
            return say(&format!("stream {} has no dead letters", args.stream));
        }
    } else {
        for positions in args.positions.chunks(ask::PAGE) {
            tell(&node, args, mutation, positions, &mut counts).await?;
        }
    }
    counts.summary()
}

async fn tell(
    node: &Node,
    args: &LettersToDo,
    mutation: &str,
    positions: &[String],
    counts: &mut Counts,
) -> Result<(), Failure> {
    let mut lines = String::new();
    for outcome in outcomes(node, mutation, &args.stream, positions).await? {
        lines += &counts.add(&outcome);
    }
    say(&lines)
}

/// A text of a record on one line, and without what could be meant for the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
