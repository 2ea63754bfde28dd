//! What could not be written as selected.

use crate::error::GraphqlError;

/// Errors of one response, bounded.
#[derive(Debug)]
pub struct Errors {
    /// The first ones.
    pub list: Vec<GraphqlError>,
    max: usize,
    /// How many there were in all.
    pub total: usize,
}

impl Errors {
    /// No errors yet, and at most `max` to be listed.
    pub fn new(max: usize) -> Self {
        Self { list: Vec::new(), max, total: 0 }
    }

    /// Adds what `error` makes, unless the list is full.
    pub fn add(&mut self, error: impl FnOnce() -> GraphqlError) {
        self.total += 1;
        if self.list.len() < self.max {
            self.list.push(error());
        }
    }
}
