//! What can go wrong in a call, and whether it may work another time.

use scylla::errors::{BadQuery, DbError, ExecutionError, RequestAttemptError};

use crate::StoreError;

/// What can go wrong in a call.
#[derive(Debug)]
pub(super) enum Fault {
    /// The servers could not, or did not say.
    Request(Box<ExecutionError>),
    /// They said something that can't be read.
    Answer(Box<dyn std::error::Error + Send + Sync>),
}

impl From<ExecutionError> for Fault {
    fn from(error: ExecutionError) -> Self {
        Self::Request(Box::new(error))
    }
}

impl Fault {
    /// An answer that is not what was asked for.
    pub(super) fn answer(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Answer(error.into())
    }

    /// The store's error.
    pub(super) fn while_doing(self, doing: &'static str) -> StoreError {
        match self {
            Self::Request(error) if matches!(*error, ExecutionError::RequestTimeout(_)) => {
                StoreError::unavailable(doing, Self::Request(error).into_text())
            }
            Self::Request(error) if is_of_the_values(&error) => StoreError::Refused { doing, source: error },
            Self::Request(error) => StoreError::unavailable(doing, error),
            Self::Answer(error) => StoreError::unavailable(doing, error),
        }
    }

    /// What went wrong, with the setting to change where there is one.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Request(error) => match *error {
                ExecutionError::RequestTimeout(limit) => {
                    format!("no answer came within {} ms (store.request_ms)", limit.as_millis())
                }
                error => error.to_string(),
            },
            Self::Answer(error) => error.to_string(),
        }
    }

    /// Whether the same request may work another time: whatever is not the request's own fault.
    pub(super) fn may_pass(&self) -> bool {
        let Self::Request(error) = self else { return false };
        match &**error {
            ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => !matches!(
                error,
                DbError::SyntaxError | DbError::Invalid | DbError::Unauthorized | DbError::ConfigError
            ),
            error => !is_of_the_values(error),
        }
    }
}

/// Whether other values would have been taken. That a table is missing is said by the same code, and is nobody's values' fault.
fn is_of_the_values(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::BadQuery(BadQuery::SerializationError(_)) => true,
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(DbError::Invalid, reason)) => {
            !["unconfigured", "does not exist"].iter().any(|words| reason.contains(words))
        }
        ExecutionError::LastAttemptError(
            RequestAttemptError::SerializationError(_) | RequestAttemptError::CqlRequestSerialization(_),
        ) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_for_its_values_is_told_from_an_outage() {
        let of = |error: DbError, reason: &str| {
            let attempt = RequestAttemptError::DbError(error, reason.into());
            Fault::from(ExecutionError::LastAttemptError(attempt)).while_doing("write")
        };
        let is_refused = |error| matches!(error, StoreError::Refused { .. });
        assert!(is_refused(of(DbError::Invalid, "Key length of 70000 is longer than maximum of 65535")));
        assert!(!is_refused(of(DbError::Invalid, "unconfigured table messages")));
        assert!(!is_refused(of(DbError::Invalid, "keyspace tidegate does not exist")));
        assert!(!is_refused(of(DbError::Overloaded, "")));
        assert!(!is_refused(of(DbError::Unauthorized, "no")));
    }
}
