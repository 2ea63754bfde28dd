//! `tidegate page`

use serde::Deserialize;

use super::{Failure, block_on, node::Node, say};
use crate::cli::NodeArgs;

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Prints an address that opens the page signed in.
pub(crate) fn run(args: &NodeArgs) -> Result<(), Failure> {
    let (url, code) = block_on(async {
        let node = Node::sign_in(args).await?;
        let body = node.post("/oauth/codes", "application/json", b"{}".to_vec()).await?;
        Ok((node.url, serde_json::from_slice::<Code>(&body)?.code))
    })?;
    say(&format!("{url}/#code={code}"))
}
