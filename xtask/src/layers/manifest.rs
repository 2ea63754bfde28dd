//! What the manifests of the workspace say about dependencies.

use std::path::Path;

use toml::{Table, Value};

use crate::{Failure, workspace};

/// The kinds of dependencies, as a manifest calls them.
const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// One package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Its name.
    pub(crate) name: String,
    /// What it depends on.
    pub(crate) edges: Vec<Edge>,
}

/// One dependency.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The name of the package that is depended on, whatever it is renamed to.
    pub(crate) to: String,
    /// The section that names it.
    pub(crate) section: &'static str,
}

/// The root package and every member.
pub(crate) fn read_all(root: &Path) -> Result<Vec<Manifest>, Failure> {
    let load = |folder: &Path| -> Result<Table, Failure> {
        let path = folder.join("Cargo.toml");
        workspace::read(&path)?
            .parse()
            .map_err(|error| format!("{} cannot be understood: {error}", path.display()).into())
    };
    let whole = load(root)?;
    let space = table(&whole, "workspace");
    let shared = table(&space, "dependencies");
    let mut manifests = vec![parse(&whole, &shared)];
    for member in space.get("members").and_then(Value::as_array).into_iter().flatten() {
        let folder = member.as_str().ok_or("a workspace member is not a text")?;
        manifests.push(parse(&load(&root.join(folder))?, &shared));
    }
    Ok(manifests)
}

/// Reads one manifest; `shared` are the workspace's dependencies, which may rename a package.
fn parse(manifest: &Table, shared: &Table) -> Manifest {
    let name = table(manifest, "package").get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let targets = table(manifest, "target");
    let mut edges = Vec::new();
    for holder in targets.values().filter_map(Value::as_table).chain([manifest]) {
        for section in SECTIONS {
            for (key, entry) in table(holder, section) {
                let inherited = entry.get("workspace").is_some().then(|| shared.get(&key)).flatten();
                let package =
                    [Some(&entry), inherited].into_iter().flatten().find_map(|entry| entry.get("package"));
                let to = package.and_then(Value::as_str).unwrap_or(&key).to_owned();
                edges.push(Edge { to, section });
            }
        }
    }
    Manifest { name, edges }
}

fn table(of: &Table, key: &str) -> Table {
    of.get(key).and_then(Value::as_table).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_read_and_renames_are_seen_through() {
        let shared: Table =
            "schema = { path = 'schema' }\nrecords = { package = 'store', path = 'store' }".parse().unwrap();
        let manifest: Table = "
            [package]
            name = 'access'
            [dependencies]
            schema.workspace = true
            records = { workspace = true }
            [target.'cfg(unix)'.dependencies]
            libc = '0.2'
            [dev-dependencies]
            way_out = { package = 'gateway', path = '../gateway' }
            [build-dependencies]
            cc = '1'
        "
        .parse()
        .unwrap();
        let expect = [
            ("libc", "dependencies"),
            ("store", "dependencies"),
            ("schema", "dependencies"),
            ("gateway", "dev-dependencies"),
            ("cc", "build-dependencies"),
        ];
        let Manifest { name, edges } = parse(&manifest, &shared);
        let mut found: Vec<_> = edges.iter().map(|edge| (edge.to.as_str(), edge.section)).collect();
        found.sort();
        let mut expect = expect.to_vec();
        expect.sort();
        assert_eq!((name.as_str(), found), ("access", expect));
    }
}
