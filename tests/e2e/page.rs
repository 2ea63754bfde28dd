//! The page in a real browser, by `tests/page/page.mjs`. It needs Node and Chromium; `TIDEGATE_WITHOUT=page` leaves it out.

use std::path::Path;
use std::process::Command;

use crate::support::{Setup, ensure_packages, finish, is_left_out, repository, sample, tidegate};

#[test]
fn a_browser_signs_in_queries_follows_and_learns_a_new_field() {
    if is_left_out("page", "the page in a browser") {
        return;
    }
    let server = Setup::demo().start();
    server.client().put("/streams/user-events/record", sample("user-events.put.json")).expect(200);
    let data = server.data();
    let page = tidegate(server.folder(), &["page", "--data", data.to_str().unwrap()], "");
    assert_eq!(page.code, Some(0), "{page:?}");
    assert!(!server.banner().contains("install Node"), "the page was not built in: {}", server.banner());

    let folder = repository().join("tests/page");
    ensure_packages(&folder, "page");
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    assert!(
        Path::new(&chromium).exists(),
        "there is no browser at {chromium}: install Chromium, say by CHROMIUM where it is, or leave this test out by \
         TIDEGATE_WITHOUT=page"
    );
    let screenshot = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page.png");
    let mut node = Command::new("node");
    node.arg("page.mjs").current_dir(&folder);
    node.env("TIDEGATE_PAGE", page.stdout.trim()).env("CHROMIUM", chromium).env("SCREENSHOT", &screenshot);
    let done = finish(node, "");
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    println!("{}screenshot: {}", done.stdout, screenshot.display());
}
