//! `tidegate migrate`: brings the CQL store's schema to the one that this binary is written for.

use std::path::Path;

use store::scylla::migrate;

use super::{Failure, block_on, say};
use crate::cli::MigrateArgs;
use crate::config::load;

/// Migrates, and says each step before it is taken.
pub(crate) fn run(args: &MigrateArgs, config: Option<&Path>) -> Result<(), Failure> {
    let settings = load(config, std::env::vars())?.store;
    if settings.is_embedded() {
        return Err("the embedded store needs no migration; for a CQL store, set store.url".into());
    }
    settings.check()?;
    let password = settings.password()?;
    let mut unsaid = None;
    let tell = |text: String| {
        if let Err(failure) = say(&text) {
            unsaid.get_or_insert(failure);
        }
    };
    block_on(async { Ok(migrate::run(&settings.cql(), &password, args.dry_run, tell).await?) })?;
    if let Some(failure) = unsaid {
        return Err(failure);
    }
    say(if args.dry_run { "Nothing was changed." } else { "The schema is up to date." })
}
