//! Events as a stream of server-sent events writes them.

use memchr::memchr2;

/// Appends `event: next` with an execution result, and the cursor of the place behind it, if it has one.
pub(super) fn next(out: &mut Vec<u8>, result: &[u8], cursor: &str) {
    out.extend_from_slice(b"event: next\n");
    if !cursor.is_empty() {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(cursor.as_bytes());
        out.push(b'\n');
    }
    // In JSON a line ends between values only, and any white space is as good there.
    let mut rest = result;
    while let Some(end) = memchr2(b'\n', b'\r', rest) {
        data(out, &rest[..end]);
        rest = &rest[end + 1..];
    }
    data(out, rest);
    out.push(b'\n');
}

/// Appends `event: complete`.
pub(super) fn complete(out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: complete\ndata:\n\n");
}

/// Keeps a connection alive, and says nothing.
pub(super) const COMMENT: &[u8] = b":\n\n";

fn data(out: &mut Vec<u8>, line: &[u8]) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(line);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_as_the_standard_says() {
        for (result, cursor, expect) in [
            ("{}", "", "event: next\ndata: {}\n\n"),
            ("{}", "abc", "event: next\nid: abc\ndata: {}\n\n"),
            ("{\n}", "", "event: next\ndata: {\ndata: }\n\n"),
            ("{\r\n}", "", "event: next\ndata: {\ndata: \ndata: }\n\n"),
        ] {
            let mut out = Vec::new();
            next(&mut out, result.as_bytes(), cursor);
            assert_eq!(String::from_utf8(out).unwrap(), expect, "{result:?}");
        }
        let mut out = Vec::new();
        complete(&mut out);
        assert_eq!(out, b"event: complete\ndata:\n\n");
    }
}
