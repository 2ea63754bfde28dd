//! What is denied although its token is good.

use access::rate::Style;
use access::{DenialTarget, Visit};
use async_graphql::{Context, Enum, Error, SimpleObject};
use schema::Timestamp;

use super::keys::{credentials, refused};
use super::{Time, access, caller, coded};

/// Tokens that are denied although they are good.
#[derive(SimpleObject)]
pub struct Denial {
    /// What it is called: by this it is taken back.
    id: String,
    /// Which tokens are meant.
    kind: DenialKind,
    /// Who gave them; null where every issuer is meant.
    issuer: Option<String>,
    /// The token's id, the subject or the client; null where a time is meant.
    name: Option<String>,
    /// Before when they were given.
    before: Option<Time>,
    /// Why.
    reason: String,
    /// Who said so: issuer and subject.
    denied_by: String,
    /// When.
    denied_at: Time,
    /// Until when it is kept at least; null where that is until it is taken back.
    keep_until: Option<Time>,
}

/// Which tokens a denial means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DenialKind {
    /// One.
    Token,
    /// All about somebody.
    Subject,
    /// All of a client.
    Client,
    /// All that were given before a time.
    Before,
}

/// What is asked to be denied, of which one thing must be named.
pub(super) struct Asked {
    pub(super) issuer: Option<String>,
    pub(super) token: Option<String>,
    pub(super) token_id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) client: Option<String>,
    pub(super) before: Option<Time>,
    pub(super) reason: String,
    pub(super) keep_until: Option<Time>,
}

impl From<access::Denial> for Denial {
    fn from(denial: access::Denial) -> Self {
        let (kind, issuer, name, before) = match denial.target {
            DenialTarget::Token { issuer, id } => (DenialKind::Token, Some(issuer), Some(id), None),
            DenialTarget::Subject { issuer, subject } => {
                (DenialKind::Subject, Some(issuer), Some(subject), None)
            }
            DenialTarget::Client { issuer, client_id } => {
                (DenialKind::Client, Some(issuer), Some(client_id), None)
            }
            DenialTarget::Before { issuer, time } => (DenialKind::Before, issuer, None, Some(Time(time))),
        };
        Self {
            id: denial.id,
            kind,
            issuer,
            name,
            before,
            reason: denial.reason,
            denied_by: denial.denied_by,
            denied_at: Time(denial.denied_at),
            keep_until: denial.keep_until.map(Time),
        }
    }
}

pub(super) fn list(ctx: &Context<'_>) -> Result<Vec<Denial>, Error> {
    Ok(credentials(ctx)?.denials().into_iter().map(Into::into).collect())
}

pub(super) async fn deny(ctx: &Context<'_>, asked: Asked) -> Result<Denial, Error> {
    let reason = asked.reason.clone();
    let (target, keep_until) = target(ctx, asked).await?;
    let denied = credentials(ctx)?.deny(target, &reason, keep_until, caller(ctx)?).await;
    denied.map(Into::into).map_err(|error| refused(&error))
}

pub(super) async fn undeny(ctx: &Context<'_>, id: &str) -> Result<Denial, Error> {
    let taken_back = credentials(ctx)?.undeny(id, caller(ctx)?).await;
    taken_back.map(Into::into).map_err(|error| refused(&error))
}

/// What is meant, and until when it has to be kept.
async fn target(ctx: &Context<'_>, asked: Asked) -> Result<(DenialTarget, Option<Timestamp>), Error> {
    let Asked { issuer, token, token_id, subject, client, before, keep_until, .. } = asked;
    if let Some(unknown) = issuer.as_deref().filter(|name| !knows_issuer(ctx, name)) {
        return Err(wrong(format!(
            "there is no issuer {unknown:?}: expected embedded, keys, or the name of an [[issuer]]"
        )));
    }
    let keep_until = keep_until.map(|time| time.0);
    if keep_until.is_some() && token_id.is_none() {
        return Err(wrong("keepUntil goes with tokenId alone"));
    }
    let named = || issuer.clone().ok_or_else(|| wrong("say whose it is: issuer"));
    match (token, token_id, subject, client, before) {
        (Some(token), None, None, None, None) if issuer.is_none() => shown(ctx, &token).await,
        (Some(_), None, None, None, None) => Err(wrong("a token says itself who gave it: leave issuer out")),
        (None, Some(id), None, None, None) => Ok((DenialTarget::Token { issuer: named()?, id }, keep_until)),
        (None, None, Some(subject), None, None) => {
            Ok((DenialTarget::Subject { issuer: named()?, subject }, None))
        }
        (None, None, None, Some(client_id), None) => {
            Ok((DenialTarget::Client { issuer: named()?, client_id }, None))
        }
        (None, None, None, None, Some(time)) => Ok((DenialTarget::Before { issuer, time: time.0 }, None)),
        _ => Err(wrong("name one of token, tokenId, subject, client and before")),
    }
}

/// The token that was shown, by its id, until it ends.
async fn shown(ctx: &Context<'_>, token: &str) -> Result<(DenialTarget, Option<Timestamp>), Error> {
    let access = access(ctx)?.ok_or_else(|| wrong("no tokens are known here"))?;
    let bearer = access.verify(token, &Visit::default(), Style::Plain).await;
    let bearer =
        bearer.map_err(|_| wrong("this token is not let in as it is, so there is nothing to revoke"))?;
    if bearer.issuer().as_str() == "keys" {
        return Err(wrong("this is an API key: take it back by revokeKey"));
    }
    let id = bearer.token_id().ok_or_else(|| {
        wrong("this token has no id (jti): deny its subject or its client, or what was given before now")
    })?;
    let target = DenialTarget::Token { issuer: bearer.issuer().as_str().into(), id: id.into() };
    Ok((target, Some(bearer.accepted_until())))
}

fn knows_issuer(ctx: &Context<'_>, name: &str) -> bool {
    access(ctx).ok().flatten().is_some_and(|access| access.knows_issuer(name))
}

fn wrong(message: impl Into<String>) -> Error {
    coded(message, "BAD_USER_INPUT")
}
