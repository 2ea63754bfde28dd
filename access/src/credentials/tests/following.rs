//! A node follows what others change; while the store is away, what is known stays in force.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use store::Entry;

use super::*;

/// A store that can be away, or hold what nobody can read.
struct Moody {
    store: Embedded,
    is_away: AtomicBool,
}

impl Moody {
    fn there(&self) -> Result<&Embedded, StoreError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(StoreError::unavailable("ask the store", "it is away")),
            false => Ok(&self.store),
        }
    }
}

#[async_trait]
impl Entries for Moody {
    async fn entries(&self, kind: &str) -> Result<Vec<Entry>, StoreError> {
        self.there()?.entries(kind).await
    }

    async fn entry(&self, kind: &str, name: &str) -> Result<Option<Entry>, StoreError> {
        self.there()?.entry(kind, name).await
    }

    async fn put_entry(&self, kind: &str, entry: &Entry) -> Result<bool, StoreError> {
        self.there()?.put_entry(kind, entry).await
    }

    async fn remove_entry(&self, kind: &str, name: &str, version: u64) -> Result<bool, StoreError> {
        self.there()?.remove_entry(kind, name, version).await
    }

    async fn entries_revision(&self) -> Result<u64, StoreError> {
        self.there()?.entries_revision().await
    }
}

/// Waits until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[tokio::test]
async fn what_is_known_stays_in_force_while_the_store_is_away() {
    let world = World::new();
    let moody = Arc::new(Moody { store: world.store.clone(), is_away: AtomicBool::new(false) });
    let settings = CredentialSettings { look_ms: 10, ..Default::default() };
    let (node, other) = (world.node_on(moody.clone(), settings.clone()).await, world.node().await);
    let following = tokio::spawn(node.clone().follow());
    let (_, secret) = other.create_key(new_key("meter"), &root()).await.unwrap();
    until("it to follow", || lets_in(&node, &secret)).await;
    let alice = guest("alice", "1");
    let target = DenialTarget::Subject { issuer: "corp".into(), subject: "alice".into() };
    let denial = other.deny(target, "", None, &root()).await.unwrap();
    until("it to follow", || node.denies(&alice)).await;

    moody.is_away.store(true, Ordering::Relaxed);
    other.undeny(&denial.id, &root()).await.unwrap();
    other.revoke_key("meter", &root()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(node.denies(&alice) && lets_in(&node, &secret));
    let refused = node.revoke_key("meter", &root()).await.unwrap_err();
    assert!(matches!(refused, CredentialError::Store(_)), "{refused}");
    let opened = Credentials::open(moody.clone(), settings, Arc::default(), node.0.clock.clone()).await;
    assert!(opened.is_err(), "nobody knows what is denied");

    moody.is_away.store(false, Ordering::Relaxed);
    until("it to see what it has missed", || !node.denies(&alice) && !lets_in(&node, &secret)).await;
    following.abort();
}

#[tokio::test]
async fn a_document_that_can_not_be_read_is_never_passed_over() {
    let world = World::new();
    let node = world.node().await;
    let alice = guest("alice", "1");
    let target = DenialTarget::Subject { issuer: "corp".into(), subject: "alice".into() };
    node.deny(target, "", None, &root()).await.unwrap();
    let strange = Entry { name: "x".into(), version: 1, document: r#"{"target":{"planet":{}}}"#.into() };
    assert!(world.store.put_entry("denial", &strange).await.unwrap());
    assert!(node.refresh().await.unwrap_err().to_string().contains("denial x"));
    assert!(node.denies(&alice), "what is known stays in force");
    let clock = node.0.clock.clone();
    let opened = Credentials::open(Arc::new(world.store.clone()), Default::default(), Arc::default(), clock);
    assert!(opened.await.is_err());
}
