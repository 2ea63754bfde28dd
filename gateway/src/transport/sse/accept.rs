//! What a client wants to be answered by.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// What `Accept` says of event streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Only they will do.
    Events,
    /// They will do, and so will JSON.
    Either,
    /// They are not asked for by name.
    NoEvents,
}

/// What these headers wish for. A wildcard is no wish for events: clients that send it await JSON.
pub(super) fn wish(headers: &HeaderMap) -> Wish {
    let (mut events, mut json) = (false, false);
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let is_refused =
                parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0_f32));
            match kind.as_str() {
                _ if is_refused => {}
                "text/event-stream" => events = true,
                "application/json" | "application/graphql-response+json" => json = true,
                _ => {}
            }
        }
    }
    match (events, json) {
        (false, _) => Wish::NoEvents,
        (true, false) => Wish::Events,
        (true, true) => Wish::Either,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn events_are_wished_for_by_name() {
        for (accept, expect) in [
            ("", Wish::NoEvents),
            ("*/*", Wish::NoEvents),
            ("application/json", Wish::NoEvents),
            ("text/event-stream", Wish::Events),
            ("Text/Event-Stream; q=0.5", Wish::Events),
            ("text/event-stream, */*", Wish::Events),
            ("text/event-stream;q=0", Wish::NoEvents),
            ("text/event-stream, application/json;q=0", Wish::Events),
            ("application/graphql-response+json, application/json, text/event-stream", Wish::Either),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wish(&headers), expect, "{accept}");
        }
    }
}
