//! Which rows a query asks for: its arguments checked, its topics found, its page read.

use access::Principal;
use schema::{Clock, Message, PageCursor, StreamName, TimeRange, Topic};
use store::merge::read_topics;
use store::{Order, RowMark, Store, TopicPage};

use super::{topics, unavailable};
use crate::coerce::{Arguments, bad_input};
use crate::error::GraphqlError;
use crate::settings::GatewaySettings;
use crate::snapshot::StreamView;

/// What is asked of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// What it names; once it is settled, what is read.
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
    /// The cursor of a subscription that goes on where this page was read, if it is asked for.
    pub(crate) resume: Option<String>,
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
        let time = |name| arguments.time(name, clock);
        let range = TimeRange {
            from: time("from")?.unwrap_or(TimeRange::ALL.from),
            to: time("to")?.unwrap_or(TimeRange::ALL.to),
        };
        let topics = topics::named(arguments, settings)?;
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
        let chosen = topics::chosen(caller, view, std::mem::take(&mut self.topics), settings)?;
        self.topics = topics::active(chosen, view, self.range, store, settings).await?;
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
        return Ok(Page { rows: Vec::new(), more: false, resume: None });
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
    Ok(Page { rows, more, resume: None })
}
