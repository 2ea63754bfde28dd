//! The vocabulary of Tidegate: what a stream, a topic, a message, a position, a cursor and a shape *are*.
//!
//! **Invariant.** Nothing here does I/O, reads a clock or draws a random number: every function is a function of
//! its arguments, so that each rule can be tested by value. Clocks and sockets live in the crates above.
//!
//! Read in the order in which a message meets them: [`limits`] and [`json`] when it comes in, [`stream`] to route
//! it, [`message`] and [`position`] once it is accepted, [`shape`] for what its stream has learned from it, [`cursor`]
//! when somebody pages through it, or follows it.

pub mod cursor;
pub mod json;
pub mod limits;
pub mod message;
pub mod names;
pub mod position;
pub mod shape;
pub mod stream;
pub mod time;

pub use cursor::{HistoryMark, PageCursor, Place, Places, ResumeCursor};
pub use limits::Limits;
pub use message::{Message, TimeSource};
pub use names::{StreamName, Topic};
pub use position::{PartitionId, Position, Sequence};
pub use stream::{Stream, TopicRule};
pub use time::{Clock, TimeRange, Timestamp};
