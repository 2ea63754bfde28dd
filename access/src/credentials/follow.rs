//! Keeps the index in step with the store.

use std::sync::Arc;
use std::time::Duration;

use store::StoreError;

use super::Credentials;
use super::index::Index;

impl Credentials {
    /// Follows what other nodes change, until the task is dropped.
    pub async fn follow(self) {
        let mut healthy = true;
        loop {
            tokio::time::sleep(Duration::from_millis(self.0.settings.look_ms)).await;
            let seen = self.refresh().await;
            match &seen {
                Err(error) if healthy => tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "keys and denials can't be read: those that are known stay in force"
                ),
                Ok(()) if !healthy => tracing::info!("keys and denials are read again"),
                _ => {}
            }
            healthy = seen.is_ok();
        }
    }

    /// Brings the index up to what was changed before this began.
    pub(super) async fn refresh(&self) -> Result<(), StoreError> {
        let mut seen = self.0.revision.lock().await;
        // Before the documents: they are of this revision at least.
        let revision = self.0.documents.0.entries_revision().await?;
        if *seen == Some(revision) {
            return Ok(());
        }
        let index = Index::load(&self.0.documents, &self.0.policy).await?;
        self.0.index.store(Arc::new(index));
        *seen = Some(revision);
        // Behind the index: whoever is woken asks the new one.
        self.0.changes.send_modify(|number| *number += 1);
        Ok(())
    }
}
