//! Keys and denials, as administrators see them.

use access::{IssuerName, Principal, Role};
use schema::Timestamp;
use serde_json::{Value, json};

use crate::rig::{Rig, principal};

const KEY: &str = "name id roles createdAt createdBy expiresAt rotatedAt oldSecretUntil";
const DENIAL: &str = "id kind issuer name before reason deniedBy deniedAt keepUntil";

/// An administrator whom no test denies.
fn root() -> Principal {
    let roles = Role::ALL.into_iter().collect();
    Principal::new(IssuerName::Embedded, "root", "console", roles, Timestamp::MAX).unwrap()
}

async fn ask(rig: &Rig, query: &str) -> Value {
    let answer = rig.ask_as(&root(), query, json!({})).await;
    assert!(answer.get("errors").is_none(), "{query}: {answer}");
    answer["data"].clone()
}

async fn refused(rig: &Rig, query: &str, variables: Value) -> (String, String) {
    let answer = rig.ask_as(&root(), query, variables).await;
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

#[tokio::test]
async fn keys_are_made_listed_rotated_and_revoked() {
    let rig = Rig::new(&[]).await;
    let create = format!(
        "mutation {{ createKey(name: \"meter\", roles: [\"data.write\"], expiresAt: \"2021-01-01T00:00:00Z\") {{ key {{ {KEY} }} secret }} }}"
    );
    let made = ask(&rig, &create).await["createKey"].clone();
    let secret = made["secret"].as_str().unwrap().to_owned();
    let id = made["key"]["id"].as_str().unwrap().to_owned();
    assert!(secret.starts_with(&format!("tgk_{id}_")), "{secret}");
    let mut key = json!({
        "name": "meter", "id": id, "roles": ["data.write"], "createdAt": "2020-06-01T00:00:00.000000Z",
        "createdBy": "embedded/root", "expiresAt": "2021-01-01T00:00:00.000000Z", "rotatedAt": null,
        "oldSecretUntil": null,
    });
    assert_eq!(made["key"], key);
    let list = format!("{{ keys {{ {KEY} }} }}");
    assert_eq!(ask(&rig, &list).await, json!({ "keys": [key] }));

    let rotate =
        format!("mutation {{ rotateKey(name: \"meter\", overlapSeconds: 60) {{ key {{ {KEY} }} secret }} }}");
    let rotated = ask(&rig, &rotate).await["rotateKey"].clone();
    key["rotatedAt"] = json!("2020-06-01T00:00:00.000000Z");
    key["oldSecretUntil"] = json!("2020-06-01T00:01:00.000000Z");
    assert_eq!(rotated["key"], key);
    assert!(rotated["secret"].as_str().unwrap() != secret);
    let revoked = ask(&rig, &format!("mutation {{ revokeKey(name: \"meter\") {{ {KEY} }} }}")).await;
    assert_eq!(revoked["revokeKey"], key);
    assert_eq!(ask(&rig, &list).await, json!({ "keys": [] }));
}

#[tokio::test]
async fn clients_are_made_listed_rotated_and_removed() {
    let rig = Rig::new(&[]).await;
    let fields = "id roles createdAt createdBy rotatedAt oldSecretUntil";
    let create = format!(
        "mutation {{ createClient(id: \"app\", roles: [\"data.read\"]) {{ client {{ {fields} }} secret }} }}"
    );
    let made = ask(&rig, &create).await["createClient"].clone();
    let mut client = json!({
        "id": "app", "roles": ["data.read"], "createdAt": "2020-06-01T00:00:00.000000Z", "createdBy": "embedded/root",
        "rotatedAt": null, "oldSecretUntil": null,
    });
    assert_eq!(made["client"], client);
    let list = format!("{{ clients {{ {fields} }} }}");
    assert_eq!(ask(&rig, &list).await, json!({ "clients": [client] }));
    let rotate = format!(
        "mutation {{ rotateClient(id: \"app\", overlapSeconds: 60) {{ client {{ {fields} }} secret }} }}"
    );
    let rotated = ask(&rig, &rotate).await["rotateClient"].clone();
    client["rotatedAt"] = json!("2020-06-01T00:00:00.000000Z");
    client["oldSecretUntil"] = json!("2020-06-01T00:01:00.000000Z");
    assert_eq!(rotated["client"], client);
    assert_ne!(rotated["secret"], made["secret"]);
    let removed = ask(&rig, &format!("mutation {{ removeClient(id: \"app\") {{ {fields} }} }}")).await;
    assert_eq!(removed["removeClient"], client);
    assert_eq!(ask(&rig, &list).await, json!({ "clients": [] }));
}

#[tokio::test]
async fn denials_are_made_listed_and_taken_back() {
    let rig = Rig::new(&[]).await;
    let deny = async |arguments: &str| {
        let query = format!("mutation {{ revoke({arguments}) {{ {DENIAL} }} }}");
        ask(&rig, &query).await["revoke"].clone()
    };
    let fields = |denial: &Value| {
        ["kind", "issuer", "name", "before", "reason", "keepUntil"].map(|name| denial[name].clone())
    };
    let mut made = Vec::new();
    for (arguments, expect) in [
        (
            "issuer: \"embedded\", tokenId: \"t1\", reason: \"lost\", keepUntil: \"2020-06-01T01:00:00Z\"",
            json!(["TOKEN", "embedded", "t1", null, "lost", "2020-06-01T01:00:00.000000Z"]),
        ),
        ("issuer: \"embedded\", subject: \"alice\"", json!(["SUBJECT", "embedded", "alice", null, "", null])),
        ("issuer: \"keys\", client: \"meter\"", json!(["CLIENT", "keys", "meter", null, "", null])),
        (
            "before: \"2020-06-01T00:00:00Z\"",
            json!(["BEFORE", null, null, "2020-06-01T00:00:00.000000Z", "", null]),
        ),
    ] {
        let denial = deny(arguments).await;
        assert_eq!(json!(fields(&denial)), expect, "{arguments}");
        assert_eq!(denial["deniedBy"], "embedded/root");
        assert_eq!(deny(arguments).await, denial, "the same again is the same");
        made.push(denial);
    }
    let list = format!("{{ denials {{ {DENIAL} }} }}");
    let listed = ask(&rig, &list).await["denials"].as_array().unwrap().clone();
    assert!(listed.len() == 4 && made.iter().all(|denial| listed.contains(denial)), "{listed:?}");
    for denial in made {
        let query = format!("mutation($id: String!) {{ unrevoke(id: $id) {{ {DENIAL} }} }}");
        let taken = rig.ask_as(&root(), &query, json!({ "id": denial["id"] })).await;
        assert_eq!(taken["data"]["unrevoke"], denial);
        let again = refused(&rig, &query, json!({ "id": denial["id"] })).await;
        assert!(again.0 == "BAD_USER_INPUT" && again.1.starts_with("there is no denial"), "{again:?}");
    }
    assert_eq!(ask(&rig, &list).await, json!({ "denials": [] }));
}

#[tokio::test]
async fn what_can_not_be_is_said() {
    let rig = Rig::new(&[]).await;
    for (call, code, part) in [
        ("createKey(name: \"a b\", roles: [\"data.read\"]) { secret }", "BAD_USER_INPUT", "can't be a name"),
        ("createKey(name: \"a\", roles: []) { secret }", "BAD_USER_INPUT", "it needs roles"),
        (
            "createKey(name: \"a\", roles: [\"root\"]) { secret }",
            "BAD_USER_INPUT",
            "there is no role \"root\"",
        ),
        (
            "createKey(name: \"a\", roles: [\"data.read\"], expiresAt: \"2020-06-01T00:00:00Z\") { secret }",
            "BAD_USER_INPUT",
            "must lie ahead",
        ),
        ("rotateKey(name: \"a\") { secret }", "BAD_USER_INPUT", "there is no key \"a\""),
        ("revokeKey(name: \"a\") { name }", "BAD_USER_INPUT", "there is no key \"a\""),
        ("revoke { id }", "BAD_USER_INPUT", "name one of token"),
        (
            "revoke(issuer: \"embedded\", subject: \"a\", client: \"b\") { id }",
            "BAD_USER_INPUT",
            "name one of token",
        ),
        ("revoke(subject: \"a\") { id }", "BAD_USER_INPUT", "say whose it is"),
        ("revoke(issuer: \"crop\", subject: \"a\") { id }", "BAD_USER_INPUT", "there is no issuer \"crop\""),
        ("revoke(token: \"nonsense\") { id }", "BAD_USER_INPUT", "nothing to revoke"),
        ("revoke(issuer: \"embedded\", token: \"x\") { id }", "BAD_USER_INPUT", "leave issuer out"),
        ("revoke(before: \"2020-06-01T00:00:00.000001Z\") { id }", "BAD_USER_INPUT", "the time lies ahead"),
        (
            "revoke(issuer: \"embedded\", subject: \"a\", keepUntil: \"2020-06-01T00:00:00Z\") { id }",
            "BAD_USER_INPUT",
            "keepUntil goes with tokenId alone",
        ),
        ("revoke(issuer: \"embedded\", subject: \"root\") { id }", "FORBIDDEN", "that is yourself"),
    ] {
        let told = refused(&rig, &format!("mutation {{ {call} }}"), json!({})).await;
        assert!(told.0 == code && told.1.contains(part), "{call}: {told:?}");
    }
}

#[tokio::test]
async fn all_of_it_is_for_administrators() {
    let rig = Rig::new(&[]).await;
    let caller = principal(&[Role::Read, Role::Write]);
    for call in [
        "{ keys { name } }",
        "{ denials { id } }",
        "{ clients { id } }",
        "mutation { createClient(id: \"a\", roles: [\"data.read\"]) { secret } }",
        "mutation { rotateClient(id: \"a\") { secret } }",
        "mutation { removeClient(id: \"a\") { id } }",
        "mutation { createKey(name: \"a\", roles: [\"data.read\"]) { secret } }",
        "mutation { rotateKey(name: \"a\") { secret } }",
        "mutation { revokeKey(name: \"a\") { name } }",
        "mutation { revoke(before: \"2020-06-01T00:00:00Z\") { id } }",
        "mutation { unrevoke(id: \"a\") { id } }",
    ] {
        let answer = rig.ask_as(&caller, call, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{call}: {answer}");
    }
    // Nor does an administrator give what it does not have.
    let admin = principal(&[Role::Admin]);
    let create = "mutation { createKey(name: \"a\", roles: [\"data.read\"]) { secret } }";
    let answer = rig.ask_as(&admin, create, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    assert_eq!(ask(&rig, "{ keys { name } denials { id } }").await, json!({ "keys": [], "denials": [] }));
}
