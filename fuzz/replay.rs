//! Each target over its corpus: what was once found, or was hard to find, is tried again by every run of the tests.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails, and says where")]

mod targets;

use std::fs;
use std::path::Path;

/// Most files of a target, and their size in bytes: the corpus is for reading, too.
const FILES_MAX: usize = 100;
const BYTES_MAX: usize = 4 << 10;

#[expect(clippy::print_stdout, reason = "the last line that is printed names the file that a panic is about")]
fn replay(name: &str) {
    let (_, target) = targets::TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!((1..=FILES_MAX).contains(&files.len()), "{} holds {} files", folder.display(), files.len());
    for file in files {
        let input = fs::read(&file).unwrap();
        assert!(input.len() <= BYTES_MAX, "{} is {} bytes long", file.display(), input.len());
        println!("{}", file.display());
        target(&input);
    }
    target(b"");
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed() {
            let all: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(all, [$(stringify!($name)),*]);
        }
    };
}

tests!(json shape projector page_cursor resume_cursor position time log);
