//! Which rows a query asks for: its arguments checked, its topics found, its page read.

use access::{Action, Decision, Principal, ReadScope, decide};
use schema::{Clock, Message, PageCursor, StreamName, TimeRange, Timestamp, Topic};
use store::merge::read_topics;
use store::{Order, RowMark, Store, TopicFilter, TopicPage};

use crate::coerce::{Arguments, bad_input};
use crate::error::{Code, GraphqlError};
use crate::settings::GatewaySettings;
use crate::snapshot::StreamView;

/// What is asked of a stream.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) topics: Vec<Topic>,
    pub(crate) range: TimeRange,
    /// Whether the page ends at the newest row instead of beginning at the oldest.
    pub(crate) last: bool,
    pub(crate) rows: usize,
    pub(crate) after: Option<PageCursor>,
    pub(crate) before: Option<PageCursor>,
}

/// Rows, oldest first, and whether there are more beyond the end that the page grows towards.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Message>,
    pub(crate) more: bool,
}

impl Ask {
    /// Reads a root field's arguments.
    pub(crate) fn new(
        arguments: &Arguments<'_>,
        stream: &StreamName,
        settings: &GatewaySettings,
        clock: &Clock,
    ) -> Result<Self, GraphqlError> {
        let first = arguments.count("first", settings.page_rows_max)?;
        let last = arguments.count("last", settings.page_rows_max)?;
        if first.is_some() && last.is_some() {
            return Err(bad_input("give first or last, not both"));
        }
        let cursor = |name: &str| -> Result<Option<PageCursor>, GraphqlError> {
            let text = arguments.text(name)?;
            text.map(|text| PageCursor::decode(&text, stream))
                .transpose()
                .map_err(|error| bad_input(format!("{name}: {error}")))
        };
        let (after, before) = (cursor("after")?, cursor("before")?);
        let time = |name: &str, default: Timestamp| match arguments.text(name)? {
            None => Ok(default),
            Some(text) => {
                Timestamp::from_request(&text, clock()).map_err(|error| bad_input(format!("{name}: {error}")))
            }
        };
        let range =
            TimeRange { from: time("from", TimeRange::ALL.from)?, to: time("to", TimeRange::ALL.to)? };
        let mut topics = Vec::new();
        for text in arguments.text("topic")?.into_iter().chain(arguments.texts("topics")?.unwrap_or_default())
        {
            let topic = Topic::new(&text).map_err(|error| bad_input(error.to_string()))?;
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        if topics.len() > settings.topics_max {
            return Err(too_many_topics(settings));
        }
        // Without either, the newest: unless the caller has begun to page from some place on.
        let last_wanted = last.is_some() || (first.is_none() && after.is_none());
        let rows = first.or(last).unwrap_or(settings.page_rows);
        Ok(Self { topics, range, last: last_wanted, rows, after, before })
    }

    /// Fills in the topics that the caller did not name, and refuses those that it may not read.
    pub(crate) async fn settle(
        &mut self,
        caller: &Principal,
        view: &StreamView,
        store: &dyn Store,
        settings: &GatewaySettings,
    ) -> Result<(), GraphqlError> {
        let forbidden = |message: String| GraphqlError::new(Code::Forbidden, message);
        let name = view.record.name();
        let action = Action::Read { stream: name, rule: &view.stream().topic };
        let scope = match decide(caller, &action) {
            Decision::Allow(scope) => scope,
            Decision::Deny(why) => return Err(forbidden(why.to_string())),
        };
        if let ReadScope::Topic(own) = scope {
            if self.topics.iter().any(|topic| *topic != own) {
                return Err(forbidden(format!("of stream {name} you may read your own topic only: {own}")));
            }
            self.topics = vec![own];
        }
        if self.topics.is_empty() {
            let filter = TopicFilter {
                range: self.range,
                prefix: String::new(),
                after: None,
                limit: settings.topics_max + 1,
            };
            let active = store.topics(name, filter).await.map_err(|error| unavailable(&error))?;
            if active.len() > settings.topics_max {
                return Err(too_many_topics(settings));
            }
            self.topics = active.into_iter().map(|activity| activity.topic).collect();
        }
        Ok(())
    }
}

/// Reads the page. `look_ahead` reads one row more to know whether there are more.
pub(crate) async fn read(
    ask: &Ask,
    stream: &StreamName,
    store: &dyn Store,
    look_ahead: bool,
    bytes_max: usize,
) -> Result<Page, GraphqlError> {
    if ask.topics.is_empty() || ask.range.from >= ask.range.to {
        return Ok(Page { rows: Vec::new(), more: false });
    }
    let mark = |cursor: &Option<PageCursor>| {
        cursor.as_ref().map(|cursor| RowMark { time: cursor.time, position: cursor.position.clone() })
    };
    let (after, before) = (mark(&ask.after), mark(&ask.before));
    let (order, after, before) = match ask.last {
        true => (Order::Descending, before, after),
        false => (Order::Ascending, after, before),
    };
    let rows_max = ask.rows + usize::from(look_ahead);
    let page = TopicPage { range: ask.range, order, after, before, rows_max, bytes_max };
    let mut rows =
        read_topics(store, stream, &ask.topics, &page).await.map_err(|error| unavailable(&error))?;
    // A page that its bytes cut short is followed by more, like one that its rows did.
    let cut = rows.len() < rows_max && rows.iter().map(|row| row.raw.len()).sum::<usize>() >= bytes_max;
    let more = cut || rows.len() > ask.rows;
    rows.truncate(ask.rows);
    if ask.last {
        rows.reverse();
    }
    Ok(Page { rows, more })
}

fn too_many_topics(settings: &GatewaySettings) -> GraphqlError {
    let message = format!(
        "more than {} topics would be read: name some by topic or topics, or narrow from and to",
        settings.topics_max
    );
    GraphqlError::new(Code::LimitExceeded, message)
}

fn unavailable(error: &store::StoreError) -> GraphqlError {
    tracing::warn!(error = error as &dyn std::error::Error, "a read failed");
    GraphqlError::from(error)
}
