//! What tests of several crates share: random turns that can be taken again, seeded histories over a real store, and a CQL
//! server with a proxy before it that makes trouble.

pub mod cql;
mod histories;
mod proxy;
mod turns;

pub use histories::{Lived, histories};
pub use proxy::{Proxy, Trouble};
pub use turns::Turns;
