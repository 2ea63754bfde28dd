//! The built files as a table of Rust, which `src/files.rs` includes.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::{fs, io};

use crate::inputs;

/// Copies the gzipped files of `dist` into Cargo's folder and writes the table that embeds them.
pub(crate) fn write(dist: &Path, out: &Path) -> io::Result<()> {
    let copies = out.join("page");
    if copies.exists() {
        fs::remove_dir_all(&copies)?;
    }
    fs::create_dir_all(&copies)?;

    let mut files = Vec::new();
    inputs::collect(dist, &mut files)?;
    files.retain(|file| file.extension() == Some(OsStr::new("gz")));
    files.sort();

    let mut rows = String::new();
    for (number, file) in files.iter().enumerate() {
        let gzip = fs::read(file)?;
        let copy = format!("page/{number}.gz");
        fs::write(out.join(&copy), &gzip)?;
        let name = file.strip_prefix(dist).unwrap_or(file).with_extension("");
        let name = name.to_string_lossy().replace('\\', "/");
        let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
        let mut hasher = DefaultHasher::new();
        hasher.write(&gzip);
        let _ = writeln!(
            rows,
            "    File {{ path: {path:?}, content_type: {:?}, etag: {:?}, immutable: {}, \
             gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{copy}\")) }},",
            content_type(&name),
            format!("W/\"{:016x}\"", hasher.finish()),
            is_hashed(&name),
        );
    }
    write_source(out, &rows, None)
}

/// Writes a table without files, which says why.
pub(crate) fn write_empty(out: &Path, missing: &str) -> io::Result<()> {
    write_source(out, "", Some(missing))
}

fn write_source(out: &Path, rows: &str, missing: Option<&str>) -> io::Result<()> {
    let source = format!(
        "pub(crate) static FILES: &[File] = &[\n{rows}];\n\n\
         pub(crate) const MISSING: Option<&str> = {missing:?};\n"
    );
    fs::write(out.join("table.rs"), source)
}

/// Whether a name holds a hash of its contents: `-` and eight characters before the extension.
fn is_hashed(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    let Some(start) = stem.len().checked_sub(9) else { return false };
    stem.get(start..).is_some_and(|tail| {
        tail.starts_with('-')
            && tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        Some("md") => "text/markdown; charset=utf-8",
        _ => "application/octet-stream",
    }
}
