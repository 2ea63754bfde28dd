//! A CQL server for the tests: one node of Apache Cassandra, from Maven's artifacts, with a folder of its own, on loopback.
//!
//! It asks for a password, and speaks TLS beside plain text on its one port.
//!
//! `TIDEGATE_TEST_CQL=HOST:PORT` names another server to use, such as ScyllaDB; whether that asks for a password or speaks
//! TLS is said by the other variables here. The artifacts are fetched once, into `target/tools`; the node is started for a
//! run of the tests, and ended with it.

mod config;
mod jars;
mod java;
mod tls;

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use crate::{Failure, processes, run, workspace};
pub(crate) use config::Answers;
pub(crate) use java::find as find_java;

/// Names a server to use instead of one that is started.
const VARIABLE: &str = "TIDEGATE_TEST_CQL";
/// Whom to log in as there; nobody logs in where it is not set.
const USER: &str = "TIDEGATE_TEST_CQL_USER";
const PASSWORD: &str = "TIDEGATE_TEST_CQL_PASSWORD";
/// The file with the certificate of the authority that the server's own is by; without it, the tests of TLS are left out.
const CA: &str = "TIDEGATE_TEST_CQL_CA";

/// The user that the node makes at its first start, and the password that it gives.
const FIRST_USER: &str = "cassandra";
/// What the node writes into its log once that user can log in: the port is open earlier.
const CAN_LOG_IN: &str = "Created default superuser role";

/// From the start of the process until it answers.
const START_LIMIT: Duration = Duration::from_secs(180);
/// A node's folder is named so, and by the process that started it.
const PREFIX: &str = "cassandra-";
const POLL: Duration = Duration::from_millis(100);
/// The signal.
const KILLED: i32 = 9;

/// The server that the tests are told to use, if any.
pub(crate) fn named() -> Option<String> {
    env::var(VARIABLE).ok().filter(|server| !server.is_empty())
}

/// Whether Maven is needed: the artifacts are not there yet.
pub(crate) fn needs_maven(root: &Path) -> bool {
    !jars::are_there(&workspace::target(root))
}

/// A running node. It ends with this value.
pub(crate) struct Node {
    child: Child,
    /// What starts it, and once more after it was killed.
    command: Command,
    folder: PathBuf,
    port: u16,
    ca: PathBuf,
}

impl Node {
    /// Starts one, and waits until it answers.
    pub(crate) fn start(root: &Path, answers: Answers) -> Result<Self, Failure> {
        let java = find_java(root).ok_or("no Java was found that runs Cassandra")?;
        let target = workspace::target(root);
        let jars = jars::ensure(root, &target)?;
        remove_left_over(&target.join("tmp"));
        let folder = target.join("tmp").join(format!("{PREFIX}{}", process::id()));
        fs::create_dir_all(&folder)?;
        let ports = free_ports()?;
        let port = ports[0];
        let certificates = tls::ensure(root, &java, &target)?;
        config::write(&folder, ports, &certificates.node, answers)?;
        println!("Cassandra {} on 127.0.0.1:{port}, in {}", jars::VERSION, folder.display());
        let printed = File::create(folder.join("printed.log"))?;
        let mut command = wrapped(root, &java);
        command.args(java::arguments(&jars, &folder, answers)?);
        command.stdin(Stdio::null()).stdout(printed.try_clone()?).stderr(printed).current_dir(&folder);
        let child = command.spawn().map_err(|error| format!("{} does not start: {error}", java.display()))?;
        let mut node = Self { child, command, folder, port, ca: certificates.ca };
        node.wait()?;
        Ok(node)
    }

    /// What tells the tests where it answers, and whom.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        [
            (VARIABLE, format!("127.0.0.1:{}", self.port)),
            (USER, FIRST_USER.to_owned()),
            (PASSWORD, FIRST_USER.to_owned()),
            (CA, self.ca.display().to_string()),
        ]
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let started = Instant::now();
        loop {
            if TcpStream::connect_timeout(&address, POLL).is_ok() && self.logged().contains(CAN_LOG_IN) {
                println!("it answers after {:.1} s", started.elapsed().as_secs_f64());
                return Ok(());
            }
            let ended = self.child.try_wait()?;
            if ended.is_some() || started.elapsed() > START_LIMIT {
                let why = if ended.is_some() { "has ended" } else { "does not answer" };
                return Err(format!("Cassandra {why}; it printed: {}", self.printed()).into());
            }
            thread::sleep(POLL);
        }
    }

    /// What it has written into its log so far.
    fn logged(&self) -> String {
        fs::read_to_string(self.folder.join("system.log")).unwrap_or_default()
    }

    /// The end of what it printed.
    fn printed(&self) -> String {
        let text = fs::read_to_string(self.folder.join("printed.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        processes::end_with_descendants(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the folders of nodes whose process was ended before it could, where Linux says which are running.
fn remove_left_over(folder: &Path) {
    let processes = Path::new("/proc");
    if !processes.join("self").exists() {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if process.is_some_and(|process| !processes.join(process).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Keeps a node until it ends, or this process does; one that was killed is started again, as a supervisor would.
pub(crate) fn run(root: &Path, answers: Answers) -> Result<(), Failure> {
    if needs_maven(root) && run::answer(root, "mvn", &["--version"]).is_none() {
        return Err("mvn is not on the path: install Maven, or let `cargo xtask test` do it".into());
    }
    let mut node = Node::start(root, answers)?;
    println!(
        "\n[store]\nurl = \"scylla://127.0.0.1:{}/tidegate\"\nuser = \"{FIRST_USER}\"\npassword_env = \"{PASSWORD}\"\n\
         replication_factor = 1\n\nTests, benches and nodes find it by these variables; Ctrl-C ends it, and nothing is kept.\n",
        node.port
    );
    for (name, value) in node.variables() {
        println!("export {name}={value}");
    }
    loop {
        println!("process {}", node.child.id());
        let status = node.child.wait()?;
        if status.signal() != Some(KILLED) {
            return Err(format!("Cassandra has ended ({status}); it printed: {}", node.printed()).into());
        }
        println!("it was killed, and is started again on what it has");
        node.child = node.command.spawn()?;
        node.wait()?;
    }
}

/// Java, so that it ends with us whatever ends us, where there is a program for that. As root, it would lock all of its
/// heap in memory: it is not given the right.
fn wrapped(root: &Path, java: &Path) -> Command {
    if run::answer(root, "setpriv", &["--version"]).is_none() {
        return Command::new(java);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if run::answer(root, "id", &["-u"]).is_some_and(|id| id == "0") {
        command.arg("--bounding-set=-ipc_lock");
    }
    command.arg(java);
    command
}

/// Ports that nobody has now.
fn free_ports() -> Result<[u16; 2], Failure> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let second = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok([first.local_addr()?.port(), second.local_addr()?.port()])
}
