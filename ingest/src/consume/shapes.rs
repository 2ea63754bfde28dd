//! Learning the shapes of streams, and putting what is new into the catalog.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use schema::shape::{Learned, Learner, Opens, Shape};
use schema::{Limits, Message, StreamName};
use store::{Store, StoreError, StreamRecord};

/// The shapes of all streams that the consumer has met.
pub(crate) struct Shapes {
    store: Arc<dyn Store>,
    limits: Arc<Limits>,
    /// One lock a stream, held while it learns: its partitions share one shape.
    known: Mutex<HashMap<StreamName, Arc<tokio::sync::Mutex<Option<Known>>>>>,
}

/// What is known of one stream.
struct Known {
    /// As the catalog has it.
    shape: Shape,
    /// All that was seen: at least what the catalog has.
    learned: Learned,
}

impl Shapes {
    pub(crate) fn new(store: Arc<dyn Store>, limits: Arc<Limits>) -> Self {
        Self { store, limits, known: Mutex::default() }
    }

    /// Learns `messages`. Where the catalog's shape covers them, nothing is written.
    ///
    /// # Errors
    /// [`StoreError`]; learning them again is harmless.
    pub(crate) async fn learn(&self, stream: &StreamRecord, messages: &[Message]) -> Result<(), StoreError> {
        let known = self.known(stream.name());
        let mut known = known.lock().await;
        if known.is_none() {
            let shape = self.store.shape(stream.name()).await?.unwrap_or_default();
            *known = Some(Known { learned: shape.learned.clone(), shape });
        }
        let Some(known) = known.as_mut() else { return Ok(()) };
        learn(&mut known.learned, stream, messages, &self.limits);
        while known.learned != known.shape.learned {
            let next = known.shape.grown(known.learned.clone(), &stream.type_name, &self.limits);
            if self.store.put_shape(stream.name(), &next).await? {
                tracing::debug!(stream = %stream.name(), version = next.version, "the stream's shape has grown");
                known.shape = next;
            } else {
                known.shape = self.store.shape(stream.name()).await?.unwrap_or_default();
                known.learned.join(&known.shape.learned, self.limits.object_names);
            }
        }
        Ok(())
    }

    fn known(&self, stream: &StreamName) -> Arc<tokio::sync::Mutex<Option<Known>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(stream.clone()).or_default().clone()
    }
}

/// Joins what `messages` show, each read by the definition that was in force when it arrived.
fn learn(learned: &mut Learned, stream: &StreamRecord, messages: &[Message], limits: &Limits) {
    for run in
        messages.chunk_by(|a, b| std::ptr::eq(stream.in_force(a.arrived_at), stream.in_force(b.arrived_at)))
    {
        let opens = Opens::new(&stream.in_force(run[0].arrived_at).json_strings);
        let mut learner = Learner::new(learned, &opens, limits);
        for message in run {
            // What is no JSON has no shape. It can't be: it was checked before the log, or when it was decoded.
            let _ = learner.learn(learned, &message.raw);
        }
    }
}
