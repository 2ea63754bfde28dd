//! `tidegate token`

use super::{Failure, block_on, node::Node, say};
use crate::cli::NodeArgs;

/// Prints a token, for use in scripts: `-H "Authorization: Bearer $(tidegate token)"`.
pub(crate) fn run(args: &NodeArgs) -> Result<(), Failure> {
    say(&block_on(Node::sign_in(args))?.token)
}
