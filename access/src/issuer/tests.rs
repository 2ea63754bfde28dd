//! Opening the issuer: what it keeps over restarts, what it refuses.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::*;
use crate::rate::Style;
use crate::{Context, Role, Roles, Visit};

fn clock() -> Clock {
    Arc::new(|| Timestamp(1_600_000_000_000_000))
}

fn open(dir: &Path, url: &str, development: Development) -> Result<Issuer, IssuerError> {
    Issuer::open(dir, url, IssuerSettings::default(), Vec::new(), development, Trust::default(), clock())
}

#[tokio::test]
async fn a_token_outlives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let url = "http://127.0.0.1:4000";
    let first = open(dir.path(), url, Development::On).unwrap();
    let grant = Grant { subject: "app", client_id: "app", roles: Roles::from([Role::Read]), seconds: 60 };
    let token = first.issue(&grant).unwrap();
    let secret = Context::load(dir.path()).unwrap().unwrap().client_secret;
    let second = open(dir.path(), url, Development::On).unwrap();
    let principal =
        second.access().verify(token.access_token.expose(), &Visit::default(), Style::Plain).await.unwrap();
    assert_eq!((principal.subject(), principal.roles()), ("app", &grant.roles));
    assert_eq!(Context::load(dir.path()).unwrap().unwrap().client_secret, secret);

    let moved = open(dir.path(), "http://localhost:4001/", Development::On).unwrap();
    assert_eq!(moved.url(), "http://localhost:4001");
    assert!(
        moved.access().verify(token.access_token.expose(), &Visit::default(), Style::Plain).await.is_err(),
        "another address is another issuer"
    );
    assert!(!format!("{token:?} {moved:?}").contains(token.access_token.expose()));
}

#[test]
fn without_the_development_client_there_is_no_context_and_no_code() {
    let dir = tempfile::tempdir().unwrap();
    let error = open(dir.path(), "http://10.0.0.1:4000", Development::Off).unwrap_err();
    assert!(error.to_string().contains("configure [[client]]"), "{error}");
    let settings = ClientSettings { id: "a".into(), secret_env: "A".into(), roles: vec!["data.read".into()] };
    let clients =
        resolve_clients(&[settings], &crate::Policy::default(), |_| Some("0123456789abcdef".into())).unwrap();
    let issuer = Issuer::open(
        dir.path(),
        "http://10.0.0.1:4000",
        IssuerSettings::default(),
        clients,
        Development::Off,
        Trust::default(),
        clock(),
    )
    .unwrap();
    assert_eq!(issuer.page_code().unwrap(), None);
    assert_eq!(Context::load(dir.path()).unwrap(), None);
}

#[test]
fn addresses() {
    for (text, expect) in [
        ("http://127.0.0.1:4000", Some("http://127.0.0.1:4000")),
        ("https://tidegate.example/", Some("https://tidegate.example")),
        ("http://[::1]:4000", Some("http://[::1]:4000")),
        ("127.0.0.1:4000", None),
        ("ftp://tidegate.example", None),
        ("http://a:b@tidegate.example", None),
        ("http://tidegate.example/sub", None),
        ("http://tidegate.example/?x", None),
        ("", None),
    ] {
        assert_eq!(checked_url(text).ok().as_deref(), expect, "{text}");
    }
}

#[test]
fn settings_have_units_and_no_unknown_keys() {
    let settings: IssuerSettings = serde_json::from_str(r#"{"token_seconds": 60}"#).unwrap();
    assert_eq!(
        settings,
        IssuerSettings { token_seconds: NonZeroU32::new(60).unwrap(), ..IssuerSettings::default() }
    );
    for wrong in [r#"{"token_minutes": 1}"#, r#"{"token_seconds": 0}"#, r#"{"token_seconds": -1}"#] {
        assert!(serde_json::from_str::<IssuerSettings>(wrong).is_err(), "{wrong}");
    }
}
