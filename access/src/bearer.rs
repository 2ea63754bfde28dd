//! Finds the bearer token among the headers of a request (RFC 6750, section 2.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::{AuthError, Refusal};

/// The token of the one `Authorization` header.
///
/// Two headers are refused rather than one of them chosen: whoever stands between might have chosen the other.
pub(crate) fn token(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Err(AuthError::Missing) };
    if all.next().is_some() {
        return Err(AuthError::SeveralHeaders);
    }
    let unreadable = AuthError::InvalidToken(Refusal::Malformed);
    let value = value.to_str().map_err(|_| unreadable.clone())?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::Missing);
    }
    let token = token.trim_start_matches(' ');
    if token.is_empty() || !token.bytes().all(is_token_byte) {
        return Err(unreadable);
    }
    Ok(token)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_header_of_the_bearer_scheme() {
        let malformed = || Err(AuthError::InvalidToken(Refusal::Malformed));
        for (values, expect) in [
            (vec!["Bearer abc.def-_~+/="], Ok("abc.def-_~+/=")),
            (vec!["bEARER   abc"], Ok("abc")),
            (vec!["  Bearer abc  "], Ok("abc")),
            (vec![], Err(AuthError::Missing)),
            (vec![""], Err(AuthError::Missing)),
            (vec!["Basic abc"], Err(AuthError::Missing)),
            (vec!["Bearerabc"], Err(AuthError::Missing)),
            (vec!["Bearer"], malformed()),
            (vec!["Bearer "], malformed()),
            (vec!["Bearer a b"], malformed()),
            (vec!["Bearer a,b"], malformed()),
            (vec!["Bearer \"a\""], malformed()),
            (vec!["Bearer ü"], malformed()),
            (vec!["Bearer a", "Bearer a"], Err(AuthError::SeveralHeaders)),
            (vec!["Basic a", "Bearer a"], Err(AuthError::SeveralHeaders)),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(token(&headers), expect, "{values:?}");
        }
    }
}
