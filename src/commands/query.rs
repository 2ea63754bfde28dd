//! `tidegate query`

use std::io::Read;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Failure, block_on, node::Node, say};
use crate::cli::QueryArgs;

#[derive(Serialize)]
struct Request<'a> {
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

/// Runs a document and prints the response. A response with errors is printed, and fails the command.
pub(crate) fn run(args: &QueryArgs) -> Result<(), Failure> {
    let mut document = String::new();
    match &args.document {
        Some(text) => document.push_str(text),
        None => {
            std::io::stdin().lock().read_to_string(&mut document)?;
        }
    }
    let variables = args.variables.as_deref().map(serde_json::from_str::<&RawValue>).transpose();
    let variables = variables.map_err(|error| format!("--variables is not JSON: {error}"))?;
    let request = serde_json::to_vec(&Request { query: &document, variables })?;
    let body = block_on(async {
        Node::sign_in(&args.node).await?.post("/graphql", "application/json", request).await
    })?;
    say(&String::from_utf8_lossy(&body))?;
    match serde_json::from_slice::<Answer<'_>>(&body)?.errors {
        None => Ok(()),
        Some(_) => Err("the response has errors".into()),
    }
}
