//! Projection: the chosen fields of a raw document, written straight into the response.
//!
//! The document is walked once a level and never parsed into a tree; the walk stops when all wanted names were met,
//! which is sound because names were checked to be unique when the message came in.

mod leaf;
mod level;

#[cfg(test)]
mod tests;

pub use leaf::Leaf;
pub use level::{Entries, EntryField, Level, Member, Show};

use schema::json::{Cursor, Kind, Malformed};

use crate::error::{Code, GraphqlError, Step};

/// Errors of one response, bounded.
#[derive(Debug)]
pub struct Errors {
    /// The first ones.
    pub list: Vec<GraphqlError>,
    max: usize,
    /// How many there were in all.
    pub total: usize,
}

impl Errors {
    /// No errors yet, and at most `max` to be listed.
    pub fn new(max: usize) -> Self {
        Self { list: Vec::new(), max, total: 0 }
    }

    /// Adds what `error` makes, unless the list is full.
    pub fn add(&mut self, error: impl FnOnce() -> GraphqlError) {
        self.total += 1;
        if self.list.len() < self.max {
            self.list.push(error());
        }
    }
}

/// Writes selections of documents into a response.
#[derive(Debug)]
pub struct Projector<'p> {
    /// Where the value being written stands.
    path: Vec<PathStep<'p>>,
    /// For each level entered, what was found of its names.
    found: Vec<Option<(usize, usize)>>,
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
        Self { path: Vec::new(), found: Vec::new(), errors: Errors::new(errors_max), limits }
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
        let kind = Cursor::new(raw).kind()?;
        match (show, kind) {
            (Show::Leaf(leaf), _) => {
                if let Err(why) = leaf.write(kind, raw, out) {
                    self.fail(why);
                }
                Ok(())
            }
            (Show::Object(level), Kind::Object) => self.object(level, raw, out),
            (Show::List(element), Kind::Array) => self.list(element, raw, out),
            _ => {
                out.extend_from_slice(b"null");
                Ok(())
            }
        }
    }

    fn object(&mut self, level: &'p Level, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let base = self.found.len();
        self.found.resize(base + level.keys.len(), None);
        let result = self.find(level, raw, base).and_then(|()| self.write_level(level, raw, base, out));
        self.found.truncate(base);
        result
    }

    /// One walk over the object: where the wanted names' values are.
    fn find(&mut self, level: &Level, raw: &[u8], base: usize) -> Result<(), Malformed> {
        let mut left = level.keys.len();
        if left == 0 {
            return Ok(());
        }
        let mut cursor = Cursor::new(raw);
        cursor.enter_object()?;
        while let Some(name) = cursor.next_name()? {
            let wanted = level.keys.iter().position(|key| name.is(key));
            let value = cursor.skip()?;
            if let Some(at) = wanted {
                let end = cursor.offset();
                self.found[base + at] = Some((end - value.len(), end));
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn write_level(
        &mut self,
        level: &'p Level,
        raw: &[u8],
        base: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        for (slot, key) in &level.slots {
            out.extend_from_slice(&slot.prefix);
            let Some(key) = key else {
                out.extend_from_slice(&level.typename);
                continue;
            };
            match self.found[base + key] {
                Some((start, end)) => {
                    self.under(&slot.key, |this| this.member(&slot.value, &raw[start..end], out))?;
                }
                None => out.extend_from_slice(b"null"),
            }
        }
        out.push(b'}');
        Ok(())
    }

    fn list(&mut self, element: &'p Show, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut cursor = Cursor::new(raw);
        cursor.enter_array()?;
        out.push(b'[');
        let mut index = 0;
        while cursor.next_element()? {
            if index > 0 {
                out.push(b',');
            }
            let value = cursor.skip()?;
            self.at(index, |this| this.show(element, value, out))?;
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
        out.push(b'}');
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
