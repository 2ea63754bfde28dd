//! Where the values of an object's wanted names are, down to the deepest level.

use schema::json::{Cursor, Kind, Malformed};

use super::Level;

/// A value that was found, by its place in the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) start: usize,
    /// Of no meaning where the walk had found all that was wanted before the value's end.
    pub(super) end: usize,
    /// For an object whose members were looked for too: where these begin.
    pub(super) below: usize,
}

/// What was found of the levels that were entered: for each a region, one place a wanted name.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<Option<Found>>);

impl Places {
    /// Where the next region will begin.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all regions from `base` on.
    pub(super) fn truncate(&mut self, base: usize) {
        self.0.truncate(base);
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<Found> {
        self.0[at]
    }

    /// Walks the object that comes next, once, and its wanted objects with it. Stops at the last wanted member, or behind the
    /// object if its `end` is needed.
    pub(super) fn walk(
        &mut self,
        level: &Level,
        cursor: &mut Cursor<'_>,
        end: bool,
    ) -> Result<(), Malformed> {
        cursor.enter_object()?;
        let base = self.0.len();
        let mut left = level.names.len();
        self.0.resize(base + left, None);
        let mut next = 0;
        while left > 0 {
            let Some(name) = cursor.next_name()? else { return Ok(()) };
            let Some(at) = level.wanted(&name, next) else {
                cursor.step()?;
                continue;
            };
            let wanted = &level.names[at];
            let found = match level.below(wanted.object) {
                Some(inner) if cursor.first()? == b'{' => {
                    let (start, below) = (cursor.offset(), self.0.len());
                    self.walk(inner, cursor, end || left > 1 || wanted.whole)?;
                    Found { kind: Kind::Object, start, end: cursor.offset(), below }
                }
                _ => {
                    cursor.first()?;
                    let start = cursor.offset();
                    Found { kind: cursor.step()?, start, end: cursor.offset(), below: 0 }
                }
            };
            self.0[base + at] = Some(found);
            next = at + 1;
            left -= 1;
        }
        if end { cursor.leave() } else { Ok(()) }
    }
}
