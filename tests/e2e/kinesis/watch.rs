//! A subscriber to the stream, who takes note of all that comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::check::number;
use super::cluster::{FIRST, STREAM};
use crate::support::{Client, Socket, until};

/// A message that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) key: String,
    pub(super) n: usize,
}

/// A subscriber at work.
#[derive(Debug)]
pub(super) struct Watch {
    got: Arc<Mutex<Vec<Seen>>>,
    /// Why messages are missing, as it was told.
    gaps: Arc<Mutex<Vec<String>>>,
    /// What it could not make sense of, or how it ended.
    trouble: Arc<Mutex<Option<String>>>,
    _runtime: Runtime,
}

impl Watch {
    /// Gets all that there ever was, and what comes.
    pub(super) fn from_start(client: &Client) -> Self {
        Self::begin(client, json!({ "from": "now-1d" }))
    }

    /// Gets what comes from now on.
    pub(super) fn from_now(client: &Client) -> Self {
        Self::from_cursor(client, &cursor(client))
    }

    fn begin(client: &Client, variables: Value) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (got, gaps) = (Arc::default(), Arc::<Mutex<Vec<String>>>::default());
        let trouble = Arc::<Mutex<Option<String>>>::default();
        let (client, seen, missing, told) = (client.clone(), Arc::clone(&got), gaps.clone(), trouble.clone());
        runtime.spawn(async move {
            let why = follow(&client, variables, &seen, &missing).await;
            *told.lock().unwrap() = Some(why);
        });
        Self { got, gaps, trouble, _runtime: runtime }
    }

    /// Looks at what has come so far.
    pub(super) fn got<T>(&self, look: impl FnOnce(&[Seen]) -> T) -> T {
        let trouble = self.trouble.lock().unwrap().clone();
        assert_eq!(trouble, None, "the subscription ended");
        look(&self.got.lock().unwrap())
    }

    /// Why messages are missing, as often as it was told so.
    pub(super) fn gaps(&self) -> Vec<String> {
        self.gaps.lock().unwrap().clone()
    }

    /// Gets what comes behind a cursor.
    pub(super) fn from_cursor(client: &Client, cursor: &str) -> Self {
        Self::begin(client, json!({ "resume": cursor }))
    }

    /// Waits until each key has as many messages, and holds them to have come once, and in the order of their numbers.
    pub(super) fn expect_in_order(&self, counts: &BTreeMap<String, usize>, context: &str) {
        let total: usize = counts.values().sum();
        let count = || self.got(|got| got.iter().filter(|seen| seen.key != FIRST).count());
        // How long all of it takes is no matter, as long as it goes on.
        let mut before = count();
        while before < total {
            let more = |count: &usize| (*count > before).then_some(*count);
            before =
                until(&format!("{context}: more than {before} of {total} messages to come"), count, more);
        }
        let mut keys = BTreeMap::<String, Vec<usize>>::new();
        self.got(|got| {
            for seen in got.iter().filter(|seen| seen.key != FIRST) {
                keys.entry(seen.key.clone()).or_default().push(seen.n);
            }
        });
        for (key, numbers) in &keys {
            let expect: Vec<usize> = (0..counts.get(key).copied().unwrap_or(0)).collect();
            let wrong = numbers.iter().zip(&expect).position(|(got, expect)| got != expect);
            assert!(*numbers == expect, "{context}: of {key}, wrong from {wrong:?} on: {numbers:?}");
        }
        assert_eq!(keys.len(), counts.len(), "{context}: {:?}", keys.keys());
    }
}

/// A cursor behind which all is that comes from now on.
pub(super) fn cursor(client: &Client) -> String {
    let page = client.graphql(&format!("{{ {STREAM}(from: \"now\", to: \"now\") {{ resumeCursor }} }}"));
    page[STREAM]["resumeCursor"].as_str().unwrap().to_owned()
}

/// Takes what comes until there is no more, or no sense in it; tells why.
async fn follow(
    client: &Client,
    mut variables: Value,
    got: &Mutex<Vec<Seen>>,
    gaps: &Mutex<Vec<String>>,
) -> String {
    let query = format!(
        "subscription($from: Time, $resume: ResumeCursor) {{ it: {STREAM}(from: $from, resume: $resume) \
         {{ cursor gap {{ reason }} message {{ topic raw }} }} }}"
    );
    loop {
        let Ok(mut socket) = Socket::connect(client).await else { return "there is no socket".into() };
        if socket.subscribe("1", &query, variables.clone()).await.is_err() {
            return "it was not begun".into();
        }
        // Whoever reads too slowly is told to come back, and goes on where it was.
        while let Ok(text) = socket.hear().await {
            let told: Value = serde_json::from_str(&text).unwrap_or_default();
            let event = &told["payload"]["data"]["it"];
            if let Some(reason) = event["gap"]["reason"].as_str() {
                gaps.lock().unwrap().push(reason.to_owned());
                variables = json!({ "resume": event["cursor"] });
                continue;
            }
            let (Some(key), Some(raw)) =
                (event["message"]["topic"].as_str(), event["message"]["raw"].as_str())
            else {
                return text;
            };
            let seen = Seen { key: key.to_owned(), n: number(key, raw) };
            got.lock().unwrap().push(seen);
            variables = json!({ "resume": event["cursor"] });
        }
    }
}
