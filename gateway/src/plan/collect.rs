//! Selections flattened: fragments resolved, `@skip` and `@include` decided, equal response keys merged.
//!
//! CollectFields of the GraphQL specification, section 6.3.2, done at compile time.

use std::collections::HashMap;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::{DirectiveList, Value};
use apollo_compiler::executable::{Field, Selection, SelectionSet};

/// The values of the boolean variables that decide `@skip` and `@include`.
pub type Conditions = HashMap<String, bool>;

/// All occurrences of one response key in selections of one object.
pub(super) struct Collected<'d> {
    /// The response key.
    pub key: &'d str,
    /// The occurrences. Validation has made sure that they are the same field with the same arguments.
    pub fields: Vec<&'d Field>,
}

impl<'d> Collected<'d> {
    /// The first occurrence: it stands for all but for their selections.
    pub fn field(&self) -> &'d Field {
        self.fields[0]
    }

    /// The selections of all occurrences.
    pub fn selections(&self) -> impl Iterator<Item = &'d SelectionSet> + '_ {
        self.fields.iter().map(|field| &field.selection_set)
    }
}

/// Collects the fields of `selections`, in the order of their first occurrence.
///
/// Every type here is an object type, so a fragment that validation let pass always applies.
pub(super) fn collect<'d>(
    document: &'d ExecutableDocument,
    conditions: &Conditions,
    selections: impl IntoIterator<Item = &'d SelectionSet>,
) -> Vec<Collected<'d>> {
    let mut collector =
        Collector { document, conditions, collected: Vec::new(), by_key: HashMap::new(), spread: Vec::new() };
    for set in selections {
        collector.spread.clear();
        collector.add(set);
    }
    collector.collected
}

struct Collector<'d, 'c> {
    document: &'d ExecutableDocument,
    conditions: &'c Conditions,
    collected: Vec<Collected<'d>>,
    by_key: HashMap<&'d str, usize>,
    /// Fragments that this selection set has spread already: once is enough, and bounds the work.
    spread: Vec<&'d str>,
}

impl<'d> Collector<'d, '_> {
    fn add(&mut self, set: &'d SelectionSet) {
        for selection in &set.selections {
            if !self.included(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    let collected = &mut self.collected;
                    let at = *self.by_key.entry(key).or_insert_with(|| {
                        collected.push(Collected { key, fields: Vec::new() });
                        collected.len() - 1
                    });
                    self.collected[at].fields.push(field);
                }
                Selection::InlineFragment(fragment) => self.add(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.as_str();
                    if self.spread.contains(&name) {
                        continue;
                    }
                    self.spread.push(name);
                    if let Some(fragment) = spread.fragment_def(self.document) {
                        self.add(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn included(&self, directives: &DirectiveList) -> bool {
        let says = |name: &str, default: bool| {
            let value = directives.get(name).and_then(|directive| directive.specified_argument_by_name("if"));
            match value.map(|value| &**value) {
                Some(Value::Boolean(value)) => *value,
                Some(Value::Variable(name)) => self.conditions.get(name.as_str()).copied().unwrap_or(default),
                _ => default,
            }
        };
        says("include", true) && !says("skip", false)
    }
}
