//! Cursors, and the parameters of `GET /data`.

use serde_json::{Value, json};

use super::super::routes::JSON;
use super::{Row, row};
use crate::support::Client;

/// A cursor that the server gave, changed by `change`, and used on the stream `data`.
fn cursor(what: &'static str, of: &'static str, change: fn(String) -> String, sentence: &str) -> Row {
    let send = move |client: &Client| {
        let document = format!("{{ {of}(last: 1) {{ pageInfo {{ endCursor }} nodes {{ topic }} }} }}");
        client.nodes(of, &document, 1);
        let page = client.graphql(&document);
        let given = page[of]["pageInfo"]["endCursor"].as_str().unwrap_or_default().to_owned();
        let document = "query($after: PageCursor) { data(first: 1, after: $after) { nodes { topic } } }";
        client.graphql_answer(document, &json!({ "after": change(given) }))
    };
    let code = if sentence.is_empty() { "" } else { "BAD_USER_INPUT" };
    row(what, send, (200, code, sentence))
}

pub(super) fn cursors() -> Vec<Row> {
    let damaged = "after: the cursor is damaged: pass one exactly as it was given out";
    vec![
        cursor("as it was given", "data", |given| given, ""),
        cursor("cut short", "data", |given| given[..given.len() - 1].to_owned(), damaged),
        cursor("with a character changed", "data", |given| given.replacen('A', "B", 1), damaged),
        cursor("in another alphabet", "data", |given| format!("{given}=="), damaged),
        cursor("of another stream", "many", |given| given, "after: the cursor belongs to another stream"),
        cursor("empty", "data", |_| String::new(), damaged),
        cursor("of 100 KiB", "data", |given| given.repeat(1_000), damaged),
    ]
}

/// A field of a page that the server gave, changed by `change`, and what is followed of the stream `data` behind it.
fn resume(
    what: &'static str,
    (of, field): (&'static str, &'static str),
    change: fn(String) -> String,
    sentence: &str,
) -> Row {
    let send = move |client: &Client| {
        let document = format!("{{ {of}(last: 1) {{ resumeCursor pageInfo {{ endCursor }} }} }}");
        let page = client.graphql(&document);
        let given = page[of].pointer(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let query = "subscription($resume: ResumeCursor) { data(resume: $resume) { cursor } }";
        let body = json!({ "query": query, "variables": { "resume": change(given) } }).to_string();
        let request = client.request("POST", "/graphql").header("Accept", "text/event-stream");
        let mut answer = request.body(JSON, body).send(client.address);
        // What an event says is judged as an answer would be.
        let text = answer.text();
        let data = text.lines().find_map(|line| line.strip_prefix("data: "));
        answer.body = data.unwrap_or_else(|| panic!("no event: {text}")).into();
        answer
    };
    row(what, send, (200, "BAD_USER_INPUT", sentence))
}

pub(super) fn resumes() -> Vec<Row> {
    let cursor = "/resumeCursor";
    let damaged = "resume: the cursor is damaged: pass one exactly as it was given out";
    vec![
        resume("cut short", ("data", cursor), |given| given[..given.len() - 1].to_owned(), damaged),
        resume("with a character changed", ("data", cursor), |given| given.replacen('A', "B", 1), damaged),
        resume("in another alphabet", ("data", cursor), |given| format!("{given}=="), damaged),
        resume("empty", ("data", cursor), |_| String::new(), damaged),
        resume("of 100 KiB", ("data", cursor), |given| given.repeat(1_000), damaged),
        resume(
            "of another stream",
            ("many", cursor),
            |given| given,
            "resume: the cursor belongs to another stream",
        ),
        resume(
            "of a page",
            ("data", "/pageInfo/endCursor"),
            |given| given,
            "resume: this is a PageCursor, and a ResumeCursor is expected here",
        ),
    ]
}

pub(super) fn own() -> Vec<Row> {
    let get = |what, path: &'static str, sentence: &str| {
        row(what, move |client: &Client| client.get(path), (400, "bad_request", sentence))
    };
    vec![
        get("`last=0`", "/data?last=0", "last is 0, and must be from 1 to 10000"),
        get("`last=many`", "/data?last=many", "last is many, and must be from 1 to 10000"),
        get(
            "`from=yesterday`",
            "/data?from=yesterday",
            "from: \"yesterday\" is not a time: expected ISO 8601, such as 2020-06-01T00:00:24Z, or now-15m (units s m h d w)",
        ),
        get(
            "`before` that is no cursor",
            "/data?before=x",
            "before: the cursor is damaged: pass one exactly as it was given out",
        ),
        get(
            "a parameter that is none",
            "/data?frmo=now",
            "Failed to deserialize query string: frmo: unknown field `frmo`, expected one of `from`, `to`, `last`, `before`",
        ),
    ]
}
