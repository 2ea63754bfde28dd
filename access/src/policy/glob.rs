//! Texts in which stars stand for any characters, alone and as sets that are asked quickly.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A text that others are held against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Glob {
    /// What stands between its stars: without a star, one piece.
    pieces: Vec<Box<str>>,
}

impl Glob {
    /// Any text.
    pub(crate) fn any() -> Self {
        Self { pieces: vec!["".into(), "".into()] }
    }

    /// A text, a star, a text, a star, and so on.
    pub(crate) fn of_pieces(pieces: Vec<Box<str>>) -> Self {
        debug_assert!(!pieces.is_empty(), "a text has a piece");
        Self { pieces }
    }

    /// The one text that is meant, if it is one.
    pub(crate) fn exact(&self) -> Option<&str> {
        match &*self.pieces {
            [one] => Some(one),
            _ => None,
        }
    }

    /// What all texts begin with that are meant.
    pub(crate) fn prefix(&self) -> &str {
        self.pieces.first().map_or("", |first| first)
    }

    /// Whether all texts are meant.
    pub(crate) fn is_any(&self) -> bool {
        self.pieces.len() > 1 && self.pieces.iter().all(|piece| piece.is_empty())
    }

    /// Whether `text` is meant.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return **first == *text };
        let Some(mut text) = text.strip_prefix(&**first) else { return false };
        for piece in middle {
            // The first place is as good as any: what a later one leaves, this one leaves, too.
            match text.find(&**piece) {
                Some(at) => text = &text[at + piece.len()..],
                None => return false,
            }
        }
        text.ends_with(&**last)
    }
}

/// Several of them. Equal sets are equal, in whatever order they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globs {
    sorted: Arc<[Glob]>,
    index: Arc<Index>,
}

/// Finds those that may match: a thousand are asked about as fast as ten.
#[derive(Debug, Default)]
struct Index {
    exact: HashSet<Box<[u8]>>,
    /// The others, by what they begin with.
    by_prefix: HashMap<Box<[u8]>, Vec<usize>>,
    /// How long these beginnings are, in bytes, ascending.
    lengths: Vec<usize>,
}

impl Globs {
    /// The set of these.
    pub(crate) fn new(mut globs: Vec<Glob>) -> Self {
        globs.sort();
        globs.dedup();
        let mut index = Index::default();
        for (at, glob) in globs.iter().enumerate() {
            match glob.exact() {
                Some(text) => drop(index.exact.insert(text.as_bytes().into())),
                None => index.by_prefix.entry(glob.prefix().as_bytes().into()).or_default().push(at),
            }
        }
        index.lengths = index.by_prefix.keys().map(|prefix| prefix.len()).collect();
        index.lengths.sort_unstable();
        index.lengths.dedup();
        Self { sorted: globs.into(), index: Arc::new(index) }
    }

    /// Of which one means any text.
    pub(crate) fn any() -> Self {
        Self::new(vec![Glob::any()])
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Glob> {
        self.sorted.iter()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Whether all texts are meant.
    pub(crate) fn is_any(&self) -> bool {
        self.sorted.iter().any(Glob::is_any)
    }

    /// Whether one of them means `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (bytes, index) = (text.as_bytes(), &*self.index);
        if index.exact.contains(bytes) {
            return true;
        }
        let prefixes = index.lengths.iter().filter_map(|length| bytes.get(..*length));
        let mut candidates = prefixes.filter_map(|prefix| index.by_prefix.get(prefix)).flatten();
        candidates.any(|at| self.sorted[*at].matches(text))
    }
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.sorted == other.sorted
    }
}

impl Eq for Globs {}

impl Hash for Globs {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sorted.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::of_pieces(text.split('*').map(Into::into).collect())
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, yes, no) in [
            ("", &[""][..], &["a"][..]),
            ("*", &["", "a", "a/b", "*"], &[]),
            ("a", &["a"], &["", "aa", "A"]),
            ("a*", &["a", "ab", "a/b"], &["", "ba"]),
            ("*a", &["a", "ba", "aa"], &["", "ab"]),
            ("a*a", &["aa", "aba", "aaa"], &["a", "ab"]),
            ("a*b*c", &["abc", "abbc", "a-b-b-c"], &["acb", "ab", "bc", "ac"]),
            ("ab*bc", &["abbc", "ab-bc"], &["abc"]),
            ("**", &["", "x"], &[]),
            ("ü*", &["ü", "üx"], &["u", "x"]),
        ] {
            yes.iter().for_each(|text| assert!(glob(pattern).matches(text), "{pattern} {text}"));
            no.iter().for_each(|text| assert!(!glob(pattern).matches(text), "{pattern} {text}"));
        }
        assert!(
            !Glob::of_pieces(vec!["a*".into()]).matches("ab")
                && Glob::of_pieces(vec!["a*".into()]).matches("a*")
        );
        assert!(glob("**").is_any() && glob("*").is_any() && !glob("").is_any() && !glob("*a").is_any());
    }

    /// The definition itself, letter by letter.
    fn plainly(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) if plainly(rest, text) => true,
            (Some((b'*', _)), Some((_, left))) => plainly(pattern, left),
            (Some((p, rest)), Some((t, left))) => p == t && plainly(rest, left),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_glob_is_what_its_definition_says(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
            prop_assert_eq!(glob(&pattern).matches(&text), plainly(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn a_set_is_its_members(patterns in proptest::collection::vec("[ab*]{0,4}", 0..8), text in "[ab]{0,6}") {
            let set = Globs::new(patterns.iter().map(|pattern| glob(pattern)).collect());
            let any = patterns.iter().any(|pattern| plainly(pattern.as_bytes(), text.as_bytes()));
            prop_assert_eq!(set.matches(&text), any);
            let other_way = Globs::new(patterns.iter().rev().map(|pattern| glob(pattern)).collect());
            prop_assert_eq!(set, other_way);
        }
    }
}
