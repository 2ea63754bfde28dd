//! A request, as GraphQL over HTTP sends it.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::error::{Code, GraphqlError};

/// The body of a POST. Values of variables stay text until their types are known: so numbers keep their digits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraphqlRequest {
    /// The document.
    pub query: String,
    /// Which of its operations; needed where it has several.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// Values of variables, as JSON.
    #[serde(default)]
    variables: Option<HashMap<String, Box<RawValue>>>,
    /// Accepted, and of no effect.
    #[serde(default, rename = "extensions")]
    _extensions: Option<IgnoredAny>,
}

impl GraphqlRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(body: &[u8]) -> Result<Self, GraphqlError> {
        serde_json::from_slice(body).map_err(|error| {
            let message = format!(
                "the body is not a GraphQL request: {error}; expected a JSON object with query, and perhaps variables and operationName"
            );
            GraphqlError::new(Code::BadRequest, message)
        })
    }

    /// A request of parts that were not sent as one body.
    pub fn new(
        query: String,
        operation_name: Option<String>,
        variables: HashMap<String, Box<RawValue>>,
    ) -> Self {
        Self { query, operation_name, variables: Some(variables), _extensions: None }
    }

    /// The value that was sent for a variable.
    pub fn variable(&self, name: &str) -> Option<&RawValue> {
        self.variables.as_ref()?.get(name).map(|raw| &**raw)
    }
}
