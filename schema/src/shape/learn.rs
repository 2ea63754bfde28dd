//! Learning from one message: a single pass, and no change at all where the shape covers it already.

use std::collections::BTreeMap;

use super::Learned;
use crate::Limits;
use crate::json::{CheckLimits, Cursor, Kind, Malformed, Pointer, check};

/// Where a stream's JSON holds JSON inside strings, as a tree of names. Arrays on the way are passed through.
#[derive(Clone, Debug, Default)]
pub struct Opens {
    here: bool,
    names: BTreeMap<String, Opens>,
}

impl Opens {
    /// The tree of `pointers`.
    pub fn new(pointers: &[Pointer]) -> Self {
        let mut root = Self::default();
        for pointer in pointers {
            let mut node = &mut root;
            for segment in pointer.segments() {
                node = node.names.entry(segment.clone()).or_default();
            }
            node.here = true;
        }
        root
    }
}

/// Learns messages of one stream.
#[derive(Debug)]
pub struct Learner<'a> {
    opens: &'a Opens,
    limits: &'a Limits,
    /// How many more fields may be learned.
    room: usize,
    changed: bool,
}

impl<'a> Learner<'a> {
    /// Learns into `learned` from there on.
    pub fn new(learned: &Learned, opens: &'a Opens, limits: &'a Limits) -> Self {
        Self { opens, limits, room: limits.shape_fields.saturating_sub(learned.count()), changed: false }
    }

    /// Joins what `document`, which passed the check, shows. Says whether anything in it was new.
    ///
    /// # Errors
    /// [`Malformed`] for bytes that did not pass the check.
    pub fn learn(&mut self, learned: &mut Learned, document: &[u8]) -> Result<bool, Malformed> {
        self.changed = false;
        self.value(learned, &mut Cursor::new(document), Some(self.opens), 0)?;
        Ok(self.changed)
    }

    fn value(
        &mut self,
        at: &mut Learned,
        cursor: &mut Cursor<'_>,
        opens: Option<&'a Opens>,
        depth: usize,
    ) -> Result<(), Malformed> {
        let kind = cursor.kind()?;
        if kind == Kind::Text && opens.is_some_and(|opens| opens.here) {
            let raw = cursor.text()?.decode()?;
            return match open_string(&raw, self.limits) {
                Some(document) => {
                    self.changed |= !at.opened;
                    at.opened = true;
                    self.value(at, &mut Cursor::new(document), opens, depth)
                }
                None => {
                    self.changed |= at.kinds.add(Kind::Text);
                    Ok(())
                }
            };
        }
        self.changed |= at.kinds.add(kind);
        match kind {
            Kind::Object | Kind::Array if depth == self.limits.shape_depth => {
                self.cut(at);
                cursor.skip()?;
            }
            Kind::Object => self.object(at, cursor, opens, depth)?,
            Kind::Array => {
                cursor.enter_array()?;
                while cursor.next_element()? {
                    let elements = at.elements.get_or_insert_default();
                    self.value(elements, cursor, opens, depth + 1)?;
                }
            }
            _ => {
                cursor.skip()?;
            }
        }
        Ok(())
    }

    fn object(
        &mut self,
        at: &mut Learned,
        cursor: &mut Cursor<'_>,
        opens: Option<&'a Opens>,
        depth: usize,
    ) -> Result<(), Malformed> {
        cursor.enter_object()?;
        while let Some(name) = cursor.next_name()? {
            let name = name.decode()?;
            let opens = opens.and_then(|opens| opens.names.get(name.as_ref()));
            if let Some(field) = at.fields.get_mut(name.as_ref()) {
                self.value(field, cursor, opens, depth + 1)?;
            } else if name.len() > self.limits.name_bytes {
                // In a map, too: else it would matter whether the place was one already when the name came.
                self.cut(at);
                cursor.skip()?;
            } else if let Some(map) = &mut at.map {
                self.value(map, cursor, opens, depth + 1)?;
            } else if self.room == 0 {
                self.cut(at);
                cursor.skip()?;
            } else {
                self.changed = true;
                self.room -= 1;
                let mut field = Learned::default();
                self.value(&mut field, cursor, opens, depth + 1)?;
                at.fields.insert(name.into(), field);
                let before = at.count();
                at.collapse(self.limits.object_names);
                self.room += before - at.count();
            }
        }
        Ok(())
    }

    fn cut(&mut self, at: &mut Learned) {
        self.changed |= !at.cut;
        at.cut = true;
    }
}

/// The document inside a string, if it is a JSON object or array by itself.
pub fn open_string<'t>(text: &'t str, limits: &Limits) -> Option<&'t [u8]> {
    let document = text.trim_start_matches([' ', '\t', '\n', '\r']);
    let nested = document.starts_with(['{', '[']);
    (nested && check(document.as_bytes(), CheckLimits::from(limits)).is_ok()).then_some(document.as_bytes())
}
