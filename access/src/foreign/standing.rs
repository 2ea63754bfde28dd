//! Whether an issuer still stands by its tokens (token introspection, RFC 7662): asked where the settings say so, each for itself at
//! most every so many seconds, by one of those who want to know.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use openidconnect::url::form_urlencoded;
use quick_cache::sync::Cache;
use schema::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::source::{Source, SourceError};
use crate::verify::{TOKENS_MAX, TokenHash};
use crate::{AuthError, Refusal, Secret};

/// How long nobody is asked after that failed, in microseconds.
const PAUSE_MICROS: i64 = 2 * 1_000_000;

/// How an issuer is asked about its tokens: `issuer.introspect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntrospectionSettings {
    /// The client by which it is asked.
    pub client_id: String,
    /// The environment variable that holds the client's secret.
    pub secret_env: String,
    /// What becomes of tokens while it can't be asked.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// How long an answer counts, in seconds: 1 to 30.
    #[serde(default = "thirty")]
    pub seconds: u32,
}

fn thirty() -> u32 {
    30
}

/// What becomes of tokens whose issuer can't be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// They are refused for as long.
    #[default]
    Closed,
    /// They are accepted, by their signature alone.
    Open,
}

/// What an issuer says of its tokens.
pub(super) struct Standing {
    name: String,
    settings: IntrospectionSettings,
    secret: Secret,
    source: Source,
    endpoint: OnceCell<String>,
    /// Whether a token is active, and how long that counts.
    verdicts: Cache<TokenHash, (bool, Timestamp)>,
    /// Until when nobody is asked, in microseconds.
    paused_until: AtomicI64,
    clock: Clock,
}

/// What matters of the answer (section 2.2).
#[derive(Deserialize)]
struct Answer {
    active: bool,
}

impl Standing {
    pub(super) fn new(
        name: &str,
        settings: IntrospectionSettings,
        secret: Secret,
        source: Source,
        clock: Clock,
    ) -> Self {
        Self {
            name: name.to_owned(),
            settings,
            secret,
            source,
            endpoint: OnceCell::new(),
            verdicts: Cache::new(TOKENS_MAX),
            paused_until: AtomicI64::new(i64::MIN),
            clock,
        }
    }

    /// Lets a token pass by which its issuer stands.
    ///
    /// # Errors
    /// [`AuthError::InvalidToken`], and [`AuthError::IssuerAway`] where that can't be said now and is to be.
    pub(super) async fn allows(&self, token: &str, hash: &TokenHash) -> Result<(), AuthError> {
        let now = (self.clock)();
        if self.verdicts.get(hash).is_some_and(|(_, until)| until <= now) {
            self.verdicts.remove(hash);
        }
        // One of those who want to know asks; where it fails, the next one finds the pause.
        let verdict = self.verdicts.get_or_insert_async(hash, self.ask(token)).await;
        match (verdict, self.settings.on_failure) {
            (Ok((true, _)), _) | (Err(()), OnFailure::Open) => Ok(()),
            (Ok((false, _)), _) => Err(AuthError::InvalidToken(Refusal::Denied)),
            (Err(()), OnFailure::Closed) => Err(AuthError::IssuerAway),
        }
    }

    async fn ask(&self, token: &str) -> Result<(bool, Timestamp), ()> {
        if (self.clock)().0 < self.paused_until.load(Ordering::Relaxed) {
            return Err(());
        }
        match self.introspect(token).await {
            Ok(is_active) => {
                let until = (self.clock)().plus_micros(i64::from(self.settings.seconds) * 1_000_000);
                Ok((is_active, until))
            }
            Err(error) => {
                let (issuer, then) = (&self.name, format!("{:?}", self.settings.on_failure));
                tracing::warn!(
                    issuer,
                    then,
                    error = &error as &dyn std::error::Error,
                    "the issuer can't be asked about its tokens"
                );
                self.paused_until.store((self.clock)().plus_micros(PAUSE_MICROS).0, Ordering::Relaxed);
                Err(())
            }
        }
    }

    async fn introspect(&self, token: &str) -> Result<bool, SourceError> {
        let endpoint = self.endpoint.get_or_try_init(|| self.source.introspection_endpoint()).await?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .finish();
        let answer = self.source.post(endpoint, &self.settings.client_id, &self.secret, form).await?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(|_| SourceError::NoVerdict)?;
        Ok(answer.active)
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").field("issuer", &self.name).finish_non_exhaustive()
    }
}
