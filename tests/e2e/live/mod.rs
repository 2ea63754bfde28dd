//! Those who follow streams, end to end: through kills, slowness, tokens that end, and with clients that others wrote.

mod clients;
mod follower;
mod kills;
mod memory;
mod tail;
mod writer;
