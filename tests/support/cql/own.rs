//! A CQL server of a test's own.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;

use super::{Cql, PASSWORD, variable};
use crate::support::{PATIENCE, lines, repository};

/// A server as `cargo xtask cql` starts it, and starts it again when it is killed. It ends with this value.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) server: Cql,
    pub(crate) password: String,
    keeper: Child,
    said: Receiver<String>,
    process: String,
}

impl Own {
    /// Starts one, and waits until it answers.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["xtask", "cql"]).args(options).current_dir(repository()).stdin(Stdio::null());
        let mut keeper = cargo.stdout(Stdio::piped()).spawn().unwrap();
        let said = lines(keeper.stdout.take().unwrap());
        let server = Cql { address: String::new(), ca: None, user: None };
        let mut own = Self { server, password: String::new(), keeper, said, process: String::new() };
        own.server.address = own.hear("export TIDEGATE_TEST_CQL=");
        own.server.user = Some(own.hear("export TIDEGATE_TEST_CQL_USER="));
        own.password = own.hear("export TIDEGATE_TEST_CQL_PASSWORD=");
        own.process = own.hear("process ");
        own
    }

    /// One that keeps nothing for the time after it was killed, and on which those log in who do so on the one that all tests use.
    pub(crate) fn start_like_that_of_all() -> Self {
        let own = Self::start(&["--without", "sync"]);
        assert_eq!(variable(PASSWORD).as_ref(), Some(&own.password), "{PASSWORD} is of another server");
        own
    }

    /// What follows `begin` in the next line that begins so.
    fn hear(&self, begin: &str) -> String {
        loop {
            let line = self.said.recv_timeout(PATIENCE * 3).expect("`cargo xtask cql` goes on");
            if let Some(rest) = line.strip_prefix(begin) {
                return rest.to_owned();
            }
        }
    }

    /// Sends it a signal, such as STOP.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, &self.process]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{name} was not sent to {}", self.process);
    }

    /// Kills it, and waits until it answers again.
    pub(crate) fn kill_and_wait(&mut self) {
        self.signal("KILL");
        self.process = self.hear("process ");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        // Where there is no way to end it with its keeper, it is there still.
        let _ = Command::new("sh")
            .args(["-c", "kill -KILL \"$0\"", &self.process])
            .stderr(Stdio::null())
            .status();
    }
}
