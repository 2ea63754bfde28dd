//! Projection: the chosen fields of a raw document, written straight into the response.
//!
//! The document is walked once and never parsed into a tree: the walk notes where the wanted values are, of objects within
//! objects too, and these are then written in the order of the selection. It stops when all wanted names were met, which is
//! sound because names were checked to be unique when the message came in.

mod errors;
mod found;
mod leaf;
mod level;

#[cfg(test)]
mod tests;

pub use errors::Errors;
pub use leaf::Leaf;
pub use level::{Entries, EntryField, Level, Member, Show};

use found::Places;
use schema::json::{Cursor, Kind, Malformed};

use crate::error::{Code, GraphqlError, Step};
use crate::plan::end_of;

/// Writes selections of documents into a response.
#[derive(Debug)]
pub struct Projector<'p> {
    /// Where the value being written stands.
    path: Vec<PathStep<'p>>,
    /// What was found of the objects that are being written.
    places: Places,
    /// What could not be written as selected.
    pub errors: Errors,
    limits: &'p schema::Limits,
}

#[derive(Clone, Copy, Debug)]
enum PathStep<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p> Projector<'p> {
    /// A projector for one response. `limits` bound documents inside strings.
    pub fn new(errors_max: usize, limits: &'p schema::Limits) -> Self {
        Self { path: Vec::new(), places: Places::default(), errors: Errors::new(errors_max), limits }
    }

    /// Steps below the response key `key`.
    pub fn enter_key(&mut self, key: &'p str) {
        self.path.push(PathStep::Key(key));
    }

    /// Steps below a list's `index`.
    pub fn enter_index(&mut self, index: usize) {
        self.path.push(PathStep::Index(index));
    }

    /// Steps back.
    pub fn leave(&mut self) {
        self.path.pop();
    }

    fn under<T>(&mut self, key: &'p str, body: impl FnOnce(&mut Self) -> T) -> T {
        self.enter_key(key);
        let result = body(self);
        self.leave();
        result
    }

    fn at<T>(&mut self, index: usize, body: impl FnOnce(&mut Self) -> T) -> T {
        self.enter_index(index);
        let result = body(self);
        self.leave();
        result
    }

    /// Writes `member` of a place whose value is `raw`, or null where there is none or it is of another kind.
    ///
    /// # Errors
    /// [`Malformed`] where the document never passed the check; what was written so far is to be cut off.
    pub fn member(&mut self, member: &'p Member, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        match member {
            Member::Json => {
                out.extend_from_slice(raw);
                Ok(())
            }
            Member::Entries { opened, fields } => {
                self.opened(*opened, raw, out, |this, raw, out| this.entries(fields, raw, out))
            }
            Member::Primary { opened, show } => {
                self.opened(*opened, raw, out, |this, raw, out| this.show(show, raw, out))
            }
        }
    }

    /// Where the place holds JSON inside strings, goes on with the document in there.
    fn opened(
        &mut self,
        opened: bool,
        raw: &[u8],
        out: &mut Vec<u8>,
        body: impl FnOnce(&mut Self, &[u8], &mut Vec<u8>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if opened && raw.first() == Some(&b'"') {
            let text = Cursor::new(raw).text()?.decode()?;
            if let Some(document) = schema::shape::open_string(&text, self.limits) {
                return body(self, document, out);
            }
        }
        body(self, raw, out)
    }

    fn show(&mut self, show: &'p Show, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut cursor = Cursor::new(raw);
        match show {
            Show::Leaf(leaf) => {
                self.leaf(*leaf, cursor.kind()?, raw, out);
                Ok(())
            }
            _ => self.next(show, &mut cursor, false, out),
        }
    }

    /// Shows the value that comes next, and steps behind it if its `end` is needed.
    fn next(
        &mut self,
        show: &'p Show,
        cursor: &mut Cursor<'_>,
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        match (show, cursor.first()?) {
            (Show::Leaf(leaf), _) => {
                let start = cursor.offset();
                let kind = cursor.step()?;
                self.leaf(*leaf, kind, &cursor.document()[start..cursor.offset()], out);
            }
            (Show::Object(level), b'{') => {
                let base = self.places.len();
                let walked = self.places.walk(level, cursor, end);
                let written = walked.and_then(|()| self.level(level, cursor.document(), base, out));
                self.places.truncate(base);
                written?;
            }
            (Show::List(element), b'[') => self.list(element, cursor, out)?,
            _ => {
                out.extend_from_slice(b"null");
                if end {
                    cursor.step()?;
                }
            }
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: Leaf, kind: Kind, raw: &[u8], out: &mut Vec<u8>) {
        if let Err(why) = leaf.write(kind, raw, out) {
            self.fail(why);
        }
    }

    /// Writes an object of `document` whose members were found: their places begin at `base`.
    fn level(
        &mut self,
        level: &'p Level,
        document: &[u8],
        base: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        for (index, (slot, name)) in level.slots.iter().enumerate() {
            out.extend_from_slice(&slot.prefix);
            let Some(name) = *name else {
                out.extend_from_slice(&level.typename);
                continue;
            };
            let Some(found) = self.places.get(base + name) else {
                out.extend_from_slice(b"null");
                continue;
            };
            match &slot.value {
                Member::Primary { opened: false, show: Show::Leaf(leaf) } => {
                    let raw = &document[found.start..found.end];
                    if let Err(why) = leaf.write(found.kind, raw, out) {
                        self.under(&slot.key, |this| this.fail(why));
                    }
                }
                Member::Primary { show: Show::Object(inner), .. }
                    if found.kind == Kind::Object && level.names[name].object == Some(index) =>
                {
                    self.under(&slot.key, |this| this.level(inner, document, found.below, out))?;
                }
                member => {
                    let raw = &document[found.start..found.end];
                    self.under(&slot.key, |this| this.member(member, raw, out))?;
                }
            }
        }
        out.extend_from_slice(end_of(&level.slots));
        Ok(())
    }

    fn list(
        &mut self,
        element: &'p Show,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        cursor.enter_array()?;
        out.push(b'[');
        let mut index = 0;
        while cursor.next_element()? {
            if index > 0 {
                out.push(b',');
            }
            self.at(index, |this| this.next(element, cursor, true, out))?;
            index += 1;
        }
        out.push(b']');
        Ok(())
    }

    fn entries(&mut self, fields: &'p Entries, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        if Cursor::new(raw).kind()? != Kind::Object {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        let mut cursor = Cursor::new(raw);
        cursor.enter_object()?;
        out.push(b'[');
        let mut index = 0;
        while let Some(name) = cursor.next_name()? {
            if index > 0 {
                out.push(b',');
            }
            let value = cursor.skip()?;
            self.at(index, |this| this.entry(fields, name, value, out))?;
            index += 1;
        }
        out.push(b']');
        Ok(())
    }

    fn entry(
        &mut self,
        fields: &'p Entries,
        name: schema::json::Text<'_>,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        for slot in fields {
            out.extend_from_slice(&slot.prefix);
            match &slot.value {
                EntryField::Typename(typename) => out.extend_from_slice(typename),
                EntryField::Key => {
                    out.push(b'"');
                    out.extend_from_slice(name.as_raw());
                    out.push(b'"');
                }
                EntryField::Value(show) => self.under(&slot.key, |this| this.show(show, value, out))?,
            }
        }
        out.extend_from_slice(end_of(fields));
        Ok(())
    }

    fn fail(&mut self, message: String) {
        let path = &self.path;
        self.errors.add(|| GraphqlError {
            path: path
                .iter()
                .map(|step| match step {
                    PathStep::Key(key) => Step::Key((*key).to_owned()),
                    PathStep::Index(index) => Step::Index(*index),
                })
                .collect(),
            ..GraphqlError::new(Code::ValueOutOfRange, message)
        });
    }
}
