//! The built page.

/// One file of the page, compressed when it was built.
#[derive(Debug)]
pub(crate) struct File {
    /// The whole path that it is served at.
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    /// A weak tag, with its quotes: it stands for the file in every encoding.
    pub(crate) etag: &'static str,
    /// The path holds a hash of the contents, so a new content has a new path.
    pub(crate) immutable: bool,
    pub(crate) gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/table.rs"));
