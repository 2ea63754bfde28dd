//! GraphQL requests: documents, variables, arguments.

use serde_json::json;

use super::{GRAPHQL, Row, sent};

/// A document, and its variables as JSON.
fn asked(
    what: &'static str,
    document: impl Into<String>,
    variables: &str,
    verdict: (u16, &str, &str),
) -> Row {
    let body = format!("{{\"query\":{},\"variables\":{variables}}}", json!(document.into()));
    sent(what, GRAPHQL, body, verdict)
}

pub(super) fn graphql() -> Vec<Row> {
    let on = |arguments: &str| format!("{{ data({arguments}) {{ nodes {{ topic }} }} }}");
    let refused = |sentence| (200, "BAD_USER_INPUT", sentence);
    let deep = "[".repeat(20_000) + &"]".repeat(20_000);
    let bomb: String = (0..40)
        .map(|i| format!("fragment F{i} on DataConnection {{ ...F{n} ... {{ ...F{n} }} }} ", n = i + 1))
        .collect();
    let limit = |sentence| (200, "LIMIT_EXCEEDED", sentence);
    let parse = |sentence| (200, "GRAPHQL_PARSE_FAILED", sentence);
    vec![
        sent(
            "no `query`",
            GRAPHQL,
            "{\"qeury\":\"{ me { subject } }\"}",
            (
                400,
                "BAD_REQUEST",
                "the body is not a GraphQL request: unknown field `qeury`, expected one of `query`, `operationName`, `variables`, `extensions` at line 1 column 8; expected a JSON object with query, and perhaps variables and operationName",
            ),
        ),
        sent(
            "cut short",
            GRAPHQL,
            "{\"query\":",
            (400, "BAD_REQUEST", "the request body is not JSON: expected a JSON value at byte 9"),
        ),
        sent(
            "a variable twice",
            GRAPHQL,
            "{\"query\":\"{ me { subject } }\",\"variables\":{\"a\":1,\"\\u0061\":2}}",
            (
                400,
                "BAD_REQUEST",
                "the body is not a GraphQL request: the variable \"a\" appears twice at line 1 column 60; expected a JSON object with query, and perhaps variables and operationName",
            ),
        ),
        asked(
            "a variable 20,000 levels deep",
            "query($t: [String!]) { data(topics: $t) { nodes { topic } } }",
            &format!("{{\"t\":{deep}}}"),
            refused("variable $t can't be read: recursion limit exceeded at line 1 column 128"),
        ),
        asked(
            "a variable of another type",
            "query($n: Int) { data(first: $n) { nodes { topic } } }",
            "{\"n\":\"many\"}",
            refused("could not coerce variable n: \"many\" to type Int"),
        ),
        asked(
            "a variable that is missing",
            "query($n: Int!) { data(first: $n) { nodes { topic } } }",
            "{}",
            refused("missing value for non-null variable 'n'"),
        ),
        asked("`first: 0`", on("first: 0"), "{}", refused("first is 0, and must be from 1 to 10000")),
        asked("`last: -1`", on("last: -1"), "{}", refused("last is -1, and must be from 1 to 10000")),
        asked(
            "`first: 10001`",
            on("first: 10001"),
            "{}",
            refused("first is 10001, and must be from 1 to 10000"),
        ),
        asked(
            "`first` and `last` at once",
            on("first: 1, last: 1"),
            "{}",
            refused("give first or last, not both"),
        ),
        asked(
            "`from: \"yesterday\"`",
            on("from: \"yesterday\""),
            "{}",
            refused(
                "from: \"yesterday\" is not a time: expected ISO 8601, such as 2020-06-01T00:00:24Z, or now-15m (units s m h d w)",
            ),
        ),
        asked(
            "`from` in the year 0",
            on("from: \"0000-01-01T00:00:00Z\""),
            "{}",
            refused(
                "from: \"0000-01-01T00:00:00Z\" is not a time: expected ISO 8601, such as 2020-06-01T00:00:24Z, or now-15m (units s m h d w)",
            ),
        ),
        asked("`to` in the year 9999", on("to: \"9999-12-31T23:59:59Z\""), "{}", (200, "", "")),
        asked("`from` behind `to`: an empty page", on("from: \"now\", to: \"now-1h\""), "{}", (200, "", "")),
        asked("an empty document", "", "{}", parse("syntax error: Unexpected <EOF>.")),
        asked(
            "a document of 20,000 tokens",
            format!("{{ data {{ nodes {{ {} }} }} }}", "topic ".repeat(20_000)),
            "{}",
            limit(
                "the document has more than 10000 tokens, which is the most that is read: ask for less at once",
            ),
        ),
        asked(
            "selections 1,000 levels deep",
            format!("{}{}", "{ data ".repeat(1_000), "}".repeat(1_000)),
            "{}",
            limit(
                "the document has more than 120 levels, which is the most that is read: ask for less at once",
            ),
        ),
        asked(
            "fragments that stand for billions of fields",
            format!("{{ data {{ ...F0 }} }} {bomb} fragment F40 on DataConnection {{ nodes {{ topic }} }}"),
            "{}",
            limit(
                "the document has 2199023255553 fields once its fragments are resolved, and at most 5000 are answered",
            ),
        ),
        asked(
            "21 root fields",
            format!("{{ {} }}", (0..21).map(|i| format!("a{i}: __typename ")).collect::<String>()),
            "{}",
            limit("the operation has 21 root fields, and at most 20 are answered"),
        ),
        asked(
            "257 topics",
            on(&format!("topics: [{}]", (0..257).map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(","))),
            "{}",
            limit("more than 256 topics would be read: name some by topic or topics, or narrow from and to"),
        ),
    ]
}
