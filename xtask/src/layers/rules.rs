//! Which folder may know which, and what follows from it. Plain functions of what the manifests say.

use super::manifest::{Edge, Manifest};

/// Every package, and the ones of ours that it may depend on. `ingest` and `gateway` meet only in the
/// store, and only the binary knows the page.
const MAY_KNOW: [(&str, &[&str]); 9] = [
    ("schema", &[]),
    ("store", &["schema"]),
    ("access", &["schema", "store"]),
    ("ingest", &["schema", "store", "access"]),
    ("gateway", &["schema", "store", "access"]),
    ("console", &[]),
    ("tidegate", &["schema", "store", "access", "ingest", "gateway", "console"]),
    ("benches", &["schema", "store", "access", "ingest", "gateway"]),
    ("xtask", &[]),
];

/// Only the store names these, and the benches, which run them bare as a baseline.
const DRIVERS: [&str; 3] = ["fjall", "lsm-tree", "scylla"];

/// All that `schema` may use: none of it opens a file, a socket or a clock. The last is for its tests.
const PURE: [&str; 10] = [
    "base64",
    "bytes",
    "chrono",
    "crc32c",
    "flate2",
    "memchr",
    "serde",
    "serde_json",
    "thiserror",
    "proptest",
];

/// What only shells may do, so that `schema` names none of it.
const IMPURE: [&str; 8] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime::now",
    "Utc::now",
];

/// Every edge that runs back up or reaches for what is not its own.
pub(crate) fn offences(manifests: &[Manifest]) -> Vec<String> {
    let mut offences = Vec::new();
    for Manifest { name, edges } in manifests {
        let Some((_, may_know)) = MAY_KNOW.iter().find(|(known, _)| known == name) else {
            offences
                .push(format!("{name} has no place in the order: give it one in xtask/src/layers/rules.rs"));
            continue;
        };
        offences.extend(edges.iter().filter_map(|edge| offence(name, may_know, edge)));
    }
    offences
}

/// What in a file of `schema` only a shell may do.
pub(crate) fn impurities(file: &str, text: &str) -> Vec<String> {
    let numbered = text.lines().zip(1..);
    let found = numbered.filter_map(|(line, number)| {
        let word = IMPURE.into_iter().find(|word| line.contains(word))?;
        Some(format!("{file}:{number} names {word}, but schema does no I/O and reads no clock"))
    });
    found.collect()
}

fn offence(name: &str, may_know: &[&str], Edge { to, section }: &Edge) -> Option<String> {
    let is_ours = MAY_KNOW.iter().any(|(ours, _)| ours == to);
    // A package may ask for a feature of itself in its tests.
    let is_own = to == name && *section == "dev-dependencies";
    if is_ours && !is_own && !may_know.contains(&to.as_str()) {
        let known = if may_know.is_empty() { "none of ours".to_owned() } else { may_know.join(", ") };
        return Some(format!("{name} → {to} in [{section}]: {name} may know {known}"));
    }
    if DRIVERS.contains(&to.as_str()) && !["store", "benches"].contains(&name) {
        return Some(format!("{name} → {to} in [{section}]: only store may name a database driver"));
    }
    if name == "schema" && !is_own && !PURE.contains(&to.as_str()) {
        return Some(format!(
            "{name} → {to} in [{section}]: schema does no I/O, and uses only {}",
            PURE.join(", ")
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, section: &'static str, to: &str, expect: Option<&str>) {
        let manifest = Manifest { name: name.to_owned(), edges: vec![Edge { to: to.to_owned(), section }] };
        assert_eq!(offences(&[manifest]), expect.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn an_edge_down_passes() {
        check("store", "dependencies", "schema", None);
        check("gateway", "dependencies", "access", None);
        check("tidegate", "dependencies", "console", None);
        check("access", "dev-dependencies", "store", None);
        check("store", "dev-dependencies", "store", None);
    }

    #[test]
    fn an_edge_back_up_is_found() {
        let expect = "store → gateway in [dependencies]: store may know schema";
        check("store", "dependencies", "gateway", Some(expect));
        let expect = "schema → store in [dev-dependencies]: schema may know none of ours";
        check("schema", "dev-dependencies", "store", Some(expect));
        let expect = "access → ingest in [build-dependencies]: access may know schema, store";
        check("access", "build-dependencies", "ingest", Some(expect));
        let expect = "access → tidegate in [dev-dependencies]: access may know schema, store";
        check("access", "dev-dependencies", "tidegate", Some(expect));
    }

    #[test]
    fn an_edge_to_a_neighbour_is_found() {
        let expect = "ingest → gateway in [dependencies]: ingest may know schema, store, access";
        check("ingest", "dependencies", "gateway", Some(expect));
        let expect = "gateway → ingest in [dev-dependencies]: gateway may know schema, store, access";
        check("gateway", "dev-dependencies", "ingest", Some(expect));
        let expect = "gateway → console in [dependencies]: gateway may know schema, store, access";
        check("gateway", "dependencies", "console", Some(expect));
        let expect = "console → schema in [dependencies]: console may know none of ours";
        check("console", "dependencies", "schema", Some(expect));
    }

    #[test]
    fn drivers_and_io_have_one_place() {
        check("store", "dependencies", "fjall", None);
        let expect = "gateway → scylla in [dependencies]: only store may name a database driver";
        check("gateway", "dependencies", "scylla", Some(expect));
        check("schema", "dependencies", "serde", None);
        let manifest = Manifest {
            name: "schema".to_owned(),
            edges: vec![Edge { to: "tokio".to_owned(), section: "dev-dependencies" }],
        };
        let found = offences(&[manifest]);
        assert!(
            found[0].starts_with("schema → tokio in [dev-dependencies]: schema does no I/O"),
            "{found:?}"
        );
    }

    #[test]
    fn a_package_without_a_place_is_found() {
        let manifest = Manifest { name: "extra".to_owned(), edges: Vec::new() };
        assert_eq!(
            offences(&[manifest]),
            ["extra has no place in the order: give it one in xtask/src/layers/rules.rs"]
        );
    }

    #[test]
    fn a_clock_in_the_schema_is_found() {
        let text = "use std::time::SystemTime;\nlet now = SystemTime::now();\n";
        let expect = "schema/src/time.rs:2 names SystemTime::now, but schema does no I/O and reads no clock";
        assert_eq!(impurities("schema/src/time.rs", text), [expect]);
        assert!(impurities("schema/src/time.rs", "fn at(now: Timestamp) {}").is_empty());
    }
}
