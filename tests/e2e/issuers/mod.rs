//! An issuer elsewhere, whose tokens are accepted: oidc-provider, with what its clients may do, its keys as they change, and
//! tokens that it never gave out.

mod hostile;
mod keys;
mod roles;
mod settings;
mod standing;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::http::Answer;
use crate::support::{Client, Issuer, Server};

/// The settings by which tokens of `issuer` are accepted.
pub(super) fn accepting(name: &str, issuer: &Issuer) -> String {
    format!("[[issuer]]\nname = \"{name}\"\nurl = \"{}\"\naudiences = [\"tidegate\"]\n", issuer.url())
}

/// What a good token of the client `reader` says.
fn claims(issuer: &Issuer) -> Value {
    json!({
        "iss": issuer.url(), "aud": "tidegate", "sub": "reader", "client_id": "reader", "scope": "data.read",
        "iat": after(0), "exp": after(300),
    })
}

/// The time so many seconds from now, in seconds since 1970.
pub(super) fn after(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

/// Whoever has this token.
pub(super) fn bearer(server: &Server, token: impl Into<String>) -> Client {
    Client { address: server.address, token: token.into() }
}

/// What a node says of a token that is of no use for it.
#[track_caller]
fn assert_invalid(what: &str, answer: &Answer, sentence: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    assert_eq!(answer.json(), json!({ "error": "invalid_token", "error_description": sentence }), "{what}");
    let challenge =
        format!("Bearer realm=\"tidegate\", error=\"invalid_token\", error_description=\"{sentence}\"");
    assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()), "{what}");
}

const REFUSED: &str = "The access token is not valid here. Get a new one, such as by `tidegate token`.";
const EXPIRED: &str = "The access token has expired. Get a new one, such as by `tidegate token`.";
