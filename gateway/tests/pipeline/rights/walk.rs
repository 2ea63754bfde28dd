//! Documents made of a schema: for each field that has no fields, one that asks for it alone.

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;

/// Deepest nesting that is followed.
const DEPTH_MAX: usize = 12;

/// The way to a field without fields: names, from the root's on.
pub(super) type Way = Vec<String>;

/// The ways to all fields without fields below the root type `root`, such as `Query`.
pub(super) fn ways(schema: &Schema, root: &str) -> Vec<Way> {
    let mut ways = Vec::new();
    walk(schema, root, &mut Vec::new(), &mut ways);
    ways
}

fn walk(schema: &Schema, of: &str, way: &mut Way, ways: &mut Vec<Way>) {
    let Some(object) = schema.get_object(of) else {
        ways.push(way.clone());
        return;
    };
    assert!(way.len() < DEPTH_MAX, "{way:?} is deeper than the walk goes");
    for (name, field) in &object.fields {
        way.push(name.to_string());
        walk(schema, field.ty.inner_named_type(), way, ways);
        way.pop();
    }
}

/// A document that asks for `way` alone, its root field with `arguments`.
pub(super) fn document(operation: &str, way: &[String], arguments: &str) -> String {
    let (root, below) = way.split_first().unwrap();
    let inner = below.iter().rev().fold(String::new(), |inner, name| format!(" {{ {name}{inner} }}"));
    format!("{operation} {{ {root}{arguments}{inner} }}")
}

/// The arguments that a root field needs, each with every value that `values` has for its name: one text for each combination.
pub(super) fn arguments(field: &FieldDefinition, values: &impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut texts = vec![String::new()];
    for argument in field.arguments.iter().filter(|argument| argument.is_required()) {
        let each = values(&argument.name);
        assert!(!each.is_empty(), "no value is known for {}", argument.name);
        let with = |text: &String| -> Vec<String> {
            each.iter().map(|value| format!("{text} {}: {value}", argument.name)).collect()
        };
        texts = texts.iter().flat_map(with).collect();
    }
    texts.into_iter().map(|text| if text.is_empty() { text } else { format!("({text})") }).collect()
}
