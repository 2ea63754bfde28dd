//! `tidegate ready`

use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::node::root;
use super::trust::known_by;
use super::{Failure, block_on, say};
use crate::cli::ReadyArgs;

/// Longer than a node asks its store for.
const WAIT: Duration = Duration::from_secs(8);

/// Asks a node's `/readyz`; what is not ready is a failure that says why.
pub(crate) fn run(args: &ReadyArgs) -> Result<(), Failure> {
    let url = args.url.trim_end_matches('/');
    let answer = block_on(async {
        let client = known_by(Client::builder().timeout(WAIT), args.trust.ca.as_deref())?.build()?;
        let answer = client.get(format!("{url}/readyz")).send().await;
        let answer = answer.map_err(|error| format!("no node answers at {url}: {}", root(&error)))?;
        Ok((answer.status(), answer.text().await?))
    })?;
    match answer {
        (StatusCode::OK, parts) => say(&format!("ready: {parts}")),
        (status, parts) => Err(format!("{url} is not ready ({status}): {parts}").into()),
    }
}
