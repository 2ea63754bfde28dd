//! `tidegate issuer`

use serde::Deserialize;
use serde_json::json;

use super::node::Node;
use super::{Failure, block_on, say};
use crate::cli::credentials::{IssuerCommand, RotateIssuer};

/// What a node tells of its new key.
#[derive(Debug, Deserialize)]
struct Rotated {
    key_id: String,
    old_until: Option<String>,
}

/// Does what was asked for.
pub(crate) fn run(command: &IssuerCommand) -> Result<(), Failure> {
    match command {
        IssuerCommand::Rotate(args) => rotate(args),
    }
}

fn rotate(args: &RotateIssuer) -> Result<(), Failure> {
    let rotated: Rotated = block_on(async {
        let node = Node::sign_in(&args.node).await?;
        let wish = json!({ "drop_old": args.drop_old }).to_string();
        let answer = node.post("/oauth/rotate", "application/json", wish.into_bytes()).await?;
        Ok(serde_json::from_slice(&answer)?)
    })?;
    let old = match rotated.old_until {
        Some(until) => format!("what the one before has signed is good until {until}"),
        None => "what others have signed is good no more".to_owned(),
    };
    say(&format!("key {} signs from now on; {old}", rotated.key_id))
}
