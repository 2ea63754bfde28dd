//! Subscriptions that run at once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{client, start};
use crate::support::{Socket, until};

const SUBSCRIPTION: &str = "subscription { s(topic: \"k\") { message { data { n } } } }";

/// How long a message may take before another is published.
const PAUSE: Duration = Duration::from_millis(500);

/// What becomes of a subscription: whether it runs, as far as can be told by a message that it delivers.
async fn begins(socket: &mut Socket, id: &str, publish: impl Fn()) -> Result<(), Value> {
    socket.subscribe(id, SUBSCRIPTION, json!({})).await.unwrap();
    loop {
        // One that came before the subscription has begun is not for it.
        publish();
        let Ok(heard) = tokio::time::timeout(PAUSE, socket.hear()).await else { continue };
        let heard: Value = serde_json::from_str(&heard.unwrap()).unwrap();
        if heard["id"] == id {
            return if heard["type"] == "next" { Ok(()) } else { Err(heard) };
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_too_many_is_refused_until_another_ends() {
    let server = start("[rate]\nrequests = 0\nsubscriptions = 2\n");
    let (one, two) = (client(&server, "one"), client(&server, "two"));
    one.put_record("s", "k", r#"{"n":0}"#);
    until(
        "the field",
        || one.graphql_answer("{ s { nodes { data { n } } } }", &json!({})).json(),
        |answer| answer.get("errors").is_none().then_some(()),
    );
    let publish = || drop(one.put_record("s", "k", r#"{"n":1}"#));
    let mut first = Socket::connect(&one).await.unwrap();
    let mut second = Socket::connect(&one).await.unwrap();
    begins(&mut first, "a", publish).await.unwrap();
    begins(&mut second, "a", publish).await.unwrap();
    for socket in [&mut first, &mut second] {
        let refused = begins(socket, "b", publish).await.unwrap_err();
        assert_eq!(refused["type"], "error");
        assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
        let message = refused["payload"][0]["message"].as_str().unwrap();
        assert!(message.contains("too many subscriptions of this caller run"), "{message}");
    }
    // Queries are no subscriptions, and another caller has its own.
    one.graphql("{ __typename }");
    let mut other = Socket::connect(&two).await.unwrap();
    begins(&mut other, "a", publish).await.unwrap();
    let events = one
        .request("POST", "/graphql")
        .header("Accept", "text/event-stream")
        .body("application/json", json!({ "query": SUBSCRIPTION }).to_string())
        .send(server.address)
        .expect(200);
    assert!(
        events.text().contains("RATE_LIMITED") && events.text().contains("event: complete"),
        "{}",
        events.text()
    );

    drop(second);
    let end = tokio::time::Instant::now() + crate::support::PATIENCE;
    let mut n = 0;
    while begins(&mut first, &format!("c{n}"), publish).await.is_err() {
        assert!(tokio::time::Instant::now() < end, "the place of one that ended is not free");
        n += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(server.metric("tidegate_rate_refusals_total{kind=\"subscriptions\"}") >= 3.0);
}
