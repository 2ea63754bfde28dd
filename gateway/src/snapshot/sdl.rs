//! The schema as text: the control plane's, and a root field for each stream.

use std::fmt::Write;
use std::sync::Arc;

use schema::shape::{write_fields, write_types};

use super::StreamView;

/// What every stream's field and type refers to, where the control plane does not define it.
const COMMON: &str = r#"
"A 64-bit integer. Numbers keep their digits; one beyond 64 bits is a field error."
scalar Long
"A place in a stream: opaque, from pageInfo or an edge of the same stream."
scalar PageCursor
"A place in a stream from which a subscription goes on: opaque, from an event or a connection of the same stream."
scalar ResumeCursor
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
"Messages of one partition that are gone: those behind \"from\", up to and with \"to\"."
type Gap {
  reason: GapReason!
  "The last position before the gap; null where all that came before may be gone."
  from: String
  "The last position of the gap; null where it is not known."
  to: String
}
"Why messages are gone."
enum GapReason {
  "Their retention is over, or the log was damaged and they were set aside."
  MISSING
  "The cursor is of a stream that was made anew since: all that this one has follows."
  INCARNATION
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
pub(super) fn write(control: &str, streams: &[Arc<StreamView>]) -> String {
    let mut sdl = String::from(control);
    sdl.push_str(COMMON);
    let mut sorted: Vec<&StreamView> = streams.iter().map(|view| &**view).collect();
    sorted.sort_by_key(|view| view.record.name());
    for view in &sorted {
        stream(view, &mut sdl);
    }
    if !sorted.is_empty() {
        sdl.push_str("\nextend schema {\n  subscription: Subscription\n}\ntype Subscription {");
        sorted.iter().for_each(|view| subscription(view, &mut sdl));
        sdl.push_str("}\n");
    }
    sdl
}

fn subscription(view: &StreamView, sdl: &mut String) {
    let (name, field, message) = (view.record.name(), &view.record.root_field, &view.record.type_name);
    let _ = write!(
        sdl,
        r#"
  "Messages of stream {name} as they come. Without from or resume: those from now on."
  {field}(
    "Only this topic."
    topic: String
    "Only these topics. With neither: all topics."
    topics: [String!]
    "History first, from this time on, by time: ISO 8601, or such as now-15m."
    from: Time
    "What follows this cursor."
    resume: ResumeCursor
  ): {message}Event!
"#
    );
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
  "What a subscription resumes from to go on where this page was read: nothing is missed, and nothing comes twice."
  resumeCursor: ResumeCursor!
}}
"A message of stream {name} that came, or a gap."
type {message}Event {{
  "Resumes behind this event."
  cursor: ResumeCursor!
  "Whether the message arrived long after its time."
  late: Boolean!
  "What is gone, in place of a message."
  gap: Gap
  message: {message}
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
"#
    );
    // It has every field, so it is for those who see them all.
    if view.shows_whole_messages() {
        sdl.push_str("  \"The producer's JSON, byte for byte.\"\n  raw: String!\n");
    }
    if let Some(data) = &view.published.data {
        write_fields(data, sdl);
    }
    sdl.push_str("}\n");
    if let Some(data) = &view.published.data {
        write_types(data, sdl);
    }
}
