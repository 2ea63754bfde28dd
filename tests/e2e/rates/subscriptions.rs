//! Subscriptions that run at once.

use serde_json::{Value, json};

use super::{client, start};
use crate::support::{PATIENCE, Socket};

const SUBSCRIPTION: &str = "subscription { s(topic: \"k\", from: \"now-1h\") { message { data { n } } } }";

/// What becomes of a subscription: it runs, which is seen by the message that is there already, or it is refused.
async fn begins(socket: &mut Socket, id: &str) -> Result<(), Value> {
    socket.subscribe(id, SUBSCRIPTION, json!({})).await.unwrap();
    loop {
        let heard = tokio::time::timeout(PATIENCE, socket.hear()).await.expect("an answer").unwrap();
        let heard: Value = serde_json::from_str(&heard).unwrap();
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
    one.nodes("s", "{ s { nodes { data { n } } } }", 1);
    let mut first = Socket::connect(&one).await.unwrap();
    let mut second = Socket::connect(&one).await.unwrap();
    begins(&mut first, "a").await.unwrap();
    begins(&mut second, "a").await.unwrap();
    for socket in [&mut first, &mut second] {
        let refused = begins(socket, "b").await.unwrap_err();
        assert_eq!(refused["type"], "error");
        assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{refused}");
        let message = refused["payload"][0]["message"].as_str().unwrap();
        assert!(message.contains("too many subscriptions of this caller run"), "{message}");
    }
    // Queries are no subscriptions, and another caller has its own.
    one.graphql("{ __typename }");
    let mut other = Socket::connect(&two).await.unwrap();
    begins(&mut other, "a").await.unwrap();
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
    let end = tokio::time::Instant::now() + PATIENCE;
    let mut n = 0;
    while begins(&mut first, &format!("c{n}")).await.is_err() {
        assert!(tokio::time::Instant::now() < end, "the place of one that ended is not free");
        n += 1;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(server.metric("tidegate_rate_refusals_total{kind=\"subscriptions\"}") >= 3.0);
}
