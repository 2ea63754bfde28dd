//! A request, as GraphQL over HTTP sends it.

use std::collections::HashMap;
use std::fmt;

use schema::json::body_fault;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
    variables: Option<Variables>,
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
            // Where it is no JSON at all, that is told as where messages come in.
            let message = body_fault(body).unwrap_or_else(|| {
                format!(
                    "the body is not a GraphQL request: {error}; expected a JSON object with query, and perhaps variables and operationName"
                )
            });
            GraphqlError::new(Code::BadRequest, message)
        })
    }

    /// Reads the `payload` of a WebSocket's `subscribe`. Members that are not known are passed over, as that protocol has it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn from_payload(payload: &RawValue) -> Result<Self, String> {
        let members: HashMap<String, &RawValue> =
            serde_json::from_str(payload.get()).map_err(|_| "payload must be an object".to_owned())?;
        let present = |name: &str| members.get(name).filter(|value| value.get() != "null");
        let query = present("query").ok_or("payload has no query")?;
        let query = serde_json::from_str(query.get()).map_err(|_| "query must be a string")?;
        let operation_name = match present("operationName") {
            None => None,
            Some(name) => {
                Some(serde_json::from_str(name.get()).map_err(|_| "operationName must be a string")?)
            }
        };
        let variables = match present("variables") {
            None => None,
            Some(values) => {
                Some(serde_json::from_str(values.get()).map_err(|error| format!("variables: {error}"))?)
            }
        };
        if present("extensions").is_some_and(|value| !value.get().starts_with('{')) {
            return Err("extensions must be an object".into());
        }
        Ok(Self { query, operation_name, variables, _extensions: None })
    }

    /// A request of parts that were not sent as one body.
    pub fn new(
        query: String,
        operation_name: Option<String>,
        variables: HashMap<String, Box<RawValue>>,
    ) -> Self {
        Self { query, operation_name, variables: Some(Variables(variables)), _extensions: None }
    }

    /// The value that was sent for a variable.
    pub fn variable(&self, name: &str) -> Option<&RawValue> {
        self.variables.as_ref()?.0.get(name).map(|raw| &**raw)
    }
}

/// Values by the names of their variables. As in a message, a name that appears twice is refused: which one is meant?
#[derive(Debug)]
struct Variables(HashMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Variables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Variables;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of variables")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables, A::Error> {
                let mut variables = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    let shown: String = name.chars().take(80).collect();
                    if variables.insert(name, value).is_some() {
                        return Err(A::Error::custom(format!("the variable {shown:?} appears twice")));
                    }
                }
                Ok(Variables(variables))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
