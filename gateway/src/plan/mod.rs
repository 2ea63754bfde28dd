//! A compiled operation: what to read, and which bytes to write for it.
//!
//! Documents are compiled once for each combination of their `@skip` and `@include` variables, so that execution
//! meets no conditions; arguments stay as they were written, and are resolved against the variables of each request.

mod cache;
mod collect;
mod compile;
mod control;
mod data;
mod live;

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::Argument;

pub use cache::{Documents, Prepared};
pub use collect::Conditions;
pub use compile::{compile, condition_variables};
pub(crate) use control::JSON;

use crate::project::Member;
use crate::snapshot::StreamView;

/// Bytes that stand in a response as they are: `,"alias":` before a value, and the like.
pub type Verbatim = Box<[u8]>;

/// An operation, ready to be executed.
#[derive(Debug)]
pub struct Plan {
    /// The fields of the response, in order.
    pub roots: Vec<Root>,
    /// The document that the control plane executes, if any root is its own.
    pub control: Option<ControlDocument>,
}

/// One field of the response's `data`.
#[derive(Debug)]
pub struct Root {
    /// Its response key.
    pub key: String,
    /// Who answers it.
    pub owner: Owner,
}

/// Who answers a root field.
#[derive(Debug)]
pub enum Owner {
    /// `__typename`: known beforehand.
    Typename(&'static str),
    /// `__schema` and `__type`.
    Introspection,
    /// The control plane.
    Control,
    /// A stream, queried.
    Data(Box<DataRoot>),
    /// A stream, subscribed to.
    Live(Arc<LiveRoot>),
}

impl Owner {
    /// The stream that answers.
    pub fn stream(&self) -> Option<&Arc<StreamView>> {
        match self {
            Self::Data(root) => Some(&root.stream),
            Self::Live(root) => Some(&root.stream),
            Self::Typename(_) | Self::Introspection | Self::Control => None,
        }
    }
}

/// The part of a document that the control plane executes.
#[derive(Debug)]
pub struct ControlDocument {
    /// Its text.
    pub text: String,
    /// The variables that it uses.
    pub variables: Vec<String>,
    /// Arguments of type `JSON` that were written in the document: given as variables, so that they keep their digits.
    pub json: Vec<(String, Node<apollo_compiler::ast::Value>)>,
}

/// The root field of a stream.
#[derive(Debug)]
pub struct DataRoot {
    /// The stream, as of the schema that the document was validated against.
    pub stream: Arc<StreamView>,
    /// Its arguments, as written.
    pub arguments: Vec<Node<Argument>>,
    /// What of the connection is wanted.
    pub connection: Vec<Slot<ConnectionField>>,
}

/// The root field of a subscription.
#[derive(Debug)]
pub struct LiveRoot {
    /// No other has this number: it stands for the operation and the versions of what it touches.
    pub number: u64,
    /// Its response key.
    pub key: String,
    /// What stands before an event: `{"data":{"key":`.
    pub prefix: Verbatim,
    /// The stream, as of the schema that the document was validated against.
    pub stream: Arc<StreamView>,
    /// Its arguments, as written.
    pub arguments: Vec<Node<Argument>>,
    /// What of each event is wanted.
    pub event: Vec<Slot<EventField>>,
}

/// A field of a subscription's event.
#[derive(Debug)]
pub enum EventField {
    /// `__typename`, as JSON.
    Typename(Verbatim),
    /// Where the subscription stands behind it.
    Cursor,
    /// Whether the message came late.
    Late,
    /// What is gone.
    Gap(Vec<Slot<GapField>>),
    /// The message.
    Message(Vec<Slot<MessageField>>),
}

/// A field of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapField {
    Typename,
    Reason,
    From,
    To,
}

/// A field of a response object, and what is written before its value.
#[derive(Debug)]
pub struct Slot<T> {
    /// `{"key":` or `,"key":`.
    pub prefix: Verbatim,
    /// The response key, for error paths.
    pub key: String,
    /// Its value.
    pub value: T,
}

/// A field of a connection.
#[derive(Debug)]
pub enum ConnectionField {
    /// `__typename`, as JSON.
    Typename(Verbatim),
    /// The messages.
    Nodes(Vec<Slot<MessageField>>),
    /// The messages with their cursors.
    Edges(Vec<Slot<EdgeField>>),
    /// Where the page stands.
    PageInfo(Vec<Slot<PageInfoField>>),
    /// Where a subscription goes on.
    ResumeCursor,
}

/// A field of an edge.
#[derive(Debug)]
pub enum EdgeField {
    /// `__typename`, as JSON.
    Typename(Verbatim),
    /// The message's place.
    Cursor,
    /// The message.
    Node(Vec<Slot<MessageField>>),
}

/// A field of `pageInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageInfoField {
    Typename,
    HasNextPage,
    HasPreviousPage,
    StartCursor,
    EndCursor,
}

/// A field of a message.
#[derive(Debug)]
pub enum MessageField {
    Typename(Verbatim),
    Id,
    Time,
    TimeSource,
    ArrivedAt,
    Topic,
    Key,
    Position,
    Raw,
    /// A view of the document itself.
    Data(Member),
}

/// What stands behind the fields of an object. Where conditions left none, nothing stood before them either.
pub(crate) fn end_of<T>(fields: &[T]) -> &'static [u8] {
    if fields.is_empty() { b"{}" } else { b"}" }
}
