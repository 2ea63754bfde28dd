//! The control plane's root fields: one document of its own, executed by async-graphql.

use async_graphql::{Executor, Name, Request, Value, Variables};
use bytes::Bytes;

use super::{Answer, Execution};
use crate::coerce::render_json;
use crate::control::Caller;
use crate::error::{Code, GraphqlError, Location, Step};
use crate::plan::{ControlDocument, Owner, Plan};

impl Execution<'_> {
    /// The answers of the plan's control roots, in their order.
    pub(super) async fn control(&self, document: &ControlDocument, plan: &Plan) -> Vec<Answer> {
        let request = Request::new(document.text.as_str())
            .variables(self.control_variables(document))
            .data(Caller { principal: self.caller.clone(), sees: self.snapshot.clone() });
        let response = Executor::execute(&self.pipeline.control, request).await;
        let mut data = match response.data {
            Value::Object(fields) => fields,
            _ => Default::default(),
        };
        let mut errors: Vec<GraphqlError> = response.errors.into_iter().map(translate).collect();
        let own = plan.roots.iter().filter(|root| matches!(root.owner, Owner::Control));
        let mut answers: Vec<Answer> = own
            .map(|root| {
                let value = data.swap_remove(root.key.as_str()).unwrap_or(Value::Null);
                let (mine, rest) =
                    std::mem::take(&mut errors).into_iter().partition(|error: &GraphqlError| {
                        error.path.first() == Some(&Step::Key(root.key.clone()))
                    });
                errors = rest;
                // What came out of async-graphql is plain JSON.
                Answer {
                    value: serde_json::to_vec(&value).unwrap_or_else(|_| b"null".to_vec()),
                    errors: mine,
                    unlisted: 0,
                }
            })
            .collect();
        if let Some(first) = answers.first_mut() {
            first.errors.append(&mut errors);
        }
        answers
    }

    /// `JSON` values go as bytes: async-graphql's numbers would lose digits.
    fn control_variables(&self, document: &ControlDocument) -> Variables {
        let mut variables = Variables::default();
        let declared =
            self.prepared.operation().map(|operation| &operation.variables[..]).unwrap_or_default();
        for name in &document.variables {
            let is_json = declared.iter().any(|variable| {
                variable.name == name.as_str()
                    && variable.ty.inner_named_type() == crate::plan::JSON
                    && !variable.ty.is_list()
            });
            let value = match self.variables.get(name.as_str()) {
                None => continue,
                Some(value) if value.is_null() => Value::Null,
                Some(_) if is_json => {
                    let text = self.request.variable(name).map_or("null", |raw| raw.get());
                    Value::Binary(Bytes::copy_from_slice(text.as_bytes()))
                }
                // Values were coerced, so they are plain JSON.
                Some(value) => serde_json::to_value(value)
                    .ok()
                    .and_then(|value| Value::from_json(value).ok())
                    .unwrap_or_default(),
            };
            variables.insert(Name::new(name), value);
        }
        for (name, literal) in &document.json {
            let mut text = String::new();
            render_json(literal, self.request, &mut text);
            variables.insert(Name::new(name), Value::Binary(text.into()));
        }
        variables
    }
}

/// Resolvers of the control plane set the code as an extension.
fn translate(error: async_graphql::ServerError) -> GraphqlError {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    let code = match code {
        Some(Value::String(code)) => match code.as_str() {
            "FORBIDDEN" => Code::Forbidden,
            "UNAVAILABLE" => Code::Unavailable,
            "MISDIRECTED" => Code::Misdirected,
            "RATE_LIMITED" => Code::RateLimited,
            "INTERNAL" => Code::Internal,
            _ => Code::BadUserInput,
        },
        _ => Code::BadUserInput,
    };
    let path = error.path.into_iter().map(|segment| match segment {
        async_graphql::PathSegment::Field(name) => Step::Key(name),
        async_graphql::PathSegment::Index(index) => Step::Index(index),
    });
    // Locations are those of the document that was split off, not of the caller's.
    GraphqlError { message: error.message, locations: Vec::<Location>::new(), path: path.collect(), code }
}
