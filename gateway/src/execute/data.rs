//! A stream's root field: rows from the store, the chosen fields into the response.

use super::write::Writer;
use super::{Answer, Ask, Execution, read};
use crate::coerce::Arguments;
use crate::error::GraphqlError;
use crate::plan::{ConnectionField, DataRoot, PageInfoField};

impl Execution<'_> {
    pub(super) async fn data(&self, key: &str, root: &DataRoot) -> Result<Answer, GraphqlError> {
        let (pipeline, stream) = (self.pipeline, root.stream.record.name());
        let arguments = Arguments::new(&root.arguments, self.variables);
        let mut ask = Ask::new(&arguments, stream, &pipeline.settings, &pipeline.clock)?;
        ask.settle(self.caller, &root.stream, &*pipeline.store, &pipeline.settings).await?;
        let page =
            read(&ask, stream, &*pipeline.store, looks_ahead(root), pipeline.settings.response_bytes).await?;
        let writer = Writer::new(root, &ask, &page, &pipeline.settings, &pipeline.limits);
        writer.write(key)
    }
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
