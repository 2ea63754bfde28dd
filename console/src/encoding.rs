//! Whether a client takes gzip.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// Reads `Accept-Encoding` (RFC 9110, section 12.5.3): gzip by name goes before `*`, and weight 0 is a no.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default();
            let wanted = !parts.any(is_zero_weight);
            if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
                return wanted;
            }
            any |= coding == "*" && wanted;
        }
    }
    any
}

fn is_zero_weight(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, weight)| {
        name.trim().eq_ignore_ascii_case("q") && weight.trim().parse() == Ok(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let check = |accepted: &str, expect: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(accepts_gzip(&headers), expect, "{accepted:?}");
        };
        check("gzip", true);
        check("deflate, GZip;q=0.5, br", true);
        check("x-gzip", true);
        check("*", true);
        check("br, *;q=0.1", true);
        check("gzip;q=0, *", false);
        check("*, gzip; q=0.000", false);
        check("*;q=0", false);
        check("br", false);
        check("gzipped", false);
        check("", false);
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
