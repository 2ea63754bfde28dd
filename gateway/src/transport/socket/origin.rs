//! Whether a page may open a socket here: only one of this very server.

use axum::Json;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Whether the request comes from no page, or from a page of this server.
///
/// A browser opens a WebSocket to anywhere and asks nobody; it can't lie about the page's origin, though.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let origin = only(headers, &ORIGIN)
        .and_then(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")));
    origin.zip(only(headers, &HOST)).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
}

/// The answer to a page from elsewhere.
pub(super) fn refused() -> Response {
    let message = "A socket is opened by a page of this server, or by no page: this one is from elsewhere.";
    let body = json!({ "error": "foreign_origin", "error_description": message });
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

/// The text of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_page_of_this_server_or_no_page() {
        let host = ("host", "tide.example:4000");
        for (headers, own) in [
            (vec![host], true),
            (vec![host, ("origin", "http://tide.example:4000")], true),
            (vec![host, ("origin", "https://TIDE.example:4000")], true),
            (vec![host, ("origin", "http://tide.example")], false),
            (vec![host, ("origin", "http://evil.example")], false),
            (vec![host, ("origin", "http://tide.example:4000.evil.example")], false),
            (vec![host, ("origin", "http://evil@tide.example:4000")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("origin", "")], false),
            (vec![host, ("origin", "file://")], false),
            (vec![host, ("origin", "http://tide.example:4000"), ("origin", "http://evil.example")], false),
            (vec![("origin", "http://tide.example:4000")], false),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_own(&map), own, "{headers:?}");
        }
    }
}
