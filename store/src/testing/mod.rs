//! What tests of several crates share: random turns that can be taken again, and seeded histories over a real store.

mod histories;
mod turns;

pub use histories::{Lived, histories};
pub use turns::Turns;
