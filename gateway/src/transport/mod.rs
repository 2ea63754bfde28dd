//! The ways in which operations come and answers go: HTTP, and `GET /data`.

mod http;
mod rest;

pub use http::{SCHEMA_HEADER, router};
