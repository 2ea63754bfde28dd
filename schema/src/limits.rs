//! What is bounded, and where the bound lies unless the configuration says otherwise.

use serde::{Deserialize, Serialize};

/// Limits on what comes in and what is kept of it. Limits of the query side stand beside the query pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest message, in bytes.
    pub message_bytes: usize,
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Most bytes of bodies that all requests under way hold in memory together.
    pub bodies_bytes: usize,
    /// How long a body waits for room among the others before its request is refused, in milliseconds.
    pub bodies_wait_ms: u64,
    /// Deepest nesting of objects and arrays in a message.
    pub json_depth: usize,
    /// Most fields that the shape of a stream learns.
    pub shape_fields: usize,
    /// Deepest nesting that the shape of a stream describes; what lies deeper is `JSON`.
    pub shape_depth: usize,
    /// Longest field name that a shape learns, in bytes.
    pub name_bytes: usize,
    /// More distinct names than this at one place make it a map instead of an object.
    pub object_names: usize,
    /// Most records in one call.
    pub records_per_call: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            body_bytes: 8 << 20,
            bodies_bytes: 256 << 20,
            bodies_wait_ms: 5_000,
            json_depth: 128,
            shape_fields: 2_000,
            shape_depth: 16,
            name_bytes: 256,
            object_names: 200,
            records_per_call: 10_000,
        }
    }
}
