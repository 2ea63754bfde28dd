//! Bodies: their type, their coding, their size.

use super::{DATA, GRAPHQL, MESSAGES, RECORD, Row, row, sent};
use crate::e2e::bad_input::routes::{JSON, NDJSON};
use crate::support::Client;

const TOO_LARGE: &str = "the request body is larger than 8388608 bytes, which is the most that is accepted: send the messages in several requests";

pub(super) fn bodies() -> Vec<Row> {
    let typed =
        |what, content_type: Option<&'static str>, (method, path): (&'static str, &'static str), verdict| {
            let send = move |client: &Client| {
                let request = client.request(method, path);
                let request = match content_type {
                    Some(content_type) => request.body(content_type, "{}"),
                    None => request,
                };
                request.send(client.address)
            };
            row(what, send, verdict)
        };
    let large = || vec![b' '; (8 << 20) + 1];
    vec![
        typed(
            "no `Content-Type`",
            None,
            DATA,
            (415, "wrong_content_type", "Content-Type is missing: expected application/json"),
        ),
        typed(
            "`POST /data` as `text/plain`",
            Some("text/plain"),
            DATA,
            (415, "wrong_content_type", "Content-Type is \"text/plain\": expected application/json"),
        ),
        typed(
            "`POST messages` as `text/csv`",
            Some("text/csv"),
            MESSAGES,
            (
                415,
                "wrong_content_type",
                "Content-Type is \"text/csv\": expected application/x-ndjson for a message a line, or application/json for a list of messages",
            ),
        ),
        typed(
            "GraphQL as `text/plain`",
            Some("text/plain"),
            GRAPHQL,
            (415, "BAD_REQUEST", "Content-Type is \"text/plain\": expected application/json"),
        ),
        row(
            "a compressed body",
            |client| {
                client
                    .request("POST", "/data")
                    .body(JSON, "x")
                    .header("Content-Encoding", "gzip")
                    .send(client.address)
            },
            (415, "wrong_content_type", "Content-Encoding is \"gzip\": send the body uncompressed"),
        ),
        sent(
            "`POST /data` with an empty body",
            DATA,
            "",
            (400, "bad_json", "the message is not JSON: expected a JSON value at byte 0"),
        ),
        sent(
            "`PUT record` with an empty body",
            RECORD,
            "",
            (400, "bad_json", "the request body is not JSON: expected a JSON value at byte 0"),
        ),
        sent("`POST messages` with an empty list", MESSAGES, "[]", (200, "", "")),
        row(
            "`POST messages` with an empty body, of lines",
            |client| client.post(MESSAGES.1, NDJSON, ""),
            (200, "", ""),
        ),
        sent(
            "`POST messages` with an object as a list",
            MESSAGES,
            "{}",
            (400, "bad_json", "the request body is not a JSON list of messages: expected '[' at byte 0"),
        ),
        sent(
            "a list that does not end",
            MESSAGES,
            "[",
            (
                400,
                "bad_json",
                "the request body is not a JSON list of messages: expected the end of the list at byte 1",
            ),
        ),
        sent("8 MiB and a byte, for `PUT record`", RECORD, large(), (413, "too_large", TOO_LARGE)),
        sent("8 MiB and a byte, for `POST messages`", MESSAGES, large(), (413, "too_large", TOO_LARGE)),
        sent("8 MiB and a byte, for GraphQL", GRAPHQL, large(), (413, "LIMIT_EXCEEDED", TOO_LARGE)),
        row(
            "the same in chunks, its length unsaid",
            move |client| {
                client.request("POST", "/graphql").body(JSON, large()).chunked(65_536).send(client.address)
            },
            (413, "LIMIT_EXCEEDED", TOO_LARGE),
        ),
    ]
}
