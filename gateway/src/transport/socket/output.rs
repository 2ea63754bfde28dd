//! What the protocol decides.

use access::Principal;

use super::close::Close;
use super::frame::Head;
use crate::request::GraphqlRequest;
use crate::transport::operation::Payload;

/// One run of one operation: an id that is used again is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Run(pub(super) u64);

/// What is to be done.
pub(super) enum Output {
    /// Send a text frame.
    Text(Vec<u8>),
    /// Send a `next` for each result.
    Next(Run, Head, Payload),
    /// Send a WebSocket ping.
    Ping,
    /// Verify what the values of `Authorization` in `connection_init` or a ping show.
    Verify(Vec<String>),
    /// The socket is this caller's from now on.
    SignedIn(Box<Principal>),
    /// Start an operation.
    Start(Run, GraphqlRequest),
    /// Stop it, and send nothing more about it.
    Stop(Run),
    /// Close the socket. Nothing comes out after it.
    Close(Close),
    /// Drop the connection: nobody would hear a goodbye. Nothing comes out after it.
    Drop,
}
