//! The CQL server of the tests, which `TIDEGATE_TEST_CQL=HOST:PORT` names; `TIDEGATE_WITHOUT=cql` leaves it out.
//!
//! `cargo xtask test` starts one and sets all variables. Of a server of your own, set those that it asks for:
//! `TIDEGATE_TEST_CQL_USER` and `TIDEGATE_TEST_CQL_PASSWORD`, and the file of its authority in `TIDEGATE_TEST_CQL_CA`.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{is_left_out, repository, until};

/// Holds the server's password. The program is told its name, and so gets it from the tests.
pub(crate) const PASSWORD: &str = "TIDEGATE_TEST_CQL_PASSWORD";

/// The server.
#[derive(Clone, Debug)]
pub(crate) struct Cql {
    /// HOST:PORT.
    pub(crate) address: String,
    /// The file of the authority that its certificate is by.
    pub(crate) ca: Option<String>,
    pub(crate) user: Option<String>,
}

impl Cql {
    /// The one that the tests are told to use, unless it is left out: then it is said of what.
    pub(crate) fn server(what: &str) -> Option<Self> {
        (!is_left_out("cql", what)).then(Self::named)
    }

    /// The one that the tests are told to use.
    pub(crate) fn named() -> Self {
        let address = std::env::var("TIDEGATE_TEST_CQL").expect(
            "TIDEGATE_TEST_CQL must name a CQL server as HOST:PORT: `cargo xtask test` starts one; leave this test out by \
             TIDEGATE_WITHOUT=cql",
        );
        let (ca, user) = (variable("TIDEGATE_TEST_CQL_CA"), variable("TIDEGATE_TEST_CQL_USER"));
        Self { address, ca, user }
    }

    /// Says what is not looked at where nobody knows the server's authority.
    pub(crate) fn say_without_ca(what: &str) {
        let _ = writeln!(std::io::stderr(), "\nLEFT OUT: {what}, as TIDEGATE_TEST_CQL_CA names no file\n");
    }

    /// The table `[store]` for a keyspace there, at its end: further settings of the store may follow.
    pub(crate) fn settings(&self, keyspace: &str) -> String {
        self.settings_at(&self.address, keyspace)
    }

    /// As [`Cql::settings`], for other hosts that lead there.
    pub(crate) fn settings_at(&self, hosts: &str, keyspace: &str) -> String {
        let login =
            self.user.as_ref().map(|user| format!("user = \"{user}\"\npassword_env = \"{PASSWORD}\"\n"));
        let login = login.unwrap_or_default();
        format!("[store]\nurl = \"scylla://{hosts}/{keyspace}\"\nreplication_factor = 1\n{login}")
    }
}

/// A variable that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A server of a test's own, as `cargo xtask cql` starts one. It ends with this value.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) server: Cql,
    /// What starts it, and would once more if it were killed.
    keeper: Child,
    process: u32,
    _folder: TempDir,
}

impl Own {
    /// Starts one, and waits until it answers. Those who log in there do so as on the one that all tests use.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        cargo.args(["xtask", "cql", "--without", "sync"]).current_dir(repository()).stdin(Stdio::null());
        let keeper = cargo.stdout(File::create(&said).unwrap()).spawn().unwrap();
        let word = |text: &str, before: &str| {
            text.lines().find_map(|line| line.strip_prefix(before)).map(ToOwned::to_owned)
        };
        let (said, process) = until(
            "a CQL server of the test's own",
            || std::fs::read_to_string(&said).unwrap(),
            |text| {
                let whole = text.rsplit_once('\n')?.0;
                Some((whole.to_owned(), word(whole, "process ")?.parse().ok()?))
            },
        );
        let named = |name: &str| word(&said, &format!("export {name}=")).expect("it says how it is found");
        assert_eq!(variable(PASSWORD), Some(named(PASSWORD)), "{PASSWORD} is of another server");
        let (address, user) = (named("TIDEGATE_TEST_CQL"), Some(named("TIDEGATE_TEST_CQL_USER")));
        Self { server: Cql { address, ca: None, user }, keeper, process, _folder: folder }
    }

    /// Sends it a signal, such as STOP.
    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("sh");
        let sent = kill.args(["-c", "kill -\"$0\" \"$1\"", name, &self.process.to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the signal was not sent");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        // Where there is no program that ends it with its keeper, it is there still.
        let _ = Command::new("sh")
            .args(["-c", "kill -KILL \"$0\" 2>/dev/null", &self.process.to_string()])
            .status();
    }
}
