//! Somebody who follows the stream, from one gateway or another.

use std::collections::BTreeSet;
use std::sync::Arc;

use schema::{
    HistoryMark, Message, PartitionId, Place, Places, Position, ResumeCursor, StreamName, TimeRange,
    Timestamp,
};
use store::testing::Turns;
use store::{Store, TopicFilter};

use super::super::{History, Hub, Mark, Piece, Reader, Selection, Source};

/// Where somebody begins.
#[derive(Clone, Debug)]
pub(super) enum Begin {
    Start,
    Now,
    Time(Timestamp),
}

pub(super) struct Subscriber {
    pub(super) begin: Begin,
    pub(super) selection: Selection,
    /// Of so many turns it takes one.
    pub(super) slow: u64,
    reader: Option<Reader>,
    cursor: Option<String>,
    /// Where the journal began for it.
    pub(super) fence: Places,
    /// What it was given, in order, and whether by time.
    pub(super) got: Vec<(Position, bool)>,
    pub(super) gaps: Vec<(PartitionId, Place, Place)>,
    pub(super) reconnects: u64,
    pub(super) shared: u64,
}

impl Subscriber {
    pub(super) fn new(begin: Begin, selection: Selection, slow: u64) -> Self {
        Self {
            begin,
            selection,
            slow,
            reader: None,
            cursor: None,
            fence: Places::default(),
            got: Vec::new(),
            gaps: Vec::new(),
            reconnects: 0,
            shared: 0,
        }
    }

    /// Goes away; it comes back, to whichever gateway, when it is its turn.
    pub(super) fn disconnect(&mut self) {
        self.reconnects += u64::from(self.reader.take().is_some());
    }

    async fn connect(&mut self, hub: &Arc<Hub>, store: &Arc<dyn Store>, stream: &StreamName) {
        // Opened by hand, it has no task of its own that would do steps of which the turns know nothing.
        if hub.tip(stream).is_none() {
            hub.begin(stream, &**store).await.unwrap();
        }
        let source = Source {
            hub: hub.clone(),
            store: store.clone(),
            stream: stream.clone(),
            selection: self.selection.clone(),
            is_current: Arc::new(|| true),
        };
        let cursor = self.cursor.as_ref().map(|text| ResumeCursor::decode(text, stream).unwrap());
        let reader = match (cursor, &self.begin) {
            (Some(ResumeCursor { places, history: Some(mark), .. }), _) => {
                let topics = topics(&**store, stream, &self.selection, mark.time).await;
                Reader::in_history(source, History::new(places, topics, mark.time, Some(mark)))
            }
            (Some(ResumeCursor { places, .. }), _) => Reader::from_places(source, places),
            (None, Begin::Start) => Reader::from_places(source, Places::default()),
            (None, Begin::Now) => {
                let reader = Reader::from_now(source).await.unwrap();
                self.fence = (*hub.tip(stream).unwrap()).clone();
                reader
            }
            (None, Begin::Time(from)) => {
                let leases = store.leases(stream).await.unwrap();
                let leases = leases.into_iter();
                self.fence = leases.map(|lease| (lease.partition, Place::behind(lease.checkpoint))).collect();
                let topics = topics(&**store, stream, &self.selection, *from).await;
                Reader::in_history(source, History::new(self.fence.clone(), topics, *from, None))
            }
        };
        self.reader = Some(reader);
    }

    /// Takes what comes next; `false` if it must wait. By `turns` it stops within a batch.
    pub(super) async fn step(
        &mut self,
        hub: &Arc<Hub>,
        store: &Arc<dyn Store>,
        stream: &StreamName,
        turns: Option<&mut Turns>,
    ) -> bool {
        if self.reader.is_none() {
            self.connect(hub, store, stream).await;
        }
        let Some(reader) = &mut self.reader else { return false };
        let Some(piece) = reader.step(false).await.unwrap() else { return false };
        let (base, marks, next) = take(&piece, &self.selection, turns);
        reader.consumed(&piece, next);
        if let Piece::Gap { row, from, .. } = &piece {
            self.gaps.push((row.partition.clone(), *from, row.after.get(&row.partition)));
        }
        self.shared += if matches!(piece, Piece::Row { shared: true, .. }) { marks.len() as u64 } else { 0 };
        let by_time = matches!(piece, Piece::History { .. });
        for (position, mark) in marks {
            self.cursor = Some(mark.cursor(&base, 7, stream));
            self.got.extend(position.map(|position| (position, by_time)));
        }
        true
    }

    /// Each message that it wants once, in order; what it has not, it was told of.
    pub(super) fn check(&self, all: &[&Message], cutoff: i64) {
        let got: BTreeSet<&Position> = self.got.iter().map(|(position, _)| position).collect();
        assert_eq!(got.len(), self.got.len(), "something came twice: {:?}", self.got);
        let mut places = Places::default();
        for (position, _) in self.got.iter().filter(|(_, by_time)| !by_time) {
            let place = Place { sequence: position.sequence, sub: Some(position.sub) };
            assert!(places.get(&position.partition) < place, "out of order: {position} of {:?}", self.got);
            places.set(&position.partition, place);
        }
        let told = |position: &Position| {
            let within = |(partition, from, to): &&(PartitionId, Place, Place)| {
                *partition == position.partition && !from.covers(position) && to.covers(position)
            };
            self.gaps.iter().find(within)
        };
        for message in all {
            let position = &message.position;
            let by_journal = !self.fence.get(&position.partition).covers(position);
            let by_time = matches!(self.begin, Begin::Time(from) if message.time >= from);
            let wanted = self.selection.includes(&message.topic) && (by_journal || by_time);
            let gone = message.arrived_at.0 < cutoff;
            if got.contains(position) {
                assert!(wanted, "{position} is not for it");
            } else if wanted {
                let excused = told(position).is_some() || !by_journal && gone;
                assert!(excused, "{position} was skipped in silence: {:?}, gaps {:?}", self.got, self.gaps);
            }
            assert!(
                gone || told(position).is_none(),
                "{:?} hides {position}, which is there",
                told(position)
            );
        }
        assert!(cutoff > 0 || self.gaps.is_empty(), "a gap where nothing is gone: {:?}", self.gaps);
    }
}

/// The positions and marks that come of a piece, beside which places, and how far it is consumed.
type Consumed = (Arc<Places>, Vec<(Option<Position>, Mark)>, usize);

fn take(piece: &Piece, selection: &Selection, turns: Option<&mut Turns>) -> Consumed {
    let stops = turns.and_then(|turns| turns.one_in(3).then_some(turns));
    let most = |count: usize| stops.map_or(count, |turns| 1 + turns.below(count as u64) as usize);
    match piece {
        Piece::History { messages, fence } => {
            let count = most(messages.len());
            let mark = |message: &Message| {
                let position = message.position.clone();
                (Some(position.clone()), Mark::History(HistoryMark { time: message.time, position }))
            };
            (fence.clone(), messages[..count].iter().map(mark).collect(), count)
        }
        Piece::Gap { row, base, .. } => {
            let mark = Mark::Place(row.partition.clone(), row.after.get(&row.partition));
            (base.clone(), vec![(None, mark)], 0)
        }
        Piece::Row { row, start, base, .. } => {
            let selected = row.select(selection, *start);
            let count = most(selected.len());
            let ends = |at: usize| if at + 1 == selected.len() { row.all().len() } else { selected[at] + 1 };
            let mark = |at: usize| {
                let position = row.all()[selected[at]].position.clone();
                (Some(position), Mark::Place(row.partition.clone(), row.place(ends(at))))
            };
            (base.clone(), (0..count).map(mark).collect(), ends(count - 1))
        }
    }
}

async fn topics(
    store: &dyn Store,
    stream: &StreamName,
    selection: &Selection,
    from: Timestamp,
) -> Vec<schema::Topic> {
    match selection {
        Selection::Topics(topics) => topics.to_vec(),
        Selection::All | Selection::Within(_) => {
            let range = TimeRange { from, to: TimeRange::ALL.to };
            let filter = TopicFilter { range, prefix: String::new(), after: None, limit: 100 };
            let active = store.topics(stream, filter).await.unwrap();
            let topics = active.into_iter().map(|activity| activity.topic);
            topics.filter(|topic| selection.includes(topic)).collect()
        }
    }
}
