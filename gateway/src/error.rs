//! Errors as GraphQL answers them.

use serde::{Serialize, Serializer};

/// A step on the way to a field of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A response key.
    Key(String),
    /// A place in a list.
    Index(usize),
}

/// A place in a document, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// What kind of error: a stable word for programs, in `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// The request is not one of GraphQL over HTTP.
    BadRequest,
    /// The document does not parse.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// A limit was passed.
    LimitExceeded,
    /// Too much came of this caller, for now.
    RateLimited,
    /// A variable or an argument has a value that can't be used.
    BadUserInput,
    /// The caller's token has ended.
    Unauthenticated,
    /// The caller lacks the right.
    Forbidden,
    /// A value does not fit the type that it was selected as.
    ValueOutOfRange,
    /// The store or the log can't answer now.
    Unavailable,
    /// Another node does this.
    Misdirected,
    /// It took too long.
    Timeout,
    /// A fault of Tidegate itself.
    Internal,
}

/// One entry of a response's `errors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphqlError {
    /// What is wrong, for people: which value, what was expected, what to do.
    pub message: String,
    /// Where in the document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// Which field of the response.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Step>,
    /// The code.
    #[serde(rename = "extensions", serialize_with = "extensions")]
    pub code: Code,
}

fn extensions<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Extensions {
        code: Code,
    }
    Extensions { code: *code }.serialize(serializer)
}

impl GraphqlError {
    /// An error of the whole request.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { message: message.into(), locations: Vec::new(), path: Vec::new(), code }
    }

    /// A list of this error alone, as JSON.
    pub(crate) fn to_list(&self) -> Vec<u8> {
        // Errors always become JSON.
        serde_json::to_vec(&[self]).unwrap_or_default()
    }

    /// The same error at a root field of the response.
    #[must_use]
    pub fn at(mut self, key: &str) -> Self {
        self.path.insert(0, Step::Key(key.to_owned()));
        self
    }
}

impl From<access::TooMany> for GraphqlError {
    fn from(error: access::TooMany) -> Self {
        Self::new(Code::RateLimited, error.to_string())
    }
}

impl From<&store::StoreError> for GraphqlError {
    /// The cause is logged where it is handled; a caller is told only what helps it.
    fn from(_: &store::StoreError) -> Self {
        Self::new(Code::Unavailable, "the store can't answer now: try again")
    }
}
