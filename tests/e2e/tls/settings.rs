//! What is refused at the start, with the setting and the file.

use std::path::Path;

use crate::support::tls::Authority;
use crate::support::{bare, finish};

fn refused(here: &Path, settings: &[(&str, &Path)]) -> String {
    let mut command = bare();
    command.args(["--listen", "127.0.0.1:0"]).current_dir(here);
    command
        .envs(settings.iter().map(|(name, value)| (format!("TIDEGATE__TLS__{name}"), value.to_path_buf())));
    let done = finish(command, "");
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert!(!done.stderr.contains("BEGIN"), "{}", done.stderr);
    done.stderr
}

#[test]
fn certificate_and_key_are_there_and_belong_together() {
    let (authority, here) = (Authority::new(), tempfile::tempdir().unwrap());
    let (cert, key) = (authority.file("cert.pem"), authority.file("key.pem"));
    let file = |name: &str, text: &str| {
        let path = here.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let whole = std::fs::read_to_string(&key).unwrap();
    let (nothing, half) = (file("nothing", ""), file("half", &whole[..whole.len() / 2]));
    // Whatever stands in the line that is wrong is not shown.
    let odd = file("odd", "-----BEGIN EC PRIVATE KEY-- 5ecre7\n");
    let other = file("other", &authority.certify().1);
    let missing = here.path().join("missing");
    for (settings, parts) in [
        (vec![("CERT", cert.as_path())], vec!["tls.cert and tls.key go together"]),
        (vec![("KEY", &key)], vec!["tls.cert and tls.key go together"]),
        (vec![("CA", &cert)], vec!["tls.ca is set, and TLS is off"]),
        (vec![("CERT", &missing), ("KEY", &key)], vec!["tls.cert names", "missing, which can't be read"]),
        (vec![("CERT", &cert), ("KEY", &missing)], vec!["tls.key names", "missing, which can't be read"]),
        (vec![("CERT", &nothing), ("KEY", &key)], vec!["tls.cert names", "which holds no certificate"]),
        (vec![("CERT", &key), ("KEY", &key)], vec!["tls.cert names", "which holds no certificate"]),
        (vec![("CERT", &cert), ("KEY", &cert)], vec!["tls.key names", "which holds no private key"]),
        (vec![("CERT", &cert), ("KEY", &half)], vec!["tls.key names", "half, which is not whole"]),
        (vec![("CERT", &cert), ("KEY", &odd)], vec!["tls.key names", "odd, which is not whole"]),
        (
            vec![("CERT", &cert), ("KEY", &other)],
            vec!["tls.key names", "other, which does not go with", "cert.pem"],
        ),
    ] {
        let told = refused(here.path(), &settings);
        assert!(parts.iter().all(|part| told.contains(part)), "{parts:?}: {told}");
        assert!(!told.contains("5ecre7"), "{told}");
    }
    assert!(!here.path().join("tidegate-data").exists(), "it is refused before anything is written");
}
