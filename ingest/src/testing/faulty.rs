//! A store that fails: before a step, after it (the reply is lost), or by the process ending there and then.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use schema::shape::Shape;
use schema::{Message, PartitionId, Position, Sequence, StreamName, Topic};
use store::{
    Catalog, DeadLetter, DeadLetters, IdClaim, Ids, Journal, JournalRow, Lease, LeaseState, Leases,
    LetterDecisions, Messages, Next, Registration, Report, Store, StoreError, StreamRecord, TopicActivity,
    TopicFilter, TopicPage,
};
use tokio::sync::Notify;

/// Lets steps through one at a time, when it is told to: so that a test decides whose step comes next.
#[derive(Debug, Default)]
pub(crate) struct Turnstile {
    granted: AtomicU64,
    waiting: AtomicBool,
    under_way: AtomicU64,
}

impl Turnstile {
    /// Polls `work` until it has done one more step, and waits for the next; what it comes to, if it ends.
    pub(crate) async fn advance<T>(&self, work: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        self.granted.store(1, Ordering::SeqCst);
        self.waiting.store(false, Ordering::SeqCst);
        poll_fn(|context| match Pin::new(&mut *work).poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.is_at_rest() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn is_at_rest(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
            && self.granted.load(Ordering::SeqCst) == 0
            && self.under_way.load(Ordering::SeqCst) == 0
    }

    /// Waits to be let through. Only [`Self::advance`] polls what waits here, so nobody need be woken.
    async fn pass(&self) {
        poll_fn(|_| {
            if self.granted.load(Ordering::SeqCst) == 0 {
                self.waiting.store(true, Ordering::SeqCst);
                return Poll::Pending;
            }
            self.granted.store(0, Ordering::SeqCst);
            self.under_way.fetch_add(1, Ordering::SeqCst);
            Poll::Ready(())
        })
        .await;
    }

    fn done(&self) {
        self.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The faults, and the store behind them.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    seed: AtomicU64,
    /// Of a hundred steps, so many fail.
    percent: u64,
    /// Steps before the process ends.
    steps_left: AtomicU64,
    /// Told when it has.
    pub(crate) crashed: Notify,
    turnstile: Option<Arc<Turnstile>>,
    /// Before or after one step in twenty it does nothing for up to so many milliseconds.
    nap_ms_max: u64,
    /// It takes no message that holds this.
    refuses: Option<&'static str>,
    /// How often it has refused one.
    pub(crate) refusals: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Store>, seed: u64, percent: u64, steps: u64) -> Self {
        Self {
            inner,
            seed: seed.into(),
            percent,
            steps_left: steps.into(),
            crashed: Notify::new(),
            turnstile: None,
            nap_ms_max: 0,
            refuses: None,
            refusals: AtomicU64::new(0),
        }
    }

    /// Each step waits at this turnstile.
    pub(crate) fn behind(mut self, turnstile: Arc<Turnstile>) -> Self {
        self.turnstile = Some(turnstile);
        self
    }

    /// It stands still now and then, for up to so many milliseconds: meanwhile, others go on.
    pub(crate) fn napping(mut self, nap_ms_max: u64) -> Self {
        self.nap_ms_max = nap_ms_max;
        self
    }

    /// It refuses any message that holds this.
    pub(crate) fn refusing(mut self, text: &'static str) -> Self {
        self.refuses = Some(text);
        self
    }

    fn refuses(&self, message: &Message) -> bool {
        let holds = |text: &str| message.raw.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        self.refuses.is_some_and(holds)
    }

    async fn nap(&self) {
        if self.nap_ms_max > 0 && self.draw(40) == 0 {
            tokio::time::sleep(Duration::from_millis(self.draw(self.nap_ms_max))).await;
        }
    }

    fn draw(&self, below: u64) -> u64 {
        // splitmix64
        let mut z = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    async fn step<T>(&self, step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let Some(turnstile) = &self.turnstile else { return self.do_step(step).await };
        turnstile.pass().await;
        let done = self.do_step(step).await;
        turnstile.done();
        done
    }

    async fn do_step<T>(&self, step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let (fails, late) = (self.draw(100) < self.percent, self.draw(2) == 0);
        let crashes = self.steps_left.fetch_sub(1, Ordering::Relaxed) == 1;
        if (fails || crashes) && !late {
            return self.fail(crashes).await;
        }
        self.nap().await;
        let done = step.await;
        self.nap().await;
        if fails || crashes { self.fail(crashes).await } else { done }
    }

    async fn fail<T>(&self, crashes: bool) -> Result<T, StoreError> {
        if crashes {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
        Err(StoreError::unavailable("be reached", "by chance"))
    }
}

#[async_trait]
impl Messages for Faulty {
    async fn write_messages(&self, stream: &StreamName, messages: &[Message]) -> Result<(), StoreError> {
        if messages.iter().any(|message| self.refuses(message)) {
            self.refusals.fetch_add(1, Ordering::Relaxed);
            return Err(StoreError::Refused { doing: "write messages", source: "it is too large".into() });
        }
        // What fails in the midst of many rows has written some.
        let (some, others) = messages.split_at(messages.len() / 2);
        self.step(self.inner.write_messages(stream, some)).await?;
        self.step(self.inner.write_messages(stream, others)).await
    }

    async fn read_topic(
        &self,
        stream: &StreamName,
        topic: &Topic,
        page: TopicPage,
    ) -> Result<Vec<Message>, StoreError> {
        self.step(self.inner.read_topic(stream, topic, page)).await
    }

    async fn topics(
        &self,
        stream: &StreamName,
        filter: TopicFilter,
    ) -> Result<Vec<TopicActivity>, StoreError> {
        self.step(self.inner.topics(stream, filter)).await
    }
}

#[async_trait]
impl Journal for Faulty {
    async fn append_journal(
        &self,
        stream: &StreamName,
        of: &PartitionId,
        row: &JournalRow,
    ) -> Result<(), StoreError> {
        self.step(self.inner.append_journal(stream, of, row)).await
    }

    async fn next_journal(
        &self,
        stream: &StreamName,
        of: &PartitionId,
        at: Sequence,
    ) -> Result<Next, StoreError> {
        self.step(self.inner.next_journal(stream, of, at)).await
    }
}

#[async_trait]
impl Ids for Faulty {
    async fn claim_ids(
        &self,
        stream: &StreamName,
        claims: &[IdClaim],
        window: i64,
    ) -> Result<Vec<bool>, StoreError> {
        self.step(self.inner.claim_ids(stream, claims, window)).await
    }
}

#[async_trait]
impl Leases for Faulty {
    async fn register_partition(&self, stream: &StreamName, new: &Registration) -> Result<(), StoreError> {
        self.step(self.inner.register_partition(stream, new)).await
    }

    async fn forget_partition(&self, stream: &StreamName, of: &PartitionId) -> Result<bool, StoreError> {
        self.step(self.inner.forget_partition(stream, of)).await
    }

    async fn claim_lease_if(
        &self,
        stream: &StreamName,
        of: &PartitionId,
        owner: &str,
        seen: u64,
    ) -> Result<Option<Lease>, StoreError> {
        self.step(self.inner.claim_lease_if(stream, of, owner, seen)).await
    }

    async fn renew_lease(
        &self,
        stream: &StreamName,
        of: &PartitionId,
        epoch: u64,
        report: Report,
    ) -> Result<(), StoreError> {
        self.step(self.inner.renew_lease(stream, of, epoch, report)).await
    }

    async fn ask_for_lease(
        &self,
        stream: &StreamName,
        of: &PartitionId,
        epoch: u64,
        by: &str,
    ) -> Result<bool, StoreError> {
        self.step(self.inner.ask_for_lease(stream, of, epoch, by)).await
    }

    async fn release_lease(
        &self,
        stream: &StreamName,
        of: &PartitionId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        self.step(self.inner.release_lease(stream, of, epoch)).await
    }

    async fn claim_lease(&self, stream: &StreamName, of: &PartitionId) -> Result<Lease, StoreError> {
        self.step(self.inner.claim_lease(stream, of)).await
    }

    async fn checkpoint(
        &self,
        stream: &StreamName,
        of: &PartitionId,
        epoch: u64,
        to: Sequence,
    ) -> Result<bool, StoreError> {
        self.step(self.inner.checkpoint(stream, of, epoch, to)).await
    }

    async fn leases(&self, stream: &StreamName) -> Result<Vec<LeaseState>, StoreError> {
        self.step(self.inner.leases(stream)).await
    }
}

#[async_trait]
impl Catalog for Faulty {
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError> {
        self.step(self.inner.streams()).await
    }

    async fn put_stream(&self, record: &StreamRecord) -> Result<bool, StoreError> {
        self.step(self.inner.put_stream(record)).await
    }

    async fn shape(&self, stream: &StreamName) -> Result<Option<Shape>, StoreError> {
        self.step(self.inner.shape(stream)).await
    }

    async fn put_shape(&self, stream: &StreamName, shape: &Shape) -> Result<bool, StoreError> {
        self.step(self.inner.put_shape(stream, shape)).await
    }

    async fn catalog_revision(&self) -> Result<u64, StoreError> {
        self.step(self.inner.catalog_revision()).await
    }
}

#[async_trait]
impl DeadLetters for Faulty {
    async fn write_dead_letters(
        &self,
        stream: &StreamName,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        self.step(self.inner.write_dead_letters(stream, letters)).await
    }

    async fn dead_letter(
        &self,
        stream: &StreamName,
        at: &Position,
    ) -> Result<Option<DeadLetter>, StoreError> {
        self.step(self.inner.dead_letter(stream, at)).await
    }

    async fn remove_dead_letters(
        &self,
        stream: &StreamName,
        positions: &[Position],
    ) -> Result<(), StoreError> {
        // What fails in the midst of many has removed some.
        let (some, others) = positions.split_at(positions.len() / 2);
        self.step(self.inner.remove_dead_letters(stream, some)).await?;
        self.step(self.inner.remove_dead_letters(stream, others)).await
    }

    async fn letter_decisions(&self, stream: &StreamName) -> Result<LetterDecisions, StoreError> {
        self.step(self.inner.letter_decisions(stream)).await
    }

    async fn put_letter_decisions(
        &self,
        stream: &StreamName,
        decisions: &LetterDecisions,
    ) -> Result<bool, StoreError> {
        self.step(self.inner.put_letter_decisions(stream, decisions)).await
    }

    async fn dead_letters(
        &self,
        stream: &StreamName,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.step(self.inner.dead_letters(stream, after, limit)).await
    }
}
