//! Fields that somebody is not to see, and what is left of a shape without them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::published::{Entries, Field, Object, Out, Published};

/// A place in a stream's JSON, as [`super::Learned`] names it: names that are parted by `/`, `*` standing for any member or
/// element. Elements of a list may be left out: `/items/price` is `/items/*/price`, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldPath(Vec<Box<str>>);

/// A text that names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no field: expected names that each begin with '/', such as /card/number")]
pub struct InvalidFieldPath(String);

impl TryFrom<String> for FieldPath {
    type Error = InvalidFieldPath;

    fn try_from(text: String) -> Result<Self, InvalidFieldPath> {
        let inside = text.strip_prefix('/').filter(|inside| !inside.split('/').any(str::is_empty));
        let inside = inside.ok_or_else(|| InvalidFieldPath(text.chars().take(80).collect()))?;
        Ok(Self(inside.split('/').map(|name| name.replace("~1", "/").replace("~0", "~").into()).collect()))
    }
}

impl From<FieldPath> for String {
    fn from(path: FieldPath) -> Self {
        path.to_string()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|name| write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")))
    }
}

/// Fields that are hidden. Equal sets are equal, in whatever order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hidden(Vec<FieldPath>);

impl Hidden {
    /// The set of these.
    pub fn new(mut paths: Vec<FieldPath>) -> Self {
        paths.sort();
        paths.dedup();
        Self(paths)
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        self.0.iter()
    }

    /// What is hidden of a whole document.
    pub fn root(&self) -> Below<'_> {
        Below(self.0.iter().map(|path| &*path.0).collect())
    }
}

/// What is hidden of the value at some place: the rests of the paths that lead there.
#[derive(Clone, Debug, Default)]
pub struct Below<'h>(Vec<&'h [Box<str>]>);

impl<'h> Below<'h> {
    /// Whether the value itself is hidden.
    pub fn is_hidden(&self) -> bool {
        self.0.iter().any(|rest| rest.is_empty())
    }

    /// Whether nothing of it is hidden.
    pub fn is_clear(&self) -> bool {
        self.0.is_empty()
    }

    /// What is hidden of the member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.step(|first| *first == *name || first == "*")
    }

    /// What is hidden of some member, whatever its name: what is hidden of one, as nobody knows which it is.
    #[must_use]
    pub fn any_member(&self) -> Self {
        self.step(|_| true)
    }

    /// What is hidden of the elements of a list: paths may count them, or leave them out.
    #[must_use]
    pub fn element(&self) -> Self {
        let Self(mut rests) = self.step(|first| first == "*" || first.bytes().all(|c| c.is_ascii_digit()));
        rests.extend(&self.0);
        Self(rests)
    }

    fn step(&self, takes: impl Fn(&str) -> bool) -> Self {
        let rest = |rest: &&'h [Box<str>]| match rest.split_first() {
            Some((first, rest)) if takes(first) => Some(rest),
            _ => None,
        };
        Self(self.0.iter().filter_map(rest).collect())
    }
}

impl Published {
    /// What is left of it.
    ///
    /// What could show a hidden value as part of a larger one is left out, too: JSON as it is, and texts, which may hold JSON.
    #[must_use]
    pub fn without(&self, hidden: &Hidden) -> Self {
        Self { data: self.data.as_ref().and_then(|data| field(data, &hidden.root())) }
    }
}

fn field(of: &Field, below: &Below<'_>) -> Option<Field> {
    if below.is_clear() {
        return Some(of.clone());
    }
    if below.is_hidden() {
        return None;
    }
    let primary = of.primary.as_ref().and_then(|(name, shown)| Some((name.clone(), out(shown, below)?)));
    let entries = of.entries.as_ref().and_then(|entries| {
        Some(Entries { value: out_of_member(&entries.value, &below.any_member())?, ..entries.clone() })
    });
    let is_shown = primary.is_some() || entries.is_some();
    is_shown.then(|| Field { primary, entries, json: None, ..of.clone() })
}

fn out_of_member(of: &Out, below: &Below<'_>) -> Option<Out> {
    if below.is_hidden() { None } else { out(of, below) }
}

fn out(of: &Out, below: &Below<'_>) -> Option<Out> {
    if below.is_clear() {
        return Some(of.clone());
    }
    match of {
        Out::Boolean | Out::Long | Out::Float => Some(of.clone()),
        Out::Text | Out::Json => None,
        Out::Object(object) => {
            let fields = object.fields.iter().filter_map(|member| field(member, &below.member(&member.key)));
            let fields: Vec<Field> = fields.collect();
            // GraphQL knows no type without fields.
            let is_some = !fields.is_empty();
            is_some.then(|| Out::Object(Object { type_name: object.type_name.clone(), fields }))
        }
        Out::List(element) => Some(Out::List(Box::new(out_of_member(element, &below.element())?))),
    }
}
