//! What to write of an object, compiled from a selection set and the shape that was published.

use schema::json::Text;

use super::Leaf;
use crate::plan::{Slot, Verbatim};

/// The selection of one object type.
#[derive(Debug)]
pub struct Level {
    /// The producer's names that are wanted, each once.
    pub(super) names: Vec<Name>,
    /// The response's fields in order, and which of `names` each shows; `__typename` shows none.
    pub(super) slots: Vec<(Slot<Member>, Option<usize>)>,
    /// The object's type name, as JSON.
    pub(super) typename: Verbatim,
}

/// A producer's name that is wanted.
#[derive(Debug)]
pub(super) struct Name {
    name: Box<str>,
    /// The first slot that shows the value as an object: its members are found on the same walk.
    pub(super) object: Option<usize>,
    /// Whether any other slot shows the value, and so needs its end.
    pub(super) whole: bool,
}

impl Level {
    /// A level of `fields`, in the order of the response: each with the producer's name that it shows, or `None` where it
    /// shows `typename`, which is JSON.
    pub fn new<N: AsRef<str>>(fields: Vec<(Slot<Member>, Option<N>)>, typename: Verbatim) -> Self {
        let mut names: Vec<Name> = Vec::new();
        let mut slots = Vec::with_capacity(fields.len());
        for (index, (slot, name)) in fields.into_iter().enumerate() {
            let at = name.map(|name| {
                let name = name.as_ref();
                let known = names.iter().position(|known| *known.name == *name);
                let at = known.unwrap_or(names.len());
                if known.is_none() {
                    names.push(Name { name: name.into(), object: None, whole: false });
                }
                let known = &mut names[at];
                match slot.value {
                    Member::Primary { show: Show::Object(_), .. } if known.object.is_none() => {
                        known.object = Some(index);
                    }
                    _ => known.whole = true,
                }
                at
            });
            slots.push((slot, at));
        }
        Self { names, slots, typename }
    }

    /// The fields in order, each with the producer's name that it shows; `__typename` shows none.
    pub fn fields(&self) -> impl Iterator<Item = (&Slot<Member>, Option<&str>)> {
        self.slots.iter().map(|(slot, at)| (slot, at.map(|at| &*self.names[at].name)))
    }

    /// The object's type name, as JSON.
    pub fn typename(&self) -> &[u8] {
        &self.typename
    }

    /// Which of the wanted names `name` is. The search begins at `next`: members mostly come in one order.
    #[inline]
    pub(super) fn wanted(&self, name: &Text<'_>, next: usize) -> Option<usize> {
        let (before, behind) = self.names.split_at(next.min(self.names.len()));
        let found = behind.iter().position(|known| name.is(&known.name)).map(|at| at + before.len());
        found.or_else(|| before.iter().position(|known| name.is(&known.name)))
    }

    /// The level of the objects that slot `index` shows, if it shows objects.
    #[inline]
    pub(super) fn below(&self, index: Option<usize>) -> Option<&Self> {
        match &self.slots.get(index?)?.0.value {
            Member::Primary { show: Show::Object(level), .. } => Some(level),
            _ => None,
        }
    }
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
