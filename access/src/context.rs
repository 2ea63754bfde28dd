//! The context file: where the node is and how to sign in there. Of a data folder, commands read only this.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};
use crate::{NoRandomness, Secret, random};

/// Name of the file in the data folder.
const FILE: &str = "context.json";

/// Where the node is, and the client that its data folder's owner may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Context {
    /// Where the node answers, without a trailing `/`: `http://127.0.0.1:4000`.
    pub url: String,
    /// Where it gives tokens.
    pub token_endpoint: String,
    /// Who to sign in as.
    pub client_id: String,
    /// What to sign in with.
    pub client_secret: Secret,
    /// PEM file of the authorities by which the node is known; none: those that the system trusts.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

/// How a context lies on disk: the one place where its secret is serialised.
#[derive(Serialize)]
struct Stored<'a> {
    url: &'a str,
    token_endpoint: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<&'a Path>,
}

/// A context that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is there, and is not a context.
    #[error(
        "{} is not a context file; remove it to have a new one made at the server's next start",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// No secret could be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

impl Context {
    /// Reads the context of the data folder `dir`; `None` if no server with a development client has run on it yet.
    ///
    /// # Errors
    /// [`ContextError`] names the file.
    pub fn load(dir: &Path) -> Result<Option<Self>, ContextError> {
        let path = dir.join(FILE);
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|source| ContextError::Unreadable { path, source })
    }

    /// Writes the context of the data folder `dir`, which exists: as a whole, readable by its owner only.
    ///
    /// # Errors
    /// [`ContextError`] names the file.
    pub fn save(&self, dir: &Path) -> Result<(), ContextError> {
        let path = dir.join(FILE);
        let stored = Stored {
            url: &self.url,
            token_endpoint: &self.token_endpoint,
            client_id: &self.client_id,
            client_secret: self.client_secret.expose(),
            ca: self.ca.as_deref(),
        };
        let mut json = serde_json::to_vec_pretty(&stored)
            .map_err(|source| ContextError::Unreadable { path: path.clone(), source })?;
        json.push(b'\n');
        Ok(files::replace(&path, &json)?)
    }

    /// Names the authorities by which the node of the data folder `dir` is known, from now on: none but `ca`, or those that the
    /// system trusts. Does nothing where there is no context.
    ///
    /// # Errors
    /// [`ContextError`] names the file.
    pub fn trust(dir: &Path, ca: Option<&Path>) -> Result<(), ContextError> {
        match Self::load(dir)? {
            Some(before) if before.ca.as_deref() != ca => {
                Self { ca: ca.map(Path::to_owned), ..before }.save(dir)
            }
            _ => Ok(()),
        }
    }

    /// The context of `dir` for a node at `url`, as it is from now on: who to sign in as stays what it was, and is made
    /// on first start.
    pub(crate) fn renew(dir: &Path, url: &str, client_id: &str) -> Result<Self, ContextError> {
        let before = Self::load(dir)?;
        // A file that another version wrote for another client has nothing to keep.
        let kept = before.as_ref().filter(|before| before.client_id == client_id);
        let client_secret = match kept {
            Some(kept) => kept.client_secret.clone(),
            None => random::secret()?,
        };
        let context = Self {
            url: url.into(),
            token_endpoint: format!("{url}/oauth/token"),
            client_id: client_id.into(),
            client_secret,
            ca: kept.and_then(|kept| kept.ca.clone()),
        };
        if before.as_ref() != Some(&context) {
            context.save(dir)?;
        }
        Ok(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_private_and_keeps_its_secret() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Context::load(dir.path()).unwrap(), None);
        let first = Context::renew(dir.path(), "http://127.0.0.1:4000", "dev").unwrap();
        assert_eq!(Context::load(dir.path()).unwrap().as_ref(), Some(&first));
        assert!(first.client_secret.expose().len() >= 43);
        let moved = Context::renew(dir.path(), "http://127.0.0.1:5000", "dev").unwrap();
        assert_eq!(moved.client_secret, first.client_secret);
        assert_eq!(moved.token_endpoint, "http://127.0.0.1:5000/oauth/token");
        assert_eq!(Context::load(dir.path()).unwrap(), Some(moved.clone()));
        assert!(!format!("{moved:?}").contains(first.client_secret.expose()));
        Context::trust(dir.path(), Some(Path::new("/etc/ca.pem"))).unwrap();
        let known = Context::renew(dir.path(), "https://127.0.0.1:5000", "dev").unwrap();
        assert_eq!(known.ca.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert_eq!(known.client_secret, first.client_secret);
        Context::trust(dir.path(), None).unwrap();
        assert_eq!(Context::load(dir.path()).unwrap().unwrap().ca, None);
        let other = Context::renew(dir.path(), "http://127.0.0.1:5000", "other").unwrap();
        assert_ne!(other.client_secret, first.client_secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_a_context_is_named() {
        for content in ["", "{", "{}", "[1]", "{\"url\":\"u\",\"token_endpoint\":\"t\",\"client_id\":\"c\"}"]
        {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(FILE), content).unwrap();
            let error = Context::load(dir.path()).unwrap_err().to_string();
            assert!(error.contains("context.json is not a context file; remove it"), "{error}");
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(FILE)).unwrap();
        let error = Context::load(dir.path()).unwrap_err().to_string();
        assert!(error.starts_with("can't read ") && error.ends_with("context.json"), "{error}");
    }
}
