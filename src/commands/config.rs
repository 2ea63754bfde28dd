//! `tidegate config`

use super::{Failure, say};
use crate::cli::ServeArgs;
use crate::config::{REFERENCE, load};
use crate::serve;

/// Reads the settings as a node would.
pub(crate) fn check(args: &ServeArgs) -> Result<(), Failure> {
    let config = load(args.config.as_deref(), std::env::vars())?;
    serve::check(&config)?;
    let from = args.config.as_ref().map_or("the defaults".into(), |path| path.display().to_string());
    say(&format!(
        "{from}: {} streams, {} clients, listening on {}",
        config.stream.len(),
        config.client.len(),
        config.server.listen
    ))
}

/// Prints every setting with its meaning and default.
pub(crate) fn reference() -> Result<(), Failure> {
    say(REFERENCE)
}
