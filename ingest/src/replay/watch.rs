//! Doing what somebody else has decided and did not live to do.

use std::collections::HashMap;
use std::time::Duration;

use schema::StreamName;
use store::StoreError;

use super::{Inner, Outcomes, ReplayError, Replayer, Tries};

/// How often is looked. What is found twice is taken for left behind.
const LOOK: Duration = Duration::from_secs(60);

impl Replayer {
    /// Looks after what is left behind, from the start of the process on, and until the task is dropped.
    pub async fn watch(self) {
        let mut seen = HashMap::new();
        // At the start at once: most likely it is what this process has left behind itself.
        let mut at_once = true;
        loop {
            match self.0.look(&mut seen, at_once).await {
                Ok(()) => at_once = false,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "could not look for replays that were cut short; trying again");
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Inner {
    /// Completes what is as it was `seen` before, or all of it `at_once`. What fails is left to the next look.
    ///
    /// # Errors
    /// The store's last.
    pub(super) async fn look(
        &self,
        seen: &mut HashMap<StreamName, u64>,
        at_once: bool,
    ) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for record in self.store.streams().await? {
            let stream = record.name();
            let decisions = self.store.letter_decisions(stream).await?;
            if decisions.are_done() {
                seen.remove(stream);
            } else if seen.insert(stream.clone(), decisions.version) == Some(decisions.version) || at_once {
                let turn = self.turn(stream);
                let _turn = turn.lock().await;
                let mut tries = Tries { left: 3, wait: self.wait };
                match self.settle(stream, &mut Outcomes::new(), &mut tries).await {
                    Ok(_) => tracing::info!(%stream, "completed what was decided about dead letters"),
                    Err(ReplayError::Store(error)) => outcome = Err(error),
                    // It is gone.
                    Err(_) => drop(seen.remove(stream)),
                }
            }
        }
        outcome
    }
}
