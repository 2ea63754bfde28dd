//! Rules of tidiness that a compiler does not know.

use std::path::Path;

use crate::{Failure, workspace};

/// A longer file is two.
const LINES_MAX: usize = 500;
/// Of all our Rust files.
const LINES_MEDIAN_MAX: usize = 200;

/// Marks of unfinished work; split, so that this file has none.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// Checks every file that is written by hand.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let mut offences = Vec::new();
    let mut lengths = Vec::new();
    for file in workspace::files(root)? {
        let shown = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let Some(kind) = Kind::of(&shown) else { continue };
        let text = workspace::read(&file)?;
        if kind == Kind::Rust {
            lengths.push(text.lines().count());
        }
        offences.extend(faults(kind, &shown, &text).into_iter().map(|fault| format!("{shown}{fault}")));
    }
    let median = median(&mut lengths);
    println!(
        "{} Rust files, {median} lines in the median, at most {}",
        lengths.len(),
        lengths.last().unwrap_or(&0)
    );
    if median > LINES_MEDIAN_MAX {
        offences.push(format!("the median Rust file has {median} lines, more than {LINES_MEDIAN_MAX}"));
    }
    if offences.is_empty() {
        return Ok(());
    }
    Err(format!("untidy, {} times:\n  {}", offences.len(), offences.join("\n  ")).into())
}

/// What a file is, as far as the rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rust,
    /// Markdown and TOML.
    Plain,
    /// Of the page, of Go, Python and others: their own tools look after spaces, or none does.
    Web,
    PackageLock,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        if path.ends_with("package-lock.json") {
            return Some(Self::PackageLock);
        }
        match path.rsplit_once('.')?.1 {
            "rs" => Some(Self::Rust),
            "md" | "toml" => Some(Self::Plain),
            "ts" | "tsx" | "js" | "mjs" | "css" | "html" | "yml" | "cql" | "go" | "py" => Some(Self::Web),
            _ => None,
        }
    }
}

/// What is wrong with a file, each to be read after its path.
fn faults(kind: Kind, path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if kind == Kind::Rust {
        let count = text.lines().count();
        if count > LINES_MAX {
            faults.push(format!(" has {count} lines, more than {LINES_MAX}: split it"));
        }
        if !text.starts_with("//!") && !path.contains("/fixtures/") {
            faults.push(" does not begin with a `//!` line that says what it is for".to_owned());
        }
    }
    for (line, number) in text.lines().zip(1..) {
        if kind == Kind::PackageLock {
            if line.trim_start().starts_with("\"resolved\"") {
                faults.push(format!(
                    ":{number} names a registry: make it with omit-lockfile-registry-resolved"
                ));
            }
            continue;
        }
        if let Some(mark) = MARKS.into_iter().find(|mark| has_word(line, mark)) {
            faults.push(format!(":{number} says {mark}: finish it, or write an issue"));
        }
        if kind != Kind::Web && line.ends_with([' ', '\t']) {
            faults.push(format!(":{number} ends in white space"));
        }
    }
    faults
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|sign: char| !sign.is_alphanumeric() && sign != '_').any(|found| found == word)
}

/// The middle of `lengths`, which are put in order; 0 of none.
fn median(lengths: &mut [usize]) -> usize {
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expect: &[&str]) {
        assert_eq!(faults(Kind::of(path).expect("a kind of file that is checked"), path, text), expect);
    }

    #[test]
    fn a_tidy_file_has_no_faults() {
        check("schema/src/lib.rs", "//! What it is.\n\nfn main() {}\n", &[]);
        check("README.md", "# Tidegate\n", &[]);
    }

    #[test]
    fn a_rust_file_is_short_and_says_what_it_is_for() {
        let long = "//! Long.\n".repeat(LINES_MAX + 1);
        check("src/a.rs", &long, &[" has 501 lines, more than 500: split it"]);
        let expect = " does not begin with a `//!` line that says what it is for";
        check("src/a.rs", "fn main() {}\n", &[expect]);
        check("tests/fixtures/a.rs", "fn main() {}\n", &[]);
    }

    #[test]
    fn marks_are_whole_words() {
        let mark = MARKS[0];
        let text = format!("//! One.\n// {mark}: more\nlet {mark}S = 1;\n");
        check("src/a.rs", &text, &[&format!(":2 says {mark}: finish it, or write an issue")]);
        check(
            "src/a.ts",
            &format!("// ({mark})\n"),
            &[&format!(":1 says {mark}: finish it, or write an issue")],
        );
    }

    #[test]
    fn lines_end_without_white_space() {
        check("deny.toml", "a = 1 \nb = 2\nc = 3\t\n", &[":1 ends in white space", ":3 ends in white space"]);
    }

    #[test]
    fn a_lock_file_names_no_registry() {
        let text =
            "{\n  \"resolved\": \"https://registry.example/a.tgz\",\n  \"integrity\": \"sha512-0\"\n}\n";
        check(
            "console/web/package-lock.json",
            text,
            &[":2 names a registry: make it with omit-lockfile-registry-resolved"],
        );
    }

    #[test]
    fn a_median_is_the_middle_one() {
        assert_eq!(median(&mut [9, 1, 5]), 5);
        assert_eq!(median(&mut [4, 1]), 4);
        assert_eq!(median(&mut []), 0);
    }
}
