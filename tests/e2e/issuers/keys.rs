//! The keys of issuers elsewhere: found when they change, asked for rarely, and used on while nobody answers.

use std::time::Instant;

use serde_json::json;

use super::{REFUSED, accepting, assert_invalid, bearer, claims};
use crate::support::{Issuer, Server, Setup, Socket, SocketEnd, until};

/// Tokens of a flood, and how many senders they come from.
const FLOOD: usize = 200;
const SENDERS: usize = 8;
/// Look-ups of keys that are not known are so far apart, in seconds.
const PAUSE: u64 = 10;

fn status(server: &Server, token: &str) -> u16 {
    bearer(server, token).get("/data").status
}

/// Waits until a token is accepted: its key is looked up once it may be.
fn accepted(what: &str, server: &Server, token: &str) {
    until(what, || status(server, token), |status| (*status == 200).then_some(()));
}

/// Sends tokens of keys that nobody has. While their issuer `is_away`, it may be that nobody can say so.
fn flood(server: &Server, issuer: &Issuer, is_away: bool) {
    let mint =
        |number| issuer.mint(&json!({ "alg": "ES256", "kid": format!("no-{number}") }), &claims(issuer));
    let tokens: Vec<String> = (0..FLOOD).map(mint).collect();
    std::thread::scope(|scope| {
        for tokens in tokens.chunks(FLOOD / SENDERS) {
            scope.spawn(move || {
                for token in tokens {
                    let answer = bearer(server, token).get("/data");
                    if !is_away || answer.status != 503 {
                        assert_invalid("a key that nobody has", &answer, REFUSED);
                    }
                }
            });
        }
    });
}

/// One node for all: each issuer makes it wait for the same ten seconds.
#[tokio::test]
async fn keys_that_change_are_found_and_issuers_that_are_away_are_waited_for() {
    let what = "keys of issuers elsewhere";
    let (Some(kept), Some(dropped), Some(away)) =
        (Issuer::start(what), Issuer::start(what), Issuer::start(what))
    else {
        return;
    };
    let late = away.token("reader");
    away.stop();
    let begin = Instant::now();
    let settings =
        [("kept", &kept), ("dropped", &dropped), ("away", &away)].map(|(name, of)| accepting(name, of));
    let server = Setup::configured(&settings.concat()).start();

    // Whether these are good nobody can say now; others are none the worse for it.
    let answer = bearer(&server, &late).get("/data").expect(503);
    assert_eq!((answer.header("retry-after"), answer.header("www-authenticate")), (Some("10"), None));
    assert_eq!(answer.json()["error"], "issuer_away");
    let refused = Socket::connect(&bearer(&server, &late)).await.unwrap_err();
    assert!(matches!(refused, SocketEnd::Closed(1013, _)), "{refused:?}");
    server.client().get("/data").expect(200);
    for issuer in [&kept, &dropped] {
        assert_eq!(status(&server, &issuer.token("reader")), 200);
        assert_eq!(issuer.key_requests(), 1);
    }

    flood(&server, &kept, false);
    assert!(kept.key_requests() <= 1 + begin.elapsed().as_secs() / PAUSE, "{}", kept.key_requests());

    // Tokens by keys that are old soon, which nobody has shown yet.
    let old = [&kept, &dropped].map(|issuer| issuer.token("reader"));
    kept.rotate(false);
    dropped.rotate(true);
    away.restart();
    accepted("a token by a new key beside an old one", &server, &kept.token("reader"));
    accepted("a token by a new key", &server, &dropped.token("reader"));
    accepted("a token of who was away", &server, &late);
    assert_eq!(status(&server, &old[0]), 200, "its key is there still");
    assert_invalid("a key that was dropped", &bearer(&server, &old[1]).get("/data"), REFUSED);

    // What is known is used on.
    let requests = kept.key_requests();
    assert!(requests <= 1 + begin.elapsed().as_secs() / PAUSE, "{requests}");
    kept.stop();
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let token = kept.mint(&json!({ "alg": algorithm }), &claims(&kept));
        assert_eq!(status(&server, &token), 200, "{algorithm}");
    }
    flood(&server, &kept, true);
    server.client().get("/data").expect(200);
}
