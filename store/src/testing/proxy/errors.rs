//! What servers answer where a request fails, as tests order it.

use scylla::errors::{DbError, WriteType};
use scylla::statement::Consistency;

/// The server has too much to do.
pub fn overloaded() -> DbError {
    DbError::Overloaded
}

/// Something is wrong in the server.
pub fn server_error() -> DbError {
    DbError::ServerError
}

/// Too few replicas are up.
pub fn unavailable() -> DbError {
    DbError::Unavailable { consistency: Consistency::One, required: 2, alive: 1 }
}

/// Too few replicas have answered a read in time.
pub fn read_timeout() -> DbError {
    DbError::ReadTimeout { consistency: Consistency::One, received: 2, required: 3, data_present: true }
}

/// Too few replicas have answered a write in time: it may be done, or will be.
pub fn write_timeout() -> DbError {
    let write_type = WriteType::UnloggedBatch;
    DbError::WriteTimeout { consistency: Consistency::One, received: 2, required: 3, write_type }
}

/// The request makes no sense to the server.
pub fn invalid() -> DbError {
    DbError::Invalid
}

/// The statement is no CQL.
pub fn syntax_error() -> DbError {
    DbError::SyntaxError
}

/// Whoever asks may not.
pub fn unauthorized() -> DbError {
    DbError::Unauthorized
}

/// The server is not set up for it.
pub fn config_error() -> DbError {
    DbError::ConfigError
}
