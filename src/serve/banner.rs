//! What a person sees first: where the page is, and two lines to paste.

use std::fmt::Write;
use std::path::Path;

use access::Secret;

use super::Role;
use crate::commands::Failure;
use crate::demo;

/// What the banner tells.
pub(super) struct Facts<'a> {
    pub(super) url: &'a str,
    pub(super) data: &'a Path,
    pub(super) role: Role,
    pub(super) demo: bool,
    /// Signs the page in, once; none where the development client is off.
    pub(super) code: Option<Secret>,
    /// What the page lacks, if it was not built.
    pub(super) missing: Option<&'a str>,
}

/// Prints it on standard output.
pub(super) fn print(facts: &Facts<'_>) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text(facts, &program()).as_bytes())?;
    Ok(out.flush()?)
}

fn text(facts: &Facts<'_>, program: &str) -> String {
    let Facts { url, data, role, demo, code, missing } = facts;
    // The commands look in these folders by themselves.
    let found = [demo::DATA, "./tidegate-data"].iter().any(|known| *data == Path::new(known));
    let node = if found { String::new() } else { format!(" --data {}", data.display()) };
    let part = match role {
        Role::All => "",
        Role::Ingest => " (ingest: takes messages)",
        Role::Gateway => " (gateway: answers queries)",
    };
    let mut text = format!("\nTidegate {}{part}, data in {}\n\n", env!("CARGO_PKG_VERSION"), data.display());
    let mut line = |label: &str, value: &str| _ = writeln!(text, "  {label:<8} {value}");
    if !role.answers_queries() {
        line("Streams", &format!("{url}/streams/STREAM/record, by PUT"));
    } else if let Some(missing) = missing {
        line("Page", missing);
    } else if let Some(code) = code {
        line("Page", &format!("{url}/#code={}", code.expose()));
        line("", &format!("(opens signed in, once, within the hour; {program} page{node} gives another)"));
    }
    if code.is_some() && role.takes_messages() {
        let (stream, message) = match demo {
            true => ("telemetry", r#"{"device":"my-desk","temperature":21.5}"#),
            false => ("hello", r#"{"greeting":"world"}"#),
        };
        line("Publish", &format!("{program} publish {stream} '{message}' --key my-desk{node}"));
    }
    if code.is_some() && role.answers_queries() {
        line(
            "Query",
            &format!("curl -s {url}/graphql -H \"Authorization: Bearer $({program} token{node})\" \\"),
        );
        line("", r#"  -H 'Content-Type: application/json' -d '{"query":"{ streams { name rootField } }"}'"#);
    }
    if code.is_none() {
        line("Tokens", &format!("{url}/oauth/token, for the clients of the configuration"));
        if role.answers_queries() {
            line("GraphQL", &format!("{url}/graphql"));
        }
    }
    text.push_str("\n  Ctrl-C stops.\n\n");
    text
}

/// This program, as a person in this folder would call it.
fn program() -> String {
    let Ok(path) = std::env::current_exe() else { return "tidegate".into() };
    let here = std::env::current_dir().ok();
    match here.as_deref().and_then(|here| path.strip_prefix(here).ok()) {
        Some(relative) => format!("./{}", relative.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_missing_and_how_to_sign_in() {
        let facts = |code: bool, missing| Facts {
            url: "http://127.0.0.1:4000",
            data: Path::new("./tidegate-demo"),
            role: Role::All,
            demo: true,
            code: code.then(|| Secret::new("one-time".into())),
            missing,
        };
        let whole = text(&facts(true, None), "./tidegate");
        assert!(!whole.contains("--data"), "{whole}");
        let moved = text(&Facts { data: Path::new("/srv/t"), ..facts(true, None) }, "t");
        assert!(moved.contains("t token --data /srv/t"), "{moved}");
        assert!(whole.contains("http://127.0.0.1:4000/#code=one-time"), "{whole}");
        assert!(whole.contains("./tidegate publish telemetry"), "{whole}");
        let ingest = text(&Facts { role: Role::Ingest, ..facts(true, None) }, "t");
        assert!(
            ingest.contains("t publish") && !ingest.contains("Page") && !ingest.contains("Query"),
            "{ingest}"
        );
        let gateway = text(&Facts { role: Role::Gateway, ..facts(true, None) }, "t");
        assert!(gateway.contains("#code") && !gateway.contains("t publish"), "{gateway}");
        let without_page = text(&facts(true, Some("install Node")), "t");
        assert!(without_page.contains("install Node") && !without_page.contains("#code"), "{without_page}");
        let elsewhere = text(&facts(false, None), "t");
        assert!(elsewhere.contains("/oauth/token") && !elsewhere.contains("#code"), "{elsewhere}");
    }
}
