//! The table of settings: configurations that can't be used, and what is said about each.

use crate::support::tidegate;

/// A file, and the words that its refusal holds, in their order.
pub(super) struct Setting {
    pub(super) what: &'static str,
    pub(super) text: &'static str,
    pub(super) words: &'static [&'static str],
}

pub(super) fn table() -> Vec<Setting> {
    let row = |what, text, words| Setting { what, text, words };
    vec![
        row(
            "an unknown key",
            "[server]\nlitsen = \"127.0.0.1:4000\"\n",
            &["line 2", "unknown field `litsen`", "expected one of", "`listen`"],
        ),
        row("an unknown section", "[sever]\n", &["line 1", "unknown field `sever`", "`server`"]),
        row("a key twice", "[log]\nlevel = \"info\"\nlevel = \"warn\"\n", &["line 3", "duplicate key"]),
        row(
            "a number for a text",
            "[server]\nlisten = 4000\n",
            &["line 2", "listen", "integer `4000`", "expected"],
        ),
        row(
            "a text for a number",
            "[server]\ndrain_ms = \"25s\"\n",
            &["line 2", "drain_ms", "string \"25s\"", "expected"],
        ),
        row(
            "a number below its range",
            "[limits]\njson_depth = -1\n",
            &["line 2", "json_depth", "integer `-1`", "expected"],
        ),
        row(
            "a number that is too small",
            "[ingest]\npartitions_per_stream = 0\n",
            &["ingest.partitions_per_stream is 0: expected a number from 1 to 1024"],
        ),
        row(
            "less room for all bodies than for one",
            "[limits]\nbodies_bytes = 1048576\n",
            &["limits.bodies_bytes is 1048576: expected at least 8388608, which one body alone may have"],
        ),
        row(
            "no time for the head of a request",
            "[server]\nheader_ms = 0\n",
            &["server.header_ms is 0: expected a number from 1 to 1000000000"],
        ),
        row(
            "a length of time without its unit",
            "[[stream]]\nname = \"s\"\nretention = \"30\"\n",
            &["line 3", "retention", "\"30\" is not a length of time: expected a number with a unit"],
        ),
        row(
            "a topic rule that is none",
            "[[stream]]\nname = \"s\"\ntopic = \"partition\"\n",
            &[
                "line 3",
                "topic",
                "\"partition\" is not a topic rule: expected key, caller, a JSON pointer such as /topic, or constant:NAME",
            ],
        ),
        row(
            "a stream's name with a space",
            "[[stream]]\nname = \"a b\"\n",
            &["line 2", "name", "stream name \"a b\" may hold only letters"],
        ),
        row("no TOML", "[server\n", &["line 1"]),
        row("NUL in the file", "[server]\nlisten = \"\0\"\n", &["line 2"]),
    ]
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_by_check_and_start_alike() {
    let here = tempfile::tempdir().unwrap();
    let check = |file: &str, words: &[&str], what: &str| {
        for arguments in [&["config", "check", "--config", file][..], &["--config", file]] {
            let done = tidegate(here.path(), arguments, "");
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{what} {arguments:?}: {done:?}");
            let mut rest = done.stderr.as_str();
            // A value that is right by its type is refused after the file was joined with the environment.
            let named = if words[0].contains(" is ") { None } else { Some(file) };
            for word in named.into_iter().chain(words.iter().copied()) {
                let Some((_, after)) = rest.split_once(word) else {
                    panic!("{what}: {word:?} is not where it should be in {:?}", done.stderr);
                };
                rest = after;
            }
            assert!(!done.stderr.contains("panicked"), "{what}: {done:?}");
        }
    };
    for row in table() {
        std::fs::write(here.path().join("t.toml"), row.text).unwrap();
        check("t.toml", row.words, row.what);
    }
    check("gone.toml", &["can't be read", "No such file"], "a missing file");
    std::fs::create_dir(here.path().join("folder.toml")).unwrap();
    check("folder.toml", &["can't be read"], "a folder");
    std::fs::write(here.path().join("latin.toml"), b"[log]\nlevel = \"\xff\"\n").unwrap();
    check("latin.toml", &["can't be read"], "no UTF-8");
    assert!(!here.path().join("tidegate-data").exists(), "nothing was begun");
}
