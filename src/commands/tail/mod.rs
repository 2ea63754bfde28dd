//! `tidegate tail`

mod document;
mod events;
mod payload;

use std::io::{ErrorKind, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use schema::Timestamp;

use super::node::{Node, quoted};
use super::{Failure, block_on};
use crate::cli::TailArgs;
use crate::serve::now;
use document::document;
use events::Events;
use payload::{Data, Payload, Sent, UNAUTHENTICATED};

/// Waits between two tries to connect: doubling from the first to the second.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// Between two looks whether anybody reads what is printed.
const UNREAD_POLL: Duration = Duration::from_millis(500);

/// How a connection ended.
enum End {
    /// It may be made again.
    Cut,
    /// Nobody reads what is printed any more.
    Unread,
}

/// What is followed, and how far it is.
struct Following<'a> {
    args: &'a TailArgs,
    document: String,
    /// Since when, where history is asked for: the same for every connection until a message has come.
    from: Option<String>,
    cursor: Option<String>,
    connected: bool,
}

/// Prints messages as they come, a line each, until it is stopped.
pub(crate) fn run(args: &TailArgs) -> Result<(), Failure> {
    block_on(async {
        let node = Node::sign_in(&args.node).await?;
        let root_field = node.root_field(&args.stream).await?;
        let document = document(&root_field, args.fields.as_deref())?;
        // Where now is, is settled once: a connection may be lost before the first message has come.
        let cursor = match (&args.resume, &args.from) {
            (None, None) => Some(node.resume_cursor(&root_field).await?),
            (resume, _) => resume.clone(),
        };
        let from = args.from.as_deref().map(settled);
        let mut following = Following { args, document, from, cursor, connected: false };
        tokio::select! {
            ended = following.follow() => ended,
            () = unread() => Ok(()),
        }
    })
}

/// A time, such as `now-15m`, as what it is now. What is no time is for the node to refuse.
fn settled(from: &str) -> String {
    Timestamp::from_request(from, now()).map_or_else(|_| from.to_owned(), |time| time.to_string())
}

/// Resolves once nobody reads what is printed any more. Who prints finds out as well, but a next message may never come.
async fn unread() {
    loop {
        tokio::time::sleep(UNREAD_POLL).await;
        let stdout = std::io::stdout();
        let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
        let found = poll(&mut polled, Some(&Timespec::default()));
        if found.is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return;
        }
    }
}

impl Following<'_> {
    /// Follows over one connection after the other.
    async fn follow(&mut self) -> Result<(), Failure> {
        let mut wait = RETRY_MIN;
        loop {
            match self.connect().await {
                Ok(End::Unread) => return Ok(()),
                // It was let in, even if no message came before it was cut off.
                Ok(End::Cut) => (self.connected, wait) = (true, RETRY_MIN),
                // What never worked will not by waiting.
                Err(failure) if !self.connected => return Err(failure),
                Err(failure) => {
                    remark(&format!("{failure}; trying again"));
                    wait = (wait * 2).min(RETRY_MAX);
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Follows over one connection, from where the last one ended.
    async fn connect(&mut self) -> Result<End, Failure> {
        // Anew each time: the token may be what has ended.
        let node = Node::sign_in(&self.args.node).await?;
        let from = self.from.as_ref().filter(|_| self.cursor.is_none());
        let variables = serde_json::json!({
            "topics": Some(&self.args.topic).filter(|topics| !topics.is_empty()),
            "from": from,
            "resume": self.cursor,
        });
        let request = serde_json::json!({ "query": self.document, "variables": variables });
        let mut response = node.follow("/graphql", request.to_string().into_bytes()).await?;
        let mut events = Events::default();
        loop {
            let Ok(piece) = response.chunk().await else { return Ok(End::Cut) };
            let Some(piece) = piece else { return Ok(End::Cut) };
            for event in events.take(&piece) {
                match event.kind.as_str() {
                    "next" => {
                        if let Some(end) = self.print(&event.data)? {
                            return Ok(end);
                        }
                        self.connected = true;
                        self.cursor = event.id.or(self.cursor.take());
                    }
                    "complete" => return Ok(End::Cut),
                    _ => {}
                }
            }
        }
    }

    /// Prints one delivery. Says how the connection ends, if it does.
    fn print(&self, payload: &str) -> Result<Option<End>, Failure> {
        let Payload { data, errors } = serde_json::from_str(payload)?;
        let Some(Data { tail }) = data else {
            // The token has ended, and the next connection has a new one.
            if errors.iter().any(|error| error.extensions.code == UNAUTHENTICATED) {
                return Ok(Some(End::Cut));
            }
            let told = errors.first().map_or("the node answered nothing", |error| &error.message);
            return Err(told.to_owned().into());
        };
        for error in &errors {
            remark(&error.message);
        }
        if let Some(gap) = tail.gap {
            remark(&format!("messages are missing: {gap}"));
        }
        let Some(message) = tail.message else { return Ok(None) };
        let line = match self.args.fields {
            Some(_) => format!("{message}\n"),
            None => {
                let Sent { time, topic, raw } = serde_json::from_str(message.get())?;
                // Between its tokens the producer's JSON may have line breaks, which mean nothing; within them it has none.
                let data = raw.replace(['\r', '\n'], " ");
                format!("{{\"time\":{},\"topic\":{topic},\"data\":{}}}\n", quoted(&time), data.trim())
            }
        };
        let mut out = std::io::stdout().lock();
        match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(None),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Some(End::Unread)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Says on standard error what is not for the next program.
fn remark(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "tidegate: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_now_is_settled_once() {
        let before = now();
        let settled_now = Timestamp::from_request(&settled("now-1h"), Timestamp(0)).unwrap();
        let hour = 3_600 * 1_000_000;
        assert!((before.0 - hour..=now().0 - hour).contains(&settled_now.0));
        assert_eq!(settled("2020-06-01T00:00:00Z"), "2020-06-01T00:00:00.000000Z");
        assert_eq!(settled("soon"), "soon");
    }
}
