//! A client that follows a stream over a WebSocket, and goes on by its last cursor whenever it is cut off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::support::{Client, Socket, SocketEnd, Turns};

/// What is followed, and what has come of it.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) stream: &'static str,
    /// The keys whose messages are followed; none: all.
    pub(super) keys: Vec<String>,
    /// Where it begins: at a time, or behind a cursor.
    pub(super) from: Option<String>,
    pub(super) cursor: Option<String>,
    /// Reads a little, and then nothing for a while.
    pub(super) is_slow: bool,
    pub(super) turns: Turns,
    /// The numbers that came, by key, in the order in which they came.
    pub(super) got: BTreeMap<String, Vec<usize>>,
    /// How often it went on from a cursor.
    pub(super) resumed: usize,
    /// The sequence that came last, by partition.
    last: BTreeMap<String, u64>,
}

/// How many messages there are, by stream and key.
pub(super) type Counts = BTreeMap<(&'static str, String), usize>;

/// Where the server is, and how many messages there are in the end.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub(super) node: watch::Receiver<Option<Client>>,
    pub(super) end: watch::Receiver<Option<Arc<Counts>>>,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    it: Event<'a>,
}

#[derive(Deserialize)]
struct Event<'a> {
    cursor: &'a str,
    #[serde(borrow)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    position: &'a str,
    topic: &'a str,
    data: Numbered,
}

#[derive(Deserialize)]
struct Numbered {
    n: usize,
}

impl Follower {
    pub(super) fn new(stream: &'static str, turns: Turns) -> Self {
        let (keys, got, last) = Default::default();
        let (from, cursor, is_slow, resumed) = Default::default();
        Self { stream, keys, from, cursor, is_slow, turns, got, resumed, last }
    }

    /// Follows until everything has come, or nothing more comes for `patience`.
    pub(super) async fn follow(mut self, mut news: News, patience: Duration) -> Self {
        loop {
            let node = news.node.wait_for(Option::is_some).await.expect("its sender lives").clone();
            let client = node.expect("there is one");
            match self.follow_once(&client, &news, patience).await {
                Ok(()) => return self,
                // Slow ones may be told to come back; and another test's server may have been given the port.
                Err(SocketEnd::Lost | SocketEnd::Closed(1013 | 4403, _)) => {}
                Err(SocketEnd::Closed(code, reason)) => panic!("cut off by {code} {reason}: {self:?}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn follow_once(
        &mut self,
        client: &Client,
        news: &News,
        patience: Duration,
    ) -> Result<(), SocketEnd> {
        let mut socket = Socket::connect(client).await?;
        let query = format!(
            "subscription($topics: [String!], $from: Time, $resume: ResumeCursor) {{ it: {}(topics: $topics, from: $from, \
             resume: $resume) {{ cursor message {{ position topic data {{ n }} }} }} }}",
            self.stream
        );
        let keys = Some(&self.keys).filter(|keys| !keys.is_empty());
        let from = self.from.as_ref().filter(|_| self.cursor.is_none());
        socket.subscribe("1", &query, json!({ "topics": keys, "from": from, "resume": self.cursor })).await?;
        self.resumed += usize::from(self.cursor.is_some());
        let mut end = news.end.clone();
        while !self.is_done(news) {
            let is_ending = end.borrow_and_update().is_some();
            tokio::select! {
                heard = socket.hear() => self.take(&heard?),
                changed = end.changed() => changed.expect("its sender lives"),
                () = sleep(patience), if is_ending => return Ok(()),
            }
            if self.is_slow && !is_ending && self.turns.below(100) == 0 {
                let pause = Duration::from_millis(self.turns.below(3_000) as u64);
                // Asleep, it still hears that it should hurry up.
                let _ = timeout(pause, end.changed()).await;
            }
        }
        Ok(())
    }

    fn take(&mut self, text: &str) {
        let told: Told<'_> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(told.kind, "next", "{text}");
        let Event { cursor, message } = told.payload.data.it;
        let message = message.unwrap_or_else(|| panic!("messages are gone: {text}"));
        let (partition, sequence) = message.position.split_once(':').expect("a partition and a sequence");
        let sequence = sequence.parse().expect("a number");
        let before = self.last.insert(partition.to_owned(), sequence);
        assert!(before.is_none_or(|before| before < sequence), "{text} after {before:?}, by {self:?}");
        self.got.entry(message.topic.to_owned()).or_default().push(message.data.n);
        self.cursor = Some(cursor.to_owned());
    }

    /// Whether as much has come as there is.
    fn is_done(&self, news: &News) -> bool {
        let end = news.end.borrow();
        let Some(counts) = end.as_ref() else { return false };
        let mut own = counts.iter().filter(|((stream, key), _)| self.follows(stream, key));
        own.all(|((_, key), count)| self.got.get(key).map_or(0, Vec::len) >= *count)
    }

    pub(super) fn follows(&self, stream: &str, key: &String) -> bool {
        self.stream == stream && (self.keys.is_empty() || self.keys.contains(key))
    }
}
