//! What a node does: everything, or one part of it beside others that do the rest.

use async_trait::async_trait;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::json;
use store::{Publish, PublishError, PublishRequest, Published, WritePolicy};

use crate::config::StoreSettings;

/// A node's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// All of it, in one process.
    All,
    /// Messages come in by it, into the log and from there into the store.
    Ingest,
    /// Messages go out by it: queries, subscriptions, the page.
    Gateway,
}

const NO_MESSAGES: &str =
    "this node takes no messages, it answers queries: send them to one that runs `tidegate ingest`";
const NO_QUERIES: &str =
    "this node answers no queries, it takes messages: ask one that runs `tidegate gateway`";

impl Role {
    /// Whether messages come in here.
    pub(super) fn takes_messages(self) -> bool {
        self != Self::Gateway
    }

    /// Whether messages go out here.
    pub(super) fn answers_queries(self) -> bool {
        self != Self::Ingest
    }

    /// Refuses a part of a whole that can't be.
    pub(super) fn check(self, store: &StoreSettings) -> Result<(), String> {
        let name = match self {
            Self::Ingest => "ingest",
            Self::Gateway => "gateway",
            Self::All => return Ok(()),
        };
        if !store.is_embedded() {
            return Ok(());
        }
        Err(format!(
            "`tidegate {name}` is one of several processes, and the embedded store is for one: set store.url to a CQL store \
             that they share, or run `tidegate`, which does everything"
        ))
    }

    /// The routes of the other part: whoever asks here is told where to ask.
    pub(super) fn elsewhere(self) -> Router {
        let (messages, queries) = (|| misdirected(NO_MESSAGES), || misdirected(NO_QUERIES));
        match self {
            Self::All => Router::new(),
            Self::Ingest => Router::new()
                .route("/graphql", any(queries))
                .route("/data", get(queries))
                .route("/", get(queries)),
            Self::Gateway => {
                Router::new().route("/streams/{*rest}", any(messages)).route("/data", post(messages))
            }
        }
    }
}

/// RFC 9110, section 15.5.20: the request is sound, and this is not who can answer it.
async fn misdirected(message: &'static str) -> Response {
    let body = Json(json!({ "error": { "code": "misdirected", "message": message } }));
    (StatusCode::MISDIRECTED_REQUEST, body).into_response()
}

/// Where `publish` leads on a node that takes no messages.
pub(super) struct Nowhere;

#[async_trait]
impl Publish for Nowhere {
    async fn publish(
        &self,
        _: &dyn WritePolicy,
        requests: Vec<PublishRequest>,
    ) -> Vec<Result<Published, PublishError>> {
        requests.iter().map(|_| Err(PublishError::Elsewhere(NO_MESSAGES.into()))).collect()
    }
}
