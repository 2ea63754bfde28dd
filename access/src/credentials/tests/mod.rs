//! Credentials on nodes that share a store.

mod clients;
mod denials;
mod following;
mod keys;
mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use schema::{Clock, Timestamp};
use store::Entries;
use store::embedded::Embedded;

use super::*;
use crate::{Identity, IssuerName, Role, Roles, Secret};

const NOW: i64 = 1_600_000_000_000_000;
const SECOND: i64 = 1_000_000;

/// Nodes that share a store and a clock.
struct World {
    store: Embedded,
    clock: Arc<AtomicI64>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Embedded::open(dir.path(), Default::default()).unwrap();
        Self { store, clock: Arc::new(AtomicI64::new(NOW)), _dir: dir }
    }

    async fn node(&self) -> Credentials {
        self.node_on(Arc::new(self.store.clone()), CredentialSettings::default()).await
    }

    async fn node_on(&self, entries: Arc<dyn Entries>, settings: CredentialSettings) -> Credentials {
        let hand = self.clock.clone();
        let clock: Clock = Arc::new(move || Timestamp(hand.load(Ordering::Relaxed)));
        Credentials::open(entries, settings, Arc::default(), clock).await.unwrap()
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * SECOND, Ordering::Relaxed);
    }
}

/// An administrator with all roles.
fn root() -> Principal {
    with_roles(Roles::ALL)
}

fn with_roles(roles: Roles) -> Principal {
    Principal::new(IssuerName::Embedded, "root", "console", roles, Timestamp::MAX).unwrap()
}

/// Somebody of an issuer elsewhere, whose token has this id.
fn guest(subject: &str, token: &str) -> Principal {
    let identity = Identity {
        token_id: Some(token.into()),
        issued_at: Some(Timestamp(NOW)),
        ..Identity::new(IssuerName::Named("corp".into()), subject, "app")
    };
    Principal::of(identity, &Policy::default()).unwrap()
}

fn new_key(name: &str) -> NewKey {
    NewKey { name: name.into(), roles: Roles::from([Role::Read]), expires_at: None }
}

fn lets_in(node: &Credentials, key: &Secret) -> bool {
    node.verify_key(key.expose()).is_ok()
}
