//! Reads a token request (RFC 6749, sections 2.3 and 4.4): its form, and how its client shows who it is.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openidconnect::url::form_urlencoded;

use super::answers::OAuthError;

/// Most parameters of a form: no honest one has a tenth of them.
const PARAMETERS_MAX: usize = 64;

/// A form whose parameters are there once.
pub(super) struct Form(Vec<(String, String)>);

/// A client's name, and what it says is its secret: in one or two readings.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secrets: Vec<String>,
}

impl Form {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OAuthError::Request("send a form: Content-Type application/x-www-form-urlencoded"));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(OAuthError::Request("a parameter is there twice"));
            }
            if parameters.len() == PARAMETERS_MAX {
                return Err(OAuthError::Request("there are too many parameters"));
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    /// A parameter; one without a value is as good as none (RFC 6749, section 3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Who the client says it is: in a header or in the form, not both.
    pub(super) fn credentials(&self, headers: &HeaderMap) -> Result<Credentials, OAuthError> {
        let in_header = basic(headers)?;
        match (in_header, self.get("client_secret")) {
            (Some(_), Some(_)) => Err(OAuthError::Request("sign in by header or by form, not by both")),
            (Some(found), None) => match self.get("client_id") {
                Some(id) if id != found.id => Err(OAuthError::Request("client_id is not the header's")),
                _ => Ok(found),
            },
            (None, Some(secret)) => match self.get("client_id") {
                Some(id) => Ok(Credentials { id: id.into(), secrets: vec![secret.into()] }),
                None => Err(OAuthError::Client),
            },
            (None, None) => Err(OAuthError::Client),
        }
    }
}

fn basic(headers: &HeaderMap) -> Result<Option<Credentials>, OAuthError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(OAuthError::Request("send one Authorization header, not several"));
    }
    let pair = value
        .to_str()
        .ok()
        .and_then(|value| value.trim().split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(OAuthError::Client)?;
    let (id, secret) = pair.split_once(':').ok_or(OAuthError::Client)?;
    // The RFC has both encoded as in a form; curl and many libraries send them as they are. A secret is tried in either
    // reading, which lets in nobody who does not know it.
    let mut secrets = vec![secret.to_owned()];
    secrets.extend(form_decoded(secret).filter(|decoded| decoded != secret));
    Ok(Some(Credentials { id: form_decoded(id).unwrap_or_else(|| id.to_owned()), secrets }))
}

/// `text` as one name in a form; `None` if it would be more than that.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['=', '&']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    /// `id: secrets`, or the error's name.
    fn credentials(authorization: &[&str], body: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        for value in authorization {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        match Form::read(&headers, body.as_bytes()).and_then(|form| form.credentials(&headers)) {
            Ok(Credentials { id, secrets }) => format!("{id}: {}", secrets.join(" | ")),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn clients_show_who_they_are_in_one_way() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let good = basic("app:s3cret");
        for (headers, body, expect) in [
            (vec![good.as_str()], "", "app: s3cret"),
            (vec![&good], "client_id=app", "app: s3cret"),
            (vec![&good], "client_id=other", "invalid_request"),
            (vec![&good], "client_id=app&client_secret=s3cret", "invalid_request"),
            (vec![&good, &good], "", "invalid_request"),
            (vec![&basic("app:a%2Bb+c")], "", "app: a%2Bb+c | a+b c"),
            (vec![&basic("my%2Dapp:x=y&z")], "", "my-app: x=y&z"),
            (vec![&basic("app:a:b")], "", "app: a:b"),
            (vec![&basic("app")], "", "invalid_client"),
            (vec!["Basic !!!"], "", "invalid_client"),
            (vec!["Basic"], "", "invalid_client"),
            (vec!["Bearer abc"], "client_id=app&client_secret=s3cret", "invalid_client"),
            (vec![], "client_id=app&client_secret=s%33cret", "app: s3cret"),
            (vec![], "client_id=app&client_secret=", "invalid_client"),
            (vec![], "client_secret=s3cret", "invalid_client"),
            (vec![], "client_id=a&client_id=a&client_secret=s", "invalid_request"),
            (vec![], "", "invalid_client"),
        ] {
            assert_eq!(credentials(&headers, body), expect, "{headers:?} {body}");
        }
        let many: String = (0..1_000).map(|n| format!("p{n}=&")).collect();
        assert_eq!(credentials(&[], &many), "invalid_request");
    }

    #[test]
    fn only_forms_are_read() {
        for (kind, expect) in [(FORM, true), ("APPLICATION/x-www-form-urlencoded; charset=utf-8", true)]
            .into_iter()
            .chain([("application/json", false), ("", false), ("application/x-www-form-urlencodedx", false)])
        {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(Form::read(&headers, b"a=b").is_ok(), expect, "{kind}");
        }
        assert!(Form::read(&HeaderMap::new(), b"a=b").is_err());
    }
}
