//! A walk through a document that passed the check, in one pass and without building anything.

use super::{Kind, Malformed, Text, scan};

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
        Ok(match self.first()? {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::Text,
            b't' | b'f' => Kind::Boolean,
            b'n' => Kind::Null,
            _ => self.number().0,
        })
    }

    /// The first byte of what comes next, behind white space.
    ///
    /// # Errors
    /// [`Malformed`] at the end of the bytes.
    #[inline]
    pub fn first(&mut self) -> Result<u8, Malformed> {
        let c = self.peek()?;
        if c > b' ' { Ok(c) } else { self.first_behind_space() }
    }

    /// Steps into the object that comes next: call [`Cursor::next_name`] until it gives `None`.
    ///
    /// # Errors
    /// [`Malformed`] if no object comes next.
    #[inline]
    pub fn enter_object(&mut self) -> Result<(), Malformed> {
        self.take(b'{')
    }

    /// The name of the next member of the object that was entered; its value comes next. `None` after the last, when
    /// the cursor stands behind the object.
    ///
    /// # Errors
    /// [`Malformed`] if neither a name nor the end of an object follows.
    #[inline(always)]
    pub fn next_name(&mut self) -> Result<Option<Text<'a>>, Malformed> {
        match self.first()? {
            b'}' => {
                self.at += 1;
                return Ok(None);
            }
            b',' => self.at += 1,
            _ => {}
        }
        let name = self.text()?;
        self.take(b':')?;
        Ok(Some(name))
    }

    /// Steps into the array that comes next: call [`Cursor::next_element`] until it gives `false`.
    ///
    /// # Errors
    /// [`Malformed`] if no array comes next.
    #[inline]
    pub fn enter_array(&mut self) -> Result<(), Malformed> {
        self.take(b'[')
    }

    /// Whether another element of the entered array comes next. After `false` the cursor stands behind the array.
    ///
    /// # Errors
    /// [`Malformed`] if neither an element nor the end of an array follows.
    #[inline]
    pub fn next_element(&mut self) -> Result<bool, Malformed> {
        match self.first()? {
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
    #[inline(always)]
    pub fn text(&mut self) -> Result<Text<'a>, Malformed> {
        self.take(b'"')?;
        let start = self.at;
        let escaped = self.string()?;
        Ok(Text::new(&self.bytes[start..self.at - 1], escaped))
    }

    /// Steps over the value that comes next, and gives its bytes.
    ///
    /// # Errors
    /// [`Malformed`] if no whole value comes next.
    #[inline]
    pub fn skip(&mut self) -> Result<&'a [u8], Malformed> {
        self.first()?;
        let start = self.at;
        self.step()?;
        Ok(&self.bytes[start..self.at])
    }

    /// Steps over the value that comes next, and gives its kind.
    ///
    /// # Errors
    /// [`Malformed`] if no whole value comes next.
    pub fn step(&mut self) -> Result<Kind, Malformed> {
        let c = self.first()?;
        match c {
            b'"' => {
                self.at += 1;
                self.string()?;
                Ok(Kind::Text)
            }
            b'{' | b'[' => {
                self.at += 1;
                self.leave()?;
                Ok(if c == b'{' { Kind::Object } else { Kind::Array })
            }
            _ => {
                let (number, end) = self.number();
                if end == self.at {
                    return Err(Malformed);
                }
                self.at = end;
                Ok(match c {
                    b't' | b'f' => Kind::Boolean,
                    b'n' => Kind::Null,
                    _ => number,
                })
            }
        }
    }

    /// Steps behind the object or array that was entered, over whatever is left of it.
    ///
    /// # Errors
    /// [`Malformed`] if it has no end.
    pub fn leave(&mut self) -> Result<(), Malformed> {
        self.at = scan::nested_end(self.bytes, self.at).ok_or(Malformed)?;
        Ok(())
    }

    /// How many bytes of the document lie behind.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The whole document.
    #[inline]
    pub fn document(&self) -> &'a [u8] {
        self.bytes
    }

    /// Steps behind the string that was entered, and tells whether any escape stands in it.
    ///
    /// Most of a walk's time goes here, so this and what is made of it stay in registers: a slice that passes through memory,
    /// written as two words and read as one, costs as much as the search.
    #[inline(always)]
    fn string(&mut self) -> Result<bool, Malformed> {
        let (mut end, escaped) = scan::string_end(self.bytes, self.at).ok_or(Malformed)?;
        if escaped {
            end = self.escaped_end(end).ok_or(Malformed)?;
        }
        self.at = end + 1;
        Ok(escaped)
    }

    /// Where the string ends that has its first escape at `at`.
    #[cold]
    fn escaped_end(&self, at: usize) -> Option<usize> {
        let (mut end, mut escaped) = (at, true);
        while escaped {
            (end, escaped) = scan::string_end(self.bytes, end + 2)?;
        }
        Some(end)
    }

    /// The kind of the number that comes next, and where it ends. A word ends likewise, and has no kind of number.
    #[inline]
    fn number(&self) -> (Kind, usize) {
        let mut kind = Kind::Integer;
        let mut at = self.at;
        for c in &self.bytes[at..] {
            match c {
                b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' => break,
                b'.' | b'e' | b'E' => kind = Kind::Float,
                _ => {}
            }
            at += 1;
        }
        (kind, at)
    }

    #[cold]
    fn first_behind_space(&mut self) -> Result<u8, Malformed> {
        while matches!(self.peek()?, b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.peek()
    }

    #[inline]
    fn peek(&self) -> Result<u8, Malformed> {
        self.bytes.get(self.at).copied().ok_or(Malformed)
    }

    #[inline]
    fn take(&mut self, c: u8) -> Result<(), Malformed> {
        if self.first()? != c {
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
        let mut inside = cursor.clone();
        assert_eq!(cursor.skip(), Ok(&br#"{ "c" : null }"#[..]));
        inside.enter_object().unwrap();
        inside.leave().unwrap();
        assert_eq!(inside.offset(), cursor.offset());
        assert!(cursor.next_name().unwrap().unwrap().is("d"));
        assert_eq!((cursor.first(), cursor.step()), (Ok(b't'), Ok(Kind::Boolean)));
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
