//! Producers: boto3, by the script `tests/kinesis/produce.py`. They need a Python that has it; `TIDEGATE_WITHOUT=boto3` leaves
//! them out.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde::Deserialize;

use super::Emulator;
use crate::support::{is_left_out, repository, until};

/// What was acknowledged.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ack {
    pub(crate) key: String,
    /// The message's number within its key; of poison, that of the message behind it.
    pub(crate) n: usize,
    pub(crate) kind: Kind,
    /// As a message of the API says where it is.
    pub(crate) position: String,
    /// Whether an answer was lost before: then the message may be somewhere else, too.
    pub(crate) unsure: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Message,
    /// One of several in a record.
    Aggregated,
    /// A message that was acknowledged before.
    Again,
    /// No JSON.
    Poison,
}

/// What a producer is to put.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) keys: usize,
    /// So many messages; none: until it is ended.
    pub(crate) count: Option<usize>,
    /// Messages a second, at most.
    pub(crate) rate: Option<usize>,
    /// Whether some records are poison, some hold several messages, and some messages are put twice.
    pub(crate) is_mixed: bool,
}

/// A producer at work.
#[derive(Debug)]
pub(crate) struct Producer {
    child: Child,
    /// Its end is the producer's.
    stdin: Option<ChildStdin>,
    acks: Arc<Mutex<Vec<Ack>>>,
    listener: Option<JoinHandle<()>>,
}

/// Whether there is a Python with boto3, which must be unless it is left out: then it is said of what.
pub(crate) fn has_boto3(what: &str) -> bool {
    if is_left_out("boto3", what) {
        return false;
    }
    let found = Command::new(python()).args(["-c", "import boto3"]).status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "{} has no boto3: `cargo xtask test` installs it; or name a Python that has it in TIDEGATE_TEST_PYTHON, or leave this \
         test out by TIDEGATE_WITHOUT=boto3",
        python()
    );
    true
}

fn python() -> String {
    let named = std::env::var("TIDEGATE_TEST_PYTHON").ok().filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "python3".into())
}

impl Emulator {
    /// Starts to put messages into a stream.
    pub(crate) fn produce(&self, stream: &str, plan: &Plan) -> Producer {
        let mut command = Command::new(python());
        command.arg(repository().join("tests/kinesis/produce.py"));
        command.args(["--endpoint", &self.endpoint(), "--stream", stream]);
        command.args(["--seed", &plan.seed.to_string(), "--keys", &plan.keys.to_string()]);
        for (name, number) in [("--count", plan.count), ("--rate", plan.rate)] {
            if let Some(number) = number {
                command.args([name, &number.to_string()]);
            }
        }
        if plan.is_mixed {
            command.args(["--poison", "0.01", "--again", "0.05", "--aggregate", "0.3"]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acks = Arc::<Mutex<Vec<Ack>>>::default();
        let heard = acks.clone();
        let listener = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let ack = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                heard.lock().unwrap().push(ack);
            }
        });
        Producer { stdin: child.stdin.take(), child, acks, listener: Some(listener) }
    }
}

impl Producer {
    /// What was acknowledged so far, in this order.
    pub(crate) fn acks(&self) -> Vec<Ack> {
        self.acks.lock().unwrap().clone()
    }

    /// Waits until so many messages were acknowledged.
    pub(crate) fn wait_for(&self, count: usize) {
        let put = || self.acks.lock().unwrap().len();
        until(&format!("{count} messages to be put"), put, |put| (*put >= count).then_some(()));
    }

    /// Waits until it has put all that it was to; gives all that was acknowledged.
    pub(crate) fn finish(mut self) -> Vec<Ack> {
        let status = {
            let child = &mut self.child;
            until("the producer to end", || child.try_wait().unwrap(), |status| *status)
        };
        assert!(status.success(), "the producer: {status}");
        self.listener.take().unwrap().join().unwrap();
        self.acks()
    }

    /// As [`Self::finish`], of one that goes on until it is told not to.
    pub(crate) fn stop(mut self) -> Vec<Ack> {
        drop(self.stdin.take());
        self.finish()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many messages were put, by key: numbers from 0 on.
pub(crate) fn counts(acks: &[Ack]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for ack in acks.iter().filter(|ack| matches!(ack.kind, Kind::Message | Kind::Aggregated)) {
        let next = counts.entry(ack.key.clone()).or_insert(0);
        assert_eq!(ack.n, *next, "{ack:?} after {next}");
        *next += 1;
    }
    counts
}
