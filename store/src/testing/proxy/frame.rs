//! Frames of the CQL protocol, version 4, without compression: as many of their parts as a proxy needs.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use scylla::errors::DbError;
use scylla::statement::Consistency;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Version, flags, stream (2), opcode, length of the body (4).
const HEAD: usize = 9;
/// Longest frame that servers take.
const BODY_MAX: usize = 256 << 20;
/// The first byte of an answer.
const ANSWER: u8 = 0x84;
const ERROR: u8 = 0x00;
const EXECUTE: u8 = 0x0A;
const REGISTER: u8 = 0x0B;
const BATCH: u8 = 0x0D;

/// A request or an answer.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Head and body.
    pub(super) bytes: Bytes,
}

impl Frame {
    /// Reads the next.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut head = [0; HEAD];
        from.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) as usize;
        if length > BODY_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = BytesMut::zeroed(HEAD + length);
        bytes[..HEAD].copy_from_slice(&head);
        from.read_exact(&mut bytes[HEAD..]).await?;
        Ok(Self { bytes: bytes.freeze() })
    }

    /// What joins an answer to its request on a connection.
    pub(super) fn stream(&self) -> [u8; 2] {
        [self.bytes[2], self.bytes[3]]
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[HEAD..]
    }

    /// Whether it runs prepared statements.
    pub(super) fn runs(&self) -> bool {
        matches!(self.bytes[4], EXECUTE | BATCH)
    }

    /// Whether it asks for events, which the driver does on a connection of its own.
    pub(super) fn registers(&self) -> bool {
        self.bytes[4] == REGISTER
    }

    /// Whether it names this prepared statement.
    pub(super) fn names(&self, statement: &[u8]) -> bool {
        self.body().windows(statement.len()).any(|part| part == statement)
    }

    /// The (first) prepared statement that it runs.
    pub(super) fn statement(&self) -> Option<Bytes> {
        // A batch begins with its kind, the number of its statements, and the first one's kind.
        let body = &self.body()[if self.bytes[4] == BATCH { 4 } else { 0 }..];
        let length = usize::from(u16::from_be_bytes(*body.first_chunk()?));
        body.get(2..2 + length).map(Bytes::copy_from_slice)
    }

    /// The answer to the request on `stream` that it failed so.
    pub(super) fn error(stream: [u8; 2], error: &DbError) -> Self {
        let mut body = BytesMut::new();
        body.put_i32(code(error));
        put_text(&mut body, "by order of the test");
        let put_counts = |body: &mut BytesMut, at: &Consistency, counts: [&i32; 2]| {
            body.put_u16(*at as u16);
            counts.into_iter().for_each(|count| body.put_i32(*count));
        };
        match error {
            DbError::Unavailable { consistency, required, alive } => {
                put_counts(&mut body, consistency, [required, alive]);
            }
            DbError::ReadTimeout { consistency, received, required, data_present } => {
                put_counts(&mut body, consistency, [received, required]);
                body.put_u8(u8::from(*data_present));
            }
            DbError::WriteTimeout { consistency, received, required, write_type } => {
                put_counts(&mut body, consistency, [received, required]);
                put_text(&mut body, write_type.as_str());
            }
            DbError::Unprepared { statement_id } => {
                body.put_u16(statement_id.len() as u16);
                body.put_slice(statement_id);
            }
            _ => {}
        }
        let mut bytes = BytesMut::with_capacity(HEAD + body.len());
        bytes.put_slice(&[ANSWER, 0, stream[0], stream[1], ERROR]);
        bytes.put_u32(body.len() as u32);
        bytes.put_slice(&body);
        Self { bytes: bytes.freeze() }
    }
}

fn put_text(body: &mut BytesMut, text: &str) {
    body.put_u16(text.len() as u16);
    body.put_slice(text.as_bytes());
}

/// What the protocol calls an error; one that no test orders is the server's own.
fn code(error: &DbError) -> i32 {
    match error {
        DbError::Unavailable { .. } => 0x1000,
        DbError::Overloaded => 0x1001,
        DbError::WriteTimeout { .. } => 0x1100,
        DbError::ReadTimeout { .. } => 0x1200,
        DbError::SyntaxError => 0x2000,
        DbError::Unauthorized => 0x2100,
        DbError::Invalid => 0x2200,
        DbError::ConfigError => 0x2300,
        DbError::Unprepared { .. } => 0x2500,
        _ => 0x0000,
    }
}
