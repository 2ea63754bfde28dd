//! From a validated document to a plan.

use std::collections::BTreeSet;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::executable::{Operation, Selection, SelectionSet};

use super::collect::{Collected, Conditions, collect};
use super::{DataRoot, Owner, Plan, Root, control, data, live};
use crate::error::{Code, GraphqlError};
use crate::snapshot::Snapshot;

/// Compiles `operation` of `document`, which was validated against `snapshot`.
///
/// # Errors
/// An operation of a sort, or with a field, that nobody answers.
pub fn compile(
    snapshot: &Snapshot,
    document: &ExecutableDocument,
    operation: &Operation,
    conditions: &Conditions,
    root_fields_max: usize,
) -> Result<Plan, GraphqlError> {
    let collected = collect(document, conditions, [&operation.selection_set]);
    if collected.len() > root_fields_max {
        let message = format!(
            "the operation has {} root fields, and at most {root_fields_max} are answered",
            collected.len()
        );
        return Err(GraphqlError::new(Code::LimitExceeded, message));
    }
    let mut roots = Vec::with_capacity(collected.len());
    for field in &collected {
        roots.push(Root {
            key: field.key.to_owned(),
            owner: owner(snapshot, document, operation, conditions, field),
        });
    }
    let own: Vec<&Collected<'_>> = collected
        .iter()
        .zip(&roots)
        .filter(|(_, root)| matches!(root.owner, Owner::Control))
        .map(|(field, _)| field)
        .collect();
    let control = (!own.is_empty()).then(|| control::document(document, operation, &own));
    Ok(Plan { roots, control })
}

fn owner(
    snapshot: &Snapshot,
    document: &ExecutableDocument,
    operation: &Operation,
    conditions: &Conditions,
    collected: &Collected<'_>,
) -> Owner {
    let field = collected.field();
    let stream = snapshot.streams.get(field.name.as_str()).filter(|_| !operation.is_mutation());
    match (field.name.as_str(), stream) {
        ("__typename", _) => Owner::Typename(if operation.is_query() { "Query" } else { "Mutation" }),
        ("__schema" | "__type", _) => Owner::Introspection,
        (_, None) => Owner::Control,
        (_, Some(stream)) if operation.is_subscription() => {
            Owner::Live(live::root(&data::Compiler { document, conditions, stream }, collected))
        }
        (_, Some(stream)) => Owner::Data(Box::new(DataRoot {
            stream: stream.clone(),
            arguments: field.arguments.clone(),
            connection: data::connection(&data::Compiler { document, conditions, stream }, collected),
        })),
    }
}

/// The variables that decide `@skip` and `@include` anywhere in the document.
pub fn condition_variables(document: &ExecutableDocument, operation: &Operation) -> BTreeSet<String> {
    let mut variables = BTreeSet::new();
    let mut sets: Vec<&SelectionSet> = vec![&operation.selection_set];
    sets.extend(document.fragments.values().map(|fragment| &fragment.selection_set));
    while let Some(set) = sets.pop() {
        for selection in &set.selections {
            selection.directives().iter().filter_map(|directive| variable(directive)).for_each(|name| {
                variables.insert(name.to_owned());
            });
            match selection {
                Selection::Field(field) => sets.push(&field.selection_set),
                Selection::InlineFragment(fragment) => sets.push(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    variables
}

fn variable(directive: &Directive) -> Option<&str> {
    if !matches!(directive.name.as_str(), "skip" | "include") {
        return None;
    }
    match &**directive.specified_argument_by_name("if")? {
        Value::Variable(name) => Some(name.as_str()),
        _ => None,
    }
}
