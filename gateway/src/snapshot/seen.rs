//! What callers see of the schema: the streams that they may read, without the fields that are hidden from them.
//!
//! Those who see the same share it, and so share what is compiled for it.

use std::sync::Arc;

use access::{Principal, policy};
use quick_cache::sync::Cache;
use schema::StreamName;
use schema::shape::Hidden;

use super::{Snapshot, StreamView};

/// Rights of which it is kept what they come to: numbers, as the schemas are kept elsewhere.
const RIGHTS_MAX: usize = 10_000;

/// The whole schema of one moment, and what some see of it.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) whole: Arc<Snapshot>,
    control: Arc<str>,
    /// By what somebody may do, as [`Principal::rights_number`] has it.
    by_rights: Cache<u64, Arc<Snapshot>>,
    /// By what of it is seen.
    by_sight: Cache<Sight, Arc<Snapshot>>,
}

/// What somebody sees: streams by name, and what is hidden of each.
type Sight = Vec<(StreamName, Arc<Hidden>)>;

impl Moment {
    pub(super) fn new(whole: Snapshot, control: Arc<str>, schemas: usize) -> Self {
        Self {
            whole: Arc::new(whole),
            control,
            by_rights: Cache::new(RIGHTS_MAX),
            by_sight: Cache::new(schemas),
        }
    }

    /// What `caller` sees. A schema that nobody has seen yet is built, once.
    ///
    /// # Errors
    /// A sentence: the schema is at odds with itself, which is a fault of Tidegate.
    pub(super) async fn seen_by(&self, caller: &Principal) -> Result<Arc<Snapshot>, String> {
        if let Some(known) = self.by_rights.get(&caller.rights_number()) {
            return Ok(known);
        }
        let mut sight: Sight = Vec::new();
        let mut views: Vec<Arc<StreamView>> = Vec::new();
        for view in self.whole.streams.values() {
            let Some(hidden) = policy::sees(caller, view.record.name()) else { continue };
            sight.push((view.record.name().clone(), hidden.clone()));
            views.push(if hidden.is_empty() { view.clone() } else { Arc::new(view.without(hidden)) });
        }
        sight.sort();
        let is_all =
            views.len() == self.whole.streams.len() && sight.iter().all(|(_, hidden)| hidden.is_empty());
        let seen = if is_all { self.whole.clone() } else { self.of(sight, views).await? };
        self.by_rights.insert(caller.rights_number(), seen.clone());
        Ok(seen)
    }

    async fn of(&self, sight: Sight, views: Vec<Arc<StreamView>>) -> Result<Arc<Snapshot>, String> {
        let build = async {
            let control = self.control.clone();
            let built = tokio::task::spawn_blocking(move || Snapshot::of_views(&control, views)).await;
            built.map_err(|error| error.to_string())?.map(Arc::new)
        };
        self.by_sight.get_or_insert_async(&sight, build).await
    }
}
