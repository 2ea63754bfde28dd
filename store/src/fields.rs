//! Bytes as the fields that a backend wrote one after the other: how they are read back, and how those with a length are put.

use schema::{Sequence, Timestamp};

/// Appends `field`, its length before it.
pub(crate) fn put(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend_from_slice(&(field.len() as u32).to_be_bytes());
    bytes.extend_from_slice(field);
}

/// What is left to read. Whatever is not there is `None`, and never a panic.
pub(crate) struct Fields<'b>(pub(crate) &'b [u8]);

impl<'b> Fields<'b> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        self.take().map(|bytes| Timestamp(i64::from_be_bytes(bytes)))
    }

    pub(crate) fn sequence(&mut self) -> Option<Sequence> {
        let (sequence, rest) = Sequence::decode(self.0)?;
        self.0 = rest;
        Some(sequence)
    }

    /// What [`put`] appended.
    pub(crate) fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.u32()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// What [`put`] appended, if it is text.
    pub(crate) fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}
