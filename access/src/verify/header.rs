//! The header of a token: what it says of itself before anything of it is believed (RFC 7515, section 4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Refusal;

/// Parameters that ask for a key from elsewhere or for rules of which we know nothing.
const REFUSED_PARAMETERS: [&str; 6] = ["crit", "jwk", "jku", "x5u", "x5c", "b64"];

/// What is taken from a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// In small letters, and without `application/`; `None` where there is none.
    pub(crate) typ: Option<String>,
    pub(crate) alg: String,
    pub(crate) kid: String,
}

impl Header {
    /// Reads the header of `token`.
    pub(crate) fn read(token: &str) -> Result<Self, Refusal> {
        let header = part(token, 0)?;
        // Whether they are there, not what they say: `"crit": null` is as strange as any other.
        if REFUSED_PARAMETERS.iter().any(|name| header.contains_key(*name)) {
            return Err(Refusal::Parameter);
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let typ = match header.get("typ") {
            None => None,
            Some(typ) => {
                let typ = typ.as_str().ok_or(Refusal::Type)?.to_ascii_lowercase();
                Some(typ.strip_prefix("application/").unwrap_or(&typ).to_owned())
            }
        };
        let alg = text("alg").ok_or(Refusal::Algorithm)?.to_owned();
        let kid = text("kid").unwrap_or_default().to_owned();
        Ok(Self { typ, alg, kid })
    }
}

/// The `iss` that a token claims, which decides whose keys it is tried with, and nothing else.
pub(crate) fn claimed_issuer(token: &str) -> Result<String, Refusal> {
    match part(token, 1)?.remove("iss") {
        Some(Value::String(issuer)) => Ok(issuer),
        _ => Err(Refusal::Claim),
    }
}

/// An object that stands in a token.
fn part(token: &str, at: usize) -> Result<Map<String, Value>, Refusal> {
    let encoded = token.split('.').nth(at).ok_or(Refusal::Malformed)?;
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)
}
