//! Partitions that ended so long ago that nobody knows of them any more: who stood in one is told, and nobody's cursor names it.

use std::sync::Arc;

use schema::{
    Message, PartitionId, Place, Places, Position, Sequence, Stream, StreamName, TimeSource, Timestamp, Topic,
};
use store::testing::{Ground, histories};
use store::{JournalRow, Registration, Store, StreamRecord};

use super::reader::{Piece, Reader, Source};
use super::{Hub, Selection};
use crate::settings::LiveSettings;

struct World {
    store: Arc<dyn Store>,
    stream: StreamName,
    parent: PartitionId,
    child: PartitionId,
}

impl World {
    /// The parent had records 1 to 4 and has ended; of its child came record 11.
    async fn new(seed: u64, ground: &Ground) -> Self {
        let stream = StreamName::new(&ground.name(seed)).unwrap();
        let store = ground.process();
        let record = StreamRecord::new(Stream::with_defaults(stream.clone()), &[]);
        assert!(store.put_stream(&record).await.unwrap());
        let [parent, child] = ["parent", "child"].map(PartitionId::new);
        let world = Self { store, stream, parent: parent.clone(), child: child.clone() };
        let (s, store) = (&world.stream, &world.store);
        store.register_partition(s, &Registration::new(&parent, &[])).await.unwrap();
        store.register_partition(s, &Registration::new(&child, std::slice::from_ref(&parent))).await.unwrap();
        store.claim_lease(s, &parent).await.unwrap();
        store.claim_lease(s, &child).await.unwrap();
        for n in 1..=4 {
            world.append(&parent, n - 1, n).await;
        }
        let (messages, children) = (Vec::new(), vec![child.clone()]);
        let end = JournalRow { after: 4.into(), last: Sequence::END, messages, children };
        store.append_journal(s, &parent, &end).await.unwrap();
        assert!(store.checkpoint(s, &parent, 1, Sequence::END).await.unwrap());
        world.append(&child, 0, 11).await;
        world
    }

    async fn append(&self, partition: &PartitionId, after: u64, n: u64) {
        let message = Message {
            topic: Topic::new("t").unwrap(),
            time: Timestamp(n as i64),
            time_source: TimeSource::Arrival,
            arrived_at: Timestamp(n as i64),
            position: Position { partition: partition.clone(), sequence: n.into(), sub: 0 },
            key: "k".into(),
            raw: "{}".into(),
        };
        let messages = vec![message];
        self.store.write_messages(&self.stream, &messages).await.unwrap();
        let row = JournalRow { after: after.into(), last: n.into(), messages, children: Vec::new() };
        self.store.append_journal(&self.stream, partition, &row).await.unwrap();
        assert!(self.store.checkpoint(&self.stream, partition, 1, n.into()).await.unwrap());
    }

    /// What a reader is told that begins at `places`, and where it stands then.
    async fn read(&self, hub: &Arc<Hub>, mut at: Places) -> (Vec<String>, Places) {
        let source = Source {
            hub: hub.clone(),
            store: self.store.clone(),
            stream: self.stream.clone(),
            selection: Selection::All,
            is_current: Arc::new(|| true),
        };
        if hub.tip(&self.stream).is_none() {
            hub.begin(&self.stream, &*self.store).await.unwrap();
        }
        let (mut reader, mut told) = (Reader::from_places(source, at.clone()), Vec::new());
        while let Some(piece) = reader.step(false).await.unwrap() {
            let (row, what) = match &piece {
                Piece::Row { row, .. } => (row, row.after.get(&row.partition).sequence.to_string()),
                Piece::Gap { row, from, .. } => (row, format!("gap after {}", from.sequence)),
                Piece::History { .. } => panic!("nobody asked for history"),
            };
            told.push(format!("{} {what}", row.partition));
            at = (*row.after).clone();
            reader.consumed(&piece, usize::MAX);
        }
        (told, at)
    }
}

fn places(parent: Option<Sequence>, child: Option<u64>) -> Places {
    let parent = parent.map(|at| (PartitionId::new("parent"), Place::behind(at)));
    let child = child.map(|at| (PartitionId::new("child"), Place::behind(at.into())));
    parent.into_iter().chain(child).collect()
}

#[test]
fn who_stood_in_a_partition_that_is_forgotten_is_told() {
    histories(4, async |seed, ground| {
        let (world, before) = (World::new(seed, &ground).await, Hub::new(&LiveSettings::default()));
        let all = ["parent 1", "parent 2", "parent 3", "parent 4", "child 11"];
        assert_eq!(world.read(&before, Places::default()).await.0, all);
        assert!(world.store.forget_partition(&world.stream, &world.parent).await.unwrap());
        let mut child = 11;
        // One gateway knew the partition, the other never has.
        for hub in [before, Hub::new(&LiveSettings::default())] {
            if hub.tip(&world.stream).is_none() {
                hub.begin(&world.stream, &*world.store).await.unwrap();
            }
            world.append(&world.child, child, child + 1).await;
            hub.catch_up(&world.stream, &*world.store).await.unwrap();
            child += 1;
            // Only so do readers who never knew it stand where the ring does.
            assert_eq!(*hub.tip(&world.stream).unwrap(), places(None, Some(child)));
            let read = async |at| world.read(&hub, at).await;
            let (told, at) = read(places(Some(2.into()), None)).await;
            let rest: Vec<String> = (11..=child).map(|n| format!("child {n}")).collect();
            assert_eq!(told, [vec!["parent gap after 2".to_owned()], rest.clone()].concat());
            assert_eq!(at, places(None, Some(child)), "its end is named by nobody");
            assert_eq!(read(places(Some(Sequence::END), None)).await, (rest.clone(), at.clone()));
            assert_eq!(read(places(Some(Sequence::END), Some(child))).await.0.len(), 0);
            assert_eq!(read(Places::default()).await, (rest, at));
        }
    });
}
