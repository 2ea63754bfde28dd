//! The commands: what they print, how they end, and what they say when they can't.

use std::path::Path;

use crate::support::{Done, Setup, repository, tidegate};

/// Arguments, standard input, the exit code, and words of standard output and of standard error.
type Case<'a> = (&'a [&'a str], &'a str, i32, &'a str, &'a str);

fn check(here: &Path, cases: &[Case<'_>]) {
    for (arguments, stdin, code, stdout, stderr) in cases {
        let done = tidegate(here, arguments, stdin);
        assert_eq!(done.code, Some(*code), "{arguments:?}: {done:?}");
        for (got, words) in [(&done.stdout, stdout), (&done.stderr, stderr)] {
            assert!(got.contains(words), "{arguments:?}: {words:?} is not in {done:?}");
            assert!(!words.is_empty() || got.is_empty(), "{arguments:?}: {done:?}");
        }
    }
}

#[test]
fn a_message_goes_in_and_comes_out() {
    let server = Setup::empty().start();
    let data = server.data().display().to_string();
    let run = |arguments: &[&str], stdin: &str| -> Done {
        tidegate(server.folder(), &[arguments, &["--data", &data]].concat(), stdin)
    };
    let said = |done: Done| {
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
        done.stdout
    };
    assert_eq!(said(run(&["publish", "s", "{\n  \"n\": 1\n}", "--key", "a b/ü"], "")), "1 accepted\n");
    assert_eq!(said(run(&["publish", "s", "--key", "a b/ü"], "{\"n\":2}\n{\"n\":3}\n")), "2 accepted\n");
    assert_eq!(said(run(&["publish", "s", "{\"n\":4}", "--topic", "other"], "")), "1 accepted\n");
    let client = server.client();
    // Their fields come to be known a moment after they can be read.
    assert_eq!(client.nodes("s", "{ s(last: 9) { nodes { data { n } } } }", 4).len(), 4);
    let document = "query($t: String!) { s(topic: $t, last: 9) { nodes { key topic data { n } } } }";
    let node = |n: u32| format!(r#"{{"key":"a b/ü","topic":"a b/ü","data":{{"n":{n}}}}}"#);
    let expect = format!("{{\"data\":{{\"s\":{{\"nodes\":[{},{},{}]}}}}}}\n", node(1), node(2), node(3));
    assert_eq!(said(run(&["query", document, "--variables", r#"{"t":"a b/ü"}"#], "")), expect);
    let piped = "{ s(topic: \"other\", last: 9) { nodes { data { n } } } }";
    assert_eq!(said(run(&["query"], piped)), "{\"data\":{\"s\":{\"nodes\":[{\"data\":{\"n\":4}}]}}}\n");
    assert_eq!(
        said(run(&["streams"], "")),
        "STREAM  FIELD  TOPIC  TIME     RETENTION\ns       s      key    arrival  30d\n"
    );
    let partitions = said(run(&["streams", "s"], ""));
    let expect =
        "PARTITION             OWNER  LAG  NO CHECKPOINT FOR  BYTES/S  THROTTLED  RETRIED  DEAD LETTERS\n";
    assert!(partitions.starts_with(expect), "{partitions}");
    assert_eq!(partitions.lines().nth(1).unwrap().split_whitespace().count(), 8, "{partitions}");
    let token = said(run(&["token"], ""));
    assert!(
        token.ends_with('\n') && token.trim().split('.').count() == 3 && token.lines().count() == 1,
        "{token}"
    );
    assert!(said(run(&["page"], "")).starts_with(&format!("{}/#code=", server.url())));
    check(
        server.folder(),
        &[
            (&["streams", "none", "--data", &data], "", 1, "", "there is no stream none"),
            (&["publish", "a b", "{}", "--key", "k", "--data", &data], "", 1, "", "may hold only letters"),
            (&["publish", "s", "{\"n\":", "--key", "k", "--data", &data], "", 1, "", "not JSON"),
            (
                &["publish", "s", "--key", "k", "--data", &data],
                "{\"n\":5}\noops\n",
                1,
                "",
                "1 accepted, 1 refused; the first refused is message 1: the message is not JSON",
            ),
            (&["publish", "s", "{}", "--data", &data], "", 1, "", "no partition key"),
            (&["query", "{ nope }", "--data", &data], "", 1, "Cannot query field", "the response has errors"),
            (&["query", "{ me }", "--variables", "x", "--data", &data], "", 1, "", "--variables is not JSON"),
        ],
    );
}

#[test]
fn a_node_that_is_elsewhere_is_named_by_its_address() {
    let server =
        Setup::configured("[[client]]\nid = \"app\"\nsecret_env = \"APP\"\nroles = [\"data.read\"]\n")
            .env("APP", "0123456789abcdef")
            .start();
    let (url, data) = (server.url(), server.data().display().to_string());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["query", "{ me { subject } }", "--url", &url]).current_dir(server.folder());
    command.env("TIDEGATE_CLIENT_ID", "app").env("TIDEGATE_CLIENT_SECRET", "0123456789abcdef");
    let done = crate::support::finish(command, "");
    assert_eq!(done.stdout, "{\"data\":{\"me\":{\"subject\":\"app\"}}}\n", "{done:?}");
    check(
        server.folder(),
        &[
            (&["token", "--url", &url], "", 1, "", "TIDEGATE_CLIENT_ID must hold the client"),
            (
                &["token", "--url", "http://127.0.0.1:1", "--data", &data],
                "",
                1,
                "",
                "no node answers at http://127.0.0.1:1",
            ),
            (
                &["token", "--url", "https://127.0.0.1:1", "--data", &data],
                "",
                1,
                "",
                "no node answers at https://",
            ),
        ],
    );
}

#[test]
fn without_a_node_they_say_how_to_start_one() {
    let mut server = Setup::empty().start();
    let data = server.data().display().to_string();
    let here = server.folder().to_owned();
    let commands = [
        &["token"][..],
        &["page"],
        &["streams"],
        &["publish", "s", "{}"],
        &["query", "{ me }"],
        &["dead-letters", "list", "s"],
    ];
    for command in commands {
        let nowhere = "no node has run with its data in ./tidegate-data or ./tidegate-demo: start one (tidegate --demo)";
        check(&here, &[(command, "", 1, "", nowhere)]);
    }
    server.kill_9();
    for command in commands {
        let arguments = [command, &["--data", &data]].concat();
        check(&here, &[(&arguments, "", 1, "", "start one, or name another by --url or --data")]);
    }
}

#[test]
fn what_is_typed_wrong_is_told() {
    let here = tempfile::tempdir().unwrap();
    check(
        here.path(),
        &[
            (&["--nope"], "", 2, "", "unexpected argument '--nope'"),
            (&["nope"], "", 2, "", "unrecognized subcommand 'nope'"),
            (&["publish"], "", 2, "", "<STREAM>"),
            (&["publish", "s", "{}", "--kye", "k"], "", 2, "", "'--kye'"),
            (&["dead-letters", "replay", "s"], "", 2, "", "<POSITION>"),
            (&["dead-letters", "discard", "s", "p:1", "--all"], "", 2, "", "cannot be used with"),
            (&["--listen", "127.0.0.1:99999"], "", 2, "", "'--listen <ADDR>'"),
            (&["config"], "", 2, "", "reference"),
        ],
    );
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0, "a wrong command leaves nothing behind");
}

#[test]
fn settings_are_checked_and_what_is_wrong_is_named() {
    let here = tempfile::tempdir().unwrap();
    for (text, words) in [
        ("[server]\n\nlitsen = \"x\"\n", &["t.toml", "line 3", "unknown field `litsen`", "`listen`"][..]),
        ("[sever]\n", &["t.toml", "line 1", "unknown field `sever`"]),
        ("[server]\nlisten = 4000\n", &["t.toml", "line 2", "listen"]),
        ("[[stream]]\nname = \"s\"\nretention = \"30\"\n", &["t.toml", "line 3", "unit"]),
        ("[[stream]]\nname = \"s\"\n[[stream]]\nname = \"s\"\n", &["[[stream]] s is configured twice"]),
        ("[ingest]\npartitions_per_stream = 0\n", &["ingest.partitions_per_stream is 0", "1 to 1024"]),
        (
            "[[client]]\nid = \"a\"\nsecret_env = \"NOT_SET\"\nroles = [\"data.read\"]\n",
            &["\"a\"", "NOT_SET"],
        ),
    ] {
        std::fs::write(here.path().join("t.toml"), text).unwrap();
        // A node says the same, and does not start.
        for arguments in [&["config", "check", "--config", "t.toml"][..], &["--config", "t.toml"]] {
            let done = tidegate(here.path(), arguments, "");
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{arguments:?}: {done:?}");
            for word in words {
                assert!(done.stderr.contains(word), "{word:?} is not in {done:?}");
            }
        }
    }
    check(
        here.path(),
        &[(&["config", "check", "--config", "gone.toml"], "", 1, "", "gone.toml can't be read")],
    );
    assert!(!here.path().join("tidegate-data").exists());
}

#[test]
fn the_reference_is_a_configuration_that_can_be_used() {
    let here = tempfile::tempdir().unwrap();
    let reference = tidegate(here.path(), &["config", "reference"], "");
    assert_eq!((reference.code, reference.stderr.as_str()), (Some(0), ""));
    let file = std::fs::read_to_string(repository().join("src/config/default.toml")).unwrap();
    assert_eq!(reference.stdout, file);
    std::fs::write(here.path().join("all.toml"), &file).unwrap();
    let listening = "0 streams, 0 clients, listening on 127.0.0.1:4000\n";
    check(
        here.path(),
        &[
            (&["config", "check", "--config", "all.toml"], "", 0, &format!("all.toml: {listening}"), ""),
            (&["config", "check"], "", 0, &format!("the defaults: {listening}"), ""),
        ],
    );
}

#[test]
fn the_environment_wins_over_the_file() {
    let server = Setup::configured("[server]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"error\"\n")
        .env("TIDEGATE__LOG__LEVEL", "info")
        .env("TIDEGATE__LOG__FORMAT", "json")
        .start();
    let log = server.log();
    let line = log.lines().find(|line| line.contains("ready")).unwrap_or_else(|| panic!("{log}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"ready".into()));
    assert_eq!(line["address"], server.address.to_string());
}

#[test]
fn help_names_every_command_and_option() {
    let here = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["help"]] {
        let done = tidegate(here.path(), arguments, "");
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
        for word in [
            "publish",
            "query",
            "token",
            "page",
            "streams",
            "dead-letters",
            "config",
            "--demo",
            "--config",
            "--data",
            "--listen",
        ] {
            assert!(done.stdout.contains(word), "{word} is not in {}", done.stdout);
        }
    }
    for (command, word) in [
        ("publish", "--key"),
        ("query", "--variables"),
        ("token", "--url"),
        ("page", "--data"),
        ("streams", "--data"),
        ("dead-letters", "tidegate dead-letters replay orders --all"),
        ("config", "reference"),
    ] {
        let done = tidegate(here.path(), &[command, "--help"], "");
        assert!(done.code == Some(0) && done.stdout.contains(word), "{done:?}");
    }
    let version = tidegate(here.path(), &["--version"], "").stdout;
    assert_eq!(version, format!("tidegate {}\n", env!("CARGO_PKG_VERSION")));
}
