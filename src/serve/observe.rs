//! Requests counted and timed, by route and status; those who follow, counted.

use std::fmt;
use std::time::Instant;

use access::Rates;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use gateway::Gateway;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Counts of requests.
#[derive(Clone)]
pub(super) struct Requests {
    answered: Family<Labels, Counter>,
    seconds: Family<Route, Histogram>,
}

impl Requests {
    /// Makes them part of `/metrics`.
    pub(super) fn register(registry: &mut Registry) -> Self {
        // From half a millisecond to half a minute.
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(0.000_5, 2.0, 17));
        let this = Self { answered: Family::default(), seconds: Family::new_with_constructor(buckets) };
        registry.register("http_requests", "Requests answered", this.answered.clone());
        registry.register("http_request_seconds", "Time to the head of an answer", this.seconds.clone());
        this
    }
}

/// Makes the counts of those who follow part of `/metrics`.
pub(super) fn register_live(gateway: &Gateway, registry: &mut Registry) {
    registry.register_collector(Box::new(Live(gateway.clone())));
}

/// Who follows at the moment of a scrape.
struct Live(Gateway);

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live")
    }
}

impl Collector for Live {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name: &str, help: &str, value: usize| {
            let gauge = ConstGauge::new(value as f64);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("gateway_sockets", "WebSockets that are open", self.0.sockets())?;
        let help = "Operations that run on WebSockets and event streams";
        gauge("gateway_live_operations", help, self.0.live_operations())
    }
}

/// Makes the counts of what was too much part of `/metrics`.
pub(super) fn register_rates(rates: Rates, registry: &mut Registry) {
    registry.register_collector(Box::new(TooMuch(rates)));
}

/// What was refused so far.
#[derive(Debug)]
struct TooMuch(Rates);

impl Collector for TooMuch {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "What was refused as too much, by kind";
        let mut refusals = encoder.encode_descriptor("rate_refusals", help, None, MetricType::Counter)?;
        for (excess, count) in self.0.refused() {
            let counter = ConstCounter::new(count);
            counter.encode(refusals.encode_family(&[("kind", excess.name())])?)?;
        }
        Ok(())
    }
}

/// Counts one request. Its route is the pattern that matched: paths of strangers make no new series.
pub(super) async fn count(State(requests): State<Requests>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "PUT" | "HEAD" | "OPTIONS") => known,
        _ => "other",
    }
    .to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    let duration = began.elapsed();
    let status = response.status().as_u16();
    tracing::debug!(method, route, status, duration_ms = duration.as_secs_f64() * 1_000.0, "answered");
    requests.seconds.get_or_create(&Route { route: route.clone() }).observe(duration.as_secs_f64());
    requests.answered.get_or_create(&Labels { method, route, status }).inc();
    response
}
