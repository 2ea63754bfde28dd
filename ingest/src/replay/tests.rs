//! What a replay comes to, step by step, on a store that notices what is written in the wrong order.

use std::sync::Mutex;

use schema::{Sequence, Stream, Timestamp};
use store::{Catalog, DeadLetter, DeadLetters, Journal, JournalRow, Next};

use super::*;
use crate::testing::Memory;

/// Notes the rows that are announced.
#[derive(Default)]
struct Heard(Mutex<Vec<(PartitionId, Arc<JournalRow>)>>);

impl Announce for Heard {
    fn announce(&self, _: &StreamName, partition: &PartitionId, row: &Arc<JournalRow>) {
        self.0.lock().unwrap().push((partition.clone(), row.clone()));
    }
}

struct World {
    store: Arc<Memory>,
    heard: Arc<Heard>,
    record: StreamRecord,
}

impl World {
    /// A stream with letters at the positions from 1 on.
    async fn with(letters: &[&str]) -> Self {
        let store = Arc::new(Memory::default());
        let definition: Stream = serde_json::from_str(r#"{"name":"s","topic":"/t","id":"/id"}"#).unwrap();
        let record = StreamRecord::new(definition, &[]);
        assert!(store.put_stream(&record).await.unwrap());
        let letter = |(number, raw): (u64, &&str)| DeadLetter {
            position: at(number),
            arrived_at: Timestamp(number as i64),
            key: "k".into(),
            reason: "why".into(),
            raw: raw.as_bytes().to_vec().into(),
        };
        let letters: Vec<DeadLetter> = (1..).zip(letters).map(letter).collect();
        store.write_dead_letters(record.name(), &letters).await.unwrap();
        Self { store, heard: Arc::default(), record }
    }

    fn name(&self) -> &StreamName {
        self.record.name()
    }

    fn replayer(&self, limits: Limits) -> Replayer {
        Replayer::new(self.store.clone(), limits, self.heard.clone())
    }

    /// The bytes of all messages in the journal of replays.
    async fn journaled(&self) -> Vec<String> {
        let (mut consumed, mut all) = (Sequence::ZERO, Vec::new());
        loop {
            let next = self.store.next_journal(self.name(), &PartitionId::replays(), consumed).await.unwrap();
            let Next::Row(row) = next else { return all };
            assert_eq!(row.after, consumed);
            consumed = row.last;
            all.extend(row.messages.iter().map(|message| String::from_utf8(message.raw.to_vec()).unwrap()));
        }
    }

    async fn left(&self) -> Vec<Position> {
        let letters = self.store.dead_letters(self.name(), None, 99).await.unwrap();
        letters.into_iter().map(|letter| letter.position).collect()
    }
}

fn at(number: u64) -> Position {
    Position { partition: PartitionId::embedded(3), sequence: number.into(), sub: 0 }
}

#[tokio::test]
async fn what_is_a_message_now_reaches_all_that_messages_reach() {
    let letters =
        ["{\"u\":1}", " {\"t\":\"a\",\"n\":1,\"id\":7}\r\n", "{\"t\":\"b\",\"id\":7}", "{\"t\":\"b\"}"];
    let world = World::with(&letters).await;
    let asked = [at(4), at(1), at(2), at(9), at(3), at(2)];
    let outcomes = world.replayer(Limits::default()).replay(world.name(), &asked).await.unwrap();
    let message = |n| Replayed::Message(message_at(n));
    let reason = "the message has no text or number at /t, where its stream takes the topic from";
    let expect = [
        message(1),
        Replayed::StillDead(reason.into()),
        message(2),
        Replayed::NotFound,
        // Of two with one id, the first that was asked for.
        Replayed::Folded,
        message(2),
    ];
    assert_eq!(outcomes, expect);
    let journaled = world.journaled().await;
    assert_eq!(journaled, ["{\"t\":\"b\"}", "{\"t\":\"a\",\"n\":1,\"id\":7}"], "without what was around it");
    assert_eq!(world.left().await, [at(1)]);
    let heard = world.heard.0.lock().unwrap().clone();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].0.is_replays() && heard[0].1.messages.len() == 2 && heard[0].1.last == 3.into());
    {
        let tables = world.store.tables();
        assert_eq!(tables.rows.len(), 2);
        let row = &tables.rows[&(world.name().clone(), message_at(2))];
        assert_eq!((row.arrived_at, &*row.key, row.topic.as_str()), (Timestamp(2), "k", "a"));
        assert!(tables.shapes[world.name()].learned.fields.contains_key("n"), "its shape is learned");
    }
    let again = world.replayer(Limits::default()).replay(world.name(), &asked[4..]).await.unwrap();
    assert_eq!(again, [Replayed::NotFound, Replayed::NotFound]);
    assert_eq!(world.journaled().await.len(), 2);
    let nowhere = StreamName::new("nowhere").unwrap();
    let refused = world.replayer(Limits::default()).replay(&nowhere, &asked).await;
    assert!(matches!(refused, Err(ReplayError::UnknownStream(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_more_than_one_decision_is_replayed_in_order() {
    let letters: Vec<String> = (0..250).map(|n| format!("{{\"t\":\"a\",\"n\":{n}}}")).collect();
    let world = World::with(&letters.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let asked: Vec<Position> = (1..=250).map(at).collect();
    let outcomes = world.replayer(Limits::default()).replay(world.name(), &asked).await.unwrap();
    assert!(outcomes.iter().eq(&(1..=250).map(|n| Replayed::Message(message_at(n))).collect::<Vec<_>>()));
    assert_eq!(world.journaled().await, letters);
    assert_eq!(world.heard.0.lock().unwrap().len(), 3);
}

/// Somebody has died behind the decision, by a definition and limits that are others now.
#[tokio::test]
async fn what_was_decided_is_done_by_whoever_finds_it_twice() {
    let world = World::with(&["{\"t\":\"a\"}", "{\"t\":\"b\"}"]).await;
    let begun =
        LetterDecisions { version: 1, done: 0, replays: vec![at(2), at(1)], ..LetterDecisions::default() };
    assert!(world.store.put_letter_decisions(world.name(), &begun).await.unwrap());
    let next: Stream = serde_json::from_str(r#"{"name":"s","topic":"/gone"}"#).unwrap();
    assert!(world.store.put_stream(&world.record.redefined(next, Timestamp(1)).unwrap()).await.unwrap());
    let replayer = world.replayer(Limits { message_bytes: 1, ..Limits::default() });
    let mut seen = HashMap::new();
    replayer.0.look(&mut seen, false).await.unwrap();
    assert_eq!(world.journaled().await, Vec::<String>::new(), "whoever decided it may be at it");
    replayer.0.look(&mut seen, false).await.unwrap();
    assert_eq!(world.journaled().await, ["{\"t\":\"b\"}", "{\"t\":\"a\"}"]);
    assert_eq!(world.left().await, []);
    let done = world.store.letter_decisions(world.name()).await.unwrap();
    assert!(done.are_done() && done.done == 2, "{done:?}");
    // At the start it is done at once.
    let letter = world.store.tables().dead_letters.values().next().unwrap().clone();
    let other = DeadLetter { position: at(5), ..letter };
    world.store.write_dead_letters(world.name(), &[other]).await.unwrap();
    let begun = LetterDecisions { version: done.version + 1, replays: vec![at(5)], ..done };
    assert!(world.store.put_letter_decisions(world.name(), &begun).await.unwrap());
    replayer.0.look(&mut HashMap::new(), true).await.unwrap();
    assert_eq!(world.journaled().await.len(), 3);
}

/// Records that came in between, with the same id, change nothing of it.
#[tokio::test]
async fn a_verdict_stays_what_it_was() {
    let world = World::with(&["{\"t\":\"a\",\"id\":1}", "{\"t\":\"b\",\"id\":2}"]).await;
    let begun = LetterDecisions {
        version: 1,
        replays: vec![at(1), at(2)],
        folded: Some(vec![true, false]),
        ..LetterDecisions::default()
    };
    assert!(world.store.put_letter_decisions(world.name(), &begun).await.unwrap());
    let claim = store::IdClaim {
        key: "k".into(),
        id: "2".into(),
        generation: 1,
        sequence: 1.into(),
        sub: 0,
        arrived_at: Timestamp(2),
    };
    store::Ids::claim_ids(&*world.store, world.name(), &[claim], 1_000).await.unwrap();
    let outcomes = world.replayer(Limits::default()).replay(world.name(), &[at(1), at(2)]).await.unwrap();
    assert_eq!(outcomes, [Replayed::Folded, Replayed::Message(message_at(2))]);
    assert_eq!(world.journaled().await, ["{\"t\":\"b\",\"id\":2}"]);
}
