//! What whoever runs it looks at: `/healthz`, `/readyz`, `/metrics`. None wants a token.

use serde_json::json;

use crate::support::Setup;

#[test]
fn health_and_readiness() {
    let server = Setup::empty().start();
    assert_eq!(server.get("/healthz").expect(200).text(), "ok\n");
    assert_eq!(server.get("/readyz").expect(200).json(), json!({ "store": "ok", "ingest": "ok" }));
}

#[test]
fn metrics_are_openmetrics_and_count_what_happened() {
    let server = Setup::empty().start();
    let client = server.client();
    client.put_record("s", "k", "{\"n\":1}");
    client.put("/streams/s/record", r#"{"Data":{"a":1,"a":1},"PartitionKey":"k"}"#).expect(400);
    server.get("/a/path/of/a/stranger").expect(404);
    client.raws("s", 1);
    let answer = server.get("/metrics").expect(200);
    let content_type = answer.header("content-type").unwrap();
    assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"), "{content_type}");
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in text.lines() {
        assert!(line.starts_with('#') || is_sample(line), "not a sample: {line}");
    }
    assert!(!text.contains("stranger"), "{text}");
    for line in [
        "tidegate_ingest_messages_accepted_total 1",
        "tidegate_ingest_bytes_accepted_total 7",
        "tidegate_ingest_messages_refused_total{reason=\"not_json\"} 1",
        "tidegate_ingest_rows_written_total 1",
        "tidegate_ingest_dead_letters_total 0",
        "tidegate_ingest_messages_folded_total 0",
        "tidegate_http_requests_total{method=\"PUT\",route=\"/streams/{stream}/record\",status=\"200\"} 1",
        "tidegate_http_requests_total{method=\"PUT\",route=\"/streams/{stream}/record\",status=\"400\"} 1",
        "tidegate_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1",
        "tidegate_gateway_sockets 0.0",
        "tidegate_gateway_live_operations 0.0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    }
    for series in [
        "tidegate_ingest_log_syncs_total ",
        "tidegate_ingest_log_sync_seconds_bucket{le=\"+Inf\"} ",
        "tidegate_ingest_log_bytes ",
        "tidegate_ingest_checkpoint_age_seconds ",
        "tidegate_http_request_seconds_count{route=\"/graphql\"} ",
    ] {
        assert!(text.lines().any(|line| line.starts_with(series)), "{series} is not in\n{text}");
    }
    server.catch_up();
}

/// `name value` or `name{label="value",…} value`.
fn is_sample(line: &str) -> bool {
    let Some((series, value)) = line.rsplit_once(' ') else { return false };
    let (name, labels) = match series.split_once('{') {
        None => (series, None),
        Some((name, rest)) => (name, Some(rest)),
    };
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let label = |pair: &str| {
        let value = |(name, value): (&str, &str)| {
            plain(name) && value.len() > 1 && value.starts_with('"') && value.ends_with('"')
        };
        pair.split_once('=').is_some_and(value)
    };
    plain(name)
        && value.parse::<f64>().is_ok()
        && labels
            .is_none_or(|labels| labels.strip_suffix('}').is_some_and(|labels| labels.split(',').all(label)))
}
