//! The part of a document that the control plane executes, as a document of its own.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Argument, Type, Value, VariableDefinition};
use apollo_compiler::executable::{Field, FragmentMap, Operation, OperationMap, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Name, Node};

use super::ControlDocument;
use super::collect::Collected;

/// The type of arguments whose digits must come through as they were sent.
pub(crate) const JSON: &str = "JSON";

/// A document of the control plane's root fields alone.
pub(super) fn document(
    document: &ExecutableDocument,
    operation: &Operation,
    own: &[&Collected<'_>],
) -> ControlDocument {
    let mut json = Vec::new();
    let mut selections = Vec::new();
    for field in own.iter().flat_map(|collected| collected.fields.iter().copied()) {
        selections.push(Selection::Field(Node::new(lift(field, &mut json))));
    }
    let selection_set = SelectionSet { ty: operation.selection_set.ty.clone(), selections };
    let mut used = Used { document, variables: BTreeSet::new(), fragments: FragmentMap::default() };
    used.walk(&selection_set);
    let declared =
        operation.variables.iter().filter(|variable| used.variables.contains(variable.name.as_str()));
    let mut variables: Vec<Node<VariableDefinition>> = declared.cloned().collect();
    variables.extend(json.iter().filter_map(|(name, _)| definition(name)));
    let names = variables
        .iter()
        .map(|variable| variable.name.to_string())
        .filter(|name| !name.starts_with(LIFTED))
        .collect();
    let operation = Operation {
        operation_type: operation.operation_type,
        name: None,
        variables,
        directives: Default::default(),
        selection_set,
    };
    let text = ExecutableDocument {
        sources: Default::default(),
        operations: OperationMap { anonymous: Some(Node::new(operation)), named: Default::default() },
        fragments: used.fragments,
    }
    .serialize()
    .no_indent()
    .to_string();
    ControlDocument { text, variables: names, json }
}

/// Names of variables that a request can't have: it is one of ours that replaces a literal.
const LIFTED: &str = "__json";

/// `field` without the conditions that were decided, and its `JSON` literals made variables.
fn lift(field: &Field, json: &mut Vec<(String, Node<Value>)>) -> Field {
    let mut field = field.clone();
    field.directives = Default::default();
    for argument in &mut field.arguments {
        let definition = field.definition.argument_by_name(&argument.name);
        let is_json = definition.is_some_and(|definition| definition.ty.inner_named_type() == JSON);
        if !is_json || matches!(&*argument.value, Value::Variable(_) | Value::Null) {
            continue;
        }
        let name = format!("{LIFTED}{}", json.len());
        let Ok(variable) = Name::new(&name) else { continue };
        json.push((name, argument.value.clone()));
        *argument =
            Node::new(Argument { name: argument.name.clone(), value: Node::new(Value::Variable(variable)) });
    }
    field
}

fn definition(name: &str) -> Option<Node<VariableDefinition>> {
    let ty = Type::NonNullNamed(Name::new(JSON).ok()?);
    let name = Name::new(name).ok()?;
    Some(Node::new(VariableDefinition {
        name,
        ty: Node::new(ty),
        default_value: None,
        directives: Default::default(),
    }))
}

/// Which variables and fragments some selections need.
struct Used<'d> {
    document: &'d ExecutableDocument,
    variables: BTreeSet<String>,
    fragments: FragmentMap,
}

impl Used<'_> {
    fn walk(&mut self, set: &SelectionSet) {
        for selection in &set.selections {
            for directive in selection.directives().iter() {
                directive.arguments.iter().for_each(|argument| self.value(&argument.value));
            }
            match selection {
                Selection::Field(field) => {
                    field.arguments.iter().for_each(|argument| self.value(&argument.value));
                    self.walk(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.walk(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    let known = self.fragments.contains_key(&spread.fragment_name);
                    if let Some(fragment) = spread.fragment_def(self.document).filter(|_| !known) {
                        self.fragments.insert(fragment.name.clone(), fragment.clone());
                        self.walk(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Variable(name) => {
                self.variables.insert(name.to_string());
            }
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(fields) => fields.iter().for_each(|(_, item)| self.value(item)),
            _ => {}
        }
    }
}
