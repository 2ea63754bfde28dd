//! Where a subscription stands.

use super::{InvalidCursor, Kind, open, seal};
use crate::{PartitionId, Position, Sequence, StreamName, Timestamp};

/// How far a partition was consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The last record of which something was consumed.
    pub sequence: Sequence,
    /// The last message of that record which was consumed; `None` if the whole record was.
    pub sub: Option<u32>,
}

impl Place {
    /// Before the first record.
    pub const START: Self = Self { sequence: Sequence::ZERO, sub: None };

    /// Behind the whole record `sequence`.
    pub fn behind(sequence: Sequence) -> Self {
        Self { sequence, sub: None }
    }

    /// Whether the message at `position`, of this partition, was consumed.
    pub fn covers(&self, position: &Position) -> bool {
        match self.sub {
            None => position.sequence <= self.sequence,
            Some(sub) => (position.sequence, position.sub) <= (self.sequence, sub),
        }
    }

    /// The last record that was consumed whole.
    pub fn whole(&self) -> Sequence {
        if self.sub.is_none() { self.sequence } else { self.sequence.before() }
    }

    fn rank(&self) -> (Sequence, u64) {
        (self.sequence, self.sub.map_or(u64::MAX, u64::from))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// A place in each partition of a stream. Those that are not named stand at their start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(Vec<(PartitionId, Place)>);

impl Places {
    /// The place in `partition`.
    pub fn get(&self, partition: &PartitionId) -> Place {
        self.find(partition).map_or(Place::START, |at| self.0[at].1)
    }

    /// Whether `partition` is named.
    pub fn names(&self, partition: &PartitionId) -> bool {
        self.find(partition).is_ok()
    }

    /// Puts `partition` at `place`.
    pub fn set(&mut self, partition: &PartitionId, place: Place) {
        match self.find(partition) {
            Ok(at) => self.0[at].1 = place,
            Err(at) => self.0.insert(at, (partition.clone(), place)),
        }
    }

    /// Moves `partition` to `place`, unless it is beyond already.
    pub fn advance(&mut self, partition: &PartitionId, place: Place) {
        if self.get(partition) < place || !self.names(partition) {
            self.set(partition, place.max(self.get(partition)));
        }
    }

    /// Names `partition` no more.
    pub fn remove(&mut self, partition: &PartitionId) {
        if let Ok(at) = self.find(partition) {
            self.0.remove(at);
        }
    }

    /// Whether everything that was consumed here was consumed in `other`, too.
    pub fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|(partition, place)| *place <= other.get(partition))
    }

    /// The partitions that are named, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&PartitionId, Place)> {
        self.0.iter().map(|(partition, place)| (partition, *place))
    }

    fn find(&self, partition: &PartitionId) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(partition))
    }

    /// Writes them, with `other` in place of what they say of its partition.
    fn encode(&self, other: Option<(&PartitionId, Place)>, out: &mut Vec<u8>) {
        let mut other = other;
        for (partition, place) in &self.0 {
            if let Some((added, its)) = other.take_if(|(added, _)| *added <= partition) {
                encode_place(added, &its, out);
                if added == partition {
                    continue;
                }
            }
            encode_place(partition, place, out);
        }
        if let Some((added, its)) = other {
            encode_place(added, &its, out);
        }
        // Nothing names a partition by an empty text: that is the end of the list.
        out.push(0);
    }

    fn decode(mut bytes: &[u8]) -> Option<(Self, &[u8])> {
        let mut places = Self::default();
        loop {
            let end = bytes.iter().position(|byte| *byte == 0)?;
            let name = std::str::from_utf8(&bytes[..end]).ok()?;
            bytes = &bytes[end + 1..];
            if name.is_empty() {
                return Some((places, bytes));
            }
            let (sequence, rest) = Sequence::decode(bytes)?;
            let (has_sub, rest) = rest.split_first()?;
            let (sub, rest) = match has_sub {
                0 => (None, rest),
                1 => {
                    rest.split_first_chunk::<4>().map(|(sub, rest)| (Some(u32::from_be_bytes(*sub)), rest))?
                }
                _ => return None,
            };
            let partition = PartitionId::new(name);
            // In order, so that equal places are equal texts.
            if places.0.last().is_some_and(|(last, _)| *last >= partition) {
                return None;
            }
            places.0.push((partition, Place { sequence, sub }));
            bytes = rest;
        }
    }
}

fn encode_place(partition: &PartitionId, place: &Place, out: &mut Vec<u8>) {
    out.extend_from_slice(partition.as_str().as_bytes());
    out.push(0);
    place.sequence.encode(out);
    match place.sub {
        None => out.push(0),
        Some(sub) => {
            out.push(1);
            out.extend_from_slice(&sub.to_be_bytes());
        }
    }
}

impl FromIterator<(PartitionId, Place)> for Places {
    fn from_iter<I: IntoIterator<Item = (PartitionId, Place)>>(places: I) -> Self {
        let mut all = Self::default();
        for (partition, place) in places {
            all.set(&partition, place);
        }
        all
    }
}

/// The last row of history, by time and position, that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryMark {
    /// The message's time.
    pub time: Timestamp,
    /// Its position.
    pub position: Position,
}

/// Where a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeCursor {
    /// The incarnation of the stream that the places are of.
    pub incarnation: u64,
    /// How far each partition was consumed; in mid-history the fence, which parts history from what follows it.
    pub places: Places,
    /// How far history was read, while it is.
    pub history: Option<HistoryMark>,
}

impl ResumeCursor {
    /// The cursor's text, for use with `stream` only.
    pub fn encode(&self, stream: &StreamName) -> String {
        Self::encode_beside(stream, self.incarnation, &self.places, None, self.history.as_ref())
    }

    /// The text of the cursor that stands at `places`, but for one partition perhaps: what most cursors differ in.
    pub fn encode_beside(
        stream: &StreamName,
        incarnation: u64,
        places: &Places,
        other: Option<(&PartitionId, Place)>,
        history: Option<&HistoryMark>,
    ) -> String {
        let mut body = Vec::with_capacity(48 + 40 * places.0.len());
        body.extend_from_slice(&incarnation.to_be_bytes());
        places.encode(other, &mut body);
        if let Some(HistoryMark { time, position }) = history {
            body.extend_from_slice(&time.0.to_be_bytes());
            position.encode(&mut body);
        }
        seal(Kind::Resume, stream, &body)
    }

    /// Reads the text of a cursor of `stream`.
    ///
    /// # Errors
    /// [`InvalidCursor`] says what is wrong with it.
    pub fn decode(text: &str, stream: &StreamName) -> Result<Self, InvalidCursor> {
        Self::read(&open(Kind::Resume, stream, text)?).ok_or(InvalidCursor::Damaged)
    }

    fn read(body: &[u8]) -> Option<Self> {
        let (incarnation, rest) = body.split_first_chunk::<8>()?;
        let (places, rest) = Places::decode(rest)?;
        let history = match rest {
            [] => None,
            rest => {
                let (time, rest) = rest.split_first_chunk::<8>()?;
                let (position, rest) = Position::decode(rest)?;
                if !rest.is_empty() {
                    return None;
                }
                Some(HistoryMark { time: Timestamp(i64::from_be_bytes(*time)), position })
            }
        };
        Some(Self { incarnation: u64::from_be_bytes(*incarnation), places, history })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{PageCursor, Topic};

    fn stream(name: &str) -> StreamName {
        StreamName::new(name).unwrap()
    }

    fn position(partition: u32, sequence: u64, sub: u32) -> Position {
        Position { partition: PartitionId::embedded(partition), sequence: sequence.into(), sub }
    }

    fn cursor(partitions: u32) -> ResumeCursor {
        let place = |n: u32| Place { sequence: u64::from(n * 977).into(), sub: (n % 3 == 1).then_some(n) };
        ResumeCursor {
            incarnation: 0x0123_4567_89ab_cdef,
            places: (0..partitions).map(|n| (PartitionId::embedded(n), place(n))).collect(),
            history: Some(HistoryMark { time: Timestamp(-5), position: position(3, 1834, 7) }),
        }
    }

    #[test]
    fn a_cursor_comes_back_and_keeps_to_its_stream_and_kind() {
        let (events, orders) = (stream("events"), stream("orders"));
        for partitions in [0, 1, 4, 300] {
            for history in [true, false] {
                let mut cursor = cursor(partitions);
                cursor.history = cursor.history.filter(|_| history);
                let text = cursor.encode(&events);
                assert_eq!(ResumeCursor::decode(&text, &events), Ok(cursor));
                assert_eq!(ResumeCursor::decode(&text, &orders), Err(InvalidCursor::Stream));
                let page = InvalidCursor::Kind("ResumeCursor", "PageCursor");
                assert_eq!(PageCursor::decode(&text, &events), Err(page));
            }
        }
        let page =
            PageCursor { topic: Topic::new("t").unwrap(), time: Timestamp(1), position: position(0, 1, 0) };
        let resume = InvalidCursor::Kind("PageCursor", "ResumeCursor");
        assert_eq!(ResumeCursor::decode(&page.encode(&events), &events), Err(resume));
        assert_eq!(ResumeCursor::decode(&"A".repeat(100 << 10), &events), Err(InvalidCursor::Damaged));
    }

    #[test]
    fn cursors_of_many_partitions_are_compressed() {
        let text = cursor(1_000).encode(&stream("events"));
        assert!(text.len() < 16 << 10, "{} characters", text.len());
    }

    #[test]
    fn a_cut_cursor_is_damaged() {
        let events = stream("events");
        for partitions in [4, 300] {
            let text = cursor(partitions).encode(&events);
            for end in 0..text.len() {
                assert_eq!(ResumeCursor::decode(&text[..end], &events), Err(InvalidCursor::Damaged));
            }
        }
    }

    #[test]
    fn places_are_ordered_by_what_they_cover() {
        let place = |sequence: u64, sub| Place { sequence: sequence.into(), sub };
        let ordered = [Place::START, place(4, None), place(5, Some(0)), place(5, Some(1)), place(5, None)];
        assert!(ordered.is_sorted_by(|a, b| a < b));
        assert!(
            place(5, Some(1)).covers(&position(0, 5, 1)) && !place(5, Some(1)).covers(&position(0, 5, 2))
        );
        assert!(place(5, None).covers(&position(0, 5, 9)) && !place(5, None).covers(&position(0, 6, 0)));
        assert_eq!(place(5, Some(1)).whole(), 4.into());
        assert_eq!(place(5, None).whole(), 5.into());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = ResumeCursor::decode(&text, &stream("events"));
        }

        #[test]
        fn any_body_with_a_good_checksum_is_read_without_panic(body: Vec<u8>) {
            let text = seal(Kind::Resume, &stream("events"), &body);
            if let Ok(cursor) = ResumeCursor::decode(&text, &stream("events")) {
                prop_assert_eq!(cursor.encode(&stream("events")), text);
            }
        }

        #[test]
        fn beside_is_the_same_as_set(known: std::collections::BTreeSet<u8>, other: u8) {
            let partition = |n: u8| PartitionId::embedded(u32::from(n % 8));
            let mut cursor = ResumeCursor { history: None, ..cursor(0) };
            cursor.places = known.into_iter().map(|n| (partition(n), Place::behind(u64::from(n).into()))).collect();
            let (beside, place) = (partition(other), Place { sequence: 77.into(), sub: Some(3) });
            let stream = stream("events");
            let text = ResumeCursor::encode_beside(
                &stream, cursor.incarnation, &cursor.places, Some((&beside, place)), None,
            );
            cursor.places.set(&beside, place);
            prop_assert_eq!(text, cursor.encode(&stream));
        }

        #[test]
        fn advancing_never_goes_back(steps: Vec<(u8, u8)>) {
            let mut places = Places::default();
            for (partition, sequence) in steps {
                let partition = PartitionId::embedded(u32::from(partition % 3));
                let before = places.clone();
                places.advance(&partition, Place::behind(u64::from(sequence).into()));
                prop_assert!(before.within(&places) && places.names(&partition));
            }
        }
    }
}
