//! Bad input, and input that only looks bad: one table, of which `docs/bad-input.md` is made, and which every row of is sent
//! to a real server. `UPDATE=1` writes the page anew.

mod memory;
mod messages;
mod page;
mod places;
mod requests;
mod routes;
mod settings;

use std::collections::HashMap;

use messages::Message;
use routes::{ROUTES, Route, Said};

use crate::support::{MEMORY_MAX, Setup};

/// What a route has to say to a message.
fn expected(message: &Message, route: Route) -> Said {
    match &message.otherwise {
        Some(otherwise) if otherwise.routes.contains(&route) => otherwise.verdict.clone(),
        _ => message.verdict.clone(),
    }
}

#[track_caller]
fn assert_said(message: &Message, route: Route, said: &Said) {
    let what = format!("{} by {route:?}", message.what);
    let expect = expected(message, route);
    let is_other = expect != message.verdict;
    if message.breaks && (route.is_json_around() || route == Route::List) {
        // The message ends wherever the JSON around it breaks, so the byte is that of the body.
        let all = [
            "the request body is not JSON: expected ",
            "the request body is not a JSON list of messages: expected ",
        ];
        let is_around =
            all.iter().any(|start| said.sentence.starts_with(start)) && said.sentence.contains(" at byte ");
        assert!(said.status == 400 && (is_around || said.sentence == expect.sentence), "{what}: {said:?}");
        return;
    }
    if expect.is_accepted() && !is_other {
        assert_eq!((said, said.status), (&Said::accepted(), 200), "{what}");
        return;
    }
    assert!(!said.is_accepted(), "{what} was accepted");
    assert!(
        !said.sentence.contains('\n') && said.sentence.len() < 300,
        "{what}: no clear sentence: {said:?}"
    );
    match is_other {
        true => assert!(said.sentence.contains(&expect.sentence), "{what}: {said:?}"),
        false => assert_eq!(said.sentence, expect.sentence, "{what}"),
    }
    match route {
        // Each record has its own result, in an answer that is well.
        Route::Records | Route::RecordsBase64 if said.status == 200 => {
            assert_eq!(said.code, expect.code, "{what}");
        }
        _ if route.is_graphql() => assert_ne!(said.code, "INTERNAL", "{what}"),
        _ => assert_eq!((said.status, &said.code), (expect.status, &expect.code), "{what}"),
    }
}

#[test]
fn every_route_gives_every_message_the_same_verdict() {
    let server = Setup::empty().start();
    let client = server.client();
    let mut accepted: HashMap<&str, Vec<String>> = HashMap::new();
    for message in messages::groups().iter().flat_map(|(_, messages)| messages) {
        for route in ROUTES {
            let literal = match (route, &message.literal) {
                (Route::Literal, None) => continue,
                (_, literal) => literal.as_deref().unwrap_or_default(),
            };
            let said = route.send(&client, &message.bytes, literal);
            assert_said(message, route, &said);
            let otherwise = message.otherwise.as_ref().filter(|otherwise| otherwise.routes.contains(&route));
            let kept = match said.is_accepted() {
                true => Some(String::from_utf8(message.bytes.clone()).unwrap().trim().to_owned()),
                false => otherwise.and_then(|otherwise| otherwise.kept).map(Into::into),
            };
            accepted.entry(route.stream()).or_default().extend(kept);
        }
    }
    for route in ROUTES {
        let expect = &accepted[route.stream()];
        let kept = client.raws(route.stream(), expect.len());
        assert!(
            kept == *expect,
            "{route:?}: nothing bad was stored, and what was accepted came back byte for byte"
        );
    }
    let of = client.graphql("{ streams { name } }")["streams"].as_array().map_or(0, Vec::len);
    assert_eq!(of, ROUTES.len(), "nothing but what was accepted made a stream");
    let (grown, limit) = (server.resident_bytes(), MEMORY_MAX);
    assert!(grown < limit, "the server holds {grown} bytes");
}

#[test]
fn every_request_gets_its_verdict() {
    let server = Setup::empty().start();
    let client = server.client();
    client.post("/data", routes::JSON, "{}").expect(200);
    client.raws("data", 1);
    let mut wrong = Vec::new();
    for row in requests::groups().iter().flat_map(|(_, rows)| rows) {
        let said = Said::of(&(row.send)(&client));
        if said != row.verdict {
            wrong.push(format!("{}: {said:#?}", row.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.get("/healthz").expect(200);
}
