//! TLS of our own: `[tls]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How clients are spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsSettings {
    /// PEM file of the certificate, with the authorities between; empty: plain HTTP.
    pub(crate) cert: PathBuf,
    /// PEM file of its key.
    pub(crate) key: PathBuf,
    /// PEM file of the authorities by which the commands on this machine know it; empty: those that the system trusts.
    pub(crate) ca: PathBuf,
}

impl TlsSettings {
    /// Whether clients are spoken to over TLS.
    pub(crate) fn is_on(&self) -> bool {
        !self.cert.as_os_str().is_empty()
    }

    /// The file of the authorities, for commands in whatever folder; none where the system is to know them.
    ///
    /// # Errors
    /// The folder that this process is in is not known.
    pub(crate) fn absolute_ca(&self) -> std::io::Result<Option<PathBuf>> {
        if self.ca.as_os_str().is_empty() {
            return Ok(None);
        }
        std::path::absolute(&self.ca).map(Some)
    }

    /// Whether the settings go together. No file is read.
    ///
    /// # Errors
    /// A sentence that names them.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.is_on() == self.key.as_os_str().is_empty() {
            return Err("tls.cert and tls.key go together: set both, or neither".into());
        }
        if !self.is_on() && !self.ca.as_os_str().is_empty() {
            return Err("tls.ca is set, and TLS is off: set tls.cert and tls.key, too".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_and_its_key_go_together() {
        for (cert, key, ca, expect) in [
            ("", "", "", Ok(())),
            ("c", "k", "", Ok(())),
            ("c", "k", "a", Ok(())),
            ("c", "", "", Err("go together")),
            ("", "k", "", Err("go together")),
            ("", "", "a", Err("TLS is off")),
        ] {
            let settings = TlsSettings { cert: cert.into(), key: key.into(), ca: ca.into() };
            match (settings.check(), expect) {
                (Ok(()), Ok(())) => {}
                (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
                (found, expect) => panic!("{cert:?} {key:?} {ca:?}: {found:?}, not {expect:?}"),
            }
        }
    }
}
