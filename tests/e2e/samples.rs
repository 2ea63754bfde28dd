//! The sample payloads, sent as producers send them, seen by their own fields.

use serde_json::{Value, json};

use crate::support::{Setup, sample};

const CONFIGURATION: &str = r#"
[[stream]]
name = "user-events"
topic = "/topic"
time = "/request_timestamp"
json_strings = ["/message"]

[[stream]]
name = "user-utm"
topic = "constant:user-utm"
"#;

#[test]
fn events_are_asked_for_by_topic_and_time_and_the_text_inside_is_opened() {
    let server = Setup::configured(CONFIGURATION).start();
    let client = server.client();
    client.put("/streams/user-events/record", sample("user-events.put.json")).expect(200);
    let document = r#"{ userEvents(topic: "dolphin_cms.wizard.step.color_palette.set", last: 20) {
        nodes { time timeSource topic key data { cookie_id website_id: user_agent message { color paletteIndex isAffiliate } } raw } } }"#;
    let node = client.nodes("userEvents", document, 1).remove(0);
    assert_eq!(node["time"], "2020-06-01T00:00:24.000000Z");
    assert_eq!(node["timeSource"], "MESSAGE");
    assert_eq!(node["topic"], "dolphin_cms.wizard.step.color_palette.set");
    assert_eq!(node["key"], "92ebe247-77f5-4a3c-a7f1-d22af67bf71d");
    assert_eq!(node["data"]["cookie_id"], "a09c4ca3-d142-4312-ba78-029c3355b8ef");
    assert_eq!(
        node["data"]["message"],
        json!({ "color": "#6d8d79", "paletteIndex": "0", "isAffiliate": false })
    );
    // The message is the envelope's text between `"Data": ` and `,\n  "PartitionKey"`, as it was sent.
    let sent = String::from_utf8(sample("user-events.put.json")).unwrap();
    let (_, rest) = sent.split_once("\"Data\": ").unwrap();
    let (data, _) = rest.split_once(",\n  \"PartitionKey\"").unwrap();
    assert_eq!(node["raw"], data);

    for (range, expect) in [
        (r#"from: "2020-06-01", to: "2020-06-02""#, 1),
        (r#"from: "2020-06-01T00:00:24Z", to: "2020-06-01T00:00:25Z""#, 1),
        (r#"from: "2020-05-31", to: "2020-06-01T00:00:24Z""#, 0),
        (r#"from: "now-15m""#, 0),
    ] {
        let data = client.graphql(&format!("{{ userEvents({range}, last: 20) {{ nodes {{ id }} }} }}"));
        let nodes = data["userEvents"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), expect, "{range}");
    }
}

#[test]
fn campaigns_have_their_own_fields_and_join_events_by_request() {
    let server = Setup::configured(CONFIGURATION).start();
    let client = server.client();
    client.put("/streams/user-utm/record", sample("user-utm.put.json")).expect(200);
    let event: Value = serde_json::from_slice(&sample("user-events.put.json")).unwrap();
    let mut campaign: Value = serde_json::from_slice(&sample("user-utm.put.json")).unwrap();
    campaign["Data"]["request_id"] = event["Data"]["request_id"].clone();
    client.put("/streams/user-events/record", event.to_string()).expect(200);
    client.put("/streams/user-utm/record", campaign.to_string()).expect(200);

    let document = "{ userUtm(last: 5) { nodes { topic timeSource data { request_id source campaign ad_id device } } } }";
    let nodes = client.nodes("userUtm", document, 2);
    let seen = json!({ "request_id": "cbae8544-ab7a-46a5-9253-a5c8f6612115", "source": "adwords",
        "campaign": "Campaign Brand FR", "ad_id": "12063526619", "device": "c" });
    assert_eq!(nodes[0], json!({ "topic": "user-utm", "timeSource": "ARRIVAL", "data": seen }));

    // Its fields, too, are there soon after the message is.
    client.nodes("userEvents", "{ userEvents { nodes { data { request_id cookie_id } } } }", 1);
    let both = client.graphql(
        "{ userEvents(last: 1) { nodes { data { request_id cookie_id } } }
           userUtm(last: 5) { nodes { data { request_id campaign } } } }",
    );
    let request = &both["userEvents"]["nodes"][0]["data"]["request_id"];
    let campaigns = both["userUtm"]["nodes"].as_array().unwrap();
    let joined: Vec<_> = campaigns.iter().filter(|node| node["data"]["request_id"] == *request).collect();
    assert_eq!(joined.len(), 1, "{both}");
    assert_eq!(joined[0]["data"]["campaign"], "Campaign Brand FR");
}

#[test]
fn the_demo_holds_all_three_streams_and_joins_them() {
    let server = Setup::demo().start();
    let client = server.client();
    // Its history is there before the banner is.
    let both = client.graphql(
        "{ userEvents(last: 10000) { nodes { topic data { request_id } } }
           userUtm(last: 20) { nodes { data { request_id campaign } } }
           telemetry(last: 20) { nodes { data { device temperature humidity battery } } } }",
    );
    let ids = |field: &str| -> Vec<&str> {
        let nodes = both[field]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["data"]["request_id"].as_str().unwrap()).collect()
    };
    let (events, campaigns) = (ids("userEvents"), ids("userUtm"));
    assert!(!campaigns.is_empty() && campaigns.iter().all(|id| events.contains(id)), "{campaigns:?}");
    let reading = &both["telemetry"]["nodes"][0]["data"];
    assert!(reading["temperature"].is_f64() && reading["battery"].is_i64(), "{reading}");
}
