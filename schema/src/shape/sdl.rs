//! The GraphQL types of a published shape.

use std::fmt::Write;

use super::published::{Field, Object, Out};

/// Appends the GraphQL fields that show `field` as lines of a type definition.
pub fn write_fields(field: &Field, sdl: &mut String) {
    if let Some((name, out)) = &field.primary {
        write_field(sdl, field, name, &type_of(out));
    }
    if let Some(name) = &field.json {
        write_field(sdl, field, name, "JSON");
    }
    if let Some(entries) = &field.entries {
        write_field(sdl, field, &entries.name, &format!("[{}!]", entries.type_name));
    }
}

/// Appends the type definitions that the fields of `field` refer to.
pub fn write_types(field: &Field, sdl: &mut String) {
    if let Some((_, out)) = &field.primary {
        write_type(out, sdl);
    }
    if let Some(entries) = &field.entries {
        let value = type_of(&entries.value);
        let _ = writeln!(sdl, "type {} {{\n  key: String!\n  value: {value}\n}}", entries.type_name);
        write_type(&entries.value, sdl);
    }
}

fn write_type(out: &Out, sdl: &mut String) {
    match out {
        Out::Object(Object { type_name, fields }) => {
            let _ = writeln!(sdl, "type {type_name} {{");
            fields.iter().for_each(|field| write_fields(field, sdl));
            sdl.push_str("}\n");
            fields.iter().for_each(|field| write_types(field, sdl));
        }
        Out::List(element) => write_type(element, sdl),
        _ => {}
    }
}

/// Where GraphQL spells a name otherwise than the producer does, the description tells the producer's.
fn write_field(sdl: &mut String, field: &Field, name: &str, type_name: &str) {
    if name != field.key {
        let quoted = serde_json::to_string(&format!("In the JSON: {:?}", field.key)).unwrap_or_default();
        let _ = writeln!(sdl, "  {quoted}");
    }
    let _ = writeln!(sdl, "  {name}: {type_name}");
}

fn type_of(out: &Out) -> String {
    match out {
        Out::Boolean => "Boolean".into(),
        Out::Long => "Long".into(),
        Out::Float => "Float".into(),
        Out::Text => "String".into(),
        Out::Json => "JSON".into(),
        Out::Object(object) => object.type_name.clone(),
        Out::List(element) => format!("[{}]", type_of(element)),
    }
}
