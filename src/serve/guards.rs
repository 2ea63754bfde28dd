//! What stands before all routes: each request meets it from the outside in, and each answer the other way.

use std::sync::Arc;

use access::Development;
use access::origin::{self, Origins};
use access::rate::{self, Door};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

use super::headers::{self, OverTls};
use super::observe::{self, Requests};

/// It, once for all routes.
pub(super) struct Guards {
    /// Outermost, so that what the others refuse is counted, too.
    pub(super) requests: Requests,
    pub(super) over_tls: OverTls,
    pub(super) development: Development,
    pub(super) origins: Arc<Origins>,
    pub(super) door: Door,
}

impl Guards {
    /// `app` behind all of it.
    pub(super) fn before(&self, app: Router) -> Router {
        let app = app.layer(from_fn_with_state(self.origins.clone(), origin::guard));
        let app = match self.development {
            Development::On => app.layer(from_fn(access::host::loopback_only)),
            Development::Off => app,
        };
        let app = app.layer(from_fn_with_state(self.door.clone(), rate::arrive));
        self.before_full(app)
    }

    /// `full`, which says the same to everybody, behind what counts it and sees to its headers.
    pub(super) fn before_full(&self, full: Router) -> Router {
        full.layer(from_fn_with_state(self.over_tls, headers::add))
            .layer(from_fn_with_state(self.requests.clone(), observe::count))
    }
}
