//! A stream's root field: rows from the store, the chosen fields into the response.

use std::sync::Arc;

use schema::{Places, ResumeCursor, StreamName};

use super::write::Writer;
use super::{Answer, Ask, Execution, Page, read, unavailable};
use crate::coerce::Arguments;
use crate::error::GraphqlError;
use crate::live::Selection;
use crate::plan::{ConnectionField, DataRoot, PageInfoField};

impl Execution<'_> {
    pub(super) async fn data(&self, key: &str, root: &DataRoot) -> Result<Answer, GraphqlError> {
        let (pipeline, stream) = (self.pipeline, root.stream.record.name());
        let arguments = Arguments::new(&root.arguments, self.variables);
        let mut ask = Ask::new(&arguments, stream, &pipeline.settings, &pipeline.clock)?;
        ask.settle(self.caller, &root.stream, &*pipeline.store, &pipeline.settings).await?;
        let page = match shows_resume_cursor(root) {
            true => self.read_with_cursor(&ask, root, stream).await?,
            false => self.read(&ask, root, stream).await?,
        };
        let writer = Writer::new(root, &ask, &page, &pipeline.settings, &pipeline.limits);
        writer.write(key)
    }

    /// A page of what `places` cover.
    async fn read_covered(
        &self,
        ask: &Ask,
        places: &Places,
        stream: &StreamName,
    ) -> Result<Page, GraphqlError> {
        let (pipeline, mut spare) = (self.pipeline, 0);
        loop {
            let wider = Ask { rows: ask.rows + spare, ..ask.clone() };
            let bytes_max = pipeline.settings.response_bytes;
            let mut page = read(&wider, stream, &*pipeline.store, true, bytes_max).await?;
            let found = page.rows.len();
            page.rows.retain(|row| places.get(&row.position.partition).covers(&row.position));
            let is_whole = page.rows.len() >= ask.rows || page.rows.len() == found || !page.more;
            if is_whole || spare >= pipeline.settings.page_rows_max {
                page.more |= page.rows.len() > ask.rows;
                let beyond = page.rows.len().saturating_sub(ask.rows);
                if ask.last {
                    page.rows.drain(..beyond);
                } else {
                    page.rows.truncate(ask.rows);
                }
                return Ok(page);
            }
            spare = (spare * SPARE_ROWS).max(SPARE_ROWS);
        }
    }

    async fn read(&self, ask: &Ask, root: &DataRoot, stream: &StreamName) -> Result<Page, GraphqlError> {
        let pipeline = self.pipeline;
        read(ask, stream, &*pipeline.store, looks_ahead(root), pipeline.settings.response_bytes).await
    }

    /// A page, and where a subscription goes on so that it has exactly what the page could not have.
    async fn read_with_cursor(
        &self,
        ask: &Ask,
        root: &DataRoot,
        stream: &StreamName,
    ) -> Result<Page, GraphqlError> {
        let source = self.pipeline.source(&root.stream, Selection::All);
        // Known before the rows are read: all up to here is among them.
        let tip = source.hub.open(&source).await.map_err(|error| unavailable(&error))?;
        let places = Arc::unwrap_or_clone(tip);
        // What is there already, and was not journaled then, comes to the subscription: here it would come first of twice.
        let mut page = self.read_covered(ask, &places, stream).await?;
        let cursor = ResumeCursor { incarnation: root.stream.record.incarnation, places, history: None };
        page.resume = Some(cursor.encode(stream));
        Ok(page)
    }
}

/// How many rows beyond a page are read first in place of such as `places` do not cover, and each time so many times more.
const SPARE_ROWS: usize = 8;

fn shows_resume_cursor(root: &DataRoot) -> bool {
    root.connection.iter().any(|slot| matches!(slot.value, ConnectionField::ResumeCursor))
}

/// Whether anybody asks if there are more rows.
fn looks_ahead(root: &DataRoot) -> bool {
    root.connection.iter().any(|slot| match &slot.value {
        ConnectionField::PageInfo(fields) => fields
            .iter()
            .any(|slot| matches!(slot.value, PageInfoField::HasNextPage | PageInfoField::HasPreviousPage)),
        _ => false,
    })
}
