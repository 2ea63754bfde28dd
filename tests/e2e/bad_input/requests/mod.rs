//! The table of requests: what is around the messages, and what is said about that.

mod bodies;
mod envelopes;
mod graphql;
mod reading;

use super::routes::{JSON, Said};
use crate::support::Client;
use crate::support::http::Answer;

/// A request, and the verdict on it.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) send: Box<dyn Fn(&Client) -> Answer>,
    pub(super) verdict: Said,
}

fn row(
    what: &'static str,
    send: impl Fn(&Client) -> Answer + 'static,
    (status, code, sentence): (u16, &str, &str),
) -> Row {
    Row { what, send: Box::new(send), verdict: Said::new(status, code, sentence) }
}

/// A body by a route; its type is JSON.
fn sent(
    what: &'static str,
    (method, path): (&'static str, &'static str),
    body: impl Into<Vec<u8>>,
    verdict: (u16, &str, &str),
) -> Row {
    let body = body.into();
    row(
        what,
        move |client| client.request(method, path).body(JSON, body.clone()).send(client.address),
        verdict,
    )
}

const RECORD: (&str, &str) = ("PUT", "/streams/bad/record");
const RECORDS: (&str, &str) = ("PUT", "/streams/bad/records");
const MESSAGES: (&str, &str) = ("POST", "/streams/bad/messages?key=k");
const DATA: (&str, &str) = ("POST", "/data");
const GRAPHQL: (&str, &str) = ("POST", "/graphql");

/// The groups of the page, each with its requests.
pub(super) fn groups() -> Vec<(&'static str, Vec<Row>)> {
    vec![
        ("Bodies", bodies::bodies()),
        ("Records and their envelopes", envelopes::envelopes()),
        ("GraphQL requests", graphql::graphql()),
        ("Cursors", reading::cursors()),
        ("Resume cursors", reading::resumes()),
        ("Reading your own messages", reading::own()),
    ]
}
