//! Cursors of pages: any text is read without a panic, and what is read is what was written.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schema::{PageCursor, StreamName};

/// The input is a text; and, between the tag and the checksum of a cursor, what a text stands for.
pub(crate) fn target(input: &[u8]) {
    let stream = StreamName::new("events").expect("it is a name");
    if let Ok(text) = std::str::from_utf8(input) {
        read(text, &stream);
    }
    let mut bytes = vec![1];
    bytes.extend_from_slice(&crc32c::crc32c(stream.as_str().as_bytes()).to_be_bytes());
    bytes.extend_from_slice(input);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    read(&URL_SAFE_NO_PAD.encode(bytes), &stream);
}

fn read(text: &str, stream: &StreamName) {
    let Ok(cursor) = PageCursor::decode(text, stream) else { return };
    assert_eq!(cursor.encode(stream), text, "a cursor has one text");
    let other = StreamName::new("orders").expect("it is a name");
    assert!(PageCursor::decode(text, &other).is_err(), "it is of one stream");
    // A cursor in an answer stands beside its message's time and position.
    let _ = (cursor.position.to_string(), format!("{:?}", cursor.time));
}
