//! Those who wait for rows of one stream, found by what they wait for.

use std::collections::HashMap;
use std::task::Waker;

use schema::Topic;

use super::{Row, Selection};

/// Who waits: an index that is used again once it is left.
pub(crate) type SeatId = usize;

/// The readers of one stream.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    seats: Vec<Option<Seat>>,
    free: Vec<SeatId>,
    by_topic: HashMap<Topic, Vec<SeatId>>,
    of_all: Vec<SeatId>,
    /// Of those whose topics can't be told beforehand.
    of_some: Vec<SeatId>,
}

#[derive(Debug)]
struct Seat {
    selection: Selection,
    /// Who is to be woken, while somebody waits: everything before was consumed.
    waiting: Option<Waker>,
    /// The row that ended the wait. What came in between was not for it.
    called: Option<u64>,
}

impl Seats {
    /// Takes a seat.
    pub(crate) fn take(&mut self, selection: Selection) -> SeatId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        });
        match &selection {
            Selection::All => self.of_all.push(id),
            Selection::Within(_) => self.of_some.push(id),
            Selection::Topics(topics) => {
                for topic in topics.iter() {
                    self.by_topic.entry(topic.clone()).or_default().push(id);
                }
            }
        }
        self.seats[id] = Some(Seat { selection, waiting: None, called: None });
        id
    }

    /// Leaves it.
    pub(crate) fn leave(&mut self, id: SeatId) {
        let Some(seat) = self.seats.get_mut(id).and_then(Option::take) else { return };
        match &seat.selection {
            Selection::All => self.of_all.retain(|other| *other != id),
            Selection::Within(_) => self.of_some.retain(|other| *other != id),
            Selection::Topics(topics) => {
                for topic in topics.iter() {
                    if let Some(seats) = self.by_topic.get_mut(topic) {
                        seats.retain(|other| *other != id);
                        if seats.is_empty() {
                            self.by_topic.remove(topic);
                        }
                    }
                }
            }
        }
        self.free.push(id);
    }

    /// Whether nobody is here.
    pub(crate) fn is_empty(&self) -> bool {
        self.free.len() == self.seats.len()
    }

    /// Waits for the next row that is for this seat.
    pub(crate) fn wait(&mut self, id: SeatId, waker: &Waker) {
        let Some(seat) = self.seats.get_mut(id).and_then(Option::as_mut) else { return };
        match &mut seat.waiting {
            Some(waiting) => waiting.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Whether the seat waits, and the row that it was called for since it was last asked.
    pub(crate) fn state(&mut self, id: SeatId) -> (bool, Option<u64>) {
        let seat = self.seats.get_mut(id).and_then(Option::as_mut);
        seat.map_or((false, None), |seat| (seat.waiting.is_some(), seat.called.take()))
    }

    /// Calls those who wait for something in `row`. They are to be woken once no lock is held.
    pub(crate) fn call(&mut self, row: &Row, woken: &mut Vec<Waker>) {
        let Self { seats, by_topic, of_all, of_some, .. } = self;
        let wants = |seat: &Seat| row.topics().any(|topic| seat.selection.includes(topic));
        let of_some = of_some.iter().copied().filter(|id| seats[*id].as_ref().is_some_and(wants));
        let of_some: Vec<SeatId> = if row.is_gap() { Vec::new() } else { of_some.collect() };
        let everybody = 0..seats.len();
        let mut call = |id: SeatId| {
            if let Some(seat) = seats[id].as_mut()
                && let Some(waker) = seat.waiting.take()
            {
                seat.called = Some(row.serial);
                woken.push(waker);
            }
        };
        if row.is_gap() {
            everybody.for_each(call);
            return;
        }
        if row.all().is_empty() {
            return;
        }
        of_all.iter().copied().chain(of_some).for_each(&mut call);
        for topic in row.topics() {
            by_topic.get(topic).into_iter().flatten().copied().for_each(&mut call);
        }
    }

    /// Wakes all.
    pub(crate) fn dismiss(self, woken: &mut Vec<Waker>) {
        woken.extend(self.seats.into_iter().flatten().filter_map(|seat| seat.waiting));
    }
}
