//! A message as it is kept.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Position, Timestamp, Topic};

/// A producer's JSON, byte for byte, and what Tidegate says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is stored and asked for by.
    pub topic: Topic,
    /// When it happened.
    pub time: Timestamp,
    /// Where [`Message::time`] comes from.
    pub time_source: TimeSource,
    /// When Tidegate, or the log before it, received it.
    pub arrived_at: Timestamp,
    /// Where it stands in its log.
    pub position: Position,
    /// The partition key it came with.
    pub key: Arc<str>,
    /// The producer's bytes: I-JSON, checked when they came in.
    pub raw: Bytes,
}

/// Where a message's time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// The message said it.
    Message,
    /// The stream names no time: arrival is meant.
    Arrival,
    /// The stream names a time that this message lacks, or that could not be read: arrival stands in.
    Unreadable,
    /// The message's time lay more than five minutes ahead of its arrival: arrival stands in.
    Ahead,
}

impl TimeSource {
    /// As one byte, for storage.
    pub fn to_byte(self) -> u8 {
        match self {
            Self::Message => 0,
            Self::Arrival => 1,
            Self::Unreadable => 2,
            Self::Ahead => 3,
        }
    }

    /// From the byte that [`TimeSource::to_byte`] gave.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::Message, Self::Arrival, Self::Unreadable, Self::Ahead].get(usize::from(byte)).copied()
    }

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "MESSAGE",
            Self::Arrival => "ARRIVAL",
            Self::Unreadable => "UNREADABLE",
            Self::Ahead => "AHEAD",
        }
    }
}
