//! The router with a page and without one: what is served, how, and under which policy.

use std::io::{Read, Write};
use std::sync::LazyLock;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tower::ServiceExt;

use crate::files::{FILES, File, MISSING};
use crate::{missing, routes};

const HTML: &str = "<!doctype html><title>Tidegate</title>";
const SCRIPT: &str = "export {}";

static TWO_FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    vec![
        File {
            path: "/",
            content_type: "text/html; charset=utf-8",
            etag: "W/\"1\"",
            immutable: false,
            gzip: gzip(HTML),
        },
        File {
            path: "/console/index-abcdefgh.js",
            content_type: "text/javascript; charset=utf-8",
            etag: "W/\"2\"",
            immutable: true,
            gzip: gzip(SCRIPT),
        },
    ]
});

fn gzip(text: &str) -> &'static [u8] {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().leak()
}

/// Sends one request, by a page of two files.
async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    send(&TWO_FILES, None, method, path, headers).await
}

async fn send(
    files: &'static [File],
    missing: Option<&'static str>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    routes::<()>(files, missing).oneshot(request).await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn body(response: Response) -> Vec<u8> {
    to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

#[tokio::test]
async fn gzip_goes_out_as_it_was_built() {
    let response = ask("GET", "/", &[("accept-encoding", "gzip")]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-encoding"), "gzip");
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&response, "vary"), "Accept-Encoding");
    assert_eq!(body(response).await, TWO_FILES[0].gzip);
}

#[tokio::test]
async fn others_get_it_unpacked() {
    let response = ask("GET", "/", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-encoding"), "");
    assert_eq!(header(&response, "vary"), "Accept-Encoding");
    assert_eq!(body(response).await, HTML.as_bytes());
}

#[tokio::test]
async fn only_hashed_files_are_kept_without_asking() {
    assert_eq!(header(&ask("GET", "/", &[]).await, "cache-control"), "no-cache");
    let script = ask("GET", "/console/index-abcdefgh.js", &[]).await;
    assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(body(script).await, SCRIPT.as_bytes());
}

#[tokio::test]
async fn a_client_that_has_it_is_told_so() {
    for (tags, expect) in [
        ("W/\"1\"", StatusCode::NOT_MODIFIED),
        ("\"1\"", StatusCode::NOT_MODIFIED),
        ("\"0\", W/\"1\"", StatusCode::NOT_MODIFIED),
        ("*", StatusCode::NOT_MODIFIED),
        ("\"2\"", StatusCode::OK),
        ("1", StatusCode::OK),
    ] {
        let response = ask("GET", "/", &[("if-none-match", tags)]).await;
        assert_eq!(response.status(), expect, "{tags}");
        assert_eq!(header(&response, "etag"), "W/\"1\"", "{tags}");
    }
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let response = ask("HEAD", "/", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-length"), HTML.len().to_string());
    assert!(body(response).await.is_empty());
}

#[tokio::test]
async fn every_answer_keeps_the_page_to_its_origin() {
    for (method, path, expect) in [
        ("GET", "/", StatusCode::OK),
        ("HEAD", "/", StatusCode::OK),
        ("GET", "/console/index-abcdefgh.js", StatusCode::OK),
        ("GET", "/console/unknown.js", StatusCode::NOT_FOUND),
        ("GET", "/console/a/b", StatusCode::NOT_FOUND),
        ("POST", "/", StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", "/console/index-abcdefgh.js", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let response = ask(method, path, &[]).await;
        assert_eq!(response.status(), expect, "{method} {path}");
        let policy = header(&response, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; worker-src 'self'; "), "{policy}");
        assert!(!policy.contains("  "), "{policy}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer");
        assert_eq!(header(&response, "cross-origin-opener-policy"), "same-origin");
    }
}

#[tokio::test]
async fn other_paths_are_left_alone() {
    let response = ask("GET", "/graphql", &[]).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(&response, "content-security-policy"), "");
}

#[tokio::test]
async fn without_a_page_the_root_says_what_is_missing() {
    let response = send(&[], Some("no <Node>"), "GET", "/", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&response, "cache-control"), "no-cache");
    assert!(header(&response, "content-security-policy").starts_with("default-src 'none'"));
    let text = String::from_utf8(body(response).await).unwrap();
    assert!(text.contains("no &lt;Node&gt;") && text.contains("/graphql"), "{text}");
}

#[tokio::test]
async fn what_was_built_is_whole() {
    assert_eq!(missing(), MISSING);
    assert_eq!(FILES.is_empty(), MISSING.is_some());
    for file in FILES {
        let mut plain = Vec::new();
        GzDecoder::new(file.gzip).read_to_end(&mut plain).unwrap();
        assert!(!plain.is_empty(), "{}", file.path);
        assert_eq!(
            file.immutable,
            file.path.starts_with("/console/") && !file.path.ends_with(".md"),
            "{}",
            file.path
        );
        assert_ne!(file.content_type, "application/octet-stream", "{}", file.path);
        let response = send(FILES, MISSING, "GET", file.path, &[]).await;
        assert_eq!(body(response).await, plain, "{}", file.path);
    }
}
