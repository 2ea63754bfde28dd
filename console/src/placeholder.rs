//! What stands at `/` when the page was not built.

use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Response};

/// A plain page that says what is missing and where the API is.
pub(crate) fn page(missing: &str) -> Response {
    let html = TEMPLATE.replace("{missing}", &escape(missing));
    ([(CACHE_CONTROL, "no-cache")], Html(html)).into_response()
}

const TEMPLATE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tidegate</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem }</style>
<h1>Tidegate is running</h1>
<p>Its page is not part of this build: {missing}.</p>
<p>The API is there all the same: send GraphQL by <code>POST</code> to <code>/graphql</code>.</p>
</html>
"#;

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
