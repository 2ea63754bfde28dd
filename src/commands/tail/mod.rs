//! `tidegate tail`

mod document;
mod events;

use std::io::{ErrorKind, Write};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::node::{Node, quoted};
use super::{Failure, block_on};
use crate::cli::TailArgs;
use document::document;
use events::Events;

/// Waits between two tries to connect: doubling from the first to the second.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// An execution result.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
    #[serde(default, borrow)]
    errors: Vec<Told<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    tail: Tail<'a>,
}

#[derive(Deserialize)]
struct Tail<'a> {
    #[serde(borrow)]
    gap: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    message: std::borrow::Cow<'a, str>,
}

/// A message as it was sent, its JSON as text.
#[derive(Deserialize)]
struct Sent<'a> {
    time: String,
    #[serde(borrow)]
    topic: &'a RawValue,
    raw: String,
}

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
        let mut following = Following { args, document, cursor, connected: false };
        let mut wait = RETRY_MIN;
        loop {
            match following.connect().await {
                Ok(End::Unread) => return Ok(()),
                Ok(End::Cut) => wait = RETRY_MIN,
                // What never worked will not by waiting.
                Err(failure) if !following.connected => return Err(failure),
                Err(failure) => {
                    remark(&format!("{failure}; trying again"));
                    wait = (wait * 2).min(RETRY_MAX);
                }
            }
            tokio::time::sleep(wait).await;
        }
    })
}

impl Following<'_> {
    /// Follows over one connection, from where the last one ended.
    async fn connect(&mut self) -> Result<End, Failure> {
        // Anew each time: the token may be what has ended.
        let node = Node::sign_in(&self.args.node).await?;
        let from = if self.cursor.is_none() { self.args.from.as_deref() } else { None };
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
                        if !self.print(&event.data)? {
                            return Ok(End::Unread);
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

    /// Prints one delivery; `false` if nobody reads it.
    fn print(&self, payload: &str) -> Result<bool, Failure> {
        let Payload { data, errors } = serde_json::from_str(payload)?;
        let Some(Data { tail }) = data else {
            let told = errors.first().map_or("the node answered nothing", |error| &error.message);
            return Err(told.to_owned().into());
        };
        for error in &errors {
            remark(&error.message);
        }
        if let Some(gap) = tail.gap {
            remark(&format!("messages are missing: {gap}"));
        }
        let Some(message) = tail.message else { return Ok(true) };
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
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Says on standard error what is not for the next program.
fn remark(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "tidegate: {text}");
}
