//! An authority of the tests' own, and the node's certificate by it: made once, by the keytool that comes with Java.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Failure, run};

/// Opens the key stores. They guard nothing: whoever can read them can run the tests.
pub(super) const PASSWORD: &str = "tidegate";

/// Each call starts a Java.
const KEYTOOL_LIMIT: Duration = Duration::from_secs(60);
/// Ten years, in days.
const DAYS: &str = "3650";
/// The names that tests call the node by.
const NAMES: &str = "SAN=dns:localhost,ip:127.0.0.1";

/// Where they are.
pub(super) struct Certificates {
    /// The authority's certificate, as PEM.
    pub(super) ca: PathBuf,
    /// The node's key and certificate, as PKCS #12.
    pub(super) node: PathBuf,
}

/// Those in `target/tools`, after making them where they are not there.
pub(super) fn ensure(root: &Path, java: &Path, target: &Path) -> Result<Certificates, Failure> {
    let folder = target.join("tools/cql-certificates");
    let found = Certificates { ca: folder.join("ca.pem"), node: folder.join("node.p12") };
    if found.ca.is_file() && found.node.is_file() {
        return Ok(found);
    }
    // Under another name until they are complete: another run may make them now, too.
    let making = target.join(format!("tools/cql-certificates-{}", std::process::id()));
    fs::create_dir_all(&making)?;
    make(root, &keytool(java), &making)?;
    let _ = fs::remove_dir_all(&folder);
    if fs::rename(&making, &folder).is_err() {
        fs::remove_dir_all(&making)?;
    }
    Ok(found)
}

fn make(root: &Path, keytool: &Path, folder: &Path) -> Result<(), Failure> {
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (authority, node) = (at("ca.p12"), at("node.p12"));
    let (ca, request, signed) = (at("ca.pem"), at("node.csr"), at("node.pem"));
    let key = ["-keyalg", "EC", "-keysize", "256", "-validity", DAYS];
    let of_authority =
        ["-alias", "ca", "-keystore", &authority, "-storetype", "PKCS12", "-storepass", PASSWORD];
    let of_node = ["-alias", "node", "-keystore", &node, "-storetype", "PKCS12", "-storepass", PASSWORD];
    let trust = ["-alias", "ca", "-keystore", &node, "-storetype", "PKCS12", "-storepass", PASSWORD];
    let calls: [&[&[&str]]; 7] = [
        &[&["-genkeypair", "-dname", "CN=Tidegate tests", "-ext", "bc:c"], &key, &of_authority],
        &[&["-exportcert", "-rfc", "-file", &ca], &of_authority],
        &[&["-genkeypair", "-dname", "CN=A node of the tests"], &key, &of_node],
        &[&["-certreq", "-file", &request], &of_node],
        &[
            &["-gencert", "-rfc", "-infile", &request, "-outfile", &signed, "-validity", DAYS, "-ext", NAMES],
            &of_authority,
        ],
        &[&["-importcert", "-noprompt", "-file", &ca], &trust],
        &[&["-importcert", "-noprompt", "-file", &signed], &of_node],
    ];
    for call in calls {
        run::bounded(&mut run::command(root, &keytool.to_string_lossy(), &call.concat()), KEYTOOL_LIMIT)?;
    }
    Ok(())
}

/// The one beside `java`; where that is found on the path, so is this.
fn keytool(java: &Path) -> PathBuf {
    java.with_file_name("keytool")
}
