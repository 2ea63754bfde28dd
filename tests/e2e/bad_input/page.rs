//! `docs/bad-input.md`, made of the tables.

use std::fmt::Write;

use super::routes::{ROUTES, Said};
use super::{messages, places, requests, settings};
use crate::support::repository;

const HEAD: &str = "# Bad input

What Tidegate says to input that is wrong, or only looks wrong. This page is made of the table that the tests send to a real
server, row by row: `UPDATE=1 cargo test --test e2e -- bad_input::page` writes it anew.

- **Refused** means that nothing of it is kept: what is refused is refused before the log.
- **Accepted** means that it comes back byte for byte.
- Every refusal is one sentence: which value, what was expected, what to do.
";

const ROUTES_NOTE: &str = "
A message gets the same verdict and the same sentence on every way in:
";

const ENVELOPES_NOTE: &str = "
They differ only in what they put around it:

- `PUT record`, `POST messages` and `POST /data` answer with the status and `{\"error\": {\"code\", \"message\"}}`.
- `POST messages` lists, besides, each refused message with its index, and answers 200 once any message was accepted.
- `PUT records` answers 200, and each record has an `ErrorCode` and an `ErrorMessage` of its own.
- `publish` answers 200, as GraphQL does, and `errors` has the sentence with the code `BAD_USER_INPUT`.
- Bytes are counted from the message's start. Where a message is so broken that the JSON around it breaks too, the sentence says
  \"the request body\" instead of \"the message\", and counts from the body's start.
- A literal in a GraphQL document is read by GraphQL's own grammar first: its names need no quotes and must be unique, and it
  may not nest deeper than a document may.
";

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', "⏎")
}

fn verdict(said: &Said, note: &str, out: &mut String) {
    let line = match said.is_accepted() {
        true => format!("accepted | {} | {note} |\n", said.status),
        false => {
            let line_break = if note.is_empty() { "" } else { "<br>" };
            let sentence = cell(&said.sentence);
            format!("**refused** | {} `{}` | {sentence}{line_break}{note} |\n", said.status, said.code)
        }
    };
    out.push_str(&line);
}

fn page() -> String {
    let mut out = HEAD.to_owned();
    // Writing to memory does not fail.
    let _ = writeln!(out, "\n## Messages\n{ROUTES_NOTE}");
    for route in ROUTES {
        let _ = writeln!(out, "- {}", route.title());
    }
    out.push_str(ENVELOPES_NOTE);
    for (title, messages) in messages::groups() {
        let _ = write!(
            out,
            "\n### {title}\n\n| message | verdict | status | what is said |\n| --- | --- | --- | --- |\n"
        );
        for message in messages {
            let note = message.otherwise.as_ref().map(|other| {
                let routes: Vec<_> = other.routes.iter().map(|route| route.title()).collect();
                format!("Otherwise by {}: {}.", routes.join("; "), other.why)
            });
            let _ = write!(out, "| {} | ", cell(&message.what));
            verdict(&message.verdict, &note.unwrap_or_default(), &mut out);
        }
    }
    for (title, rows) in requests::groups() {
        let _ = write!(
            out,
            "\n## {title}\n\n| request | verdict | status | what is said |\n| --- | --- | --- | --- |\n"
        );
        for row in rows {
            let _ = write!(out, "| {} | ", cell(row.what));
            verdict(&row.verdict, "", &mut out);
        }
    }
    out.push_str("\n## Topics\n\nNamed by the partition key, by `?topic=`, by `publish(topic:)`, or by a JSON pointer into the message.\n\n| topic | verdict | what is said |\n| --- | --- | --- |\n");
    for row in places::topics() {
        let note = if row.note.is_empty() { String::new() } else { format!(" ({})", row.note) };
        let _ = match &row.verdict {
            Ok(()) => writeln!(out, "| {} | accepted | {note} |", cell(row.what)),
            Err(sentence) => writeln!(out, "| {} | **refused** | {}{note} |", cell(row.what), cell(sentence)),
        };
    }
    out.push_str("\n## Times\n\nOf a stream that takes its time from the message. A message is never refused for its time: where that can't be used, arrival\nstands in, and `timeSource` says so.\n\n| in the message | `timeSource` | `time` |\n| --- | --- | --- |\n");
    for row in places::times() {
        let time =
            if row.time.is_empty() { format!("its arrival: {}", row.why) } else { format!("`{}`", row.time) };
        let _ = writeln!(out, "| `{}` | `{}` | {time} |", row.value, row.source);
    }
    out.push_str("\n## Settings\n\nRefused by `tidegate config check` and at the start alike, with exit code 1, the file's name, and:\n\n| file | what is said |\n| --- | --- |\n");
    for row in settings::table() {
        let _ = writeln!(out, "| {} | {} |", cell(row.what), cell(&row.words.join(" … ")));
    }
    out.push_str("| a file that is not there, a folder, or no UTF-8 | can't be read … why |\n");
    out
}

#[test]
fn the_page_is_what_the_table_says() {
    let path = repository().join("docs/bad-input.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(page, written, "docs/bad-input.md is stale: run this test with UPDATE=1");
}
