//! What tests of several crates share: random turns that can be taken again, seeded histories over a real store of either
//! kind, and a CQL server with a proxy before it that makes trouble.

pub mod cql;
mod ground;
mod histories;
mod proxy;
mod turns;

pub use ground::Ground;
pub use histories::{Lived, Telltale, cql_histories, histories, seeds};
pub use proxy::{Proxy, Trouble, errors};
pub use turns::Turns;
