//! Clients that are made while nodes run.

use super::*;

fn knows(node: &Credentials, id: &str, secret: &Secret) -> bool {
    node.client_roles(id, &["wrong".into(), secret.expose().into()]).is_some()
}

#[tokio::test]
async fn a_client_is_known_by_its_secret_until_it_is_removed() {
    let world = World::new();
    let (node, other) = (world.node().await, world.node().await);
    let read = Roles::from([Role::Read]);
    let (made, first) = node.create_client("app", &read, &root()).await.unwrap();
    assert_eq!((made.id.as_str(), made.created_by.as_str(), made.rotated_at), ("app", "embedded/root", None));
    assert_eq!(node.clients(), [made]);
    assert_eq!(node.client_roles("app", &[first.expose().into()]), Some(read.clone()));
    assert!(node.client_roles("app", &[]).is_none() && node.client_roles("app", &["".into()]).is_none());
    assert!(!knows(&node, "App", &first) && !knows(&other, "app", &first));
    other.refresh().await.unwrap();
    assert!(knows(&other, "app", &first));

    let (shown, second) = node.rotate_client("app", 60 * SECOND, &root()).await.unwrap();
    assert_eq!(shown.old_until, Some(Timestamp(NOW + 60 * SECOND)));
    assert!(knows(&node, "app", &first) && knows(&node, "app", &second));
    world.pass(60);
    assert!(!knows(&node, "app", &first) && knows(&node, "app", &second));
    let (_, third) = node.rotate_client("app", 0, &root()).await.unwrap();
    assert!(!knows(&node, "app", &second) && knows(&node, "app", &third));

    let kept = format!("{:?} {:?}", world.store.entries("client").await.unwrap(), node.0.index.load());
    assert!(!kept.contains(third.expose()) && kept.contains("app"), "{kept}");
    node.remove_client("app", &root()).await.unwrap();
    assert!(!knows(&node, "app", &third) && node.clients().is_empty());
}

#[tokio::test]
async fn what_can_not_be_a_client_is_told() {
    let world = World::new();
    let settings = CredentialSettings { clients_max: 1, ..Default::default() };
    let node = world.node_on(Arc::new(world.store.clone()), settings).await;
    node.reserve(["configured".to_owned()]);
    let read = Roles::from([Role::Read]);
    for (id, roles, expect) in [
        ("a/b", &read, "can't be a name"),
        ("configured", &read, "is one of the configuration"),
        ("tidegate-dev", &read, "Tidegate's own"),
        ("tidegate-page", &read, "Tidegate's own"),
        ("a", &Roles::default(), "it needs roles"),
        ("a", &Roles::from_scope("root"), "there is no role \"root\""),
    ] {
        let refused = node.create_client(id, roles, &root()).await.unwrap_err().to_string();
        assert!(refused.contains(expect), "{id}: {refused}");
    }
    let admin = with_roles(Roles::from([Role::Admin]));
    assert!(matches!(node.create_client("a", &read, &admin).await, Err(CredentialError::Beyond(_))));
    let (_, secret) = node.create_client("a", &read, &root()).await.unwrap();
    assert!(matches!(node.rotate_client("a", 0, &admin).await, Err(CredentialError::Beyond(_))));
    assert!(knows(&node, "a", &secret));
    assert!(matches!(node.create_client("b", &read, &root()).await, Err(CredentialError::Full(..))));
    let other = world.node().await;
    assert!(matches!(other.create_client("a", &read, &root()).await, Err(CredentialError::TakenClient(_))));
    for refused in
        [node.rotate_client("b", 0, &root()).await.err(), node.remove_client("b", &root()).await.err()]
    {
        assert!(matches!(refused, Some(CredentialError::NoClient(_))), "{refused:?}");
    }
}
