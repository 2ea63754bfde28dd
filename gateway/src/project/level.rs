//! What to write of an object, compiled from a selection set and the shape that was published.

use super::Leaf;
use crate::plan::{Slot, Verbatim};

/// The selection of one object type.
#[derive(Debug)]
pub struct Level {
    /// The producer's names that are wanted, each once.
    pub keys: Vec<Box<str>>,
    /// The response's fields in order, and which of `keys` each shows; `__typename` shows none.
    pub slots: Vec<(Slot<Member>, Option<usize>)>,
    /// The object's type name, as JSON.
    pub typename: Verbatim,
}

/// A view of a member's value.
#[derive(Debug)]
pub enum Member {
    /// The value, where it is of the primary kind.
    Primary {
        /// Whether a string here is opened as a JSON document.
        opened: bool,
        /// How it is shown.
        show: Show,
    },
    /// The value as it is.
    Json,
    /// An object's members as a list.
    Entries {
        /// Whether a string here is opened as a JSON document.
        opened: bool,
        /// What is wanted of each.
        fields: Entries,
    },
}

/// What is wanted of each entry of a map.
pub type Entries = Vec<Slot<EntryField>>;

/// A field of an entry.
#[derive(Debug)]
pub enum EntryField {
    /// `__typename`, as JSON.
    Typename(Verbatim),
    /// The member's name.
    Key,
    /// Its value.
    Value(Show),
}

/// How a value is shown.
#[derive(Debug)]
pub enum Show {
    /// As a scalar.
    Leaf(Leaf),
    /// As an object.
    Object(Level),
    /// As a list, each element so.
    List(Box<Show>),
}
