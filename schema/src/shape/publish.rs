//! Promises from what was learned: made once, added to, never revised.

use super::published::{Entries, Field, Object, Out, Published};
use super::{Kinds, Learned};
use crate::Limits;
use crate::json::Kind;
use crate::names;

impl Published {
    /// Publishes what `learned` shows and this does not promise yet. `type_name` is the type of the stream's messages.
    ///
    /// Promises are made in the order of the members' names, so equal knowledge gives equal promises.
    pub(super) fn publish(&mut self, learned: &Learned, type_name: &str, limits: &Limits) {
        let mut publisher = Publisher { names: vec![type_name.to_owned()], room: limits.shape_fields };
        if let Some(data) = &self.data {
            publisher.count_field(data);
        }
        let message = Object { type_name: type_name.to_owned(), fields: Vec::new() };
        let known = self.data.take();
        self.data = publisher.member(&message, "data", known, learned);
    }
}

struct Publisher {
    /// Type names in use.
    names: Vec<String>,
    /// How many more members may be published.
    room: usize,
}

impl Publisher {
    fn object(&mut self, object: &mut Object, learned: &Learned) {
        for (key, seen) in &learned.fields {
            match object.fields.iter().position(|field| *field.key == **key) {
                Some(at) => {
                    let known = object.fields[at].clone();
                    if let Some(field) = self.member(object, key, Some(known), seen) {
                        object.fields[at] = field;
                    }
                }
                None if self.room == 0 => {}
                None => {
                    if let Some(field) = self.member(object, key, None, seen) {
                        self.room -= 1;
                        object.fields.push(field);
                    }
                }
            }
        }
    }

    /// The promise for one member: what is `known` of it, and what was `seen` besides. `None` while nothing of it has
    /// a type, as when only null or empty lists were seen.
    fn member(&mut self, object: &Object, key: &str, known: Option<Field>, seen: &Learned) -> Option<Field> {
        let spelled = names::field(key);
        let taken = |name: &str, field: &Field| object.has(name) || field.view(name).is_some();
        let mut field = known.unwrap_or_else(|| Field {
            key: key.to_owned(),
            opened: false,
            primary: None,
            json: None,
            entries: None,
        });
        field.opened |= seen.opened;
        // Once an object is a map its members are no longer told apart, so no object type is begun for it.
        let kinds = if seen.map.is_some() { seen.kinds.without(&[Kind::Object]) } else { seen.kinds };
        if let Some((_, out)) = &mut field.primary {
            self.widen(out, seen);
        } else if let Some(out) =
            self.begin(kinds, seen, &format!("{}{}", object.type_name, names::pascal(key)))
        {
            field.primary = Some((names::unique(&spelled, |name| taken(name, &field)), out));
        }
        match (&mut field.entries, &seen.map) {
            (Some(entries), Some(map)) => self.widen(&mut entries.value, map),
            (None, Some(map)) => {
                let name = names::unique(&format!("{spelled}_entries"), |name| taken(name, &field));
                field.entries =
                    Some(self.entries(&format!("{}{}", object.type_name, names::pascal(key)), name, map));
            }
            _ => {}
        }
        if field.primary.is_none() && field.entries.is_none() {
            return None;
        }
        let promised = field.primary.as_ref().map_or(Kinds::default(), |(_, out)| covered(out, seen));
        let mut others = without(seen.kinds, promised).without(&[Kind::Null]);
        if field.entries.is_some() {
            others = others.without(&[Kind::Object]);
        }
        if field.json.is_none() && !others.is_empty() {
            field.json = Some(names::unique(&format!("{spelled}_json"), |name| taken(name, &field)));
        }
        Some(field)
    }

    /// The type of a place that has none yet: of the richest kind seen there that has a type.
    fn begin(&mut self, kinds: Kinds, seen: &Learned, path: &str) -> Option<Out> {
        let object = kinds.has(Kind::Object).then(|| self.begin_object(seen, path)).flatten();
        let list = || {
            let elements = seen.elements.as_ref().filter(|_| kinds.has(Kind::Array));
            elements
                .and_then(|elements| self.begin_element(elements, path))
                .map(|out| Out::List(Box::new(out)))
        };
        let scalars = [
            (Kind::Text, Out::Text),
            (Kind::Float, Out::Float),
            (Kind::Integer, Out::Long),
            (Kind::Boolean, Out::Boolean),
        ];
        object
            .or_else(list)
            .or_else(|| scalars.into_iter().find(|(kind, _)| kinds.has(*kind)).map(|(_, out)| out))
    }

    /// GraphQL has no object without fields: members seen only as null make none, and are waited for.
    fn begin_object(&mut self, seen: &Learned, path: &str) -> Option<Out> {
        let type_name = self.type_name(path);
        let mut object = Object { type_name, fields: Vec::new() };
        self.object(&mut object, seen);
        match object.fields.is_empty() {
            false => Some(Out::Object(object)),
            // Too deep, or too much, to be described.
            true if seen.cut => Some(Out::Json),
            true => None,
        }
    }

    /// Elements and entries have no siblings to go to: a map among them is `JSON`.
    fn begin_element(&mut self, seen: &Learned, path: &str) -> Option<Out> {
        if seen.map.is_some() { Some(Out::Json) } else { self.begin(seen.kinds, seen, path) }
    }

    /// A promised type takes up what may be added to it without breaking it.
    fn widen(&mut self, out: &mut Out, seen: &Learned) {
        match out {
            Out::Long if seen.kinds.has(Kind::Float) => *out = Out::Float,
            Out::Object(object) => self.object(object, seen),
            Out::List(element) => {
                if let Some(elements) = &seen.elements {
                    self.widen(element, elements);
                }
            }
            _ => {}
        }
    }

    fn entries(&mut self, path: &str, name: String, map: &Learned) -> Entries {
        let type_name = self.type_name(&format!("{path}Entry"));
        let value = self.begin_element(map, &format!("{type_name}Value")).unwrap_or(Out::Json);
        Entries { name, type_name, value }
    }

    fn type_name(&mut self, wish: &str) -> String {
        let name = names::unique(wish, |name| self.names.iter().any(|taken| taken == name));
        self.names.push(name.clone());
        name
    }

    /// Takes account of what was promised before.
    fn count_field(&mut self, field: &Field) {
        if let Some((_, out)) = &field.primary {
            self.count_out(out);
        }
        if let Some(entries) = &field.entries {
            self.names.push(entries.type_name.clone());
            self.count_out(&entries.value);
        }
    }

    fn count_out(&mut self, out: &Out) {
        match out {
            Out::Object(object) => {
                self.names.push(object.type_name.clone());
                self.room = self.room.saturating_sub(object.fields.len());
                object.fields.iter().for_each(|field| self.count_field(field));
            }
            Out::List(element) => self.count_out(element),
            _ => {}
        }
    }
}

/// The kinds that a type shows in full, given what was seen.
fn covered(out: &Out, seen: &Learned) -> Kinds {
    let mut kinds = Kinds::default();
    let mut add = |all: &[Kind]| all.iter().for_each(|kind| _ = kinds.add(*kind));
    match out {
        Out::Boolean => add(&[Kind::Boolean]),
        Out::Long => add(&[Kind::Integer]),
        Out::Float => add(&[Kind::Integer, Kind::Float]),
        Out::Text => add(&[Kind::Text]),
        // A promised object whose members became too many shows only those that it had.
        Out::Object(_) if seen.map.is_some() => {}
        Out::Object(_) => add(&[Kind::Object]),
        Out::List(element) => {
            // Elements of another kind are null in the list, so the whole list is given as JSON beside it.
            let elements = seen.elements.as_ref().map_or(Kinds::default(), |elements| {
                without(elements.kinds, covered(element, elements)).without(&[Kind::Null])
            });
            if elements.is_empty() {
                add(&[Kind::Array]);
            }
        }
        Out::Json => return seen.kinds,
    }
    kinds
}

fn without(kinds: Kinds, covered: Kinds) -> Kinds {
    let all = [Kind::Null, Kind::Boolean, Kind::Integer, Kind::Float, Kind::Text, Kind::Object, Kind::Array];
    let gone: Vec<Kind> = all.into_iter().filter(|kind| covered.has(*kind)).collect();
    kinds.without(&gone)
}
