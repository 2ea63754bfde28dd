//! What was seen at each place of a stream's JSON, as a lattice: joining is all that ever happens to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::json::Kind;

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kinds(u8);

impl Kinds {
    /// Whether `kind` is among them.
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Adds `kind`; says whether it is new.
    pub fn add(&mut self, kind: Kind) -> bool {
        let before = self.0;
        self.0 |= 1 << kind as u8;
        self.0 != before
    }

    /// Those of `self` that are not among `kinds`.
    #[must_use]
    pub fn without(self, kinds: &[Kind]) -> Self {
        Self(kinds.iter().fold(self.0, |set, kind| set & !(1 << *kind as u8)))
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their names, for people.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (Kind::Null, "null"),
            (Kind::Boolean, "boolean"),
            (Kind::Integer, "integer"),
            (Kind::Float, "float"),
            (Kind::Text, "text"),
            (Kind::Object, "object"),
            (Kind::Array, "array"),
        ];
        all.iter().filter(|(kind, _)| self.has(*kind)).map(|(_, name)| *name).collect()
    }
}

/// What was seen at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The kinds of its values.
    #[serde(rename = "k")]
    pub kinds: Kinds,
    /// Whether some of them were JSON inside strings.
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub opened: bool,
    /// Whether something here was too much to learn: too many fields, too deep, a name too long.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The members of its objects, by name. Empty where they were too many to be fields.
    #[serde(rename = "f", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Box<str>, Learned>,
    /// Every member of its objects joined, once they are a map: more distinct names than an object has.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub map: Option<Box<Learned>>,
    /// The elements of its arrays, joined.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<Box<Learned>>,
}

impl Learned {
    /// Joins `other` into this: afterwards it holds what either held. `names_max` is the most names of an object.
    pub fn join(&mut self, other: &Self, names_max: usize) {
        self.kinds.0 |= other.kinds.0;
        self.opened |= other.opened;
        self.cut |= other.cut;
        for (name, field) in &other.fields {
            match &mut self.map {
                Some(map) => map.join(field, names_max),
                None => match self.fields.get_mut(name) {
                    Some(mine) => mine.join(field, names_max),
                    None => {
                        self.fields.insert(name.clone(), field.clone());
                    }
                },
            }
        }
        join_option(&mut self.map, &other.map, names_max);
        join_option(&mut self.elements, &other.elements, names_max);
        self.collapse(names_max);
    }

    /// Turns an object of too many names into a map.
    pub(super) fn collapse(&mut self, names_max: usize) {
        if self.map.is_none() && self.fields.len() <= names_max {
            return;
        }
        let mut map = self.map.take().unwrap_or_default();
        for field in std::mem::take(&mut self.fields).into_values() {
            map.join(&field, names_max);
        }
        self.map = Some(map);
    }

    /// How many fields lie below this place, this one not counted.
    pub fn count(&self) -> usize {
        let below = self.fields.values().map(|field| 1 + field.count()).sum::<usize>();
        let boxed = |side: &Option<Box<Self>>| side.as_ref().map_or(0, |place| place.count());
        below + boxed(&self.map) + boxed(&self.elements)
    }
}

fn join_option(mine: &mut Option<Box<Learned>>, other: &Option<Box<Learned>>, names_max: usize) {
    if let Some(other) = other {
        mine.get_or_insert_default().join(other, names_max);
    }
}
