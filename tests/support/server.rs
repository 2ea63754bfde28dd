//! A server process that a test owns: started on a free port and a folder of its own, and gone when the test is.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::tls::{self, Authority};
use super::{Client, PATIENCE, command, http::Request, store, until};

/// How a server is to be started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    listen: String,
    configuration: Option<String>,
    /// The data folder; none: one beside the log.
    data: Option<PathBuf>,
    /// What runs the program, with its arguments; empty: nothing does.
    within: Vec<String>,
    /// Who certifies it; none: it speaks plain HTTP.
    authority: Option<Authority>,
    /// Whether its limits of rates are those of the settings; else there are none, as tests ask as often as they can.
    limited: bool,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    setup: Setup,
    child: Child,
    /// Where to talk to it.
    pub(crate) address: SocketAddr,
    /// Holds the data folder, the banner and the log.
    folder: TempDir,
}

impl Setup {
    /// An empty server with its defaults.
    pub(crate) fn empty() -> Self {
        Self {
            arguments: Vec::new(),
            environment: Vec::new(),
            listen: "127.0.0.1:0".into(),
            configuration: None,
            data: None,
            within: Vec::new(),
            authority: None,
            limited: false,
        }
    }

    /// With the demo's streams and traffic.
    pub(crate) fn demo() -> Self {
        Self { arguments: vec!["--demo".into()], ..Self::empty() }
    }

    /// With this file as its configuration.
    pub(crate) fn configured(text: &str) -> Self {
        Self { configuration: Some(text.to_owned()), ..Self::empty() }
    }

    /// As the node that `tidegate ROLE` runs.
    pub(crate) fn role(mut self, role: &str) -> Self {
        self.arguments.insert(0, role.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn listen(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// With its data in this folder.
    pub(crate) fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_owned());
        self
    }

    /// Run by another program, which becomes the server: what is given goes before the server's own command line.
    pub(crate) fn within(mut self, program: &[&str]) -> Self {
        self.within = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Over TLS, by a certificate of this authority's.
    pub(crate) fn over_tls(mut self, authority: &Authority) -> Self {
        self.authority = Some(authority.clone());
        self
    }

    /// With limits of rates.
    pub(crate) fn limited(mut self) -> Self {
        self.limited = true;
        self
    }

    fn data_in(&self, folder: &Path) -> PathBuf {
        self.data.clone().unwrap_or_else(|| folder.join("data"))
    }

    /// Starts it, and waits until it takes requests.
    pub(crate) fn start(self) -> Server {
        let server = self.start_unready();
        server.wait_until_ready();
        server
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start_unready(self) -> Server {
        let folder = tempfile::Builder::new().prefix("tidegate-e2e-").tempdir().unwrap();
        let (child, address) = spawn(&self, folder.path());
        Server { setup: self, child, address, folder }
    }
}

/// Starts a process and learns from its banner where it listens.
fn spawn(setup: &Setup, folder: &Path) -> (Child, SocketAddr) {
    let mut child = launch(setup, folder);
    let (banner, log) = (folder.join("banner.txt"), folder.join("log.txt"));
    let end = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(&banner).unwrap_or_default();
        // The last line: what is before it has been written.
        if let Some(address) = text.contains("Ctrl-C").then(|| address_in(&text)).flatten() {
            tls::know(address, setup.authority.as_ref());
            return (child, address);
        }
        let ended = child.try_wait().unwrap();
        if ended.is_some() || Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("the server did not start ({ended:?}); it said:\n{text}\n{log}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts a process.
fn launch(setup: &Setup, folder: &Path) -> Child {
    let (banner, log) = (folder.join("banner.txt"), folder.join("log.txt"));
    let mut command = command::bare_within(&setup.within);
    command.args(&setup.arguments).args(["--listen", &setup.listen]);
    let data = setup.data_in(folder);
    command.arg("--data").arg(&data).envs(store::ensure(&data));
    if let Some(text) = &setup.configuration {
        let file = folder.join("tidegate.toml");
        std::fs::write(&file, text).unwrap();
        command.arg("--config").arg(file);
    }
    if !setup.limited {
        command.env("TIDEGATE__RATE__REQUESTS", "0").env("TIDEGATE__RATE__FAILED_SIGN_INS", "0");
    }
    command.envs(setup.authority.iter().flat_map(Authority::environment));
    command.envs(setup.environment.iter().cloned());
    command.current_dir(folder).stdin(Stdio::null());
    command.stdout(File::create(&banner).unwrap());
    command.stderr(File::options().create(true).append(true).open(&log).unwrap());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// The first address in the banner. A server that listens on all addresses is spoken to on loopback all the same.
fn address_in(banner: &str) -> Option<SocketAddr> {
    let (_, rest) = banner.split_once("http").and_then(|(_, rest)| rest.split_once("://"))?;
    let address = rest.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').next()?;
    let mut address: SocketAddr = address.parse().ok()?;
    address.set_ip([127, 0, 0, 1].into());
    Some(address)
}

impl Server {
    fn wait_until_ready(&self) {
        until(
            "/readyz",
            || Request::new("GET", "/readyz").try_send(self.address),
            |answer| answer.as_ref().is_ok_and(|answer| answer.status == 200).then_some(()),
        );
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.setup.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.setup.data_in(self.folder.path())
    }

    /// The process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// A folder for the test's own files, gone with the server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn banner(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("banner.txt")).unwrap()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.txt")).unwrap()
    }

    /// The development client, signed in.
    pub(crate) fn client(&self) -> Client {
        Client::development(self)
    }

    /// A request without a token.
    pub(crate) fn get(&self, path: &str) -> super::http::Answer {
        Request::new("GET", path).send(self.address)
    }

    /// Takes all that the store has from it; the log is left. It must have ended.
    pub(crate) fn lose_store(&self) {
        store::lose(&self.data());
    }

    /// From its next start on, with this file as its configuration.
    pub(crate) fn configure(&mut self, text: &str) {
        self.setup.configuration = Some(text.to_owned());
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill_9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal, such as STOP.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", "kill -\"$0\" \"$1\"", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "the signal was not sent");
    }

    /// How it ended, once it has.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the server to end", || child.try_wait().unwrap(), |status| *status)
    }

    /// Starts it anew on the same folder, where it was killed, and kills it so long after: most likely before it is ready.
    pub(crate) fn start_and_kill_9(&mut self, after: Duration) {
        self.child = launch(&self.setup, self.folder.path());
        std::thread::sleep(after);
        self.kill_9();
    }

    /// Starts it anew on the same folder, if need be after killing it. Its port is another.
    pub(crate) fn restart(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.kill_9();
        }
        (self.child, self.address) = spawn(&self.setup, self.folder.path());
        self.wait_until_ready();
    }
}

impl Drop for Server {
    #[expect(clippy::print_stdout, reason = "part of what a failed test prints")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("the server at {} logged:\n{}", self.address, self.log());
        }
        if self.setup.data.is_none() {
            store::remove(&self.data());
        }
    }
}
