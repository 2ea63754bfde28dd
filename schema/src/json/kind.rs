//! What stands in a document, or does not.

/// What a JSON value is. Integers and floats are told apart by how the number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Null,
    Boolean,
    Integer,
    Float,
    Text,
    Object,
    Array,
}

/// The bytes are not JSON. A document that passed [`super::check()`] never gives this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not JSON")]
pub struct Malformed;
