//! What is denied, on every node, and for how long.

use super::*;
use crate::credentials::Share;

fn token(id: &str) -> DenialTarget {
    DenialTarget::Token { issuer: "corp".into(), id: id.into() }
}

fn subject(issuer: &str, subject: &str) -> DenialTarget {
    DenialTarget::Subject { issuer: issuer.into(), subject: subject.into() }
}

#[tokio::test]
async fn a_denial_hits_until_it_is_taken_back() {
    let world = World::new();
    let (node, other) = (world.node().await, world.node().await);
    let (alice, bob) = (guest("alice", "1"), guest("bob", "2"));
    let mut changes = other.changes();
    assert!(!changes.has_changed().unwrap());
    let denial = node.deny(subject("corp", "alice"), "left", None, &root()).await.unwrap();
    assert_eq!((denial.reason.as_str(), denial.denied_by.as_str()), ("left", "embedded/root"));
    assert!(node.denies(&alice) && !node.is_good(&alice));
    assert!(!node.denies(&bob) && node.is_good(&bob));
    assert!(!other.denies(&alice), "it has not looked");
    other.refresh().await.unwrap();
    assert!(other.denies(&alice) && changes.has_changed().unwrap());
    changes.mark_unchanged();
    other.refresh().await.unwrap();
    assert!(!changes.has_changed().unwrap(), "nothing has changed");

    assert_eq!(other.denials(), std::slice::from_ref(&denial));
    assert!(world.node().await.denies(&alice), "a node that is started now");
    assert_eq!(other.undeny(&denial.id, &root()).await.unwrap(), denial);
    assert!(!other.denies(&alice) && other.denials().is_empty());
    node.refresh().await.unwrap();
    assert!(node.is_good(&alice));
    assert!(matches!(node.undeny(&denial.id, &root()).await, Err(CredentialError::NoDenial(_))));
}

#[tokio::test]
async fn a_key_can_be_denied_too() {
    let world = World::new();
    let node = world.node().await;
    let (_, secret) = node.create_key(new_key("meter"), &root()).await.unwrap();
    let bearer = node.verify_key(secret.expose()).unwrap();
    world.pass(1);
    let now = Timestamp(NOW + SECOND);
    let denial = DenialTarget::Before { issuer: Some("keys".into()), time: now };
    node.deny(denial, "", None, &root()).await.unwrap();
    assert!(!node.is_good(&bearer));
    let (_, fresh) = node.rotate_key("meter", 60 * SECOND, &root()).await.unwrap();
    assert!(node.is_good(&node.verify_key(fresh.expose()).unwrap()));
    assert!(!node.is_good(&node.verify_key(secret.expose()).unwrap()), "its old secret is older");
}

#[tokio::test]
async fn the_same_is_denied_once_and_kept_for_the_longer_time() {
    let world = World::new();
    let node = world.node().await;
    let at = |seconds| Some(Timestamp(NOW + seconds * SECOND));
    let first = node.deny(token("1"), "lost", at(60), &root()).await.unwrap();
    for (until, expect) in
        [(at(30), at(60)), (at(90), at(90)), (at(60), at(90)), (None, None), (at(99), None)]
    {
        let again = node.deny(token("1"), "again", until, &root()).await.unwrap();
        assert_eq!(again, Denial { keep_until: expect, ..first.clone() }, "{until:?}");
    }
    assert_eq!(node.denials().len(), 1);
}

#[tokio::test]
async fn what_has_expired_by_itself_is_forgotten() {
    let world = World::new();
    let (node, other) = (world.node().await, world.node().await);
    let until = |seconds| Some(Timestamp(NOW + seconds * SECOND));
    node.deny(token("short"), "", until(10), &root()).await.unwrap();
    node.deny(token("long"), "", until(60), &root()).await.unwrap();
    world.pass(1);
    node.deny(subject("corp", "alice"), "", None, &root()).await.unwrap();
    world.pass(9);
    other.refresh().await.unwrap();
    other.deny(token("new"), "", until(60), &root()).await.unwrap();
    let left =
        |node: &Credentials| -> Vec<_> { node.denials().into_iter().map(|denial| denial.target).collect() };
    assert_eq!(left(&other), [token("long"), subject("corp", "alice"), token("new")]);
    node.refresh().await.unwrap();
    assert_eq!(left(&node), left(&other));
}

#[tokio::test]
async fn what_can_not_be_denied_is_told() {
    let world = World::new();
    let node = world.node().await;
    let ahead = Timestamp(NOW + 1);
    let before = |issuer: Option<&str>, time| DenialTarget::Before { issuer: issuer.map(Into::into), time };
    let client = |client: &str| DenialTarget::Client { issuer: "embedded".into(), client_id: client.into() };
    for (target, reason, expect) in [
        (token(""), "", "what names it is empty"),
        (subject("", "alice"), "", "what names it is empty"),
        (before(Some(""), Timestamp(NOW)), "", "what names it is empty"),
        (token(&"x".repeat(1_025)), "", "is longer than 1024 bytes"),
        (token("1"), &*"x".repeat(1_025), "is longer than 1024 bytes"),
        (before(None, ahead), "", "the time lies ahead"),
        (subject("embedded", "root"), "", "that is yourself"),
        (client("console"), "", "that is yourself"),
    ] {
        let refused = node.deny(target, reason, None, &root()).await.unwrap_err().to_string();
        assert!(refused.contains(expect), "{refused}");
    }
    assert!(node.denials().is_empty());
    node.deny(subject("corp", "root"), "", None, &root()).await.unwrap();
    node.deny(before(None, Timestamp(NOW)), "", None, &root()).await.unwrap();
}

#[tokio::test]
async fn clients_that_give_up_tokens_leave_room_for_others() {
    let world = World::new();
    let settings = CredentialSettings { denials_max: 20, ..Default::default() };
    let node = world.node_on(Arc::new(world.store.clone()), settings).await;
    let mut given = 0;
    while node.deny_within(Share::Most, token(&given.to_string()), "", None, &root()).await.is_ok() {
        given += 1;
        assert!(given < 20, "they take all of it");
    }
    assert_eq!(given, 18);
    node.deny_within(Share::Most, token("1"), "", None, &root()).await.unwrap();
    for number in 0..2 {
        node.deny(subject("corp", &number.to_string()), "", None, &root()).await.unwrap();
    }
    let full = node.deny(subject("corp", "2"), "", None, &root()).await.unwrap_err().to_string();
    assert!(full.contains("credentials.denials_max"), "{full}");
}
