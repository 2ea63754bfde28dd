//! A message a line.

use bytes::Bytes;

use super::{Collected, Item};

/// Splits at line feeds. Lines of nothing but white space are none; the last one need not end.
#[derive(Debug)]
pub(in super::super) struct Lines {
    line: Collected,
    /// Whether the line so far is white space only.
    blank: bool,
}

impl Lines {
    /// Messages may be so large, in bytes.
    pub(in super::super) fn new(message_bytes_max: usize) -> Self {
        Self { line: Collected::new(message_bytes_max), blank: true }
    }

    /// Takes the next piece, and gives each message that ends in it to `emit`.
    pub(in super::super) fn push(&mut self, piece: &Bytes, mut emit: impl FnMut(Item)) {
        let mut start = 0;
        while let Some(length) = piece[start..].iter().position(|byte| *byte == b'\n') {
            let line = piece.slice(start..start + length);
            self.see(&line);
            let item = self.line.end(line);
            if !std::mem::replace(&mut self.blank, true) {
                emit(item);
            }
            start += length + 1;
        }
        let rest = &piece[start..];
        self.see(rest);
        // Blanks before a message don't count against it, so endless ones take no room.
        if !self.blank {
            self.line.keep(rest);
        }
    }

    /// The body has ended, and whole.
    pub(in super::super) fn finish(&mut self, mut emit: impl FnMut(Item)) {
        let item = self.line.end(Bytes::new());
        if !std::mem::replace(&mut self.blank, true) {
            emit(item);
        }
    }

    /// Of a line whose end has not come.
    pub(in super::super) fn held_bytes(&self) -> usize {
        self.line.earlier.len()
    }

    fn see(&mut self, part: &[u8]) {
        self.blank = self.blank && part.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &[u8], cuts: &[usize], limit: usize) -> Vec<Item> {
        let (mut lines, mut items) = (Lines::new(limit), Vec::new());
        crate::testing::pieces(text, cuts)
            .iter()
            .for_each(|piece| lines.push(piece, |item| items.push(item)));
        lines.finish(|item| items.push(item));
        items
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(text in "[ \r\n{}a\"]{0,60}", cuts: Vec<usize>) {
            let trimmed = |item: Item| match item {
                Item::Message(bytes) => String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned(),
                Item::TooLarge { .. } => unreachable!("the limit is far away"),
            };
            let expect: Vec<&str> = text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect();
            let got: Vec<String> = split(text.as_bytes(), &cuts, 1 << 20).into_iter().map(trimmed).collect();
            prop_assert_eq!(got, expect);
        }

        #[test]
        fn what_is_too_large_is_not_kept(long in 9usize..40, cuts: Vec<usize>) {
            let text = format!("12345678\n{}\n\n8", "x".repeat(long));
            let expect = [Item::Message("12345678".into()), Item::TooLarge { bytes: long }, Item::Message("8".into())];
            prop_assert_eq!(split(text.as_bytes(), &cuts, 8), expect);
        }
    }
}
