//! The page of a Tidegate server: GraphiQL over the live schema, embedded in the binary.
//!
//! [`router`] serves it at `/`, its assets below `/console/`. The page is built by Node while this crate
//! compiles; where that was not possible, [`missing`] says why, and `/` says it too.
//!
//! The page talks to its own origin only. It expects there:
//!
//! | request | answer |
//! |---|---|
//! | `POST /oauth/code` with `{"code": "…"}` | 200 `{"access_token": "…"}`, or 400 `{"error": "invalid_grant", "error_description": "…"}` |
//! | `POST /graphql` with a bearer token | a GraphQL response whose header `Tidegate-Schema` names the version of the schema that answered; 401 when the token is not accepted |
//!
//! It is opened as `/#code=…`: the fragment holds the one-time code, and never reaches a server.
//!
//! ```
//! let app: axum::Router = console::router();
//! if let Some(reason) = console::missing() {
//!     eprintln!("{reason}");
//! }
//! # drop(app);
//! ```

mod answer;
mod encoding;
mod files;
mod placeholder;
mod policy;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response;
use axum::routing::{MethodRouter, get};

use files::File;

/// The routes of the page, for GET and HEAD: `/` and what is below `/console/`.
///
/// Every answer carries the page's security headers, also those for unknown files and methods. No other
/// path is claimed, and nothing is read at run time.
pub fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes(files::FILES, files::MISSING)
}

/// What was missing to build the page, and how to get it, in one line of text; `None` when the page is
/// there.
pub fn missing() -> Option<&'static str> {
    files::MISSING
}

fn routes<S>(files: &'static [File], missing: Option<&'static str>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    // On each route rather than the router, whose own answer to an unknown path is none of ours.
    let guarded = |route: MethodRouter<S>| route.layer(map_response(policy::apply));
    let mut router = Router::new().route("/console/{*path}", guarded(get(StatusCode::NOT_FOUND)));
    for file in files {
        let answer = async |headers: HeaderMap| answer::file(file, &headers);
        router = router.route(file.path, guarded(get(answer)));
    }
    if let Some(reason) = missing {
        router = router.route("/", guarded(get(async || placeholder::page(reason))));
    }
    router
}

#[cfg(test)]
mod tests;
