//! One subscriber's way through a stream: history by time up to a fence, then the journal, then the ring; and back to the
//! journal whenever the ring has moved on.

use std::sync::Arc;

use schema::{HistoryMark, Message, PartitionId, Place, Places, Sequence, StreamName};
use store::{Next, Store, StoreError};
use tokio::sync::OwnedSemaphorePermit;

use super::history::History;
use super::ring::{Found, Spot};
use super::{Hub, Row, Selection};

/// What a reader reads.
pub(crate) struct Source {
    pub(crate) hub: Arc<Hub>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) stream: StreamName,
    pub(crate) selection: Selection,
    /// Whether the stream still is the one that the reader began with.
    pub(crate) is_current: IsCurrent,
}

/// Says whether a stream still is the one that somebody began to read.
pub(crate) type IsCurrent = Arc<dyn Fn() -> bool + Send + Sync>;

/// The stream is no more, or was made anew: places in it mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Why a step was not taken.
#[derive(Debug)]
pub(crate) enum Stopped {
    Gone,
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A subscriber: where it stands, and how it goes on from there.
pub(crate) struct Reader {
    source: Source,
    phase: Phase,
    /// The partition that was read last from the journal, so that all have their turn.
    turn: usize,
}

/// How a reader goes on.
enum Phase {
    /// Through rows by time, up to the fence.
    History(History),
    /// Through the journal. What was read of it may be kept until it is consumed.
    Behind { places: Places, row: Option<Kept> },
    /// Through the ring.
    Live(Live),
}

/// A row of the journal that is consumed piece by piece.
struct Kept {
    row: Arc<Row>,
    index: usize,
    _room: OwnedSemaphorePermit,
}

/// A reader's seat at the ring.
struct Live {
    spot: Spot,
    /// The message of the row that comes next.
    index: usize,
    places: Arc<Places>,
    /// Whether everybody who has a seat stands here, too, so that what is executed for one serves all.
    shared: bool,
}

/// What comes next. It counts as consumed once the reader is [told](Reader::consumed).
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Messages of history.
    History { messages: Arc<[Message]>, fence: Arc<Places> },
    /// Messages of one row, from `start` on.
    Row { row: Arc<Row>, start: usize, base: Arc<Places>, shared: bool },
    /// Messages are gone.
    Gap { row: Arc<Row>, from: Place, base: Arc<Places> },
}

impl Reader {
    /// A reader that begins with what comes from now on.
    pub(crate) async fn from_now(source: Source) -> Result<Self, StoreError> {
        let tip = source.hub.open(&source).await?;
        Ok(Self::from_places(source, Arc::unwrap_or_clone(tip)))
    }

    /// A reader that has consumed everything up to `places`.
    pub(crate) fn from_places(source: Source, places: Places) -> Self {
        Self { source, phase: Phase::Behind { places, row: None }, turn: 0 }
    }

    /// A reader in mid-history.
    pub(crate) fn in_history(source: Source, history: History) -> Self {
        Self { source, phase: Phase::History(history), turn: 0 }
    }

    /// What it reads.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// What comes next; waits for it, and as long as the store can't be read. It may be dropped while it waits.
    ///
    /// # Errors
    /// [`Gone`].
    pub(crate) async fn next(&mut self) -> Result<Piece, Gone> {
        let mut healthy = true;
        loop {
            let stepped = self.step(true).await;
            match stepped {
                Ok(Some(piece)) => return Ok(piece),
                Ok(None) => healthy = true,
                Err(Stopped::Gone) => return Err(Gone),
                Err(Stopped::Store(error)) => {
                    if healthy {
                        let (stream, error) = (&self.source.stream, &error as &dyn std::error::Error);
                        tracing::warn!(%stream, error, "a subscriber can't go on; trying again");
                    }
                    healthy = false;
                }
            }
            tokio::time::sleep(self.source.hub.patience()).await;
        }
    }

    /// One try at what comes next. `None`: the journal is behind the ring, or, unless it `waits`, nothing has come yet.
    pub(super) async fn step(&mut self, waits: bool) -> Result<Option<Piece>, Stopped> {
        loop {
            let next = match &mut self.phase {
                Phase::History(history) => match history.read(&self.source).await? {
                    Some(messages) => {
                        let fence = history.fence.clone();
                        return Ok(Some(Piece::History { messages, fence }));
                    }
                    None => Phase::Behind { places: (*history.fence).clone(), row: None },
                },
                Phase::Behind { .. } => match self.behind().await? {
                    Behind::Piece(piece) => return Ok(Some(piece)),
                    Behind::Joined(live) => Phase::Live(live),
                    Behind::Later => return Ok(None),
                },
                Phase::Live(live) => {
                    let found = live.look(&self.source, waits).await;
                    match found {
                        Look::Piece(piece) => return Ok(Some(piece)),
                        Look::End => return Ok(None),
                        Look::Behind => {
                            let places = (*live.places).clone();
                            self.leave();
                            Phase::Behind { places, row: None }
                        }
                    }
                }
            };
            self.phase = next;
        }
    }

    /// `piece` was consumed: of a row, what comes before `next`.
    pub(crate) fn consumed(&mut self, piece: &Piece, next: usize) {
        match (&mut self.phase, piece) {
            (Phase::History(history), Piece::History { messages, .. }) => {
                if let Some(last) = next.checked_sub(1).and_then(|at| messages.get(at)) {
                    history.mark(HistoryMark { time: last.time, position: last.position.clone() });
                }
            }
            (Phase::Behind { places, row: kept }, Piece::Row { row, .. }) => {
                places.set(&row.partition, row.place(next));
                let rest = kept.take().filter(|_| next < row.all().len());
                *kept = rest.map(|kept| Kept { index: next, ..kept });
            }
            (Phase::Behind { places, .. }, Piece::Gap { row, .. }) => {
                places.set(&row.partition, row.after.get(&row.partition));
            }
            (Phase::Live(live), Piece::Row { row, .. } | Piece::Gap { row, .. }) => live.consumed(row, next),
            (Phase::History(_) | Phase::Behind { .. } | Phase::Live(_), _) => {}
        }
    }

    /// Reads on in the journal, until the ring covers what comes next.
    async fn behind(&mut self) -> Result<Behind, Stopped> {
        let Phase::Behind { places, row: kept } = &mut self.phase else { return Ok(Behind::Later) };
        let Source { hub, store, stream, selection, .. } = &self.source;
        loop {
            if let Some(Kept { row, index, .. }) = kept {
                return Ok(Behind::Piece(own(row.clone(), *index)));
            }
            if !(self.source.is_current)() {
                return Err(Stopped::Gone);
            }
            let tip = hub.open(&self.source).await?;
            if let Some(spot) = hub.join(stream, places, selection) {
                let places = Arc::new(places.clone());
                return Ok(Behind::Joined(Live { spot, index: 0, places, shared: false }));
            }
            let mut lineage = hub.lineage(stream);
            if lineage.unknown(places).is_some() {
                // A cursor may come of a gateway that has heard of a partition earlier than this one.
                lineage = hub.lineage_now(stream, store.as_ref()).await?;
                if let Some(gone) = lineage.unknown(places) {
                    if places.get(&gone).whole() == Sequence::END {
                        places.remove(&gone);
                        continue;
                    }
                    // Its end is so long ago that nobody knows of it any more.
                    return Ok(Behind::Piece(gap(&gone, places, Sequence::END)));
                }
            }
            let mut behind: Vec<_> = tip.iter().filter(|(id, place)| places.get(id) < *place).collect();
            let is_behind = !behind.is_empty();
            // What a key has in a partition comes before what it has in those that go on from it.
            behind.retain(|(id, _)| lineage.may_enter(id, places));
            self.turn += 1;
            let Some((partition, _)) = behind.get(self.turn % behind.len().max(1)) else {
                // The hub has just begun anew, and knows more soon.
                if is_behind {
                    return Ok(Behind::Later);
                }
                continue;
            };
            let before = Arc::new(places.clone());
            match store.next_journal(stream, partition, places.get(partition).whole()).await? {
                Next::Row(row) => {
                    let row = Row::messages(partition, before, Place::behind(row.last), row.messages);
                    if row.first(selection, 0, Place::START).is_none() {
                        places.set(partition, row.after.get(partition));
                        continue;
                    }
                    let row = Arc::new(row);
                    // Without room for it, the rest of the row is read again when it is wanted.
                    let size = u32::try_from(row.bytes().div_ceil(1024)).unwrap_or(u32::MAX);
                    let room = hub.behind.clone().try_acquire_many_owned(size).ok();
                    *kept = room.map(|room| Kept { row: row.clone(), index: 0, _room: room });
                    return Ok(Behind::Piece(own(row, 0)));
                }
                Next::Gap { to } => return Ok(Behind::Piece(gap(partition, places, to))),
                Next::Wait => return Ok(Behind::Later),
            }
        }
    }

    fn leave(&mut self) {
        if let Phase::Live(live) = &self.phase {
            self.source.hub.leave(&self.source.stream, live.spot);
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The gap that a reader at `places` is told of, up to `to`.
fn gap(partition: &PartitionId, places: &Places, to: Sequence) -> Piece {
    let (from, base) = (places.get(partition), Arc::new(places.clone()));
    let row = Arc::new(Row::gap(partition, base.clone(), Place::behind(to)));
    Piece::Gap { row, from, base }
}

/// A piece of a row that only its reader has.
fn own(row: Arc<Row>, start: usize) -> Piece {
    let base = row.before.clone();
    Piece::Row { row, start, base, shared: false }
}

enum Behind {
    Piece(Piece),
    Joined(Live),
    /// The journal does not have it yet.
    Later,
}

enum Look {
    Piece(Piece),
    /// Nothing has come yet.
    End,
    /// The ring does not have it any more.
    Behind,
}

impl Live {
    async fn look(&mut self, source: &Source, waits: bool) -> Look {
        loop {
            let next = source.hub.next(&source.stream, &mut self.spot);
            let found = if waits {
                next.await
            } else {
                match futures_util::future::poll_immediate(next).await {
                    Some(found) => found,
                    None => return Look::End,
                }
            };
            let Found::Row(row) = found else { return Look::Behind };
            self.meet(&row);
            let (partition, consumed) = (&row.partition, self.places.get(&row.partition));
            let base = if self.shared { row.before.clone() } else { self.places.clone() };
            if consumed >= row.after.get(partition) {
                self.consumed(&row, row.all().len());
            } else if row.is_gap() {
                return Look::Piece(Piece::Gap { row, from: consumed, base });
            } else {
                match row.first(&source.selection, self.index, consumed) {
                    Some(start) => return Look::Piece(Piece::Row { row, start, base, shared: self.shared }),
                    None => self.consumed(&row, row.all().len()),
                }
            }
        }
    }

    /// Moves up to `row`: what it jumped over on the way was not for it.
    fn meet(&mut self, row: &Row) {
        if self.index > 0 {
            return;
        }
        if self.shared {
            self.places = row.before.clone();
        } else if !row.before.within(&self.places) {
            let mut places = (*self.places).clone();
            for (partition, place) in row.before.iter() {
                places.advance(partition, place);
            }
            self.places = Arc::new(places);
        }
        self.shared = self.shared || self.places == row.before;
    }

    fn consumed(&mut self, row: &Row, next: usize) {
        let is_whole = next >= row.all().len();
        if is_whole && self.shared {
            self.places = row.after.clone();
        } else {
            let mut places = (*self.places).clone();
            places.advance(&row.partition, row.place(next));
            self.places = Arc::new(places);
        }
        (self.index, self.spot.serial) =
            if is_whole { (0, self.spot.serial + 1) } else { (next, self.spot.serial) };
    }
}
