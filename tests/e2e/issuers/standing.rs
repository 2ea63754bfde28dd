//! An issuer that is asked whether it still stands by its tokens: oidc-provider, of which some are taken back.

use serde_json::json;

use super::{REFUSED, accepting, assert_invalid, bearer, claims};
use crate::support::{Client, ISSUER_SECRET as SECRET, Issuer, Server, Setup, until};

/// A node that asks `issuer` about each token every so many seconds.
fn asking(issuer: &Issuer, more: &str) -> Server {
    let introspect =
        format!("introspect = {{ client_id = \"gateway\", secret_env = \"GATEWAY_SECRET\", {more} }}\n");
    let settings = format!("{}{introspect}", accepting("corp", issuer));
    Setup::configured(&settings).env("GATEWAY_SECRET", SECRET).start()
}

fn becomes(what: &str, client: &Client, status: u16) {
    until(what, || client.get("/data").status, |is| (*is == status).then_some(()));
}

#[test]
fn a_token_that_is_taken_back_is_refused() {
    let Some(issuer) = Issuer::start("tokens that are asked about") else { return };
    let server = asking(&issuer, "seconds = 1");
    let (kept, taken) = (bearer(&server, issuer.token("reader")), bearer(&server, issuer.token("writer")));
    for client in [&kept, &taken] {
        client.get("/data").expect(200);
    }
    issuer.revoke(&taken.token);
    becomes("the token that was taken back", &taken, 401);
    assert_invalid("what was taken back", &taken.get("/data"), REFUSED);
    kept.get("/data").expect(200);
    // The signature is good, and the issuer knows nothing of it.
    let minted = bearer(&server, issuer.mint(&json!({}), &claims(&issuer)));
    assert_invalid("what was never given", &minted.get("/data"), REFUSED);
    let log = server.log();
    assert!(!log.contains(SECRET) && !log.contains(taken.token.rsplit('.').next().unwrap()), "{log}");
}

#[test]
fn it_is_asked_once_however_many_want_to_know() {
    let Some(issuer) = Issuer::start("how often an issuer is asked about tokens") else { return };
    let server = asking(&issuer, "seconds = 30");
    let reader = bearer(&server, issuer.token("reader"));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..20).map(|_| scope.spawn(|| reader.get("/data").status)).collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    assert_eq!((statuses, issuer.introspections()), (vec![200; 20], 1));
}

#[test]
fn while_it_is_away_tokens_are_refused_or_accepted_as_the_settings_say() {
    let Some(issuer) = Issuer::start("issuers that can't be asked about tokens") else { return };
    let closed = asking(&issuer, "seconds = 1");
    let open = asking(&issuer, "seconds = 1, on_failure = \"open\"");
    let [careful, easy] = [&closed, &open].map(|server| bearer(server, issuer.token("reader")));
    for client in [&careful, &easy] {
        client.get("/data").expect(200);
    }
    issuer.stop();
    becomes("a token that nobody can say anything of", &careful, 503);
    assert_eq!(careful.get("/data").header("retry-after"), Some("10"));
    let asked = || {
        easy.get("/data").expect(200);
        open.log()
    };
    until("the node that is easy", asked, |log| {
        log.contains("can't be asked about its tokens").then_some(())
    });
    easy.get("/data").expect(200);
    issuer.restart();
    becomes("the token once its issuer is back", &careful, 200);
    // Who is not let in to ask gets no answer.
    let settings = format!(
        "{}introspect = {{ client_id = \"gateway\", secret_env = \"GATEWAY_SECRET\" }}\n",
        accepting("corp", &issuer)
    );
    let wrong = Setup::configured(&settings).env("GATEWAY_SECRET", "another-secret").start();
    bearer(&wrong, issuer.token("reader")).get("/data").expect(503);
    assert!(wrong.log().contains("status 401"), "{}", wrong.log());
}
