//! The control plane: streams, topics, shapes, dead letters, `publish`, keys, clients and denials. Types that are known when Tidegate is compiled,
//! by async-graphql; what a stream's own fields are is the data plane's business.

mod clients;
mod dead_letters;
mod denials;
mod keys;
mod mutation;
mod query;
mod scalars;
mod shape;
mod streams;
mod topics;

use std::sync::Arc;

use access::{Access, Action, Denied, Principal, Rates, Right, policy};
use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, EmptySubscription, Error, ErrorExtensions, Schema, ValidationMode};
use schema::{Clock, StreamName};
use store::{Publish, Replay, Store, StoreError};

pub use scalars::{JsonText, Time};

use crate::settings::GatewaySettings;
use crate::snapshot::{Snapshot, Snapshots, StreamView};
use mutation::Mutation;
use query::Query;
use streams::Partitions;

/// The control plane's schema, with all that its resolvers need.
pub type ControlSchema = Schema<Query, Mutation, EmptySubscription>;

/// Who asks; put into each request.
#[derive(Debug)]
pub struct Caller {
    /// Whose token it is.
    pub principal: Principal,
    /// The schema that it sees.
    pub sees: Arc<Snapshot>,
}

/// What the resolvers are handed.
pub struct Parts {
    /// Where everything rests.
    pub store: Arc<dyn Store>,
    /// The way in.
    pub publish: Arc<dyn Publish>,
    /// What makes messages of dead letters.
    pub replay: Arc<dyn Replay>,
    /// Who is let in, where that can be changed here.
    pub access: Option<Access>,
    /// The schema in force.
    pub snapshots: Snapshots,
    /// Tells the time.
    pub clock: Clock,
    /// Limits.
    pub settings: GatewaySettings,
    /// Limits of callers.
    pub rates: Rates,
}

/// The control plane's SDL.
pub fn sdl() -> String {
    Schema::new(Query, Mutation, EmptySubscription).sdl()
}

/// The control plane, ready to execute.
pub fn schema(parts: Parts) -> ControlSchema {
    let loader = DataLoader::new(Partitions(parts.store.clone()), tokio::spawn);
    // Documents were validated against the whole schema before they were split.
    Schema::build(Query, Mutation, EmptySubscription)
        .validation_mode(ValidationMode::Fast)
        .data(parts.store)
        .data(parts.publish)
        .data(parts.replay)
        .data(parts.access)
        .data(parts.snapshots)
        .data(parts.clock)
        .data(parts.settings)
        .data(parts.rates)
        .data(loader)
        .finish()
}

fn store<'a>(ctx: &Context<'a>) -> Result<&'a Arc<dyn Store>, Error> {
    ctx.data()
}

fn access<'a>(ctx: &Context<'a>) -> Result<Option<&'a Access>, Error> {
    ctx.data::<Option<Access>>().map(Option::as_ref)
}

fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Principal, Error> {
    ctx.data::<Caller>().map(|caller| &caller.principal)
}

/// Refuses who has no say in what concerns all of it.
fn administers(ctx: &Context<'_>) -> Result<(), Error> {
    policy::check(caller(ctx)?, &Action::Admin).map_err(|error| denied(&error))
}

/// Refuses who may read nothing at all.
fn reads_some(ctx: &Context<'_>) -> Result<(), Error> {
    policy::require_some(caller(ctx)?, Right::Read).map_err(|error| denied(&error))
}

/// The stream of that name, if there is one that the caller sees.
fn stream(ctx: &Context<'_>, name: &str) -> Result<Arc<StreamView>, Error> {
    reads_some(ctx)?;
    ctx.data::<Caller>()?.sees.stream(name).cloned().ok_or_else(|| unknown(name))
}

/// The stream of that name, if there is one, for who may see its dead letters: that is asked first.
fn administered(ctx: &Context<'_>, name: &str) -> Result<StreamName, Error> {
    let stream = StreamName::new(name).map_err(|error| Error::new(error.to_string()))?;
    let action = Action::Administer { stream: &stream };
    policy::check(caller(ctx)?, &action).map_err(|error| denied(&error))?;
    let known = ctx.data::<Snapshots>()?.current().stream(name).is_some();
    known.then_some(stream).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    Error::new(format!("there is no stream {name:?}: query streams {{ name }} for those there are"))
}

fn denied(error: &Denied) -> Error {
    coded(error.to_string(), "FORBIDDEN")
}

fn unavailable(error: &StoreError) -> Error {
    tracing::warn!(error = error as &dyn std::error::Error, "a read failed");
    coded("the store can't answer now: try again", "UNAVAILABLE")
}

fn coded(message: impl Into<String>, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// How many entries a listing gives.
fn count(first: Option<i32>, ctx: &Context<'_>) -> Result<usize, Error> {
    let settings = ctx.data::<GatewaySettings>()?;
    let most = settings.page_rows_max;
    match first {
        None => Ok(settings.page_rows),
        Some(first) => usize::try_from(first)
            .ok()
            .filter(|first| (1..=most).contains(first))
            .ok_or_else(|| Error::new(format!("first is {first}, and must be from 1 to {most}"))),
    }
}
