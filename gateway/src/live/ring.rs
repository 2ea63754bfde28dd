//! Recent rows of streams that somebody follows: one order for each stream, one bound in bytes for all. Pure: whoever holds
//! it wakes those whom it names.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use schema::{Message, PartitionId, Place, Places, Sequence, StreamName};

use super::seats::{SeatId, Seats};
use super::{Row, Selection};

/// What became of a row that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It follows what is known.
    New,
    /// It was known before.
    Known,
    /// Something before it is not known yet.
    Early,
    /// Nobody follows the stream.
    Unheard,
}

/// A reader's place in a stream's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Of which opening of the stream.
    pub(crate) generation: u64,
    /// Its seat.
    pub(crate) seat: SeatId,
    /// The row that comes next.
    pub(crate) serial: u64,
}

/// What a reader finds at its spot.
#[derive(Debug)]
pub(crate) enum Found {
    /// The next row that may be for it. Nothing that was jumped over is.
    Row(Arc<Row>),
    /// It is not here (any more): the journal has it.
    Gone,
}

/// All rows that are kept.
#[derive(Debug)]
pub(crate) struct Ring {
    feeds: HashMap<StreamName, Feed>,
    /// Whose row is the oldest, the next oldest, ….
    order: VecDeque<(StreamName, u64)>,
    bytes: usize,
    bytes_max: usize,
    generations: u64,
}

/// One stream.
#[derive(Debug)]
struct Feed {
    generation: u64,
    rows: VecDeque<Arc<Row>>,
    /// The serial of the row that comes next.
    next: u64,
    /// Behind the last row.
    tip: Arc<Places>,
    seats: Seats,
}

impl Ring {
    /// Room for `bytes_max`.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { feeds: HashMap::new(), order: VecDeque::new(), bytes: 0, bytes_max, generations: 0 }
    }

    /// Keeps the rows of `stream` that follow `places`, from now on.
    pub(crate) fn open(&mut self, stream: &StreamName, places: Places) {
        self.generations += 1;
        let (generation, tip) = (self.generations, Arc::new(places));
        let feed = Feed { generation, rows: VecDeque::new(), next: 0, tip, seats: Seats::default() };
        self.feeds.insert(stream.clone(), feed);
    }

    /// Keeps no more of `stream`. Those who wait are to be woken.
    pub(crate) fn close(&mut self, stream: &StreamName) -> Vec<Waker> {
        let mut woken = Vec::new();
        if let Some(feed) = self.feeds.remove(stream) {
            self.bytes -= feed.rows.iter().map(|row| held(row)).sum::<usize>();
            self.order.retain(|(_, generation)| *generation != feed.generation);
            feed.seats.dismiss(&mut woken);
        }
        woken
    }

    /// Whether nobody reads `stream`.
    pub(crate) fn is_idle(&self, stream: &StreamName) -> bool {
        self.feeds.get(stream).is_none_or(|feed| feed.seats.is_empty())
    }

    /// Where `stream` stands; `None` while nobody follows it.
    pub(crate) fn tip(&self, stream: &StreamName) -> Option<Arc<Places>> {
        self.feeds.get(stream).map(|feed| feed.tip.clone())
    }

    /// Takes the row of the journal that covers `(after, last]`, if it is the one that comes next in its partition.
    pub(crate) fn take(
        &mut self,
        stream: &StreamName,
        partition: &PartitionId,
        (after, last): (Sequence, Sequence),
        messages: &[Message],
        woken: &mut Vec<Waker>,
    ) -> Taken {
        let Some(feed) = self.feeds.get_mut(stream) else { return Taken::Unheard };
        let known = feed.tip.get(partition).whole();
        if last <= known {
            return Taken::Known;
        }
        if after > known {
            return Taken::Early;
        }
        let row = Row::messages(partition, feed.tip.clone(), Place::behind(last), messages.to_vec());
        self.push(stream, row, woken);
        Taken::New
    }

    /// Names partitions no more that have ended, and of which `is_gone` says that nothing is left.
    pub(crate) fn forget(&mut self, stream: &StreamName, is_gone: impl Fn(&PartitionId) -> bool) {
        let Some(feed) = self.feeds.get_mut(stream) else { return };
        let is_over = |(id, place): &(&PartitionId, Place)| place.whole() == Sequence::END && is_gone(id);
        if feed.tip.iter().any(|place| is_over(&place)) {
            let left = feed.tip.iter().filter(|place| !is_over(place));
            feed.tip = Arc::new(left.map(|(id, place)| (id.clone(), place)).collect());
        }
    }

    /// Nothing is left of `partition` up to `to`.
    pub(crate) fn gap(
        &mut self,
        stream: &StreamName,
        partition: &PartitionId,
        to: Sequence,
        woken: &mut Vec<Waker>,
    ) {
        let Some(feed) = self.feeds.get(stream) else { return };
        if to > feed.tip.get(partition).whole() {
            self.push(stream, Row::gap(partition, feed.tip.clone(), Place::behind(to)), woken);
        }
    }

    fn push(&mut self, stream: &StreamName, row: Row, woken: &mut Vec<Waker>) {
        let Some(feed) = self.feeds.get_mut(stream) else { return };
        let row = row.kept(feed.next);
        feed.seats.call(&row, woken);
        feed.tip = row.after.clone();
        feed.next += 1;
        self.bytes += held(&row);
        feed.rows.push_back(Arc::new(row));
        self.order.push_back((stream.clone(), feed.generation));
        self.shrink();
    }

    /// Lets the oldest rows go until the rest fit.
    fn shrink(&mut self) {
        while self.bytes > self.bytes_max {
            let Some((stream, generation)) = self.order.pop_front() else { break };
            let feed = self.feeds.get_mut(&stream).filter(|feed| feed.generation == generation);
            if let Some(row) = feed.and_then(|feed| feed.rows.pop_front()) {
                self.bytes -= held(&row);
            }
        }
    }

    /// Counts `bytes` more for `row`, if it is still kept.
    pub(crate) fn grow(&mut self, stream: &StreamName, row: &Arc<Row>, bytes: usize) {
        let Some(feed) = self.feeds.get(stream) else { return };
        if feed.row(row.serial).is_some_and(|kept| Arc::ptr_eq(kept, row)) {
            row.memo.grow(bytes);
            self.bytes += bytes;
            self.shrink();
        }
    }

    /// Seats a reader that stands at `places`, where the rows that are kept cover what follows.
    pub(crate) fn join(
        &mut self,
        stream: &StreamName,
        places: &Places,
        selection: &Selection,
    ) -> Option<Spot> {
        let feed = self.feeds.get_mut(stream)?;
        // A row is of use to a reader that has consumed all that came before it. The later it is, the less is met twice.
        let covered = feed.rows.partition_point(|row| row.before.within(places)) as u64;
        let at_tip = feed.tip.within(places);
        let serial = match (covered, at_tip) {
            (_, true) => feed.next,
            (0, false) => return None,
            (covered, false) => feed.first() + covered - 1,
        };
        Some(Spot { generation: feed.generation, seat: feed.seats.take(selection.clone()), serial })
    }

    /// A reader goes.
    pub(crate) fn leave(&mut self, stream: &StreamName, spot: Spot) {
        if let Some(feed) = self.feeds.get_mut(stream).filter(|feed| feed.generation == spot.generation) {
            feed.seats.leave(spot.seat);
        }
    }

    /// What comes next for a reader; it waits at the end.
    pub(crate) fn poll(
        &mut self,
        stream: &StreamName,
        spot: &mut Spot,
        context: &mut Context<'_>,
    ) -> Poll<Found> {
        let Some(feed) = self.feeds.get_mut(stream).filter(|feed| feed.generation == spot.generation) else {
            return Poll::Ready(Found::Gone);
        };
        let (waits, called) = feed.seats.state(spot.seat);
        if let Some(serial) = called {
            spot.serial = serial;
        }
        if waits || spot.serial == feed.next {
            feed.seats.wait(spot.seat, context.waker());
            return Poll::Pending;
        }
        Poll::Ready(feed.row(spot.serial).map_or(Found::Gone, |row| Found::Row(row.clone())))
    }
}

impl Feed {
    /// The serial of the oldest row that is kept.
    fn first(&self) -> u64 {
        self.next - self.rows.len() as u64
    }

    fn row(&self, serial: u64) -> Option<&Arc<Row>> {
        let index = serial.checked_sub(self.first())?;
        self.rows.get(usize::try_from(index).ok()?)
    }
}

fn held(row: &Row) -> usize {
    row.bytes() + row.memo.bytes()
}
