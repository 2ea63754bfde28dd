//! One operation on its way: what it says, as a stream.

use std::sync::Arc;

use access::rate::Subscribed;
use access::{Principal, Rates};
use futures_util::Stream;
use futures_util::stream::unfold;

use super::live::Guard;
use crate::error::GraphqlError;
use crate::execute::{Batch, Event, Pipeline, Response, Started, Subscription};
use crate::request::GraphqlRequest;

/// What an operation says. Nothing follows but after [`Said::Next`] of a subscription.
pub(super) enum Said {
    /// Deliveries of a subscription; more may follow.
    Next(Payload),
    /// Its only answer.
    Answered(Response),
    /// It can't go on.
    Failed(GraphqlError),
    /// It has said everything.
    Complete,
}

/// Execution results, as JSON.
pub(super) enum Payload {
    /// One.
    One(Vec<u8>),
    /// Some, which other subscriptions may share.
    Batch(Batch),
}

impl Payload {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Batch(batch) => batch.len(),
        }
    }

    /// The resume cursor of the place behind a result; none of what is not a delivery.
    pub(super) fn cursor(&self, index: usize) -> String {
        match self {
            Self::One(_) => String::new(),
            Self::Batch(batch) => batch.cursor(index),
        }
    }

    pub(super) fn result(&self, index: usize) -> &[u8] {
        match self {
            Self::One(body) => body,
            Self::Batch(batch) => batch.payload(index),
        }
    }
}

/// What it takes to start an operation.
pub(super) struct Order {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) caller: Arc<Principal>,
    pub(super) request: GraphqlRequest,
    /// Whether it may change nothing, as for a GET.
    pub(super) queries_only: bool,
    /// A resume cursor that stands in for the argument.
    pub(super) resume: Option<String>,
    /// Counts it while it runs.
    pub(super) guard: Guard,
    /// Counts it for its caller if it is a subscription.
    pub(super) rates: Rates,
}

enum State {
    Ordered(Order),
    Live(Box<Subscription>, Counted),
    Ended,
}

/// What counts a subscription while it runs.
struct Counted {
    _guard: Guard,
    _subscribed: Subscribed,
}

/// Starts an operation with the first poll; dropping the stream ends it.
pub(super) fn run(order: Order) -> impl Stream<Item = Said> + Send {
    unfold(State::Ordered(order), |state| async move {
        let (subscription, counted) = match state {
            State::Ordered(order) => {
                let Order { pipeline, caller, request, queries_only, resume, guard, rates } = order;
                let asking = caller.clone();
                // In a box, as a subscription that runs for days need not keep the room that its start took.
                let start = Box::pin(async move {
                    pipeline.start(&caller, &request, queries_only, resume.as_deref()).await
                });
                match start.await {
                    Started::Answer(answer) => return Some((Said::Answered(answer), State::Ended)),
                    Started::Live(subscription) => match rates.subscription(&asking) {
                        Ok(subscribed) => (subscription, Counted { _guard: guard, _subscribed: subscribed }),
                        Err(many) => return Some((Said::Failed(many.into()), State::Ended)),
                    },
                }
            }
            State::Live(subscription, counted) => (subscription, counted),
            State::Ended => return None,
        };
        Some(follow(subscription, counted).await)
    })
}

async fn follow(mut subscription: Box<Subscription>, counted: Counted) -> (Said, State) {
    match subscription.next().await {
        Some(Event::Batch(batch)) => (Said::Next(Payload::Batch(batch)), State::Live(subscription, counted)),
        Some(Event::Failed(error)) => (Said::Failed(error), State::Ended),
        None => (Said::Complete, State::Ended),
    }
}
