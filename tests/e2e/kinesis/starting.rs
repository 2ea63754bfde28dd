//! Where a node begins in a stream that it has never seen, and what it says where it may not.

use std::thread;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::cluster::{STREAM, settings};
use crate::support::kinesis::Emulator;
use crate::support::{Client, Setup, until};

fn numbered(n: usize) -> Vec<u8> {
    format!(r#"{{"id":"{n}","key":"k","n":{n}}}"#).into_bytes()
}

/// Waits until the last of them is there; gives their numbers.
fn stored(client: &Client, last: usize) -> Vec<usize> {
    let end = format!("\"n\":{last}}}");
    client.nodes("orders", "{ orders(last: 1) { nodes { raw } } }", 1);
    let stored = until(
        &format!("number {last}"),
        || client.stored(STREAM, "k"),
        |stored| stored.last().is_some_and(|(_, raw)| raw.ends_with(&end)).then(|| stored.clone()),
    );
    stored.iter().map(|(_, raw)| super::check::number("k", raw)).collect()
}

#[test]
fn a_stream_is_read_from_its_start_from_a_time_or_from_now_on() {
    let emulator = Emulator::start();
    emulator.create(STREAM, 1);
    (0..3).for_each(|n| drop(emulator.put(STREAM, "k", &numbered(n))));
    // The emulator tells whole seconds.
    thread::sleep(Duration::from_millis(1_100));
    let time: DateTime<Utc> = SystemTime::now().into();
    thread::sleep(Duration::from_millis(1_100));
    (3..6).for_each(|n| drop(emulator.put(STREAM, "k", &numbered(n))));

    let start = |from: &str| {
        let settings = settings(&emulator, "").replace("trim_horizon", from);
        Setup::configured(&settings).with_credentials().start()
    };
    let nodes = ["trim_horizon", &time.to_rfc3339(), "latest"].map(start);
    assert_eq!(stored(&nodes[0].client(), 5), [0, 1, 2, 3, 4, 5]);
    assert_eq!(stored(&nodes[1].client(), 5), [3, 4, 5]);
    // It begins at some moment after its start: what is put is there from then on.
    let client = nodes[2].client();
    let mut put = 6;
    until(
        "something to be there",
        || {
            emulator.put(STREAM, "k", &numbered(put));
            put += 1;
            client.graphql_answer("{ orders(last: 1) { nodes { raw } } }", &json!({})).json()
        },
        |answer| (answer["data"]["orders"]["nodes"].as_array()?.len() == 1).then_some(()),
    );
    let got = stored(&client, put - 1);
    assert!(got[0] >= 6 && got == (got[0]..put).collect::<Vec<_>>(), "{got:?} of {put}");
    assert_eq!(stored(&nodes[0].client(), put - 1), (0..put).collect::<Vec<_>>());
    assert_eq!(stored(&nodes[1].client(), put - 1), (3..put).collect::<Vec<_>>());
}

#[test]
fn a_node_without_credentials_says_so_soon_and_takes_nothing() {
    let emulator = Emulator::start();
    emulator.create(STREAM, 1);
    let home = tempfile::tempdir().unwrap();
    let mut setup = Setup::configured(&settings(&emulator, ""));
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONFIG_FILE"] {
        setup = setup.env(name, "");
    }
    // Nothing listens there, as on a machine that is none of AWS's.
    let setup = setup.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9");
    let node = setup.env("HOME", home.path().to_str().unwrap()).start_unready();
    let told = until(
        "it to say what it lacks",
        || node.get("/readyz"),
        |answer| (answer.status == 503 && answer.text().contains("credentials")).then(|| answer.text()),
    );
    assert!(node.log().contains("credentials"), "{told}; {}", node.log());
    let refused =
        node.client().put(&format!("/streams/{STREAM}/record"), r#"{"Data":{"id":"1"},"PartitionKey":"k"}"#);
    assert_eq!(refused.status, 503, "{refused:?}");
}
