//! Whatever is printed, in logs at trace, by commands and in answers that refuse: no secret is in it, and no part of one.

mod cassandra;
mod known;

use serde_json::{Value, json};

use self::cassandra::Doorman;
use self::known::Secrets;
use crate::support::http::{Answer, Request};
use crate::support::tls::Authority;
use crate::support::{Client, Server, Setup, Socket, ask_for_token, bare, finish, tidegate, until};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const CONFIGURED: &str = "configured-9Jx2mQ7vTz4kLw8r";
const OTHER: &str = "other-client-Bn5cYh3sEd6gUf1p";
const WRONG: &str = "wrong-secret-Vq8aXo2iRt7jMs4z";
const HOSTILE: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.Zk3hPw9dLb6xCy1nGv5u";
const PASSWORD: &str = "store-password-Ht4eKj8wQf2yNp6m";
const PAYLOAD: &str = "payload-of-a-message-Ws7dRc3bXg9v";

const SETTINGS: &str = r#"
[log]
level = "trace"
[[client]]
id = "app"
secret_env = "APP_SECRET"
roles = ["data.read", "data.write"]
[[client]]
id = "other"
secret_env = "OTHER_SECRET"
roles = ["data.read"]
"#;

/// What requests and commands were told, to be looked through.
struct Told<'a> {
    server: &'a Server,
    secrets: Secrets,
    texts: Vec<(String, String)>,
}

impl Told<'_> {
    /// Sends a request that is to be refused, and keeps what is said.
    fn refused(&mut self, what: &str, request: &Request) {
        let answer = request.send(self.server.address);
        assert!(answer.status >= 400 || answer.text().contains("errors"), "{what}: {}", answer.text());
        self.keep(what, &answer);
    }

    fn keep(&mut self, what: &str, answer: &Answer) {
        self.texts.push((what.to_owned(), format!("{:?} {}", answer.headers, answer.text())));
    }

    /// Runs a command, and keeps all that it prints.
    fn command(&mut self, arguments: &[&str], stdin: &str) {
        let data = self.server.data().display().to_string();
        let done = tidegate(self.server.folder(), &[arguments, &["--data", &data]].concat(), stdin);
        self.texts.push((arguments.join(" "), format!("{}{}", done.stdout, done.stderr)));
    }
}

fn bearer(method: &str, path: &str, token: &str) -> Request {
    Request::new(method, path).header("Authorization", &format!("Bearer {token}"))
}

/// The code in the address of the page.
fn code_in(text: &str) -> String {
    let (_, rest) = text.split_once("#code=").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

fn json_of(server: &Server, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(server.data().join(name)).unwrap()).unwrap()
}

/// Signs in in every way, rightly and wrongly.
fn sign_in(told: &mut Told<'_>) -> Client {
    let address = told.server.address;
    let client = Client::sign_in(address, "app", CONFIGURED);
    let form = |secret: &str| {
        let body = format!("grant_type=client_credentials&client_id=other&client_secret={secret}");
        Request::new("POST", "/oauth/token").body(FORM, body)
    };
    let by_form = form(OTHER).send(address).expect(200).json();
    let by_form = by_form["access_token"].as_str().unwrap();
    bearer("GET", "/data", by_form).send(address).expect(200);
    told.secrets.add_token("the form's token", by_form);
    told.secrets.add_token("the client's token", &client.token);
    told.refused("a wrong secret by form", &form(WRONG));
    told.keep("a wrong secret by header", &ask_for_token(address, "app", WRONG, "").expect(401));
    told.keep("another client's secret", &ask_for_token(address, "other", CONFIGURED, "").expect(401));
    told.keep(
        "a scope too many",
        &ask_for_token(address, "app", CONFIGURED, "&scope=data.admin").expect(400),
    );
    let both = Request::new("POST", "/oauth/token").header("Authorization", "Basic Ojo=");
    told.refused("both ways", &both.body(FORM, format!("client_id=app&client_secret={CONFIGURED}")));

    let code = code_in(&told.server.banner());
    let redeem =
        |code: &str| Request::new("POST", "/oauth/code").body(JSON, json!({ "code": code }).to_string());
    let page = redeem(&code).send(address).expect(200).json();
    let page = page["access_token"].as_str().unwrap();
    bearer("GET", "/data", page).send(address).expect(200);
    told.secrets.add_token("the page's token", page);
    told.refused("a code twice", &redeem(&code));
    told.refused("a code that is none", &redeem(WRONG));
    told.refused(
        "a code that is no text",
        &Request::new("POST", "/oauth/code").body(JSON, format!("[\"{code}\"]")),
    );
    told.secrets.add("the page's code", code);
    let fresh = told.server.client().post("/oauth/codes", JSON, "{}").expect(200).json();
    told.secrets.add("a fresh code", fresh["code"].as_str().unwrap());
    client
}

/// Makes a key and a client by commands, which print their secrets: once, on standard output, and nowhere else.
fn make_credentials(told: &mut Told<'_>) {
    let (address, data) = (told.server.address, told.server.data().display().to_string());
    let mut made = |name: &str, words: &[&str]| {
        let done = tidegate(told.server.folder(), &[words, &["--data", &data]].concat(), "");
        assert_eq!(done.code, Some(0), "{done:?}");
        let secret = done.stdout.trim().to_owned();
        // What a key begins with is what it is told by.
        told.secrets.add(name, secret.split('_').nth(2).unwrap_or(&secret));
        told.texts.push((words.join(" "), done.stderr));
        secret
    };
    let key = made("a key", &["keys", "create", "meter", "--role", "data.read"]);
    let rotated = made("the rotated key", &["keys", "rotate", "meter"]);
    let client = made("a made client's secret", &["clients", "create", "made", "--role", "data.read"]);
    let next = made("the client's next secret", &["clients", "rotate", "made"]);
    bearer("GET", "/data", &rotated).send(address).expect(200);
    Client::sign_in(address, "made", &next);
    told.refused("a key that was rotated", &bearer("GET", "/data", &key));
    told.refused("a key that is none", &bearer("GET", "/data", &rotated[..rotated.len() - 1]));
    told.keep("a secret that was rotated", &ask_for_token(address, "made", &client, "").expect(401));
    for words in [
        &["keys", "list"][..],
        &["keys", "create", "meter", "--role", "data.read"],
        &["keys", "revoke", "nobody"],
        &["clients", "list"],
        &["clients", "create", "app", "--role", "data.read"],
        &["issuer", "rotate"],
        &["revoke", "--subject", "mallory"],
        &["revoke", "list"],
    ] {
        told.command(words, "");
    }
    told.command(&["revoke", "--token"], &rotated);
    let key = std::fs::read(told.server.data().join("issuer.pk8")).unwrap();
    told.secrets.add("the next signing key", &key[key.len().min(48) - 32..key.len().min(48)]);
}

/// Asks every route, rightly and wrongly.
fn ask(told: &mut Told<'_>, client: &Client) {
    let message = format!(r#"{{"note": "{PAYLOAD}"}}"#);
    client.put_record("s", "k", &message);
    client.post("/data", JSON, message).expect(200);
    client.nodes("s", "{ s { nodes { data { note } } } }", 1);
    for (method, path) in [
        ("POST", "/graphql"),
        ("GET", "/graphql?query=nothing"),
        ("PUT", "/streams/s/record"),
        ("PUT", "/streams/s/records"),
        ("POST", "/streams/s/messages"),
        ("POST", "/data"),
        ("GET", "/data?last=many"),
        ("POST", "/oauth/codes"),
        ("DELETE", "/nothing"),
    ] {
        told.refused(path, &client.request(method, path).body(JSON, "{\"broken"));
        told.refused(path, &bearer(method, path, HOSTILE).body(JSON, "{}"));
        told.refused(path, &bearer(method, path, &client.token[1..]).body(JSON, "{}"));
        let twice = client.request(method, path).header("Authorization", &format!("Bearer {HOSTILE}"));
        told.refused(path, &twice.body(JSON, "{}"));
        let basic = ask_by_basic(method, path);
        told.refused(path, &basic);
    }
    told.refused("an address too long", &client.request("GET", &format!("/{}", "x".repeat(100_000))));
    let events = client.request("POST", "/graphql").header("Accept", "text/event-stream");
    told.refused("events", &events.body(JSON, r#"{"query":"subscription { nothing }"}"#));
}

/// A client's secret where a token is meant.
fn ask_by_basic(method: &str, path: &str) -> Request {
    let pair =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("app:{CONFIGURED}"));
    Request::new(method, path).header("Authorization", &format!("Basic {pair}")).body(JSON, "{}")
}

/// Opens sockets, with a good token and with a bad one.
fn open_sockets(told: &mut Told<'_>, client: &Client) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut socket = Socket::connect(client).await.unwrap();
        socket.subscribe("a", "{ s { nodes { data { note } } } }", json!({})).await.unwrap();
        assert!(socket.hear().await.unwrap().contains(PAYLOAD));
        let hostile = Client { token: HOSTILE.to_owned(), ..client.clone() };
        let end = Socket::connect(&hostile).await.unwrap_err();
        told.texts.push(("a hostile socket".into(), format!("{end:?}")));
    });
}

fn run_commands(told: &mut Told<'_>) {
    for arguments in [
        &["streams"][..],
        &["streams", "nothing"],
        &["query", "{ me { subject } }"],
        &["query", "{ nothing }"],
        &["publish", "t", "{}", "--key", "k"],
        &["publish", "t", "broken", "--key", "k"],
        &["dead-letters", "list", "s"],
        &["dead-letters", "show", "s", "nowhere"],
        &["tail", "nothing"],
        &["doctor"],
        &["token", "--url", "http://127.0.0.1:1"],
        &["token", "--ca", "/nowhere/ca.pem"],
    ] {
        told.command(arguments, "");
    }
    let here = told.server.folder().to_owned();
    for (secret, arguments) in [
        (WRONG, vec!["token"]),
        (CONFIGURED, vec!["query", "{ nothing }"]),
        (CONFIGURED, vec!["config", "check"]),
        (CONFIGURED, vec!["config", "reference"]),
    ] {
        let mut command = bare();
        command.args(&arguments).current_dir(&here).env("APP_SECRET", secret).env("OTHER_SECRET", OTHER);
        command.env("TIDEGATE_CLIENT_ID", "app").env("TIDEGATE_CLIENT_SECRET", secret);
        match arguments[0] {
            "config" => command.args(["--config", "tidegate.toml"]),
            _ => command.args(["--url", &told.server.url()]),
        };
        let done = finish(command, "");
        told.texts.push((arguments.join(" "), format!("{}{}", done.stdout, done.stderr)));
    }
}

fn exercise(setup: Setup, over_tls: Option<&Authority>) {
    let mut server = setup.env("APP_SECRET", CONFIGURED).env("OTHER_SECRET", OTHER).start();
    let mut secrets = Secrets::default();
    for (name, secret) in
        [("a client's secret", CONFIGURED), ("another's secret", OTHER), ("a wrong secret", WRONG)]
    {
        secrets.add(name, secret);
    }
    secrets.add_token("a hostile token", HOSTILE);
    let own = json_of(&server, "context.json");
    secrets.add("the folder's secret", own["client_secret"].as_str().unwrap());
    let key = std::fs::read(server.data().join("issuer.pk8")).unwrap();
    secrets.add("the signing key", &key[key.len().min(48) - 32..key.len().min(48)]);
    if let Some(authority) = over_tls {
        secrets.add_key("the key of TLS", &std::fs::read_to_string(authority.file("key.pem")).unwrap());
    }
    let mut told = Told { server: &server, secrets, texts: Vec::new() };
    let client = sign_in(&mut told);
    make_credentials(&mut told);
    ask(&mut told, &client);
    match over_tls {
        None => open_sockets(&mut told, &client),
        Some(authority) => {
            // A renewal that goes wrong, and is told.
            let (_, key) = authority.certify();
            told.secrets.add_key("the next key of TLS", &key);
            let cert = std::fs::read_to_string(authority.file("cert.pem")).unwrap();
            authority.put(&cert, &key);
            until("the log", || server.log(), |log| log.contains("the one before is kept").then_some(()));
        }
    }
    run_commands(&mut told);
    let Told { mut secrets, texts, .. } = told;
    for (what, text) in &texts {
        secrets.are_not_in(what, text);
    }
    assert!(texts.len() > 50, "{}", texts.len());
    server.terminate();
    server.wait();
    let log = server.log();
    assert!(log.contains("TRACE") && log.contains("token refused"), "the log does not say all that it can");
    secrets.add("a message", PAYLOAD);
    secrets.are_not_in("the log", &log);
    let banner = server.banner();
    let others: String = banner.lines().filter(|line| !line.contains("#code=")).collect();
    secrets.are_not_in("the banner", &others);
}

#[test]
fn a_node_prints_none_and_neither_do_commands() {
    exercise(Setup::configured(SETTINGS), None);
}

#[test]
fn over_tls_neither() {
    let authority = Authority::new();
    exercise(Setup::configured(SETTINGS).over_tls(&authority), Some(&authority));
}

/// The password goes to the CQL server, and nowhere else.
#[test]
fn the_stores_password_is_shown_to_the_store_alone() {
    let doorman = Doorman::start();
    let here = tempfile::tempdir().unwrap();
    let settings = format!(
        "[log]\nlevel = \"trace\"\n[store]\nurl = \"scylla://{}/tidegate\"\nuser = \"tide\"\n\
         password_env = \"STORE_PASSWORD\"\nconnect_ms = 2000\nrequest_ms = 2000\ncall_ms = 3000\n",
        doorman.address
    );
    std::fs::write(here.path().join("t.toml"), settings).unwrap();
    let mut secrets = Secrets::default();
    secrets.add("the store's password", PASSWORD);
    for arguments in [&["--listen", "127.0.0.1:0"][..], &["doctor"], &["migrate"], &["config", "check"]] {
        let mut command = bare();
        command.args(arguments).args(["--config", "t.toml"]).current_dir(here.path());
        command.env("STORE_PASSWORD", PASSWORD);
        let done = finish(command, "");
        assert_eq!(done.code == Some(0), arguments[0] == "config", "{done:?}");
        secrets.are_not_in(&arguments.join(" "), &format!("{}{}", done.stdout, done.stderr));
    }
    let shown = doorman.shown.lock().unwrap().clone();
    assert!(!secrets.found_in(&String::from_utf8_lossy(&shown)).is_empty(), "nobody showed a password");
}

/// Where a secret stands where none is meant, what is said of it does not repeat it.
#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let here = tempfile::tempdir().unwrap();
    let mut secrets = Secrets::default();
    secrets.add("a secret", CONFIGURED);
    for (variable, value) in [
        ("TIDEGATE__STORE__PASSWORD", CONFIGURED.to_owned()),
        ("TIDEGATE__CLIENT__SECRET", CONFIGURED.to_owned()),
        ("TIDEGATE__STORE__URL", format!("scylla://tide:{CONFIGURED}@127.0.0.1:9042/tidegate")),
    ] {
        let mut command = bare();
        command.args(["config", "check"]).current_dir(here.path()).env(variable, &value);
        let done = finish(command, "");
        assert_eq!(done.code, Some(1), "{done:?}");
        secrets.are_not_in(variable, &format!("{}{}", done.stdout, done.stderr));
    }
    for text in [
        format!("[store]\npassword = \"{CONFIGURED}\"\n"),
        format!("[[client]]\nid = \"a\"\nsecret = \"{CONFIGURED}\"\n"),
    ] {
        std::fs::write(here.path().join("t.toml"), text).unwrap();
        let done = tidegate(here.path(), &["config", "check", "--config", "t.toml"], "");
        assert_eq!(done.code, Some(1), "{done:?}");
        secrets.are_not_in("config check", &format!("{}{}", done.stdout, done.stderr));
    }
}
