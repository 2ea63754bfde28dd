//! The life of a key.

use super::*;

#[tokio::test]
async fn a_key_lets_in_until_it_is_revoked() {
    let world = World::new();
    let (node, other) = (world.node().await, world.node().await);
    let (made, secret) = node.create_key(new_key("meter"), &root()).await.unwrap();
    let bearer = node.verify_key(secret.expose()).unwrap();
    assert_eq!((bearer.subject(), bearer.client_id()), ("meter", "meter"));
    assert_eq!((bearer.issuer(), bearer.own_topic().as_str()), (&IssuerName::Key, "keys/meter"));
    assert_eq!((bearer.roles(), bearer.expires_at()), (&Roles::from([Role::Read]), Timestamp::MAX));
    assert!(node.is_good(&bearer) && !node.denies(&bearer));
    assert_eq!((made.created_by.as_str(), made.created_at), ("embedded/root", Timestamp(NOW)));
    assert_eq!(node.keys(), [made]);

    // Another node, before it looks and after; and one that is started now.
    assert!(!lets_in(&other, &secret) && !other.is_good(&bearer));
    other.refresh().await.unwrap();
    assert!(lets_in(&other, &secret) && other.is_good(&bearer));
    assert!(lets_in(&world.node().await, &secret));

    let mut near = secret.expose().to_owned();
    near.replace_range(30..31, if &near[30..31] == "0" { "1" } else { "0" });
    assert_eq!(node.verify_key(&near), Err(Refusal::Malformed));
    let stranger = text::new_key(&node.keys()[0].id).unwrap();
    assert_eq!(node.verify_key(stranger.expose()), Err(Refusal::UnknownKey), "another secret of its id");

    let revoked = node.revoke_key("meter", &with_roles(Roles::default())).await.unwrap();
    assert_eq!(revoked.name, "meter");
    assert_eq!(node.verify_key(secret.expose()), Err(Refusal::UnknownKey));
    assert!(!node.is_good(&bearer) && node.keys().is_empty());
    assert!(lets_in(&other, &secret), "it has not looked");
    other.refresh().await.unwrap();
    assert!(!lets_in(&other, &secret));
    let (_, again) = node.create_key(new_key("meter"), &root()).await.unwrap();
    assert!(!lets_in(&node, &secret) && lets_in(&node, &again) && !node.is_good(&bearer));
}

#[tokio::test]
async fn a_key_ends_when_it_says_so() {
    let world = World::new();
    let node = world.node().await;
    let end = Some(Timestamp(NOW + 60 * SECOND));
    let new = NewKey { expires_at: end, ..new_key("meter") };
    let (_, secret) = node.create_key(new, &root()).await.unwrap();
    let bearer = node.verify_key(secret.expose()).unwrap();
    assert_eq!(Some(bearer.expires_at()), end);
    world.pass(59);
    assert!(lets_in(&node, &secret) && node.is_good(&bearer));
    world.pass(1);
    let refused = node.verify_key(secret.expose()).unwrap_err();
    assert!(!refused.is_expired() && !node.is_good(&bearer), "it is told as any other that is no good");
    let late = node.rotate_key("meter", 0, &root()).await.unwrap_err();
    assert!(matches!(late, CredentialError::Ended), "{late}");
    let past = NewKey { expires_at: end, ..new_key("late") };
    assert!(matches!(node.create_key(past, &root()).await, Err(CredentialError::Ended)));
    assert_eq!(node.revoke_key("meter", &root()).await.unwrap().expires_at, end);
}

#[tokio::test]
async fn a_rotated_key_has_its_old_secret_for_as_long_as_it_is_told() {
    let world = World::new();
    let node = world.node().await;
    let (_, first) = node.create_key(new_key("meter"), &root()).await.unwrap();
    let old = node.verify_key(first.expose()).unwrap();
    let (shown, second) = node.rotate_key("meter", 60 * SECOND, &root()).await.unwrap();
    assert_eq!(shown.old_until, Some(Timestamp(NOW + 60 * SECOND)));
    let new = node.verify_key(second.expose()).unwrap();
    assert!(lets_in(&node, &first) && node.is_good(&old) && node.is_good(&new));
    assert_eq!(new.issued_at(), shown.rotated_at);
    world.pass(60);
    assert!(!lets_in(&node, &first) && lets_in(&node, &second));
    assert!(!node.is_good(&old) && node.is_good(&new));
    assert_eq!(node.keys()[0].old_until, None);

    let (_, third) = node.rotate_key("meter", 60 * SECOND, &root()).await.unwrap();
    let (_, fourth) = node.rotate_key("meter", 60 * SECOND, &root()).await.unwrap();
    let good = [&second, &third, &fourth].map(|key| lets_in(&node, key));
    assert_eq!(good, [false, true, true], "one old secret goes on");
    let (shown, fifth) = node.rotate_key("meter", 0, &root()).await.unwrap();
    let good = [&third, &fourth, &fifth].map(|key| lets_in(&node, key));
    assert_eq!((good, shown.old_until), ([false, false, true], None), "none, unless told");
    for overlap in [-1, 31 * 86_400 * SECOND] {
        let refused = node.rotate_key("meter", overlap, &root()).await;
        assert!(matches!(refused, Err(CredentialError::Overlap)));
    }
}

#[tokio::test]
async fn nobody_gives_or_takes_over_roles_that_it_has_not() {
    let world = World::new();
    let node = world.node().await;
    let admin = with_roles(Roles::from([Role::Admin]));
    let refused = node.create_key(new_key("meter"), &admin).await.unwrap_err();
    assert!(refused.to_string().contains("data.read is none of yours"), "{refused}");
    let (_, secret) = node.create_key(new_key("meter"), &root()).await.unwrap();
    let refused = node.rotate_key("meter", 0, &admin).await.unwrap_err();
    assert!(matches!(refused, CredentialError::Beyond(_)), "{refused}");
    assert!(lets_in(&node, &secret), "nothing has changed");
    node.revoke_key("meter", &admin).await.unwrap();
}

#[tokio::test]
async fn what_can_not_be_is_told() {
    let world = World::new();
    let settings = CredentialSettings { keys_max: 2, ..Default::default() };
    let node = world.node_on(Arc::new(world.store.clone()), settings).await;
    let other = world.node().await;
    for name in ["", "a b", "a/b", "ü", &"a".repeat(129)] {
        assert!(matches!(node.create_key(new_key(name), &root()).await, Err(CredentialError::Name(_))));
    }
    let none = NewKey { roles: Roles::default(), ..new_key("a") };
    assert!(matches!(node.create_key(none, &root()).await, Err(CredentialError::NoRoles)));
    let unknown = NewKey { roles: Roles::from_scope("data.read data.raed"), ..new_key("a") };
    let refused = node.create_key(unknown, &root()).await.unwrap_err();
    assert!(refused.to_string().starts_with("there is no role \"data.raed\""), "{refused}");
    node.create_key(new_key("a"), &root()).await.unwrap();
    assert!(matches!(other.create_key(new_key("a"), &root()).await, Err(CredentialError::Taken(_))));
    node.create_key(new_key("b"), &root()).await.unwrap();
    let full = node.create_key(new_key("c"), &root()).await.unwrap_err();
    assert!(full.to_string().contains("credentials.keys_max"), "{full}");
    assert!(matches!(node.revoke_key("c", &root()).await, Err(CredentialError::NoKey(_))));
    assert!(matches!(node.rotate_key("c", 0, &root()).await, Err(CredentialError::NoKey(_))));
}

#[tokio::test]
async fn a_secret_is_kept_nowhere() {
    let world = World::new();
    let node = world.node().await;
    let (made, secret) = node.create_key(new_key("meter"), &root()).await.unwrap();
    let kept = world.store.entries("key").await.unwrap();
    assert_eq!(kept.len(), 1);
    // Not its text, and not its 64 digits alone.
    let digits = &secret.expose()[21..85];
    let shown = format!("{kept:?} {made:?} {secret:?} {node:?} {:?}", node.0.index.load());
    assert!(!shown.contains(digits) && shown.contains(&made.id), "{shown}");
}
