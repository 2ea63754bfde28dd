//! An issuer elsewhere, by the script `tests/oidc/issuer.mjs`: oidc-provider, from npm. It needs Node;
//! `TIDEGATE_WITHOUT=issuer` leaves out what needs it.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, mpsc};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::http::Request;
use super::{PATIENCE, ensure_packages, is_left_out, lines, repository};

/// What all its clients know, and the client `gateway`, which may ask about tokens.
pub(crate) const SECRET: &str = "each-client-knows-it";

/// A running issuer, one for each that a test starts: it has two clients, `reader` (`data.read`) and `writer` (`data.write`, too).
#[derive(Debug)]
pub(crate) struct Issuer {
    child: Child,
    orders: Mutex<Orders>,
    url: String,
    /// What it says on standard error.
    log: File,
}

/// Each line that goes in is answered by one that comes out.
#[derive(Debug)]
struct Orders {
    /// Its end is the issuer's.
    stdin: ChildStdin,
    said: mpsc::Receiver<String>,
}

impl Issuer {
    /// One of its own for the test; `None` where it is left out, and then it is said of what.
    pub(crate) fn start(what: &str) -> Option<Self> {
        if is_left_out("issuer", what) {
            return None;
        }
        let folder = repository().join("tests/oidc");
        ensure_packages(&folder, "issuer");
        let log = tempfile::tempfile().unwrap();
        let mut command = Command::new("node");
        command.arg("issuer.mjs").current_dir(&folder).env("SECRET", SECRET);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.try_clone().unwrap());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let orders = Mutex::new(Orders { stdin, said: lines(stdout) });
        let mut issuer = Self { child, orders, url: String::new(), log };
        issuer.url = issuer.orders.get_mut().unwrap().hear().as_str().unwrap().to_owned();
        Some(issuer)
    }

    /// Its address, as its tokens name it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// A token that a client got for itself, signed by RS256.
    pub(crate) fn token(&self, client: &str) -> String {
        self.token_by(client, "RS256")
    }

    /// As [`Self::token`], by RS256, ES256 or `EdDSA`.
    pub(crate) fn token_by(&self, client: &str, algorithm: &str) -> String {
        let scope = if client == "writer" { "data.read+data.write" } else { "data.read" };
        let form = format!("grant_type=client_credentials&resource=urn:tidegate:{algorithm}&scope={scope}");
        let pair = STANDARD.encode(format!("{client}:{SECRET}"));
        let request = Request::new("POST", "/token").header("Authorization", &format!("Basic {pair}"));
        let answer = request.body("application/x-www-form-urlencoded", form);
        let answer = answer.send(self.address()).expect(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// A token of these claims, which it would not give out. What `header` has stands instead of what an access token's header has;
    /// null takes it out. It is signed as `alg` says: by HS256, what is published is taken for a secret.
    pub(crate) fn mint(&self, header: &Value, claims: &Value) -> String {
        let token = self.order(&json!({ "order": "mint", "header": header, "claims": claims }));
        token.as_str().unwrap().to_owned()
    }

    /// From now on signs by new keys, and publishes the old ones no more if it is to drop them.
    pub(crate) fn rotate(&self, drop_old: bool) {
        self.order(&json!({ "order": "rotate", "drop_old": drop_old }));
    }

    /// Stands by this token no more.
    pub(crate) fn revoke(&self, token: &str) {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        self.order(&json!({ "order": "revoke", "jti": claims["jti"] }));
    }

    /// How often it was asked whether it stands by a token.
    pub(crate) fn introspections(&self) -> u64 {
        self.order(&json!({ "order": "introspections" })).as_u64().unwrap()
    }

    /// How often its keys were asked for.
    pub(crate) fn key_requests(&self) -> u64 {
        self.order(&json!({ "order": "key_requests" })).as_u64().unwrap()
    }

    /// Ends all its connections, and new ones at once, until [`Self::restart`].
    pub(crate) fn stop(&self) {
        self.order(&json!({ "order": "stop" }));
    }

    /// Answers again, at the same address.
    pub(crate) fn restart(&self) {
        self.order(&json!({ "order": "restart" }));
    }

    fn order(&self, order: &Value) -> Value {
        let mut orders = self.orders.lock().unwrap();
        writeln!(orders.stdin, "{order}").unwrap();
        orders.hear()
    }
}

impl Orders {
    fn hear(&self) -> Value {
        let line = self.said.recv_timeout(PATIENCE);
        serde_json::from_str(&line.expect("the issuer says nothing")).unwrap()
    }
}

impl Drop for Issuer {
    #[expect(clippy::print_stdout, reason = "part of what a failed test prints")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let mut text = String::new();
            let _ = self.log.rewind().and_then(|()| self.log.read_to_string(&mut text));
            println!("the issuer at {} said:\n{text}", self.url);
        }
    }
}
