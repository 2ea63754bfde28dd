//! The layer check: folders are met in the order in which a message flows, and depend one way only.

mod manifest;
mod rules;

use std::path::Path;

use crate::{Failure, workspace};

/// Checks the manifests of the workspace, and that the innermost folder does no I/O.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let manifests = manifest::read_all(root)?;
    let mut offences = rules::offences(&manifests);
    for file in workspace::files(&root.join("schema/src"))? {
        let text = workspace::read(&file)?;
        let shown = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
        offences.extend(rules::impurities(&shown, &text));
    }
    if offences.is_empty() {
        println!("{} folders keep the order", manifests.len());
        return Ok(());
    }
    Err(format!("the order of the folders is broken:\n  {}", offences.join("\n  ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that `cargo test` alone finds an edge that runs back.
    #[test]
    fn the_workspace_keeps_the_order() {
        let root = workspace::root().unwrap();
        if let Err(failure) = run(&root) {
            panic!("{failure}");
        }
    }
}
