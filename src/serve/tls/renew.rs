//! A certificate that is renewed while the node runs: what the files hold is looked at again and again, and taken once it is whole.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;

use super::newest::Newest;
use super::pair::Pair;
use crate::config::TlsSettings;

/// How often the files are looked at. By what they hold: a time in a file system may stay when a file is replaced.
const PAUSE: Duration = Duration::from_secs(2);

/// What was seen of the files.
pub(super) struct Renewal {
    settings: TlsSettings,
    provider: Arc<CryptoProvider>,
    newest: Arc<Newest>,
    /// What connections are made with.
    used: Pair,
    /// What can't be used, and whether that was told.
    unusable: Option<(Result<Pair, String>, bool)>,
}

/// What came of a look.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Nothing,
    Renewed,
    /// For the log, once.
    Unusable(String),
}

impl Renewal {
    pub(super) fn new(
        settings: TlsSettings,
        provider: Arc<CryptoProvider>,
        newest: Arc<Newest>,
        used: Pair,
    ) -> Self {
        Self { settings, provider, newest, used, unusable: None }
    }

    /// Looks for as long as it is polled.
    pub(super) async fn follow(mut self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let settings = self.settings.clone();
            // A file system may take its time.
            let read = tokio::task::spawn_blocking(move || Pair::read(&settings)).await;
            let Ok(read) = read else { continue };
            match self.look(read) {
                Look::Nothing => {}
                Look::Renewed => {
                    let cert = self.settings.cert.display();
                    tracing::info!(%cert, "the certificate was renewed: connections from now on are made with the new one");
                }
                Look::Unusable(reason) => {
                    tracing::warn!(reason, "the new certificate can't be used: the one before is kept");
                }
            }
        }
    }

    fn look(&mut self, read: Result<Pair, String>) -> Look {
        if read.as_ref() == Ok(&self.used) {
            self.unusable = None;
            return Look::Nothing;
        }
        let server = match &read {
            Ok(pair) => pair.server(&self.settings, &self.provider).map(|server| (pair.clone(), server)),
            Err(reason) => Err(reason.clone()),
        };
        let reason = match server {
            Ok((pair, server)) => {
                self.newest.set(server);
                self.used = pair;
                self.unusable = None;
                return Look::Renewed;
            }
            Err(reason) => reason,
        };
        match &mut self.unusable {
            Some((seen, told)) if *seen == read => match std::mem::replace(told, true) {
                true => Look::Nothing,
                false => Look::Unusable(reason),
            },
            // Two files can't be replaced at once: what is not whole now may be at the next look.
            other => {
                *other = Some((read, false));
                Look::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};
    use rustls::crypto::aws_lc_rs;
    use tempfile::TempDir;

    use super::*;

    fn write(folder: &TempDir, cert: &str, key: &str) {
        fs::write(folder.path().join("cert.pem"), cert).unwrap();
        fs::write(folder.path().join("key.pem"), key).unwrap();
    }

    fn made() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        (cert.pem(), key.serialize_pem())
    }

    #[test]
    fn whole_pairs_are_taken_and_broken_ones_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name| folder.path().join(name);
        let settings =
            TlsSettings { cert: file("cert.pem"), key: file("key.pem"), ca: std::path::PathBuf::new() };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let ((cert, key), (next_cert, next_key)) = (made(), made());
        write(&folder, &cert, &key);
        let pair = Pair::read(&settings).unwrap();
        let newest = Arc::new(Newest::new(pair.server(&settings, &provider).unwrap()));
        let mut renewal = Renewal::new(settings.clone(), provider, newest.clone(), pair);
        let mut look = || renewal.look(Pair::read(&settings));
        let first = newest.get();
        assert_eq!(look(), Look::Nothing);

        // The certificate comes before its key; nobody hears of it.
        write(&folder, &next_cert, &key);
        assert_eq!(look(), Look::Nothing);
        assert!(Arc::ptr_eq(&newest.get(), &first));
        write(&folder, &next_cert, &next_key);
        assert_eq!(look(), Look::Renewed);
        let second = newest.get();
        assert!(!Arc::ptr_eq(&second, &first));
        assert_eq!(look(), Look::Nothing);

        for (cert, key, reason) in [
            (cert.as_str(), next_key.as_str(), "key.pem, which does not go with"),
            (&next_cert[..next_cert.len() / 2], &next_key, "cert.pem, which is not whole"),
            ("", &next_key, "cert.pem, which holds no certificate"),
            (&next_cert, &next_key[..next_key.len() / 2], "key.pem, which is not whole"),
            (&next_cert, &next_cert, "key.pem, which holds no private key"),
        ] {
            write(&folder, cert, key);
            assert_eq!(look(), Look::Nothing);
            let Look::Unusable(told) = look() else { panic!("{reason:?} was not told") };
            assert!(told.contains(reason) && told.starts_with("tls."), "{told}");
            assert!(!told.contains("BEGIN") && look() == Look::Nothing, "{told}");
        }
        fs::remove_file(&settings.key).unwrap();
        assert_eq!(look(), Look::Nothing);
        assert!(matches!(look(), Look::Unusable(told) if told.contains("can't be read")));
        assert!(Arc::ptr_eq(&newest.get(), &second));

        write(&folder, &cert, &key);
        assert_eq!(look(), Look::Renewed);
        assert!(!Arc::ptr_eq(&newest.get(), &second));
    }
}
