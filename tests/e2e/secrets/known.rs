//! What may be printed nowhere, and how it is found in what was printed.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// So much of a secret's head or tail is as good as all of it.
const PART: usize = 12;

/// Secrets, each with a name for whoever reads the failure.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    pub(super) fn add(&mut self, name: &str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref().to_vec();
        assert!(secret.len() >= PART, "{name} is too short to be told from other text");
        self.0.push((name.to_owned(), secret));
    }

    /// Of a token what makes it one: its signature. What it says is no secret.
    pub(super) fn add_token(&mut self, name: &str, token: &str) {
        self.add(name, token.rsplit('.').next().unwrap());
    }

    /// The private number of an elliptic curve's key, as PEM. The public one stands beside it, in each certificate, too.
    pub(super) fn add_key(&mut self, name: &str, pem: &str) {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(lines.concat()).unwrap();
        // An octet string of 32 bytes (RFC 5915).
        let at = bytes.windows(2).position(|tag| tag == [4, 32]).unwrap() + 2;
        self.add(name, &bytes[at..at + 32]);
        // And as it stands in the text, up to the end of the line.
        self.add(name, &lines[0][at.div_ceil(3) * 4..]);
    }

    /// The names of those that are in `text`, as they are or in another spelling.
    pub(super) fn found_in(&self, text: &str) -> Vec<&str> {
        let is_in = |secret: &[u8]| spellings(secret).iter().any(|spelling| text.contains(spelling));
        self.0.iter().filter(|(_, secret)| is_in(secret)).map(|(name, _)| name.as_str()).collect()
    }

    /// Fails if one of them was printed.
    #[track_caller]
    pub(super) fn are_not_in(&self, what: &str, text: &str) {
        let found = self.found_in(text);
        if found.is_empty() {
            return;
        }
        let line =
            text.lines().find(|line| !self.found_in(line).is_empty()).unwrap_or("(over several lines)");
        panic!("{what} shows {found:?}: {line}");
    }
}

/// Head and tail of a secret, as they might be printed.
fn spellings(secret: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for part in [&secret[..PART], &secret[secret.len() - PART..]] {
        all.extend(String::from_utf8(part.to_vec()));
        let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
        all.extend([hex.to_uppercase(), hex]);
        let list: Vec<String> = part.iter().map(u8::to_string).collect();
        all.push(list.join(", "));
        // Within a longer text it may begin at any of three places of base64.
        for before in 0..3 {
            let text = [&[b'x'; 3][..before], part].concat();
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&text);
                // What stands at the edges is mixed with what stands beside.
                all.push(
                    encoded[if before == 0 { 0 } else { 4 }..encoded.len() - encoded.len() % 4].to_owned(),
                );
            }
        }
    }
    all
}

#[test]
fn secrets_are_found_in_any_spelling() {
    let secret = "a-secret?of>which^nobody~may/hear";
    let mut secrets = Secrets::default();
    secrets.add("it", secret);
    secrets.add("another", "something that is nowhere");
    let bytes = secret.as_bytes();
    for text in [
        format!("it is {secret}."),
        format!("it begins with {}…", &secret[..14]),
        format!("it ends in …{}", &secret[secret.len() - 14..]),
        format!("{bytes:?}"),
        format!("{:x?}", bytes).replace(", ", ""),
        STANDARD_NO_PAD.encode(format!("me:{secret}")),
        STANDARD_NO_PAD.encode(format!("you:{secret}")),
        URL_SAFE_NO_PAD.encode(format!("thee:{secret}")),
        URL_SAFE_NO_PAD.encode(secret),
    ] {
        assert_eq!(secrets.found_in(&format!("before {text} behind")), ["it"], "{text}");
    }
    assert!(secrets.found_in("nothing of which anybody may hear").is_empty());
}
