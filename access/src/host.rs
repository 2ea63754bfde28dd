//! Loopback protection: while the development client is on, a request must have been *meant* for this machine.
//!
//! A page on another site can let its own name resolve to 127.0.0.1 and then talk to us as its own origin (DNS
//! rebinding). It can't choose the `Host` that the browser sends, though: so any but a loopback name is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::Json;
use axum::extract::Request;
use axum::http::header::{HOST, HeaderMap, HeaderName};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A request was not meant for this machine: the host it was sent to is no loopback name, or can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "This server answers to loopback names only, such as http://127.0.0.1 or http://localhost, as its development \
     client is on. To serve other names, bind another address and configure [[client]]."
)]
pub struct NotLoopback;

impl IntoResponse for NotLoopback {
    fn into_response(self) -> Response {
        let body = json!({ "error": "not_loopback", "error_description": self.to_string() });
        (StatusCode::MISDIRECTED_REQUEST, Json(body)).into_response()
    }
}

/// Middleware (`axum::middleware::from_fn(loopback_only)`): lets through what [`check`] does.
pub async fn loopback_only(request: Request, next: Next) -> Response {
    match check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Whether a request was meant for this machine.
///
/// # Errors
/// [`NotLoopback`], which is a response.
pub fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), NotLoopback> {
    let host = only(headers, &HOST).ok_or(NotLoopback)?;
    // A request line may name a host of its own, which then counts (RFC 9112, section 3.2.2).
    let named = uri.authority().map(|authority| authority.as_str());
    match is_loopback_authority(host) && named.is_none_or(is_loopback_authority) {
        true => Ok(()),
        false => Err(NotLoopback),
    }
}

/// Whether `host[:port]` is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
pub fn is_loopback_authority(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => {
                return host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
                    && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
            }
            None => return false,
        },
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let is_loopback =
        host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    is_loopback && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The text of a header that is there once.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn hosts() {
        for host in [
            "localhost",
            "LocalHost:4000",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.9.8.7:65535",
            "[::1]",
            "[::1]:4000",
        ] {
            assert!(is_loopback_authority(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:127.0.0.1",
            "localhost@evil.example",
            "localhost:4000@evil.example",
            "localhost:",
            "localhost:65536",
            "localhost:+80",
            "127.1",
            "0177.0.0.1",
            "0.0.0.0:4000",
            "10.0.0.1",
            "::1",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[::]",
            "[::ffff:10.0.0.1]",
            " localhost",
            "http://localhost",
        ] {
            assert!(!is_loopback_authority(host), "{host}");
        }
    }

    #[test]
    fn requests() {
        let here = ("host", "127.0.0.1:4000");
        for (uri, headers, expect) in [
            ("/", vec![here], Ok(())),
            ("/", vec![], Err(NotLoopback)),
            ("/", vec![("host", "evil.example")], Err(NotLoopback)),
            ("/", vec![here, ("host", "evil.example")], Err(NotLoopback)),
            ("/", vec![here, here], Err(NotLoopback)),
            ("http://evil.example/", vec![here], Err(NotLoopback)),
            ("http://localhost:4000/", vec![here], Ok(())),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(check(&uri.parse().unwrap(), &map), expect, "{uri} {headers:?}");
        }
    }
}
