//! Values of variables and arguments, as the types that the schema gives them.

use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Value};
use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use schema::{Clock, Timestamp};

use crate::error::{Code, GraphqlError};
use crate::plan::JSON;
use crate::request::GraphqlRequest;
use crate::snapshot::Snapshot;

/// The variables of `operation`, by the specification's CoerceVariableValues.
///
/// A `JSON` variable is only checked for being there: its text stays in the request, every digit of it.
///
/// # Errors
/// Which variable has no usable value.
pub fn variables(
    snapshot: &Snapshot,
    operation: &Operation,
    request: &GraphqlRequest,
) -> Result<Valid<JsonMap>, GraphqlError> {
    let mut sent = JsonMap::new();
    for variable in &operation.variables {
        let name = variable.name.as_str();
        let Some(raw) = request.variable(name) else { continue };
        let value = if variable.ty.inner_named_type() == JSON && !variable.ty.is_list() {
            JsonValue::Bool(true)
        } else {
            serde_json::from_str(raw.get())
                .map_err(|error| bad_input(format!("variable ${name} can't be read: {error}")))?
        };
        let null = raw.get() == "null";
        sent.insert(name, if null { JsonValue::Null } else { value });
    }
    coerce_variable_values(&snapshot.schema, operation, &sent)
        .map_err(|error| bad_input(error.message().to_string()))
}

/// An error of a value that the caller sent.
pub fn bad_input(message: impl Into<String>) -> GraphqlError {
    GraphqlError::new(Code::BadUserInput, message)
}

/// The arguments of one field, resolved one by one.
pub struct Arguments<'a> {
    given: &'a [Node<Argument>],
    variables: &'a JsonMap,
}

impl<'a> Arguments<'a> {
    /// Those that were `given` in the document.
    pub fn new(given: &'a [Node<Argument>], variables: &'a JsonMap) -> Self {
        Self { given, variables }
    }

    /// A text.
    ///
    /// # Errors
    /// The value is something else.
    pub fn text(&self, name: &str) -> Result<Option<String>, GraphqlError> {
        match self.value(name) {
            None => Ok(None),
            Some(JsonValue::String(text)) => Ok(Some(text.as_str().to_owned())),
            Some(_) => Err(bad_input(format!("{name} must be a string"))),
        }
    }

    /// A list of texts.
    ///
    /// # Errors
    /// The value is something else.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, GraphqlError> {
        let expected = || bad_input(format!("{name} must be a list of strings"));
        match self.value(name) {
            None => Ok(None),
            // One value stands for a list of it (GraphQL specification, section 3.11).
            Some(JsonValue::String(text)) => Ok(Some(vec![text.as_str().to_owned()])),
            Some(JsonValue::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(ToOwned::to_owned).ok_or_else(expected))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(expected()),
        }
    }

    /// A count from 1 to `most`.
    ///
    /// # Errors
    /// The value is none, or out of these bounds.
    pub fn count(&self, name: &str, most: usize) -> Result<Option<usize>, GraphqlError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) if (1..=most).contains(&n) => Ok(Some(n)),
            _ => Err(bad_input(format!("{name} is {value}, and must be from 1 to {most}"))),
        }
    }

    /// A time, or one before or after now.
    ///
    /// # Errors
    /// The value is something else.
    pub fn time(&self, name: &str, clock: &Clock) -> Result<Option<Timestamp>, GraphqlError> {
        let text = self.text(name)?;
        let time = text.map(|text| Timestamp::from_request(&text, clock())).transpose();
        time.map_err(|error| bad_input(format!("{name}: {error}")))
    }

    /// The value, unless it is absent or null: in these arguments both mean the same.
    fn value(&self, name: &str) -> Option<JsonValue> {
        let given = self.given.iter().find(|argument| argument.name == name)?;
        resolve(&given.value, self.variables).filter(|value| !value.is_null())
    }
}

fn resolve(value: &Value, variables: &JsonMap) -> Option<JsonValue> {
    Some(match value {
        Value::Variable(name) => variables.get(name.as_str())?.clone(),
        Value::Null => JsonValue::Null,
        Value::Boolean(value) => JsonValue::Bool(*value),
        Value::String(text) => JsonValue::String(text.as_str().into()),
        Value::Enum(name) => JsonValue::String(name.as_str().into()),
        Value::Int(int) => int.as_str().parse::<i64>().map_or(JsonValue::Null, Into::into),
        Value::Float(float) => float.as_str().parse::<f64>().map_or(JsonValue::Null, Into::into),
        Value::List(items) => {
            JsonValue::Array(items.iter().filter_map(|item| resolve(item, variables)).collect())
        }
        Value::Object(_) => JsonValue::Object(JsonMap::new()),
    })
}

/// Appends a literal as JSON, its numbers with the digits that were written; variables in it as they were sent.
pub fn render_json(value: &Value, request: &GraphqlRequest, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(int) => out.push_str(int.as_str()),
        Value::Float(float) => out.push_str(float.as_str()),
        Value::Enum(name) => push_quoted(name.as_str(), out),
        Value::String(text) => push_quoted(text, out),
        Value::Variable(name) => {
            out.push_str(request.variable(name.as_str()).map_or("null", |raw| raw.get()));
        }
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                render_json(item, request, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (at, (name, item)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push_quoted(name.as_str(), out);
                out.push(':');
                render_json(item, request, out);
            }
            out.push('}');
        }
    }
}

fn push_quoted(text: &str, out: &mut String) {
    // A string always becomes JSON.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
