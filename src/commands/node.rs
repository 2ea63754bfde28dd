//! The node that a command talks to: where it is, and how to sign in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use access::Context;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use super::trust::known_by;
use crate::cli::NodeArgs;

/// How long a node may take to answer, or be silent within an answer that goes on.
const WAIT: Duration = Duration::from_secs(60);

/// A node, signed in to.
pub(super) struct Node {
    pub(super) url: String,
    pub(super) token: String,
    client: Client,
}

#[derive(Deserialize)]
struct Discovery {
    token_endpoint: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Node {
    /// Finds the node and signs in.
    pub(super) async fn sign_in(args: &NodeArgs) -> Result<Self, Failure> {
        let context = find(args)?;
        let ca = args.trust.ca.as_deref().or(context.ca.as_deref());
        let client = known_by(Client::builder().read_timeout(WAIT), ca)?.build()?;
        let url = args.url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        let token_endpoint = match &url {
            None => context.token_endpoint,
            Some(url) => discover(&client, url).await?,
        };
        let url = url.unwrap_or(context.url);
        let request = client
            .post(&token_endpoint)
            .basic_auth(&context.client_id, Some(context.client_secret.expose()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let token: Token = serde_json::from_slice(&answer(&url, request).await?)
            .map_err(|error| format!("{token_endpoint} gave no token: {error}"))?;
        Ok(Self { url, token: token.access_token, client })
    }

    /// A POST of JSON, or of what `content_type` says, to `path`.
    pub(super) async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        answer(&self.url, request.header("content-type", content_type).body(body).timeout(WAIT)).await
    }

    /// A POST of JSON that is answered by events, for as long as both want.
    pub(super) async fn follow(&self, path: &str, body: Vec<u8>) -> Result<Response, Failure> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request =
            request.header("content-type", "application/json").header("accept", "text/event-stream");
        let response = send(&self.url, request.body(body)).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(refusal(&self.url, status, &response.bytes().await?))
    }

    /// The root field of a stream.
    pub(super) async fn root_field(&self, stream: &str) -> Result<String, Failure> {
        let query = format!("{{ stream(name: {}) {{ rootField }} }}", quoted(stream));
        let none = || format!("there is no stream {stream}: `tidegate streams` lists those that there are");
        Ok(self.text(&query, "/data/stream/rootField").await?.ok_or_else(none)?)
    }

    /// A cursor which everything that comes from now on to a stream is behind.
    pub(super) async fn resume_cursor(&self, root_field: &str) -> Result<String, Failure> {
        let query = format!("{{ {root_field}(from: \"now\", to: \"now\") {{ resumeCursor }} }}");
        let cursor = self.text(&query, &format!("/data/{root_field}/resumeCursor")).await?;
        Ok(cursor.ok_or("the node gave no cursor")?)
    }

    /// A text in the answer to a query.
    async fn text(&self, query: &str, place: &str) -> Result<Option<String>, Failure> {
        let answer = self.ask(query, &Value::Null).await?;
        Ok(answer.pointer(place).and_then(Value::as_str).map(ToOwned::to_owned))
    }

    /// The whole answer to a document, if it is one without errors.
    pub(super) async fn ask(&self, document: &str, variables: &Value) -> Result<Value, Failure> {
        let request = serde_json::json!({ "query": document, "variables": variables }).to_string();
        let body = self.post("/graphql", "application/json", request.into_bytes()).await?;
        let answer: Value = serde_json::from_slice(&body)?;
        if answer.get("errors").is_some() { Err(said(&body).into()) } else { Ok(answer) }
    }
}

/// The body of an answer; what is not a success becomes a failure that says what the node said.
async fn answer(url: &str, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
    let response = send(url, request).await?;
    let status = response.status();
    let body = response.bytes().await?.to_vec();
    if status.is_success() { Ok(body) } else { Err(refusal(url, status, &body)) }
}

async fn send(url: &str, request: RequestBuilder) -> Result<Response, Failure> {
    let sent = request.send().await;
    let unreachable = |error| {
        format!("no node answers at {url} ({}): start one, or name another by --url or --data", root(&error))
    };
    Ok(sent.map_err(unreachable)?)
}

fn refusal(url: &str, status: StatusCode, body: &[u8]) -> Failure {
    format!("{url} answered {status}: {}", said(body)).into()
}

/// A text as JSON, and as GraphQL, writes it.
pub(super) fn quoted(text: &str) -> String {
    // A string always becomes JSON.
    serde_json::to_string(text).unwrap_or_default()
}

/// The sentence in an error's body, wherever the route puts it; the body itself where there is none.
fn said(body: &[u8]) -> String {
    let parsed: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let places = ["/error/message", "/error_description", "/errors/0/error", "/errors/0/message"];
    match places.iter().find_map(|place| parsed.pointer(place)?.as_str()) {
        Some(sentence) => sentence.to_owned(),
        None => String::from_utf8_lossy(body).trim().to_owned(),
    }
}

/// What an error stems from.
pub(super) fn root(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

async fn discover(client: &Client, url: &str) -> Result<String, Failure> {
    let body = answer(url, client.get(format!("{url}/.well-known/openid-configuration"))).await?;
    let found: Discovery = serde_json::from_slice(&body)
        .map_err(|error| format!("{url} does not say where tokens are: {error}"))?;
    Ok(found.token_endpoint)
}

/// How to sign in: from a data folder's context file, or from the environment for a node named by its address alone.
fn find(args: &NodeArgs) -> Result<Context, Failure> {
    if let (Some(url), None) = (&args.url, &args.data) {
        let variable = |name: &str| {
            crate::config::secret(name)?.ok_or_else(|| {
                format!("with --url, {name} must hold the client to sign in as, or --data its folder")
            })
        };
        return Ok(Context {
            url: url.clone(),
            token_endpoint: String::new(),
            client_id: variable("TIDEGATE_CLIENT_ID")?,
            client_secret: access::Secret::new(variable("TIDEGATE_CLIENT_SECRET")?),
            ca: None,
        });
    }
    let candidates: Vec<PathBuf> = match &args.data {
        Some(dir) => vec![dir.clone()],
        None => newest_first(["./tidegate-data", "./tidegate-demo"].map(PathBuf::from)),
    };
    for dir in &candidates {
        if let Some(context) = Context::load(dir)? {
            return Ok(context);
        }
    }
    let looked: Vec<String> = candidates.iter().map(|dir| dir.display().to_string()).collect();
    Err(format!(
        "no node has run with its data in {}: start one (tidegate --demo), or name its folder by --data",
        looked.join(" or ")
    )
    .into())
}

/// Data folders, the one that ran last first.
pub(super) fn newest_first<const N: usize>(dirs: [PathBuf; N]) -> Vec<PathBuf> {
    let ran_at =
        |dir: &Path| std::fs::metadata(dir.join("context.json")).and_then(|file| file.modified()).ok();
    let mut dirs = Vec::from(dirs);
    dirs.sort_by_key(|dir| std::cmp::Reverse(ran_at(dir)));
    dirs
}
