//! `POST /oauth/rotate`: another key signs from now on.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::answers::{NO_STORE, OAuthError};
use super::body::Whole;
use super::{Issuer, IssuerError, discovery};
use crate::principal::LEEWAY_MICROS;
use crate::{AuthError, Role, Signed, policy};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wish {
    /// Whether the key before verifies no more, as one that got into wrong hands.
    drop_old: bool,
}

/// What is told of it.
#[derive(Debug, Serialize)]
struct Rotated {
    /// The key that signs.
    key_id: String,
    /// When the one before verifies no more, where it does still.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_until: Option<String>,
}

pub(super) async fn rotate(
    State(issuer): State<Issuer>,
    Signed(caller): Signed,
    Whole(body): Whole,
) -> Result<Response, Response> {
    policy::require(&caller, Role::Admin).map_err(|denied| AuthError::from(denied).into_response())?;
    let wish = if body.is_empty() { Ok(Wish::default()) } else { serde_json::from_slice::<Wish>(&body) };
    let wrong = OAuthError::Request("expected JSON: {\"drop_old\": false}");
    let wish = wish.map_err(|_| wrong.into_response())?;
    let by = format!("{}/{}", caller.issuer().as_str(), caller.subject());
    let work = tokio::task::spawn_blocking(move || issuer.rotate(wish.drop_old));
    let rotated = match work.await {
        Ok(Ok(rotated)) => rotated,
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the signing key was not rotated");
            return Err(OAuthError::Server.into_response());
        }
        Err(_) => return Err(OAuthError::Server.into_response()),
    };
    tracing::info!(key = rotated.key_id, old_until = rotated.old_until, by, "signing key rotated");
    Ok((NO_STORE, Json(rotated)).into_response())
}

impl Issuer {
    /// Makes another key, and signs by it from now on. The one before verifies until the last token that it may have signed has ended,
    /// or not at all.
    fn rotate(&self, drop_old: bool) -> Result<Rotated, IssuerError> {
        let inner = &self.0;
        let _one_at_a_time = inner.rotating.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (now, settings) = (self.now(), &inner.settings);
        let longest = settings.token_seconds.max(settings.page_token_seconds).get();
        let until = (!drop_old).then(|| now.plus_micros(i64::from(longest) * 1_000_000 + LEEWAY_MICROS));
        let next = inner.keys.load().ring.rotated(&inner.dir, until, now)?;
        let documents = discovery::Documents::new(&inner.url, &next.verifying())?;
        // Before anything is signed by it.
        inner.access.set_own_keys(next.verifying(), drop_old);
        let key_id = next.signs.id().to_owned();
        inner.keys.store(std::sync::Arc::new(super::Keys { ring: next, documents }));
        Ok(Rotated { key_id, old_until: until.map(|until| until.to_string()) })
    }
}
