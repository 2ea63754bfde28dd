//! Writers of numbered messages, who outlive their server.

use std::time::Duration;

use crate::support::http::Request;
use crate::support::{Client, Turns};

/// A writer of one key. Its messages are numbered from 0, and each is sent once the one before was answered.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) stream: &'static str,
    pub(super) key: String,
    turns: Turns,
    /// For each message that was sent, whether it was acknowledged.
    pub(super) sent: Vec<bool>,
}

impl Writer {
    pub(super) fn new(stream: &'static str, key: String, turns: Turns) -> Self {
        Self { stream, key, turns, sent: Vec::new() }
    }

    /// Sends until the server is gone. In the stream `folded` what was not acknowledged is sent again, as it has ids;
    /// elsewhere, who does not know must not.
    pub(super) fn write(&mut self, client: &Client) {
        let open = self.sent.iter().position(|acknowledged| !acknowledged);
        let mut first = open.filter(|_| self.stream == "folded").unwrap_or(self.sent.len());
        loop {
            let count = 1 + self.turns.below(20);
            self.sent.resize(self.sent.len().max(first + count), false);
            let Ok(answer) = self.request(client, first..first + count).try_send(client.address) else {
                return;
            };
            // Another test's server may have been given the port since: it knows nobody of here.
            if answer.status == 401 {
                return;
            }
            assert_eq!(answer.expect(200).json()["accepted"], count);
            self.sent[first..first + count].fill(true);
            first += count;
            std::thread::sleep(Duration::from_millis(self.turns.below(10) as u64));
        }
    }

    fn request(&self, client: &Client, numbers: std::ops::Range<usize>) -> Request {
        let message = |n: usize| {
            let padding = "x".repeat(n * 37 % 700);
            format!(r#"{{"n":{n},"id":"{n}","padding":"{padding}"}}"#)
        };
        let lines: Vec<String> = numbers.map(message).collect();
        let path = format!("/streams/{}/messages?key={}", self.stream, self.key);
        client.request("POST", &path).body("application/x-ndjson", lines.join("\n"))
    }
}
