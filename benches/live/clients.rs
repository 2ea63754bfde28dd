//! Clients in a process of their own, so that what they cost is not counted.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Where a client process finds its job.
const JOB: &str = "TIDEGATE_BENCH_JOB";

/// What clients do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) url: String,
    pub(crate) token: String,
    /// How many.
    pub(crate) clients: usize,
    /// Whether each takes a topic of its own.
    pub(crate) by_topic: bool,
    /// Whether they speak graphql-transport-ws.
    pub(crate) protocol: bool,
    pub(crate) subscribes: bool,
    pub(crate) resume: Option<String>,
    /// How many messages each waits for; none: for ever.
    pub(crate) expect: usize,
}

impl Job {
    pub(crate) fn new(url: &str, clients: usize) -> Self {
        Self {
            url: url.to_owned(),
            token: String::new(),
            clients,
            by_topic: false,
            protocol: true,
            subscribes: true,
            resume: None,
            expect: 0,
        }
    }

    /// The job of this process, if it is one of clients.
    pub(crate) fn of_this_process() -> Option<Self> {
        serde_json::from_str(&std::env::var(JOB).ok()?).ok()
    }
}

/// A process of clients.
pub(crate) struct Clients {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Clients {
    pub(crate) fn start(job: &Job) -> Self {
        let program = std::env::current_exe().expect("this program");
        let job = serde_json::to_string(job).expect("a text");
        let mut process =
            Command::new(program).env(JOB, job).stdout(Stdio::piped()).spawn().expect("a process");
        let says = BufReader::new(process.stdout.take().expect("its output"));
        Self { process, says }
    }

    /// Waits until all are connected.
    pub(crate) fn ready(&mut self) {
        assert_eq!(self.line(), "ready");
    }

    /// Waits until all have what they wait for, and says how many messages that were.
    pub(crate) fn done(&mut self) -> u64 {
        self.line().parse().expect("a number")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client process.
pub(crate) async fn run(job: Job) {
    let (ready, mut are_ready) = tokio::sync::mpsc::channel(job.clients);
    let job = std::sync::Arc::new(job);
    let mut all = Vec::new();
    for n in 0..job.clients {
        let (job, ready) = (job.clone(), ready.clone());
        all.push(tokio::spawn(async move {
            let mut socket = connect(&job.url).await;
            if job.protocol {
                begin(&mut socket, &job, n).await;
            }
            ready.send(()).await.expect("somebody waits");
            read(socket, job.expect).await
        }));
        if n % 100 == 99 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    for _ in 0..job.clients {
        are_ready.recv().await;
    }
    // That a subscription runs is not told.
    tokio::time::sleep(std::time::Duration::from_secs(u64::from(job.resume.is_none()))).await;
    say("ready");
    let mut total = 0;
    for client in all {
        total += client.await.expect("an end");
    }
    say(&total.to_string());
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).expect("somebody listens");
}

pub(crate) type Socket = WebSocketStream<tokio::net::TcpStream>;

pub(crate) async fn connect(url: &str) -> Socket {
    let mut request = url.into_client_request().expect("an address");
    let protocol = "graphql-transport-ws".parse().expect("a header");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let host = url.trim_start_matches("ws://").split('/').next().expect("a host");
    let stream = tokio::net::TcpStream::connect(host).await.expect("a connection");
    client_async(request, stream).await.expect("a socket").0
}

/// Signs in, and subscribes.
pub(crate) async fn begin(socket: &mut Socket, job: &Job, n: usize) {
    let init = serde_json::json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {}", job.token) } });
    socket.send(Message::text(init.to_string())).await.expect("sent");
    let ack = socket.next().await.expect("an ack").expect("an ack");
    assert!(ack.to_text().is_ok_and(|text| text.contains("connection_ack")), "{ack}");
    if !job.subscribes {
        return;
    }
    let topic = job.by_topic.then(|| format!("t{n}"));
    let subscribe = serde_json::json!({
        "id": format!("client-{n}"), "type": "subscribe",
        "payload": { "query": super::node::SUBSCRIPTION, "variables": { "topic": topic, "resume": job.resume } },
    });
    socket.send(Message::text(subscribe.to_string())).await.expect("sent");
}

async fn read(mut socket: Socket, expect: usize) -> u64 {
    let mut count = 0;
    while expect == 0 || count < expect {
        match socket.next().await {
            Some(Ok(Message::Text(_))) => count += 1,
            Some(Ok(_)) => {}
            other => panic!("the socket ended after {count} messages: {other:?}"),
        }
    }
    count as u64
}
