//! What servers mean when they refuse, in terms of the settings.

use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};
use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, MetadataError,
    NewSessionError,
};

/// A plain connection that ended before the answer.
pub(super) fn plain(error: &io::Error) -> String {
    format!(
        "it ended the connection without an answer ({error}): if it speaks TLS only, set store.tls = true"
    )
}

/// A handshake of TLS that failed.
pub(super) fn handshake(error: &io::Error) -> String {
    match of_tls(error) {
        Some(TlsError::InvalidCertificate(why)) => certificate(why),
        Some(error @ (TlsError::AlertReceived(_) | TlsError::PeerIncompatible(_))) => alert(error),
        _ => format!("it speaks no TLS there ({error}): turn it on at the server, or set store.tls = false"),
    }
}

/// A connection that ended after the handshake, which with TLS 1.3 is where a client's certificate is refused.
pub(super) fn secured(error: &io::Error) -> String {
    match of_tls(error) {
        Some(error) => alert(error),
        None => format!("it ended the connection without an answer: {error}"),
    }
}

fn of_tls(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "its certificate is by another authority than those in store.tls_ca, or the system's where that is not set"
                .into()
        }
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "its certificate is for {}, and so neither for its address nor for a host of store.url",
            if presented.is_empty() { "no name".into() } else { bare(presented) }
        ),
        CertificateError::NotValidForName => {
            "its certificate is neither for its address nor for a host of store.url".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("its certificate has expired: {why}")
        }
        why => format!("its certificate can't be trusted: {why}"),
    }
}

/// Names as the library writes them, `DnsName("a")` and the like, without what they are.
fn bare(names: &[String]) -> String {
    let inner = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        inner.trim_matches('"').to_owned()
    };
    names.iter().map(inner).collect::<Vec<_>>().join(", ")
}

fn alert(error: &TlsError) -> String {
    match error {
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            "it asks for a certificate of ours: set store.tls_cert and store.tls_key".into()
        }
        TlsError::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => format!("it refuses our certificate, of store.tls_cert: {error}"),
        error => format!("it and we agree on no TLS: {error}"),
    }
}

/// Why no session was opened with hosts that do answer, for whoever logs in as `user`.
pub(super) fn session(error: &NewSessionError, user: &str) -> Refusal {
    let NewSessionError::MetadataError(MetadataError::ConnectionPoolError(ConnectionPoolError::Broken {
        last_connection_error: ConnectionError::ConnectionSetupRequestError(setup),
    })) = error
    else {
        return Refusal::Other(error.to_string());
    };
    match setup.get_error() {
        ConnectionSetupRequestErrorKind::MissingAuthentication => Refusal::Login(
            "they ask who logs in: set store.user, and in store.password_env the variable with the password"
                .into(),
        ),
        ConnectionSetupRequestErrorKind::DbError(DbError::AuthenticationError, why) => {
            Refusal::Login(format!(
                "{user:?} of store.user can't log in with the password that store.password_env names: {why}"
            ))
        }
        _ => Refusal::Other(error.to_string()),
    }
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Who we are is not known there.
    Login(String),
    /// Anything else.
    Other(String),
}

impl Refusal {
    /// The sentence.
    pub fn into_text(self) -> String {
        match self {
            Self::Login(text) | Self::Other(text) => text,
        }
    }
}
