//! Who may do what: tokens in, decisions out.
//!
//! A request meets the modules in this order: [`host`] refuses what was meant for another server, [`origin`] what a
//! page from elsewhere may not send; [`Access`] turns its bearer token into a [`Principal`] ([`Signed`] does so for a handler), to
//! which the [`Policy`] in force gives rights; [`policy::decide`] says what this principal may do, as a pure function.
//! [`Issuer`] is where tokens come from as long as no other is asked, [`Foreign`]
//! one elsewhere, and [`Context`] how the commands find ours. What a request may hold of memory is its share of [`Bodies`], and how often
//! anybody may come is for [`rate`].
//!
//! ```no_run
//! # use axum::{Router, extract::FromRef, routing::get};
//! use access::{Access, AuthError, Role, Signed, policy};
//!
//! # #[derive(Clone)] struct App { access: Access }
//! impl FromRef<App> for Access {
//!     fn from_ref(app: &App) -> Self {
//!         app.access.clone()
//!     }
//! }
//!
//! async fn who(Signed(caller): Signed) -> Result<String, AuthError> {
//!     policy::require(&caller, Role::Read)?;
//!     Ok(caller.subject().to_owned())
//! }
//! # fn app(access: Access) -> Router {
//! Router::new().route("/who", get(who)).with_state(App { access })
//! # }
//! ```
//!
//! **Invariants.** [`policy`] is pure. Clocks are handed in, randomness is drawn in one file. Tokens, secrets and codes
//! are never logged, and print as `…`. A refused token says nothing about why, unless it is a good one that has expired.

mod bearer;
mod bodies;
mod context;
mod credentials;
mod error;
mod files;
mod foreign;
mod handle;
pub mod host;
mod issuer;
pub mod origin;
pub mod policy;
mod principal;
mod random;
pub mod rate;
mod role;
mod secret;
mod trust;
mod verify;
mod write;

pub use bodies::{Bodies, Held, NoRoom};
pub use context::{Context, ContextError};
pub use credentials::{
    ApiKey, CredentialError, CredentialSettings, Credentials, Denial, DenialTarget, KeptClient, NewKey,
};
pub use error::AuthError;
pub use files::FileError;
pub use foreign::{
    Environment, Foreign, ForeignError, ForeignSettings, IntrospectionSettings, InvalidIssuer, OnFailure,
    Preset,
};
pub use handle::{Access, Signed};
pub use issuer::{
    Client, ClientError, ClientSettings, DEVELOPMENT_CLIENT, Development, Grant, IssueError, IssuedToken,
    Issuer, IssuerError, IssuerSettings, PAGE_CLIENT, resolve_clients,
};
pub use policy::{
    Action, Decision, Denied, InvalidPattern, InvalidRule, Policy, ReadScope, Right, RuleSettings,
    TopicScope, decide,
};
pub use principal::{Identity, InvalidPrincipal, IssuerName, Principal};
pub use random::NoRandomness;
pub use rate::{RateSettings, Rates, TooMany, Visit};
pub use role::{Role, Roles};
pub use secret::Secret;
pub use trust::Trust;
pub use verify::Refusal;
