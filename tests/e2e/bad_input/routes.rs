//! Every way in, and what each says to one message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::Client;
use crate::support::http::Answer;

pub(super) const JSON: &str = "application/json";
pub(super) const NDJSON: &str = "application/x-ndjson";

/// A way in. The name of each is the stream that its messages go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Record,
    RecordBase64,
    Records,
    RecordsBase64,
    Lines,
    List,
    Own,
    Variable,
    Literal,
}

pub(super) const ROUTES: [Route; 9] = [
    Route::Record,
    Route::RecordBase64,
    Route::Records,
    Route::RecordsBase64,
    Route::Lines,
    Route::List,
    Route::Own,
    Route::Variable,
    Route::Literal,
];

/// What an answer says about one message or request. Accepted: 200, and no word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) sentence: String,
}

impl Said {
    pub(super) fn accepted() -> Self {
        Self { status: 200, code: String::new(), sentence: String::new() }
    }

    pub(super) fn new(status: u16, code: &str, sentence: impl Into<String>) -> Self {
        Self { status, code: code.into(), sentence: sentence.into() }
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.status == 200 && self.code.is_empty()
    }

    /// Takes an answer of any route apart.
    pub(super) fn of(answer: &Answer) -> Self {
        if answer.body.is_empty() && answer.status >= 400 {
            // Refused before a route was found.
            return Self::new(answer.status, "", "");
        }
        let body: Value = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| panic!("{} says nothing: {:?}", answer.status, answer.text()));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let first = &body["Records"][0];
        let (code, sentence) = if body["error"].is_object() {
            (&body["error"]["code"], &body["error"]["message"])
        } else if body["errors"][0]["message"].is_string() {
            (&body["errors"][0]["extensions"]["code"], &body["errors"][0]["message"])
        } else {
            (&first["ErrorCode"], &first["ErrorMessage"])
        };
        Self { status: answer.status, code: text(code), sentence: text(sentence) }
    }
}

impl Route {
    /// How the page of documentation calls it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Record => "`PUT record`, JSON as it is",
            Self::RecordBase64 => "`PUT record`, base64",
            Self::Records => "`PUT records`, JSON as it is",
            Self::RecordsBase64 => "`PUT records`, base64",
            Self::Lines => "`POST messages`, a message a line",
            Self::List => "`POST messages`, a list",
            Self::Own => "`POST /data`",
            Self::Variable => "`publish`, a variable",
            Self::Literal => "`publish`, a literal",
        }
    }

    /// The stream that the messages of this route go to, which is also its field.
    pub(super) fn stream(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::RecordBase64 => "recordBase64",
            Self::Records => "recordList",
            Self::RecordsBase64 => "recordListBase64",
            Self::Lines => "lines",
            Self::List => "list",
            Self::Own => "data",
            Self::Variable => "variable",
            Self::Literal => "literal",
        }
    }

    /// Whether the message stands in JSON of the route's own, and so must be JSON for its request to be.
    pub(super) fn is_json_around(self) -> bool {
        matches!(self, Self::Record | Self::Records | Self::Variable)
    }

    /// Whether it is GraphQL, which answers 200 with `errors`, and has words of its own for their kinds.
    pub(super) fn is_graphql(self) -> bool {
        matches!(self, Self::Variable | Self::Literal)
    }

    /// The body that carries `message`, and its content type; `literal` is the message as GraphQL writes it.
    fn body(self, message: &[u8], literal: &str) -> (&'static str, Vec<u8>) {
        let around = |before: &str, after: &str| [before.as_bytes(), message, after.as_bytes()].concat();
        let encoded = STANDARD.encode(message);
        let name = self.stream();
        let body = match self {
            Self::Record => around("{\"Data\":", ",\"PartitionKey\":\"k\"}"),
            Self::Records => around("{\"Records\":[{\"Data\":", ",\"PartitionKey\":\"k\"}]}"),
            Self::RecordBase64 => format!("{{\"Data\":\"{encoded}\",\"PartitionKey\":\"k\"}}").into(),
            Self::RecordsBase64 => {
                format!("{{\"Records\":[{{\"Data\":\"{encoded}\",\"PartitionKey\":\"k\"}}]}}").into()
            }
            Self::List => around("[", "]"),
            Self::Lines => return (NDJSON, message.to_vec()),
            Self::Own => message.to_vec(),
            Self::Variable => {
                let document = format!(
                    "mutation($data: JSON!) {{ publish(stream: \"{name}\", key: \"k\", data: $data) {{ topic }} }}"
                );
                around(&format!("{{\"query\":{},\"variables\":{{\"data\":", json!(document)), "}}")
            }
            Self::Literal => {
                let document = format!(
                    "mutation {{ publish(stream: \"{name}\", key: \"k\", data: {literal}) {{ topic }} }}"
                );
                json!({ "query": document }).to_string().into()
            }
        };
        (JSON, body)
    }

    /// Sends `message` this way, and gives what was said about it.
    pub(super) fn send(self, client: &Client, message: &[u8], literal: &str) -> Said {
        let (content_type, body) = self.body(message, literal);
        let stream = self.stream();
        let (method, path) = match self {
            Self::Record | Self::RecordBase64 => ("PUT", format!("/streams/{stream}/record")),
            Self::Records | Self::RecordsBase64 => ("PUT", format!("/streams/{stream}/records")),
            Self::Lines | Self::List => ("POST", format!("/streams/{stream}/messages?key=k")),
            Self::Own => ("POST", "/data".into()),
            Self::Variable | Self::Literal => ("POST", "/graphql".into()),
        };
        Said::of(&client.request(method, &path).body(content_type, body).send(client.address))
    }
}
