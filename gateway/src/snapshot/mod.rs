//! The schema as of one moment: what documents are validated against, and the streams behind its fields.
//!
//! Snapshots are immutable and swapped whole, so a running query keeps the one that it began with.

mod follow;
mod sdl;
mod seen;

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::collections::HashMap as ApolloMap;
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use schema::Stream;
use schema::shape::{Hidden, Published};
use store::StreamRecord;

pub use follow::{Follower, Snapshots};

/// A stream, as one snapshot shows it.
#[derive(Debug)]
pub struct StreamView {
    /// Its entry in the catalog.
    pub record: StreamRecord,
    /// The version of its shape; 0 before anything was learned.
    pub shape_version: u64,
    /// What its messages look like.
    pub published: Published,
    /// What of them is hidden from those who see this: it is left out of `published` already.
    pub hidden: Arc<Hidden>,
}

impl StreamView {
    /// The definition in force.
    pub fn stream(&self) -> &Stream {
        self.record.current()
    }

    /// Whether a plan made for `self` serves for `other` too: the same fields under the same names.
    pub fn same_version(&self, other: &Self) -> bool {
        self.shape_version == other.shape_version
            && self.record.version == other.record.version
            && self.record.incarnation == other.record.incarnation
            && self.hidden == other.hidden
    }

    /// Whether messages may be shown as they are: all of them, or nothing of what is hidden.
    pub fn shows_whole_messages(&self) -> bool {
        self.hidden.is_empty()
    }

    /// The stream, as those see it from whom `hidden` is hidden.
    fn without(&self, hidden: Arc<Hidden>) -> Self {
        Self {
            record: self.record.clone(),
            shape_version: self.shape_version,
            published: self.published.without(&hidden),
            hidden,
        }
    }
}

/// The schema of one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The schema as text.
    pub sdl: String,
    /// The schema, checked.
    pub schema: Valid<Schema>,
    /// Which types implement which interfaces: introspection asks for it.
    pub implementers: ApolloMap<Name, Implementers>,
    /// Streams by root field.
    pub streams: HashMap<String, Arc<StreamView>>,
    /// Another text for another schema: clients compare it to know when to look again.
    pub version: String,
    /// What is hidden in it, as text: documents that are compiled for one serve for all others with the same, as far as the
    /// streams are there that they touch.
    pub hidden: Arc<str>,
}

impl Snapshot {
    /// The schema of the control plane (`control`, as SDL) and of `streams`.
    ///
    /// # Errors
    /// What the schema's validation says: a fault of Tidegate, never of data.
    pub fn build(control: &str, streams: Vec<StreamView>) -> Result<Self, String> {
        Self::of_views(control, streams.into_iter().map(Arc::new).collect())
    }

    fn of_views(control: &str, streams: Vec<Arc<StreamView>>) -> Result<Self, String> {
        let sdl = sdl::write(control, &streams);
        let schema = Schema::parse_and_validate(sdl.as_str(), "schema.graphql")
            .map_err(|error| error.errors.to_string())?;
        let implementers = schema.implementers_map();
        let mut hidden: Vec<String> =
            streams.iter().filter(|view| !view.shows_whole_messages()).map(|view| hides(view)).collect();
        hidden.sort();
        let hidden = hidden.concat().into();
        let streams = streams.into_iter().map(|view| (view.record.root_field.clone(), view)).collect();
        let version = format!("{:08x}{:08x}", crc32(&sdl), sdl.len());
        Ok(Self { sdl, schema, implementers, streams, version, hidden })
    }

    /// The stream of that name.
    pub fn stream(&self, name: &str) -> Option<&Arc<StreamView>> {
        self.streams.values().find(|view| view.record.name().as_str() == name)
    }
}

/// What is hidden of a stream, as text.
fn hides(view: &StreamView) -> String {
    let paths: Vec<String> = view.hidden.paths().map(ToString::to_string).collect();
    format!("{}{paths:?}", view.record.name())
}

fn crc32(text: &str) -> u32 {
    crc32c::crc32c(text.as_bytes())
}
