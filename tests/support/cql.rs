//! The CQL server of the tests, which `TIDEGATE_TEST_CQL=HOST:PORT` names; `TIDEGATE_WITHOUT=cql` leaves it out.
//!
//! `cargo xtask test` starts one and sets all variables. Of a server of your own, set those that it asks for:
//! `TIDEGATE_TEST_CQL_USER` and `TIDEGATE_TEST_CQL_PASSWORD`, and the file of its authority in `TIDEGATE_TEST_CQL_CA`.

mod own;

use std::io::Write;

pub(crate) use own::Own;

use super::is_left_out;

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
