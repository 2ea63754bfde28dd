//! The task of one socket: what the protocol decides is done here.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use access::{Access, AuthError, Principal, TooMany, Visit};
use futures_util::future::BoxFuture;
use futures_util::stream::{AbortHandle, BoxStream, SelectAll, abortable};
use futures_util::{FutureExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::close::Close;
use super::connection::{Connection, Occurrence};
use super::output::{Output, Run};
use super::protocol::Protocol;
use super::sign_in;
use super::timers::Now;
use crate::execute::Pipeline;
use crate::request::GraphqlRequest;
use crate::transport::live::{Changes, Live, stopped};
use crate::transport::operation::{self, Order, Said};

/// A socket with all that runs on it.
pub(super) struct Task<S> {
    protocol: Protocol,
    connection: Connection<S>,
    operations: SelectAll<BoxStream<'static, (Run, Said)>>,
    stops: HashMap<Run, AbortHandle>,
    caller: Option<Arc<Principal>>,
    access: Access,
    visit: Visit,
    /// Whose token `connection_init` or a ping showed, while that is found out: nothing is read before.
    verifying: Option<BoxFuture<'static, Result<Principal, AuthError>>>,
    pipeline: Arc<Pipeline>,
    live: Arc<Live>,
    /// Resolves once the node stops. One for the socket's life: to ask anew each time would be a queue that all join.
    stopping: BoxFuture<'static, ()>,
    /// Resolves once others may be let in than before.
    changed: BoxFuture<'static, Changes>,
    /// Fires when something may be due, or before: to set it anew each time would be a queue, too.
    alarm: Pin<Box<Sleep>>,
    opened: Instant,
    /// When the clocks were last looked at.
    now: Now,
    /// Deliveries since something else was looked for.
    in_a_row: usize,
}

/// Most deliveries that are looked for before anything else gets its turn.
const DELIVERIES_IN_A_ROW: usize = 8;

/// What a socket waits for.
enum Happening {
    Connection(Occurrence),
    Operation(Run, Said),
    Verified(Result<Principal, AuthError>),
    Time,
    Changed(Changes),
    Stopping,
}

/// How a socket ends.
enum End {
    /// With a goodbye of ours.
    Close(Close),
    /// With the client's.
    Answer,
    /// With none.
    Drop,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    pub(super) fn new(
        protocol: Protocol,
        connection: Connection<S>,
        (access, visit): (Access, Visit),
        pipeline: Arc<Pipeline>,
        live: Arc<Live>,
    ) -> Self {
        let (opened, mut stopping) = (Instant::now(), live.stopping());
        let now = Now { since: Duration::ZERO, time: (pipeline.clock)() };
        let changed = Changes::of(&access).next().boxed();
        Self {
            protocol,
            connection,
            operations: SelectAll::new(),
            stops: HashMap::new(),
            caller: None,
            access,
            visit,
            verifying: None,
            pipeline,
            stopping: Box::pin(async move { stopped(&mut stopping).await }),
            changed,
            alarm: Box::pin(sleep_until(opened)),
            live,
            opened,
            now,
            in_a_row: 0,
        }
    }

    /// Serves the socket to its end.
    pub(super) async fn run(mut self) {
        let end = loop {
            let happening = self.wait().await;
            if let Some(end) = self.handle_event(happening) {
                break end;
            }
        };
        let Self { connection, operations, .. } = self;
        // What runs is of no use any more.
        drop(operations);
        match end {
            End::Close(close) => {
                tracing::debug!(code = close.code, reason = close.reason, "closing a socket");
                connection.goodbye(Some(close)).await;
            }
            End::Answer => connection.goodbye(None).await,
            End::Drop => {}
        }
    }

    async fn wait(&mut self) -> Happening {
        let look_again = self.opened + self.protocol.timers().next(self.now);
        if self.alarm.is_elapsed() || look_again < self.alarm.deadline() {
            self.alarm.as_mut().reset(look_again);
        }
        poll_fn(|cx| self.poll(cx)).await
    }

    /// What happens next. Deliveries are looked for first, as they are most of what happens: but not for ever.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        if let Poll::Ready(gone) = self.poll_send(cx) {
            return Poll::Ready(gone);
        }
        let first = self.in_a_row < DELIVERIES_IN_A_ROW;
        if first && let Poll::Ready(happening) = self.poll_operations(cx) {
            self.in_a_row += 1;
            return Poll::Ready(happening);
        }
        self.in_a_row = 0;
        if let Some(verifying) = &mut self.verifying
            && let Poll::Ready(verified) = verifying.as_mut().poll(cx)
        {
            self.verifying = None;
            return Poll::Ready(Happening::Verified(verified));
        }
        if self.may_read()
            && let Poll::Ready(occurrence) = self.connection.poll_read(cx)
        {
            return Poll::Ready(Happening::Connection(occurrence));
        }
        if !first && let Poll::Ready(happening) = self.poll_operations(cx) {
            return Poll::Ready(happening);
        }
        if self.alarm.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Happening::Time);
        }
        if let Poll::Ready(changes) = self.changed.as_mut().poll(cx) {
            return Poll::Ready(Happening::Changed(changes));
        }
        self.stopping.as_mut().poll(cx).map(|()| Happening::Stopping)
    }

    /// Sends what waits, as far as the client takes it; ready if it is gone.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        while !self.connection.is_idle() {
            match self.connection.poll_send(cx) {
                Poll::Ready(Ok(())) => {
                    let waits = !self.connection.is_idle();
                    if waits {
                        self.look_at_the_clocks();
                    }
                    self.protocol.timers().taken(waits, self.now);
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Happening::Connection(Occurrence::Gone)),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    fn poll_operations(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        // Nothing is asked for that could not be sent at once.
        if !self.connection.is_idle() || self.operations.is_empty() {
            return Poll::Pending;
        }
        match self.operations.poll_next_unpin(cx) {
            Poll::Ready(Some((run, said))) => Poll::Ready(Happening::Operation(run, said)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn may_read(&self) -> bool {
        let settings = &self.live.settings;
        // A stopped operation is let go of when it is next polled: a client must not heap them up meanwhile.
        let most = settings.subscriptions_per_socket.saturating_mul(2).max(1);
        self.verifying.is_none()
            && self.connection.outgoing.text_bytes() < settings.unread_bytes.max(1)
            && self.operations.len() < most
    }

    fn look_at_the_clocks(&mut self) {
        self.now = Now { since: self.opened.elapsed(), time: (self.pipeline.clock)() };
    }

    fn handle_event(&mut self, happening: Happening) -> Option<End> {
        self.look_at_the_clocks();
        let now = self.now;
        let outputs = match happening {
            Happening::Connection(Occurrence::Gone) => return Some(End::Drop),
            Happening::Connection(Occurrence::Received(Message::Close(_))) => return Some(End::Answer),
            Happening::Connection(Occurrence::Received(message)) => self.received(&message, now),
            Happening::Connection(Occurrence::Unreadable(close)) => self.protocol.close(close),
            Happening::Operation(run, said) => {
                if !matches!(said, Said::Next(_)) {
                    self.stops.remove(&run);
                }
                self.protocol.said(run, said)
            }
            Happening::Verified(verified) => self.protocol.verified(verified),
            Happening::Time => self.protocol.tick(now),
            Happening::Changed(changes) => {
                self.changed = changes.next().boxed();
                self.look_at_the_caller()
            }
            Happening::Stopping => self.protocol.close(Close::going_away()),
        };
        let before = self.caller.clone();
        let mut end = outputs.into_iter().find_map(|output| self.perform(output));
        let is_new = match (&before, &self.caller) {
            (Some(before), Some(now)) => !Arc::ptr_eq(before, now),
            (before, now) => before.is_some() != now.is_some(),
        };
        if is_new {
            // Its token may have been revoked between being verified and this: from now on a change tells.
            let outputs = self.look_at_the_caller();
            end = end.or_else(|| outputs.into_iter().find_map(|output| self.perform(output)));
        }
        if !self.connection.is_idle() {
            self.protocol.timers().waits(now);
        }
        end
    }

    /// Ends what is of a caller who is not let in any more.
    fn look_at_the_caller(&mut self) -> Vec<Output> {
        match &self.caller {
            Some(caller) if !self.access.is_good(caller) => self.protocol.revoked(),
            _ => Vec::new(),
        }
    }

    fn received(&mut self, message: &Message, now: Now) -> Vec<Output> {
        self.protocol.heard(now);
        match message {
            Message::Text(text) => self.protocol.text(text.as_str()),
            Message::Binary(_) => self.protocol.binary(),
            // Pings are answered where frames are read.
            _ => Vec::new(),
        }
    }

    fn perform(&mut self, output: Output) -> Option<End> {
        let outgoing = &mut self.connection.outgoing;
        match output {
            Output::Text(text) => outgoing.text(text),
            Output::Next(run, head, payload) => outgoing.results(run, head, payload),
            Output::Ping => outgoing.ping(),
            Output::Verify(values) => {
                let (access, visit) = (self.access.clone(), self.visit.clone());
                self.verifying =
                    Some(Box::pin(async move { sign_in::by_values(&access, &visit, &values).await }));
            }
            Output::SignedIn(caller) => self.caller = Some(Arc::from(caller)),
            Output::Start(run, request) => {
                // One too many is told of that operation, and the socket lives on.
                if let Err(many) = self.start(run, request) {
                    let refused = self.protocol.said(run, Said::Failed(many.into()));
                    return refused.into_iter().find_map(|output| self.perform(output));
                }
            }
            Output::Stop(run) => {
                outgoing.forget(run);
                if let Some(stop) = self.stops.remove(&run) {
                    stop.abort();
                }
            }
            Output::Close(close) => return Some(End::Close(close)),
            Output::Drop => return Some(End::Drop),
        }
        None
    }

    fn start(&mut self, run: Run, request: GraphqlRequest) -> Result<(), TooMany> {
        // The protocol starts nothing before somebody signed in.
        let Some(caller) = self.caller.clone() else { return Ok(()) };
        let rates = self.visit.rates().clone();
        rates.request(&caller)?;
        let guard = self.live.open_operation();
        let pipeline = self.pipeline.clone();
        let order = Order { pipeline, caller, request, queries_only: false, resume: None, guard, rates };
        let (operation, stop) = abortable(operation::run(order));
        self.stops.insert(run, stop);
        self.operations.push(operation.map(move |said| (run, said)).boxed());
        Ok(())
    }
}
