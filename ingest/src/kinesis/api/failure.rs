//! What can go wrong between Kinesis and us, by what is to be done about it.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};

/// Why Kinesis did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// It asks for fewer or smaller requests: wait a little.
    #[error("Kinesis asks for patience: {0}")]
    Throttled(String),
    /// What was asked with is too old: open the shard anew.
    #[error("a shard iterator has expired")]
    Expired,
    /// There is no such stream or shard.
    #[error("Kinesis knows no such stream or shard: {0}")]
    Missing(String),
    /// What was asked is not right.
    #[error("Kinesis refuses: {0}")]
    Refused(String),
    /// We may not ask it, or nobody says who we are.
    #[error("Kinesis does not let us: {0}")]
    Denied(String),
    /// It never got there: nothing was done.
    #[error("Kinesis can't be reached: {0}")]
    Away(String),
    /// No answer came, or one that says nothing: it may have been done.
    #[error("Kinesis gave no answer: {0}")]
    Unknown(String),
}

impl Failure {
    /// The failure of one record among others that were put together.
    pub(super) fn of_record(code: &str, message: &str) -> Self {
        Self::of_code(code, &format!("{code}: {message}"))
    }

    fn of_code(code: &str, said: &str) -> Self {
        let said = said.to_owned();
        match code {
            "ProvisionedThroughputExceededException"
            | "LimitExceededException"
            | "KMSThrottlingException"
            | "ThrottlingException" => Self::Throttled(said),
            "ExpiredIteratorException" | "ExpiredNextTokenException" => Self::Expired,
            "ResourceNotFoundException" => Self::Missing(said),
            "InvalidArgumentException" | "ValidationException" | "SerializationException" => {
                Self::Refused(said)
            }
            "InternalFailure"
            | "InternalFailureException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException" => Self::Unknown(said),
            _ => Self::Denied(said),
        }
    }
}

impl<E, R> From<SdkError<E, R>> for Failure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        match &error {
            SdkError::ServiceError(refused) => {
                let said = refused.err();
                match said.code() {
                    Some(code) => {
                        Self::of_code(code, &format!("{code}: {}", said.message().unwrap_or_default()))
                    }
                    // Whoever answered is no Kinesis, or one that is not well.
                    None => Self::Unknown(chain(said)),
                }
            }
            _ => unanswered(&error),
        }
    }
}

/// Why no answer came.
fn unanswered(error: &(dyn Error + 'static)) -> Failure {
    let said = chain(error);
    if sources(error).any(<dyn Error>::is::<CredentialsError>) {
        return Failure::Denied(format!(
            "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine or container a \
             role ({said})"
        ));
    }
    // The client does not say it otherwise. A connection that never was has carried nothing.
    if said.contains("(Connect)") { Failure::Away(said) } else { Failure::Unknown(said) }
}

fn sources<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// An error and what it stems from, on one line, none of it twice.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for error in sources(error) {
        let said = error.to_string();
        if !text.contains(&said) {
            let part = if text.is_empty() { "" } else { ": " };
            text.push_str(part);
            text.push_str(&said);
        }
    }
    text
}
