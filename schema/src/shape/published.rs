//! What clients were promised: the fields of a stream's `data`, their names and types.

use serde::{Deserialize, Serialize};

/// The promise for a stream: nothing until there is a type to promise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The whole document, as a member named `data` of the message's own type: it follows the same rules as any other
    /// member, so a stream of lists or of numbers needs no rule of its own.
    pub data: Option<Field>,
}

/// An object type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its GraphQL name.
    pub type_name: String,
    /// Its fields, in the order in which they were published.
    pub fields: Vec<Field>,
}

/// A member of an object, and the GraphQL fields that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the producer's JSON.
    pub key: String,
    /// Whether strings here are opened as JSON documents.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opened: bool,
    /// The GraphQL field of its primary kind, and the type of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<(String, Out)>,
    /// The GraphQL field that gives the value as it is, whatever its kind: there once other kinds were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// The GraphQL field that gives an object's members as a list: there once they were too many to be fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Entries>,
}

/// An object's members as a list of `key` and `value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// The GraphQL field.
    pub name: String,
    /// The GraphQL type of an entry.
    pub type_name: String,
    /// The type of its `value`.
    pub value: Out,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Out {
    /// `Boolean`
    Boolean,
    /// `Long`: a 64-bit integer
    Long,
    /// `Float`
    Float,
    /// `String`
    Text,
    /// `JSON`: whatever it is
    Json,
    /// An object type
    Object(Object),
    /// A list
    List(Box<Out>),
}

impl Object {
    /// The member that shows `name` in GraphQL, and how.
    pub fn resolve(&self, name: &str) -> Option<(&Field, View<'_>)> {
        self.fields.iter().find_map(|field| field.view(name).map(|view| (field, view)))
    }

    /// Whether a GraphQL field of that name is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.resolve(name).is_some()
    }
}

/// Which of a member's GraphQL fields was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View<'a> {
    /// The value, where it is of the primary kind.
    Primary(&'a Out),
    /// The value as it is.
    Json,
    /// The members as a list.
    Entries(&'a Entries),
}

impl Field {
    /// How this member is shown under the GraphQL field `name`, if it is.
    pub fn view(&self, name: &str) -> Option<View<'_>> {
        match self {
            Self { primary: Some((primary, out)), .. } if primary == name => Some(View::Primary(out)),
            Self { json: Some(json), .. } if json == name => Some(View::Json),
            Self { entries: Some(entries), .. } if entries.name == name => Some(View::Entries(entries)),
            _ => None,
        }
    }
}
