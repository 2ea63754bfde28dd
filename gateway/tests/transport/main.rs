//! Live transports over real sockets: the gateway's routes on a TCP listener, and clients that speak the protocols.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod client;
mod deliveries;
mod events;
mod hand;
mod handshake;
mod life;
mod limits;
mod operations;
mod rig;
mod slow;
mod sse;
