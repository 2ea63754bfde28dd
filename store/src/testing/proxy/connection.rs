//! One connection through the proxy: requests one way, answers the other, and what is done to them on the way.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use scylla::errors::DbError;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::frame::Frame;
use super::{Rules, Trouble};

/// What becomes of answers: an error in its place, or the end of the connection.
type Instead = Arc<Mutex<HashMap<[u8; 2], Option<DbError>>>>;

/// Passes frames on until either side ends the connection, or a rule does.
pub(super) async fn pass(client: TcpStream, server: SocketAddr, rules: Arc<Mutex<Rules>>) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    // A frame that waits until the one before is acknowledged takes tens of milliseconds.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, client), (from_server, server)) = (client.into_split(), server.into_split());
    let (to_client, for_client) = unbounded_channel();
    let (to_server, for_server) = unbounded_channel();
    let instead = Instead::default();
    tokio::select! {
        ended = requests(from_client, to_server, to_client.clone(), &rules, &instead) => ended,
        ended = answers(from_server, to_client, &instead) => ended,
        ended = write(client, for_client) => ended,
        ended = write(server, for_server) => ended,
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    to_server: UnboundedSender<Frame>,
    to_client: UnboundedSender<Frame>,
    rules: &Mutex<Rules>,
    instead: &Instead,
) -> io::Result<()> {
    let mut is_on_data = true;
    loop {
        let frame = Frame::read(&mut from).await?;
        is_on_data &= !frame.registers();
        let met = if is_on_data && frame.runs() { find(rules, &frame) } else { None };
        let stream = frame.stream();
        let note = |error| instead.lock().unwrap_or_else(PoisonError::into_inner).insert(stream, error);
        match met {
            None => send(&to_server, frame)?,
            Some(Trouble::Refused(error)) => send(&to_client, Frame::error(stream, &error))?,
            Some(Trouble::DoneBut(error)) => {
                note(Some(error));
                send(&to_server, frame)?;
            }
            Some(Trouble::DoneAndCut) => {
                note(None);
                send(&to_server, frame)?;
            }
            Some(Trouble::Dropped) => {}
            Some(Trouble::Late(by)) => {
                let to_server = to_server.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(by).await;
                    to_server.send(frame)
                });
            }
            Some(Trouble::Cut) => return Ok(()),
            Some(Trouble::Unprepared) => {
                let statement_id = frame.statement().ok_or(io::ErrorKind::InvalidData)?;
                send(&to_client, Frame::error(stream, &DbError::Unprepared { statement_id }))?;
            }
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    to_client: UnboundedSender<Frame>,
    instead: &Instead,
) -> io::Result<()> {
    loop {
        let frame = Frame::read(&mut from).await?;
        let stream = frame.stream();
        let found = instead.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream);
        match found {
            None => send(&to_client, frame)?,
            Some(Some(error)) => send(&to_client, Frame::error(stream, &error))?,
            Some(None) => return Ok(()),
        }
    }
}

/// The trouble that a request meets, if any.
fn find(rules: &Mutex<Rules>, frame: &Frame) -> Option<Trouble> {
    let mut rules = rules.lock().unwrap_or_else(PoisonError::into_inner);
    let rule = rules.iter_mut().find(|rule| rule.left > 0 && rule.is_about(frame))?;
    rule.left -= 1;
    rule.trouble.clone()
}

fn send(to: &UnboundedSender<Frame>, frame: Frame) -> io::Result<()> {
    to.send(frame).map_err(|_| io::ErrorKind::BrokenPipe.into())
}

async fn write(mut to: OwnedWriteHalf, mut frames: UnboundedReceiver<Frame>) -> io::Result<()> {
    while let Some(frame) = frames.recv().await {
        to.write_all(&frame.bytes).await?;
    }
    Ok(())
}
