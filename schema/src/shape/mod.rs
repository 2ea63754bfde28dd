//! What is known of a stream's JSON, and what of it has been promised to clients.
//!
//! Two halves that must not be confused:
//! - [`Learned`] is what was *seen*: kinds joined over all messages. The join is commutative, associative and
//!   idempotent, so the order of messages does not change it.
//! - [`Published`] is what was *promised*: primary kinds, names, object or map. A promise is made once and never
//!   revised, so a document that was valid stays valid; what is learned later goes to sibling fields.
//!
//! [`Shape`] is both, with a version, as the catalog keeps it.

mod hidden;
mod learn;
mod learned;
mod publish;
mod published;
mod sdl;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use hidden::{Below, FieldPath, Hidden, InvalidFieldPath};
pub use learn::{Learner, Opens, open_string};
pub use learned::{Kinds, Learned};
pub use published::{Entries, Field, Object, Out, Published, View};
pub use sdl::{write_fields, write_types};

use crate::Limits;

/// A stream's shape as the catalog keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Counts the changes; compared and set by whoever writes the next.
    pub version: u64,
    /// What was seen.
    pub learned: Learned,
    /// What was promised.
    pub published: Published,
}

impl Shape {
    /// The next version, once `learned` holds more than this one: what is new is published under `type_name`.
    #[must_use]
    pub fn grown(&self, learned: Learned, type_name: &str, limits: &Limits) -> Self {
        let mut published = self.published.clone();
        published.publish(&learned, type_name, limits);
        Self { version: self.version + 1, learned, published }
    }
}
