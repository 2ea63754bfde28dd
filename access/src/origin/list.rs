//! Where a request comes from, by the page that sent it.

use std::collections::HashSet;

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderValue, ORIGIN};
use openidconnect::url::Url;

use crate::Development;
use crate::host::{is_loopback_authority, only};

/// An origin that can't be listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server.origins has {origin:?}: expected an origin as browsers send it, such as {example:?}")]
pub struct InvalidOrigin {
    origin: String,
    example: String,
}

/// Whose pages may ask: those of this server, and those that are listed. No wildcard is known.
#[derive(Clone, Debug)]
pub struct Origins {
    listed: HashSet<String>,
    own: Option<String>,
    development: Development,
}

/// Whose page sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Nobody's, or one of this server.
    Own,
    /// One of this origin, which is listed.
    Listed(HeaderValue),
    /// One of this machine, while the development client is on.
    Machine,
    /// Any other, or nobody can say.
    Elsewhere,
}

impl Origins {
    /// Pages of `listed`, and of this server, which clients reach at `url`.
    ///
    /// # Errors
    /// [`InvalidOrigin`] names what can't be listed.
    pub fn new(listed: &[String], url: &str, development: Development) -> Result<Self, InvalidOrigin> {
        check(listed)?;
        Ok(Self { listed: listed.iter().cloned().collect(), own: serialized(url), development })
    }

    /// Whether any are listed.
    pub(super) fn are_listed(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Whose page sent a request with these headers. A browser can't lie about it, and says it wherever it matters.
    pub(super) fn page(&self, headers: &HeaderMap) -> Page {
        if !headers.contains_key(ORIGIN) {
            return Page::Own;
        }
        let Some(origin) = only(headers, &ORIGIN) else { return Page::Elsewhere };
        // By any scheme: before this server may stand one that speaks TLS.
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let is_own = authority
            .zip(only(headers, &HOST))
            .is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host));
        if is_own || self.own.as_deref() == Some(origin) {
            return Page::Own;
        }
        if self.listed.contains(origin)
            && let Ok(origin) = HeaderValue::from_str(origin)
        {
            return Page::Listed(origin);
        }
        match self.development == Development::On && authority.is_some_and(is_loopback_authority) {
            true => Page::Machine,
            false => Page::Elsewhere,
        }
    }
}

/// Whether all of these can be listed.
///
/// # Errors
/// [`InvalidOrigin`] names the first that can't.
pub fn check(listed: &[String]) -> Result<(), InvalidOrigin> {
    for origin in listed {
        // A star is part of no name that a page has.
        let as_sent = serialized(origin).filter(|as_sent| !as_sent.contains('*'));
        if as_sent.as_ref() != Some(origin) {
            let example = as_sent.unwrap_or_else(|| "https://app.example.com".into());
            return Err(InvalidOrigin { origin: origin.clone(), example });
        }
    }
    Ok(())
}

/// The origin of an address, as browsers write it.
fn serialized(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(listed: &[&str], development: Development) -> Origins {
        let listed: Vec<_> = listed.iter().map(|&origin| origin.to_owned()).collect();
        Origins::new(&listed, "https://tide.example", development).unwrap()
    }

    #[test]
    fn pages_are_told_apart_by_their_exact_origin() {
        use Development::{Off, On};
        let listed = ["https://app.example", "http://localhost:5173"];
        let host = ("host", "10.0.0.7:4000");
        let from = |origin| vec![host, ("origin", origin)];
        let is_listed = |origin| Page::Listed(HeaderValue::from_static(origin));
        for (headers, development, expect) in [
            (vec![], Off, Page::Own),
            (vec![host], Off, Page::Own),
            (from("http://10.0.0.7:4000"), Off, Page::Own),
            (from("https://10.0.0.7:4000"), Off, Page::Own),
            (from("https://tide.example"), Off, Page::Own),
            (vec![("host", "tide.example:1"), ("origin", "http://TIDE.example:1")], Off, Page::Own),
            (from("https://app.example"), Off, is_listed("https://app.example")),
            (from("http://localhost:5173"), On, is_listed("http://localhost:5173")),
            (from("http://localhost:5174"), On, Page::Machine),
            (from("http://localhost:5174"), Off, Page::Elsewhere),
            (from("http://app.example"), Off, Page::Elsewhere),
            (from("https://app.example:444"), Off, Page::Elsewhere),
            (from("https://app.example.evil.example"), Off, Page::Elsewhere),
            (from("https://app.example/"), Off, Page::Elsewhere),
            (from("https://APP.example"), Off, Page::Elsewhere),
            (from("https://evil.app.example"), Off, Page::Elsewhere),
            (from("http://evil@10.0.0.7:4000"), Off, Page::Elsewhere),
            (from("http://10.0.0.7:4000.evil.example"), On, Page::Elsewhere),
            (from("http://10.0.0.7"), Off, Page::Elsewhere),
            (from("null"), On, Page::Elsewhere),
            (from(""), On, Page::Elsewhere),
            (from("file://"), On, Page::Elsewhere),
            (vec![("origin", "http://10.0.0.7:4000")], On, Page::Elsewhere),
            (
                [from("https://app.example"), vec![("origin", "https://app.example")]].concat(),
                Off,
                Page::Elsewhere,
            ),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(origins(&listed, development).page(&map), expect, "{headers:?}");
        }
    }

    #[test]
    fn what_is_no_origin_is_not_listed() {
        for (origin, example) in [
            ("*", "https://app.example.com"),
            ("null", "https://app.example.com"),
            ("", "https://app.example.com"),
            ("app.example", "https://app.example.com"),
            ("file:///tmp", "https://app.example.com"),
            ("https://*.example", "https://app.example.com"),
            ("https://app.example/", "https://app.example"),
            ("https://app.example/path", "https://app.example"),
            ("https://App.example", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("https://me@app.example", "https://app.example"),
        ] {
            let listed = ["https://good.example".to_owned(), origin.to_owned()];
            let refused = check(&listed).map_err(|error| error.to_string());
            let expect = format!(
                "server.origins has {origin:?}: expected an origin as browsers send it, such as {example:?}"
            );
            assert_eq!(refused, Err(expect));
        }
        for origin in ["https://app.example", "http://localhost:5173", "http://[::1]:8080"] {
            assert_eq!(check(&[origin.to_owned()]), Ok(()), "{origin}");
        }
    }
}
