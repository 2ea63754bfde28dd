//! The table of messages: what each is, and what every route says to it.

use super::routes::{Route, Said};

/// A message, and the verdict on it.
pub(super) struct Message {
    /// For people.
    pub(super) what: String,
    pub(super) bytes: Vec<u8>,
    /// As GraphQL writes it, where it can.
    pub(super) literal: Option<String>,
    pub(super) verdict: Said,
    /// Whether the JSON around it breaks with it.
    pub(super) breaks: bool,
    /// Where a route can't but say something else, and why.
    pub(super) otherwise: Option<Otherwise>,
}

/// What some routes say instead.
pub(super) struct Otherwise {
    pub(super) routes: &'static [Route],
    pub(super) verdict: Said,
    pub(super) why: &'static str,
    /// What of it is kept all the same.
    pub(super) kept: Option<&'static str>,
}

const LITERAL: &[Route] = &[Route::Literal];
const GRAMMAR: &str = "GraphQL's own grammar refuses it first";
const BAD: (u16, &str) = (400, "bad_json");

fn good(what: &str, bytes: impl Into<Vec<u8>>) -> Message {
    let verdict = Said::accepted();
    Message { what: what.into(), bytes: bytes.into(), literal: None, verdict, breaks: false, otherwise: None }
}

fn bad(what: &str, bytes: impl Into<Vec<u8>>, sentence: &str) -> Message {
    Message { verdict: Said::new(BAD.0, BAD.1, sentence), ..good(what, bytes) }
}

/// What is not even JSON.
fn not_json(what: &str, bytes: impl Into<Vec<u8>>, expected: &str) -> Message {
    Message { breaks: true, ..bad(what, bytes, &format!("the message is not JSON: expected {expected}")) }
}

impl Message {
    fn literal(mut self, text: &str) -> Self {
        self.literal = Some(text.into());
        self
    }

    fn but(mut self, routes: &'static [Route], verdict: Said, why: &'static str) -> Self {
        self.otherwise = Some(Otherwise { routes, verdict, why, kept: None });
        self
    }
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

/// A message of `bytes` bytes.
fn sized(bytes: usize) -> String {
    format!("{{\"x\":\"{}\"}}", "x".repeat(bytes - 8))
}

/// The groups of the page, each with its messages.
pub(super) fn groups() -> Vec<(&'static str, Vec<Message>)> {
    vec![
        ("What is no JSON", grammar()),
        ("Bytes and characters", characters()),
        ("Names", names()),
        ("Numbers", numbers()),
        ("Depth and size", sizes()),
        ("Surprising, and good", surprises()),
    ]
}

fn grammar() -> Vec<Message> {
    let mut two = not_json("two documents: `{} {}`", "{} {}", "the end of the message at byte 3");
    two.otherwise = Some(Otherwise {
        routes: &[Route::List],
        verdict: Said::new(400, "bad_json", "the request body is not a JSON list of messages"),
        why: "the list breaks at the second; what came before is taken, and the answer counts it as `accepted`",
        kept: Some("{}"),
    });
    vec![
        not_json("a comma too many: `{\"a\":1,}`", "{\"a\":1,}", "a name in quotes, or } at byte 7"),
        not_json("single quotes: `{'a':1}`", "{'a':1}", "a name in quotes, or } at byte 1"),
        not_json("a name without quotes: `{a:1}`", "{a:1}", "a name in quotes, or } at byte 1"),
        not_json("cut short: `{\"a\":`", "{\"a\":", "a JSON value at byte 5"),
        not_json("an open string: `\"open`", "\"open", "'\"' at the end of a string at byte 5"),
        two,
        not_json("a leading zero: `{\"a\":01}`", "{\"a\":01}", "',' or '}' at byte 6"),
        not_json("`NaN`", "{\"a\":NaN}", "a JSON value at byte 5"),
        not_json("`Infinity`", "{\"a\":-Infinity}", "a digit at byte 6"),
        not_json("a comment", "{/**/}", "a name in quotes, or } at byte 1"),
        not_json("an unknown escape: `\"\\x41\"`", "{\"a\":\"\\x41\"}", "a known escape at byte 6"),
    ]
}

fn characters() -> Vec<Message> {
    let not_utf8 = Said::new(400, "bad_json", "the request body is not UTF-8");
    const AROUND: &[Route] = &[Route::Record, Route::Records, Route::Variable];
    vec![
        bad(
            "invalid UTF-8: byte FF in a string",
            b"{\"a\":\"\xff\"}",
            "the message is not UTF-8 (at byte 6): JSON must be sent as UTF-8",
        )
        .but(AROUND, not_utf8, "the same is said of the request's body, at that body's byte"),
        not_json(
            "a byte order mark",
            "\u{feff}{\"n\":1}",
            "a JSON value without a byte order mark before it at byte 0",
        ),
        not_json(
            "NUL in a string, as it is",
            "{\"a\":\"\0\"}",
            "a control character to be escaped at byte 6",
        ),
        not_json("NUL between values", "{\"a\":\0}", "a JSON value at byte 5"),
        good("NUL in a string, escaped: `\"\\u0000\"`", "{\"nul\":\"\\u0000\"}").literal("{nul:\"\\u0000\"}"),
        bad(
            "half a surrogate pair: `\"\\ud800\"`",
            "{\"a\":\"\\ud800\"}",
            "the escape at byte 6 is half of a surrogate pair: it means no character",
        )
        .literal("{a:\"\\ud800\"}")
        .but(LITERAL, Said::new(200, "", "unpaired surrogate"), GRAMMAR),
        bad(
            "a pair in the wrong order: `\"\\udc00\\ud800\"`",
            "{\"a\":\"\\udc00\\ud800\"}",
            "the escape at byte 6 is half of a surrogate pair: it means no character",
        ),
        bad(
            "half a pair in a name",
            "{\"\\ud800\":1}",
            "the escape at byte 2 is half of a surrogate pair: it means no character",
        ),
        good("a whole pair: `\"\\ud83d\\ude00\"`", "{\"pair\":\"\\ud83d\\ude00\"}"),
    ]
}

fn names() -> Vec<Message> {
    let twice = |name: &str, at: usize| {
        format!("the name {name:?} appears twice in one object (at byte {at}): names must be unique")
    };
    vec![
        bad("a name twice: `{\"a\":1,\"a\":2}`", "{\"a\":1,\"a\":2}", &twice("a", 7))
            .literal("{a:1,a:2}")
            .but(LITERAL, Said::new(200, "", "a"), GRAMMAR),
        bad("behind an escape: `{\"a\":1,\"\\u0061\":2}`", "{\"a\":1,\"\\u0061\":2}", &twice("a", 7)),
        bad("deeper down", "[{\"o\":[{\"é\":1,\"\\u00e9\":2}]}]", &twice("é", 15)),
        good("the same name at two levels", "{\"a\":{\"a\":1}}").literal("{a:{a:1}}"),
        good("an empty name: `{\"\":1}`", "{\"\":1}"),
        good("a name of 300 bytes: stored; too long for the schema, so found in `raw` only", {
            format!("{{\"{}\":1}}", "n".repeat(300))
        }),
    ]
}

fn numbers() -> Vec<Message> {
    let digits = format!("{{\"digits\":{}}}", "7".repeat(1_000));
    vec![
        good("2^53+1: every digit is kept", "{\"n\":9007199254740993}").literal("{n:9007199254740993}"),
        good("1e400: kept; a field error only where it is selected as `Float`", "{\"f\":1e400}")
            .literal("{f:1e400}"),
        good("a huge exponent: `1e-999999999`", "{\"f\":1e-999999999}").literal("{f:1e-999999999}"),
        good("an integer of 1,000 digits", digits.clone()).literal(&digits.replace('"', "")),
        good("`-0`: the sign is kept", "{\"n\":-0}").literal("{n:-0}"),
    ]
}

fn sizes() -> Vec<Message> {
    let too_large = |bytes: usize| {
        let sentence = format!("the message is {bytes} bytes long, and at most 1048576 are accepted");
        Said::new(413, "too_large", sentence)
    };
    let body = "the request body is larger than 8388608 bytes, which is the most that is accepted: send the messages in several requests";
    const AROUND: &[Route] = &[
        Route::Record,
        Route::RecordBase64,
        Route::Records,
        Route::RecordsBase64,
        Route::List,
        Route::Variable,
    ];
    let deep = "the message nests deeper than 128 levels (at byte 128)";
    vec![
        good("128 levels", nested(128)).literal(&nested(128)).but(
            LITERAL,
            Said::new(200, "", "more than 120 levels"),
            GRAMMAR,
        ),
        bad("129 levels", nested(129), deep),
        bad("20,000 levels", nested(20_000), deep),
        bad("20,000 levels of objects", format!("{}1{}", "{\"a\":".repeat(20_000), "}".repeat(20_000)), {
            "the message nests deeper than 128 levels (at byte 640)"
        }),
        good("1 MiB", sized(1 << 20)),
        Message { verdict: too_large((1 << 20) + 1), ..good("1 MiB and a byte", sized((1 << 20) + 1)) },
        Message { verdict: too_large(8 << 20), ..good("8 MiB", sized(8 << 20)) }.but(
            AROUND,
            Said::new(413, "too_large", body),
            "with what is around it, the body is larger than a body may be",
        ),
    ]
}

fn surprises() -> Vec<Message> {
    const NULL: &str = "its argument is declared never to be null";
    vec![
        good("white space around a message: it is no part of it", " \t{\"w\":1}\r "),
        good("a line feed between values", "{\"lf\":\n1}").but(
            &[Route::Lines],
            Said::new(400, "bad_json", "the message is not JSON"),
            "a line is a message there, and neither half is JSON",
        ),
        good("a number alone: `17`", "17").literal("17"),
        good("`{}`", "{}").literal("{}"),
        good("an array: `[1,\"two\"]`", "[1,\"two\"]").literal("[1,\"two\"]"),
        good("`null`", "null").literal("null").but(
            &[Route::Variable, Route::Literal],
            Said::new(200, "BAD_USER_INPUT", ""),
            NULL,
        ),
        good("a text alone: `\"hello\"`", "\"hello\"").literal("\"hello\"").but(
            &[Route::Record, Route::Records],
            Said::new(400, "bad_request", "Data is a text that is not base64"),
            "a text as `Data` is read as base64: send the base64 of `\"hello\"`, quotes included",
        ),
    ]
}
