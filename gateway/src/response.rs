//! The response: parts put together.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Code, GraphqlError};
use crate::execute::{Answer, Response};
use crate::plan::Plan;

/// A response's bytes.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Whether execution began.
    pub(crate) executed: bool,
    /// Errors in it.
    pub(crate) errors: usize,
}

/// A request that could not be executed: errors, and no `data` at all.
pub(crate) fn refused(errors: &[GraphqlError]) -> Body {
    #[derive(Serialize)]
    struct Refusal<'a> {
        errors: &'a [GraphqlError],
    }
    // Errors always become JSON.
    let bytes = serde_json::to_vec(&Refusal { errors }).unwrap_or_default();
    Body { bytes, executed: false, errors: errors.len() }
}

impl Response {
    /// The errors of a request that was not executed, as a JSON list.
    pub(crate) fn refusal(&self) -> Vec<u8> {
        #[derive(Deserialize)]
        struct Refusal<'a> {
            #[serde(borrow)]
            errors: &'a RawValue,
        }
        match serde_json::from_slice::<Refusal<'_>>(&self.body) {
            Ok(refusal) => refusal.errors.get().as_bytes().to_vec(),
            // Not to be met: such a body is made of nothing else.
            Err(_) => GraphqlError::new(Code::Internal, "the request was not executed").to_list(),
        }
    }
}

/// The answers of all roots, in order.
pub(crate) fn assemble(plan: &Plan, answers: Vec<Answer>, bytes_max: usize) -> Body {
    let size: usize = answers.iter().map(|answer| answer.value.len()).sum();
    if size > bytes_max {
        let message = format!("the response is larger than {bytes_max} bytes: ask for fewer rows or fields");
        return refused(&[GraphqlError::new(Code::LimitExceeded, message)]);
    }
    let mut body = Vec::with_capacity(size + 64 * answers.len() + 16);
    body.extend_from_slice(b"{\"data\":{");
    let (mut errors, mut unlisted) = (Vec::new(), 0);
    for (at, (root, mut answer)) in plan.roots.iter().zip(answers).enumerate() {
        if at > 0 {
            body.push(b',');
        }
        // Response keys are GraphQL names: nothing in them needs an escape.
        body.push(b'"');
        body.extend_from_slice(root.key.as_bytes());
        body.extend_from_slice(b"\":");
        body.extend_from_slice(&answer.value);
        errors.append(&mut answer.errors);
        unlisted += answer.unlisted;
    }
    body.push(b'}');
    let errors = write_errors(errors, unlisted, &mut body);
    body.push(b'}');
    Body { bytes: body, executed: true, errors }
}

/// Appends the member `errors`, if there are any; gives how many are listed.
pub(crate) fn write_errors(mut errors: Vec<GraphqlError>, unlisted: usize, out: &mut Vec<u8>) -> usize {
    if unlisted > 0 {
        let message = format!("{unlisted} more field errors are not listed");
        errors.push(GraphqlError::new(Code::ValueOutOfRange, message));
    }
    if !errors.is_empty() {
        out.extend_from_slice(b",\"errors\":");
        // Errors always become JSON, and writing to memory does not fail.
        let _ = serde_json::to_writer(out, &errors);
    }
    errors.len()
}
