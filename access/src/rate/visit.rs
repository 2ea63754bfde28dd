//! The request as a visit: where it is from, and what it may be too much of.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::{Proxies, Rates, Style, TooMany};

/// Who is connected: put into the extensions of each request by whoever accepts connections.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Where a request is from, and the limits that it comes under; where nobody said so, none.
#[derive(Clone, Debug)]
pub struct Visit {
    rates: Rates,
    address: IpAddr,
}

/// What [`arrive`] needs.
#[derive(Clone, Debug)]
pub struct Door {
    /// The limits.
    pub rates: Rates,
    /// Who is believed.
    pub proxies: Proxies,
}

impl Visit {
    /// From `address`, under these limits.
    pub fn new(rates: Rates, address: IpAddr) -> Self {
        Self { rates, address }
    }

    /// The limits of principals.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Whether somebody at its address may try to sign in.
    ///
    /// # Errors
    /// [`TooMany`]: too many there have failed.
    pub(crate) fn may_sign_in(&self) -> Result<(), TooMany> {
        self.rates.may_sign_in(self.address)
    }

    /// Somebody at its address did not sign in: a token or a secret was no good.
    pub(crate) fn sign_in_failed(&self) {
        self.rates.sign_in_failed(self.address);
    }
}

impl Default for Visit {
    fn default() -> Self {
        Self::new(Rates::none(), Ipv4Addr::UNSPECIFIED.into())
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Middleware (`from_fn_with_state(door, arrive)`): finds out whose address a request is from, and refuses it if too many are.
pub async fn arrive(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let Some(Peer(peer)) = request.extensions().get().copied() else { return next.run(request).await };
    let address = door.proxies.client(peer, request.headers());
    if let Err(refused) = door.rates.request_from(address) {
        return refused.answer(Style::of(request.uri().path(), request.headers()));
    }
    request.extensions_mut().insert(Visit::new(door.rates, address));
    next.run(request).await
}
