//! `tidegate doctor` on a CQL store: what it says of one that is well, and of each setting that is wrong.

use std::path::{Path, PathBuf};

use crate::support::cql::Cql;
use crate::support::{Done, Setup, tidegate};

/// A folder with a configuration, and a keyspace for it.
struct Case {
    folder: tempfile::TempDir,
    server: Cql,
    keyspace: String,
}

impl Case {
    fn new(what: &str, name: &str) -> Option<Self> {
        let server = Cql::server(what)?;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let keyspace = format!("e2e_{name}_{:x}_{:x}", std::process::id(), since.as_nanos());
        Some(Self { folder: tempfile::tempdir().unwrap(), server, keyspace })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file with these settings.
    fn file(&self, settings: &str) -> PathBuf {
        let file = self.path().join("tidegate.toml");
        std::fs::write(&file, settings).unwrap();
        file
    }

    fn migrate(&self) {
        let file = self.file(&self.server.settings(&self.keyspace));
        let done = tidegate(self.path(), &["migrate", "--config", file.to_str().unwrap()], "");
        assert_eq!(done.code, Some(0), "{done:?}");
    }

    /// What it says of the data folder `data` with these settings.
    fn doctor(&self, settings: &str, data: &Path) -> Done {
        let file = self.file(settings);
        let words = ["doctor", "--config", file.to_str().unwrap(), "--data", data.to_str().unwrap()];
        tidegate(self.path(), &words, "")
    }

    /// Checks that each part is said, and that there is one problem.
    #[track_caller]
    fn finds(&self, settings: &str, parts: &[&str]) {
        let done = self.doctor(settings, &self.path().join("none"));
        assert_ne!(done.code, Some(0), "{done:?}");
        for part in parts {
            assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
        }
        assert_eq!(done.stdout.matches("PROBLEM").count(), 1, "{}", done.stdout);
        assert!(done.stdout.contains("  means ") && done.stdout.contains("  do "), "{}", done.stdout);
    }
}

#[test]
fn a_store_that_is_well_is_said_to_be() {
    let Some(case) = Case::new("the doctor on a CQL store that is well", "well") else { return };
    case.migrate();
    let mut settings = case.server.settings(&case.keyspace);
    let tls = match &case.server.ca {
        Some(ca) => {
            settings += &format!("tls = true\ntls_ca = \"{ca}\"\n");
            "ok       tls      on; the first certificate to end"
        }
        None => {
            Cql::say_without_ca("the doctor on TLS to a CQL server");
            "ok       tls      off"
        }
    };
    let nowhere = case.path().join("none");
    let before = case.doctor(&settings, &nowhere);
    assert!(before.code == Some(0) && before.stdout.contains("no log feeds the keyspace yet"), "{before:?}");

    let data = case.path().join("data");
    // The node trusts whom the system trusts, which this variable says.
    let trusting = settings.lines().filter(|line| !line.starts_with("tls_ca")).collect::<Vec<_>>().join("\n");
    let authorities = case.server.ca.as_deref().unwrap_or_default();
    let node = Setup::configured(&trusting).env("SSL_CERT_FILE", authorities).data(&data).start();
    node.client().put_record("orders", "k", r#"{"id":1}"#);
    node.client().raws("orders", 1);
    // Beside a node that runs, the store can be looked at, too.
    for what in ["its log is not looked at", "ok       store    it opens, and knows 1 streams"] {
        let done = case.doctor(&settings, &data);
        assert!(done.code == Some(0) && done.stdout.contains(what), "{done:?}");
    }
    drop(node);
    let done = case.doctor(&settings, &data);
    assert_eq!(done.code, Some(0), "{done:?}");
    for part in [
        "ok       url",
        "ok       host",
        tls,
        "ok       login",
        "ok       cluster",
        "ok       copies   1 of each row in",
        "ok       quorum   1 of 1 copies must answer, and 1 of 1 nodes are up",
        "ok       schema   version 3 is there",
        "ok       read     a small one takes",
        "ok       log-id   this folder's log feeds the keyspace",
        "It is well.",
    ] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    // Another folder's log must not feed it.
    let log = "log-id   a log feeds the keyspace, and this folder has no log-id";
    case.finds(&settings, &[log, "A node does not start with this folder"]);
}

#[test]
fn each_setting_that_is_wrong_is_named() {
    let Some(case) = Case::new("the doctor on a CQL store that is not well", "ill") else { return };
    case.migrate();
    let settings = case.server.settings(&case.keyspace);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = listener.local_addr().unwrap();
    drop(listener);
    let with = |more: &str| format!("{settings}{more}\n");

    let beside = case.server.settings_at(&format!("{dead},{}", case.server.address), &case.keyspace);
    let refused = format!("PROBLEM  host     {dead}: it took no connection");
    case.finds(&beside, &[&refused, "starts by the hosts that do answer", "ok       login"]);
    let alone = case.server.settings_at(&dead.to_string(), &case.keyspace);
    case.finds(&alone, &[&refused, "A node does not start"]);

    case.finds(
        &with("datacenter = \"no-such\""),
        &[
            "PROBLEM  cluster  store.datacenter is \"no-such\", and the cluster has",
            "Choose among what is there",
        ],
    );
    case.finds(
        &case.server.settings("no_such_keyspace"),
        &["PROBLEM  keyspace", "`tidegate migrate` makes it"],
    );
    case.finds(&settings.replace("scylla://", "http://"), &["PROBLEM  url", "no scylla://"]);
    case.finds(
        &settings.replace("replication_factor = 1", "replication_factor = 3"),
        &["PROBLEM  copies   1 of each row in", "and store.replication_factor is 3"],
    );
    case.finds(
        &with("tls = true\ntls_ca = \"/no/such.pem\""),
        &["PROBLEM  tls      store.tls_ca names /no/such.pem, which can't be read"],
    );
    if settings.contains("password_env") {
        // A variable that is there, and holds no password.
        let wrong = settings.replace(crate::support::cql::PASSWORD, "PATH");
        case.finds(
            &wrong,
            &["PROBLEM  login", "can't log in with the password that store.password_env names"],
        );
        let unset = settings.replace(crate::support::cql::PASSWORD, "NO_SUCH_VARIABLE");
        case.finds(
            &unset,
            &["PROBLEM  login    store.password_env names NO_SUCH_VARIABLE, which is not set"],
        );
    }
}
