//! Topics that there are, of those that may be read.

use access::ReadScope;
use schema::StreamName;
use store::{Store, StoreError, TopicActivity, TopicFilter};

/// Fewest topics that are asked for at once where not all of them may be read.
const LOOK_MIN: usize = 100;

/// The topics of `stream` that `filter` lists and `scope` holds, in byte order.
///
/// # Errors
/// The store's.
pub(crate) async fn list(
    store: &dyn Store,
    stream: &StreamName,
    filter: &TopicFilter,
    scope: &ReadScope,
) -> Result<Vec<TopicActivity>, StoreError> {
    let ReadScope::Within(within) = scope else { return store.topics(stream, filter.clone()).await };
    let mut found = Vec::new();
    for prefix in within.prefixes() {
        // What begins with one and with the other begins with the longer one.
        let prefix = match (prefix.starts_with(&filter.prefix), filter.prefix.starts_with(prefix)) {
            (true, _) => prefix,
            (_, true) => &filter.prefix,
            _ => continue,
        };
        let mut look =
            TopicFilter { prefix: prefix.to_owned(), limit: filter.limit.max(LOOK_MIN), ..filter.clone() };
        loop {
            let listed = store.topics(stream, look.clone()).await?;
            let is_all = listed.len() < look.limit;
            look.after = listed.last().map(|last| last.topic.clone());
            let room = filter.limit - found.len();
            found.extend(listed.into_iter().filter(|one| within.contains(&one.topic)).take(room));
            if found.len() == filter.limit {
                return Ok(found);
            }
            if is_all {
                break;
            }
        }
    }
    Ok(found)
}
