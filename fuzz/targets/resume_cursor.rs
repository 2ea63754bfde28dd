//! Cursors of subscriptions: any text is read without a panic, and what is read can be written and read again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schema::{ResumeCursor, StreamName};

/// The input is a text; and, between the tag and the checksum of a cursor, what a text stands for, plain and compressed.
pub(crate) fn target(input: &[u8]) {
    let stream = StreamName::new("events").expect("it is a name");
    if let Ok(text) = std::str::from_utf8(input) {
        read(text, &stream);
    }
    for layout in [2, 3] {
        let mut bytes = vec![layout];
        bytes.extend_from_slice(&crc32c::crc32c(stream.as_str().as_bytes()).to_be_bytes());
        bytes.extend_from_slice(input);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        read(&URL_SAFE_NO_PAD.encode(bytes), &stream);
    }
}

fn read(text: &str, stream: &StreamName) {
    let Ok(cursor) = ResumeCursor::decode(text, stream) else { return };
    let written = cursor.encode(stream);
    // One that says more than any cursor does may be too long to be looked at.
    if written.len() <= 64 << 10 {
        assert_eq!(ResumeCursor::decode(&written, stream).as_ref(), Ok(&cursor));
    }
    let other = StreamName::new("orders").expect("it is a name");
    assert!(ResumeCursor::decode(text, &other).is_err(), "it is of one stream");
    for (partition, place) in cursor.places.iter() {
        assert!(place.whole() <= place.sequence, "{partition} of {place:?}");
    }
}
