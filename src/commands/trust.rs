//! By whom a node's certificate has to be.

use std::path::Path;

use reqwest::{Certificate, ClientBuilder};

use super::Failure;

/// `client`, with which nodes are known by the authorities in the PEM file `ca` alone; without one, by those that the system trusts.
///
/// # Errors
/// A sentence that names the file.
pub(super) fn known_by(client: ClientBuilder, ca: Option<&Path>) -> Result<ClientBuilder, Failure> {
    let Some(path) = ca else { return Ok(client) };
    let unusable = |fault: &str| format!("the file of authorities {} {fault}", path.display());
    let pem = std::fs::read(path).map_err(|error| unusable(&format!("can't be read: {error}")))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| unusable("is not PEM"))?;
    if certificates.is_empty() {
        return Err(unusable("holds no certificate as PEM").into());
    }
    Ok(client.tls_certs_only(certificates))
}
