//! The messages of a JSON list.

use bytes::Bytes;

use super::{Collected, Item};

/// The body is no list: what follows `at` can't be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body is not a JSON list of messages: expected {expected} at byte {at}")]
pub(in super::super) struct Broken {
    /// In bytes from the body's start.
    pub(in super::super) at: usize,
    expected: &'static str,
}

/// Where in the list the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    /// A message, or the end of an empty list.
    First,
    /// A message.
    Next,
    /// An object or list: so many brackets are open.
    Nested {
        depth: u32,
    },
    /// A string, within so many brackets.
    Text {
        depth: u32,
    },
    /// After a backslash in one.
    Escape {
        depth: u32,
    },
    /// A number, or a word.
    Word,
    /// A comma, or the list's end.
    After,
    Done,
}

/// Splits a list into its elements.
#[derive(Debug)]
pub(in super::super) struct List {
    state: State,
    message: Collected,
    /// Bytes of earlier pieces.
    before: usize,
}

impl List {
    /// Messages may be so large, in bytes.
    pub(in super::super) fn new(message_bytes_max: usize) -> Self {
        Self { state: State::Begin, message: Collected::new(message_bytes_max), before: 0 }
    }

    /// Takes the next piece, and gives each message that ends in it to `emit`.
    ///
    /// # Errors
    /// [`Broken`] where the list is; nothing can be pushed after that.
    pub(in super::super) fn push(&mut self, piece: &Bytes, mut emit: impl FnMut(Item)) -> Result<(), Broken> {
        let mut start = 0;
        for (at, &byte) in piece.iter().enumerate() {
            let (state, edge) =
                step(self.state, byte).map_err(|expected| Broken { at: self.before + at, expected })?;
            self.state = state;
            match edge {
                Edge::None => {}
                Edge::Begins => start = at,
                Edge::EndsBefore => emit(self.message.end(piece.slice(start..at))),
                Edge::EndsHere => emit(self.message.end(piece.slice(start..=at))),
            }
        }
        if self.is_inside() {
            self.message.keep(&piece[start..]);
        }
        self.before += piece.len();
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`Broken`] if the list has not.
    pub(in super::super) fn finish(&self) -> Result<(), Broken> {
        let expected = match self.state {
            State::Done => return Ok(()),
            State::Begin => "'['",
            _ => "the end of the list",
        };
        Err(Broken { at: self.before, expected })
    }

    /// Of a message whose end has not come.
    pub(in super::super) fn held_bytes(&self) -> usize {
        self.message.earlier.len()
    }

    fn is_inside(&self) -> bool {
        matches!(self.state, State::Nested { .. } | State::Text { .. } | State::Escape { .. } | State::Word)
    }
}

/// What a byte means for the message around it.
enum Edge {
    None,
    /// It is a message's first.
    Begins,
    /// A message ended before it.
    EndsBefore,
    /// It is a message's last.
    EndsHere,
}

/// What follows from one byte, or what was expected instead.
fn step(state: State, byte: u8) -> Result<(State, Edge), &'static str> {
    use State::{After, Begin, Done, Escape, First, Nested, Next, Text, Word};
    let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    Ok(match (state, byte) {
        (Begin | First | Next | After | Done, _) if space => (state, Edge::None),
        (Begin, b'[') => (First, Edge::None),
        (First, b']') => (Done, Edge::None),
        (First | Next, b'{' | b'[') => (Nested { depth: 1 }, Edge::Begins),
        (First | Next, b'"') => (Text { depth: 0 }, Edge::Begins),
        (Next, b',' | b']') => return Err("a message"),
        (First, b',') => return Err("a message or ']'"),
        (First | Next, _) => (Word, Edge::Begins),
        (Nested { depth }, b'{' | b'[') => (Nested { depth: depth + 1 }, Edge::None),
        (Nested { depth: 1 }, b'}' | b']') => (After, Edge::EndsHere),
        (Nested { depth }, b'}' | b']') => (Nested { depth: depth - 1 }, Edge::None),
        (Nested { depth }, b'"') => (Text { depth }, Edge::None),
        (Text { depth }, b'\\') => (Escape { depth }, Edge::None),
        (Text { depth: 0 }, b'"') => (After, Edge::EndsHere),
        (Text { depth }, b'"') => (Nested { depth }, Edge::None),
        (Escape { depth }, _) => (Text { depth }, Edge::None),
        (Nested { .. } | Text { .. }, _) => (state, Edge::None),
        (Word, b',') => (Next, Edge::EndsBefore),
        (Word, b']') => (Done, Edge::EndsBefore),
        (Word, _) if space => (After, Edge::EndsBefore),
        (Word, _) => (Word, Edge::None),
        (After, b',') => (Next, Edge::None),
        (After, b']') => (Done, Edge::None),
        (Begin, _) => return Err("'['"),
        (After, _) => return Err("',' or ']'"),
        (Done, _) => return Err("nothing after the list"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str, cuts: &[usize], limit: usize) -> (Vec<Item>, Result<(), String>) {
        let (mut list, mut items) = (List::new(limit), Vec::new());
        let pieces = crate::testing::pieces(text.as_bytes(), cuts);
        let outcome = pieces.iter().try_for_each(|piece| list.push(piece, |item| items.push(item)));
        (items, outcome.and_then(|()| list.finish()).map_err(|broken| broken.to_string()))
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(Into::into),
            r#"[\[\]{},"\\ aä]{0,6}"#.prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map("[a\"\\\\\\]]{0,2}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(elements in prop::collection::vec((json(), "[ \n]{0,2}"), 0..6), cuts: Vec<usize>) {
            let texts: Vec<String> = elements.iter().map(|(json, _)| json.to_string()).collect();
            let spaced: Vec<String> =
                elements.iter().zip(&texts).map(|((_, space), text)| format!("{space}{text}{space}")).collect();
            let (items, outcome) = split(&format!(" [ {} ] ", spaced.join(",")), &cuts, 1 << 20);
            prop_assert_eq!(outcome, Ok(()));
            prop_assert_eq!(items, texts.into_iter().map(|text| Item::Message(text.into())).collect::<Vec<_>>());
        }

        #[test]
        fn any_text_gives_the_same_in_any_pieces(text in r#"[\[\]{},"\\1 ]{0,30}"#, cuts: Vec<usize>) {
            prop_assert_eq!(split(&text, &cuts, 8), split(&text, &[], 8));
        }
    }

    #[test]
    fn a_broken_list_says_where_and_keeps_what_came_before() {
        for (text, count, expect) in [
            ("", 0, "expected '[' at byte 0"),
            ("{}", 0, "expected '[' at byte 0"),
            ("[1 2]", 1, "expected ',' or ']' at byte 3"),
            ("[1,]", 1, "expected a message at byte 3"),
            ("[,1]", 0, "expected a message or ']' at byte 1"),
            ("[1,{\"a\":[1", 1, "expected the end of the list at byte 10"),
            ("[1]x", 1, "expected nothing after the list at byte 3"),
        ] {
            let (items, outcome) = split(text, &[], 100);
            let error = outcome.expect_err(text);
            assert!(items.len() == count && error.contains(expect), "{text}: {} {error}", items.len());
        }
        let large = split("[\"123456789\",1]", &[], 5).0;
        assert_eq!(large, [Item::TooLarge { bytes: 11 }, Item::Message("1".into())]);
    }
}
