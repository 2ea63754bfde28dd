//! The schema as text: the control plane's, and a root field for each stream.

use std::fmt::Write;

use schema::shape::{write_fields, write_types};

use super::StreamView;

/// What every stream's field and type refers to, where the control plane does not define it.
const COMMON: &str = r#"
"A 64-bit integer. Numbers keep their digits; one beyond 64 bits is a field error."
scalar Long
"A place in a stream: opaque, from pageInfo or an edge of the same stream."
scalar PageCursor
"Where a message's time comes from."
enum TimeSource {
  "The message said it."
  MESSAGE
  "The stream names no time: arrival is meant."
  ARRIVAL
  "The stream names a time that this message lacks or that could not be read: arrival stands in."
  UNREADABLE
  "The message's time lay more than five minutes ahead of its arrival: arrival stands in."
  AHEAD
}
"Where a page stands among all rows."
type PageInfo {
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: PageCursor
  endCursor: PageCursor
}
"#;

/// The whole schema. Streams are written by name, so that equal catalogs give equal texts.
pub(super) fn write(control: &str, streams: &[StreamView]) -> String {
    let mut sdl = String::from(control);
    sdl.push_str(COMMON);
    let mut sorted: Vec<&StreamView> = streams.iter().collect();
    sorted.sort_by_key(|view| view.record.name());
    for view in sorted {
        stream(view, &mut sdl);
    }
    sdl
}

fn stream(view: &StreamView, sdl: &mut String) {
    let (name, field, message) = (view.record.name(), &view.record.root_field, &view.record.type_name);
    let _ = write!(
        sdl,
        r#"
extend type Query {{
  "Messages of stream {name}, oldest first. Without first or last: the newest."
  {field}(
    "Only this topic."
    topic: String
    "Only these topics. With neither: all topics active in the range, if they are few enough."
    topics: [String!]
    "Not before: ISO 8601, or such as now-15m."
    from: Time
    "Before: ISO 8601, or such as now-15m."
    to: Time
    "So many, from the oldest on."
    first: Int
    "Only what comes after this cursor."
    after: PageCursor
    "So many, up to the newest."
    last: Int
    "Only what comes before this cursor."
    before: PageCursor
  ): {message}Connection
}}
"A page of messages of stream {name}."
type {message}Connection {{
  nodes: [{message}!]!
  edges: [{message}Edge!]!
  pageInfo: PageInfo!
}}
"A message of stream {name}, and its place."
type {message}Edge {{
  cursor: PageCursor!
  node: {message}!
}}
"A message of stream {name}."
type {message} {{
  "Its name in all of Tidegate."
  id: ID!
  "When it happened."
  time: Time!
  "Where time comes from."
  timeSource: TimeSource!
  "When it was received."
  arrivedAt: Time!
  "What it is stored and asked for by."
  topic: String!
  "The partition key that it was sent with."
  key: String!
  "Where it stands in its log."
  position: String!
  "The producer's JSON, byte for byte."
  raw: String!
"#
    );
    if let Some(data) = &view.published.data {
        write_fields(data, sdl);
    }
    sdl.push_str("}\n");
    if let Some(data) = &view.published.data {
        write_types(data, sdl);
    }
}
