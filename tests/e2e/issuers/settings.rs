//! Settings of issuers that can't be used: the program ends, and says which it is.

use crate::support::tidegate;

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("tidegate.toml");
    let (near, audience) = ("http://127.0.0.1:9", "audiences = [\"tidegate\"]");
    for (url, more, sentence) in [
        (
            "http://login.example.com",
            audience.to_owned(),
            "issuer.url of \"corp\" is \"http://login.example.com\": expected https://HOST/…, or http:// on this machine",
        ),
        (
            near,
            format!("{audience}\nalgorithms = [\"RS256\", \"HS256\"]"),
            "issuer.algorithms of \"corp\" is \"HS256\": expected RS256, ",
        ),
        (
            near,
            String::new(),
            "issuer.audiences of \"corp\" is \"[]\": expected whom tokens for this node are for",
        ),
        (
            near,
            format!("{audience}\nintrospect = {{ client_id = \"a\", secret_env = \"NOT_THERE\" }}"),
            "issuer.introspect.secret_env of \"corp\" is \"NOT_THERE\": expected an environment variable that is set",
        ),
        (
            near,
            format!("{audience}\nintrospect = {{ client_id = \"a\", secret_env = \"PATH\", seconds = 31 }}"),
            "issuer.introspect.seconds of \"corp\" is \"31\": expected 1 to 30",
        ),
        (
            near,
            format!(
                "{audience}\n[[issuer]]\nname = \"corp\"\nurl = \"https://login.example.com\"\n{audience}"
            ),
            "there are two issuers of the name \"corp\": each needs its own",
        ),
    ] {
        std::fs::write(&file, format!("[[issuer]]\nname = \"corp\"\nurl = \"{url}\"\n{more}\n")).unwrap();
        let done = tidegate(here.path(), &["--config", "tidegate.toml", "--listen", "127.0.0.1:0"], "");
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{sentence}: {done:?}");
        assert!(done.stderr.contains(sentence) && !done.stderr.contains("panicked"), "{}", done.stderr);
    }
}
