//! HTTP/1.1 over a socket, or over TLS where the server speaks that, one request a connection: so that a test can also send what no client library would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;
use super::tls::{self, Wire};

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Sizes of the pieces of a body that is sent in chunks, its length unsaid.
    chunks: Option<usize>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let line = format!("{method} {path} HTTP/1.1");
        Self { line, headers: Vec::new(), body: Vec::new(), chunks: None }
    }

    /// One more header; a `Host` given here stands instead of the right one.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// Sends the body in pieces of `bytes`.
    pub(crate) fn chunked(mut self, bytes: usize) -> Self {
        self.chunks = Some(bytes);
        self
    }

    pub(crate) fn send(&self, to: SocketAddr) -> Answer {
        self.try_send(to).unwrap_or_else(|error| panic!("{}: {error}", self.line))
    }

    /// As [`Self::send`], where the server may be gone.
    pub(crate) fn try_send(&self, to: SocketAddr) -> std::io::Result<Answer> {
        exchange(connect(to)?, &self.pieces(to))
    }

    /// The status of the answer, after which nothing is read: for answers that go on.
    pub(crate) fn status(&self, to: SocketAddr) -> u16 {
        let mut socket = connect(to).unwrap();
        self.pieces(to).iter().for_each(|piece| socket.write_all(piece).unwrap());
        let mut line = [0; 12];
        socket.read_exact(&mut line).unwrap();
        std::str::from_utf8(&line[9..]).unwrap().parse().unwrap()
    }

    /// The head, then the body in its pieces.
    fn pieces(&self, to: SocketAddr) -> Vec<Vec<u8>> {
        let mut head = format!("{}\r\n", self.line);
        if !self.headers.iter().any(|(name, _)| name == "Connection") {
            head += "Connection: close\r\n";
        }
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            head += &format!("Host: {to}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        match self.chunks {
            None => {
                if !self.headers.iter().any(|(name, _)| name == "Content-Length") {
                    head += &format!("Content-Length: {}\r\n", self.body.len());
                }
                vec![format!("{head}\r\n").into(), self.body.clone()]
            }
            Some(size) => {
                let mut pieces = vec![format!("{head}Transfer-Encoding: chunked\r\n\r\n").into()];
                pieces.extend(self.body.chunks(size).map(|piece| {
                    [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n".as_slice()].concat()
                }));
                pieces.push(b"0\r\n\r\n".into());
                pieces
            }
        }
    }

    /// Sends all but the last `later` pieces, does something, and sends the rest.
    pub(crate) fn send_in_two(&self, to: SocketAddr, later: usize, between: impl FnOnce()) -> Answer {
        let pieces = self.pieces(to);
        let (first, second) = pieces.split_at(pieces.len() - later);
        let mut socket = connect(to).unwrap();
        first.iter().for_each(|piece| socket.write_all(piece).unwrap());
        between();
        exchange(socket, second).unwrap_or_else(|error| panic!("{}: {error}", self.line))
    }

    /// Sends the request without the last `missing` bytes of its body, and then nothing more.
    pub(crate) fn send_truncated(&self, to: SocketAddr, missing: usize) -> std::io::Result<Answer> {
        let mut pieces = self.pieces(to);
        let body = pieces.last_mut().expect("a head and a body");
        body.truncate(body.len() - missing);
        let mut socket = connect(to)?;
        pieces.iter().try_for_each(|piece| socket.write_all(piece))?;
        socket.finish()?;
        exchange(socket, &[])
    }
}

fn connect(to: SocketAddr) -> std::io::Result<Wire> {
    let socket = TcpStream::connect_timeout(&to, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(tls::over(socket, to))
}

/// Writes `pieces`, then reads all that comes back. What could not be written matters only if no answer came: a server
/// may answer before it has read everything.
fn exchange(mut socket: Wire, pieces: &[Vec<u8>]) -> std::io::Result<Answer> {
    let written = pieces.iter().try_for_each(|piece| socket.write_all(piece));
    let mut bytes = Vec::new();
    let read = socket.read_to_end(&mut bytes);
    if let Some(answer) = parse(&bytes) {
        return Ok(answer);
    }
    written?;
    read?;
    Err(std::io::Error::other(format!("no whole answer: {:?}", String::from_utf8_lossy(&bytes))))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = unchunked(&answer.body)?;
    } else if let Some(length) = answer.header("content-length") {
        // An answer that broke off is none.
        (answer.body.len() == length.parse::<usize>().ok()?).then_some(())?;
    }
    Some(answer)
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(line + 2..line + 2 + size)?);
        rest = rest.get(line + 4 + size..)?;
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {} {}", self.status, self.text()))
    }

    /// The answer itself, if it is of this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}
