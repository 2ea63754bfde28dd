//! A walk through a document that passed the check, in one pass and without building anything.

use super::Text;

/// What a JSON value is. Integers and floats are told apart by how the number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Null,
    Boolean,
    Integer,
    Float,
    Text,
    Object,
    Array,
}

/// The bytes are not JSON. A document that passed [`super::check()`] never gives this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not JSON")]
pub struct Malformed;

/// Stands before, in, or after a value of a document, and moves only forward.
///
/// It trusts that the document was checked: on other bytes it may give nonsense or [`Malformed`], but never panics.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Stands before the document's one value.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The kind of the value that comes next.
    ///
    /// # Errors
    /// [`Malformed`] if no value does.
    pub fn kind(&mut self) -> Result<Kind, Malformed> {
        self.space();
        Ok(match self.peek()? {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::Text,
            b't' | b'f' => Kind::Boolean,
            b'n' => Kind::Null,
            _ => {
                let number = &self.bytes[self.at..self.scalar_end()];
                let float = number.iter().any(|c| matches!(c, b'.' | b'e' | b'E'));
                if float { Kind::Float } else { Kind::Integer }
            }
        })
    }

    /// Steps into the object that comes next: call [`Cursor::next_name`] until it gives `None`.
    ///
    /// # Errors
    /// [`Malformed`] if no object comes next.
    pub fn enter_object(&mut self) -> Result<(), Malformed> {
        self.space();
        self.take(b'{')
    }

    /// The name of the next member of the object that was entered; its value comes next. `None` after the last, when
    /// the cursor stands behind the object.
    ///
    /// # Errors
    /// [`Malformed`] if neither a name nor the end of an object follows.
    pub fn next_name(&mut self) -> Result<Option<Text<'a>>, Malformed> {
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(None);
        }
        if self.peek()? == b',' {
            self.at += 1;
            self.space();
        }
        let name = self.text()?;
        self.space();
        self.take(b':')?;
        Ok(Some(name))
    }

    /// Steps into the array that comes next: call [`Cursor::next_element`] until it gives `false`.
    ///
    /// # Errors
    /// [`Malformed`] if no array comes next.
    pub fn enter_array(&mut self) -> Result<(), Malformed> {
        self.space();
        self.take(b'[')
    }

    /// Whether another element of the entered array comes next. After `false` the cursor stands behind the array.
    ///
    /// # Errors
    /// [`Malformed`] if neither an element nor the end of an array follows.
    pub fn next_element(&mut self) -> Result<bool, Malformed> {
        self.space();
        match self.peek()? {
            b']' => {
                self.at += 1;
                return Ok(false);
            }
            b',' => self.at += 1,
            _ => {}
        }
        Ok(true)
    }

    /// The string that comes next.
    ///
    /// # Errors
    /// [`Malformed`] if no string comes next.
    pub fn text(&mut self) -> Result<Text<'a>, Malformed> {
        self.space();
        self.take(b'"')?;
        let (start, mut escaped) = (self.at, false);
        loop {
            let rest = self.bytes.get(self.at..).ok_or(Malformed)?;
            // Names and most values are short: a plain loop meets their end before a vector search is set up.
            let found = rest.iter().take(16).position(|c| matches!(c, b'"' | b'\\'));
            let found = found.or_else(|| memchr::memchr2(b'"', b'\\', rest)).ok_or(Malformed)?;
            self.at += found;
            if self.bytes[self.at] == b'"' {
                let text = Text::new(&self.bytes[start..self.at], escaped);
                self.at += 1;
                return Ok(text);
            }
            escaped = true;
            self.at += 2;
        }
    }

    /// Steps over the value that comes next, and gives its bytes.
    ///
    /// # Errors
    /// [`Malformed`] if no whole value comes next.
    pub fn skip(&mut self) -> Result<&'a [u8], Malformed> {
        self.space();
        let start = self.at;
        match self.peek()? {
            b'"' => {
                self.text()?;
            }
            b'{' | b'[' => self.skip_nested()?,
            _ => {
                self.at = self.scalar_end();
                if self.at == start {
                    return Err(Malformed);
                }
            }
        }
        Ok(&self.bytes[start..self.at])
    }

    /// How many bytes of the document lie behind.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Brackets of both sorts are counted together: in a checked document they match.
    fn skip_nested(&mut self) -> Result<(), Malformed> {
        let mut depth = 0usize;
        loop {
            let rest = self.bytes.get(self.at..).ok_or(Malformed)?;
            // Between two of these there is nothing to look at.
            let found =
                rest.iter().position(|c| matches!(c, b'"' | b'{' | b'[' | b'}' | b']')).ok_or(Malformed)?;
            self.at += found;
            match rest[found] {
                b'"' => {
                    self.text()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn scalar_end(&self) -> usize {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|c| matches!(c, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'));
        self.at + length.unwrap_or(rest.len())
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, Malformed> {
        self.bytes.get(self.at).copied().ok_or(Malformed)
    }

    fn take(&mut self, c: u8) -> Result<(), Malformed> {
        if self.peek()? != c {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_walked_in_one_pass() {
        let mut cursor =
            Cursor::new(br#" { "a" : [ 1 , 2.5 , "x\"y" ] , "b" : { "c" : null } , "d":true } "#);
        assert_eq!(cursor.kind(), Ok(Kind::Object));
        cursor.enter_object().unwrap();
        assert!(cursor.next_name().unwrap().unwrap().is("a"));
        cursor.enter_array().unwrap();
        let mut kinds = vec![];
        while cursor.next_element().unwrap() {
            kinds.push((cursor.kind().unwrap(), cursor.skip().unwrap()));
        }
        assert_eq!(kinds, [(Kind::Integer, &b"1"[..]), (Kind::Float, b"2.5"), (Kind::Text, br#""x\"y""#)]);
        assert!(cursor.next_name().unwrap().unwrap().is("b"));
        assert_eq!(cursor.skip(), Ok(&br#"{ "c" : null }"#[..]));
        assert!(cursor.next_name().unwrap().unwrap().is("d"));
        assert_eq!(cursor.skip(), Ok(&b"true"[..]));
        assert!(cursor.next_name().unwrap().is_none());
    }

    proptest! {
        #[test]
        fn unchecked_bytes_never_panic(bytes in r#"[\[\]{}:,"a0.\\]{0,40}"#) {
            let mut cursor = Cursor::new(bytes.as_bytes());
            let _ = cursor.kind();
            let _ = cursor.skip();
            let mut cursor = Cursor::new(bytes.as_bytes());
            let _ = cursor.enter_object();
            while let Ok(Some(name)) = cursor.next_name() {
                let _ = name.decode();
                if cursor.skip().is_err() {
                    break;
                }
            }
        }
    }
}
