//! The query pipeline over a real embedded store, without a socket.

mod control;
mod documents;
mod pages;
mod rig;
mod selections;
