//! A node: every part opened in order, served until a signal, closed in the opposite order.

mod answer;
mod banner;
mod connections;
mod guards;
mod headers;
mod lifecycle;
mod observe;
mod ops;
mod phase;
mod role;
mod source;
pub(crate) mod store;
mod timed;
mod tls;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use ::store::{Publish, Replay, Store};
use access::origin::Origins;
use access::rate::{Door, Proxies, Ticks};
use access::{
    Access, Bodies, Client, Credentials, Development, Foreign, Issuer, IssuerError, Policy, Rates, Trust,
    resolve_clients,
};
use axum::Router;
use gateway::{Gateway, Hub};
use ingest::{Ingest, Replayer};
use prometheus_client::registry::Registry;
use schema::{Clock, Timestamp};

use crate::cli::ServeArgs;
use crate::commands::Failure;
use crate::config::{Config, Secrets, load};
use crate::{demo, telemetry};
pub(crate) use role::Role;

/// Runs a node until it is told to stop.
pub(crate) fn run(args: &ServeArgs, role: Role) -> Result<(), Failure> {
    let mut config = load(args.config.as_deref(), std::env::vars())?;
    if args.demo {
        config.server.data = demo::DATA.into();
        demo::define_streams(&mut config.stream)?;
    }
    if let Some(data) = &args.place.data {
        config.server.data.clone_from(data);
    }
    if let Some(listen) = args.place.listen {
        config.server.listen = listen;
    }
    let Checked { clients, policy } = check(&config)?;
    role.check(&config.store)?;
    telemetry::start(&config.log)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(node(config, clients, policy, role, args.demo))
}

/// What settings come to.
pub(crate) struct Checked {
    /// The clients, with their secrets.
    clients: Vec<Client>,
    /// The rules in force.
    policy: Arc<Policy>,
}

/// What settings must be besides well-formed.
pub(crate) fn check(config: &Config) -> Result<Checked, Failure> {
    config.server.check()?;
    config.ingest.check()?;
    config.kinesis.check()?;
    let policy = Arc::new(config.policy()?);
    let secrets = Secrets::default();
    let environment = |name: &str| secrets.get(name);
    secrets.settle(config.issuer.iter().try_for_each(|issuer| issuer.check(&policy, &environment)))?;
    config.store.check()?;
    config.credentials.check()?;
    config.tls.check()?;
    access::origin::check(&config.server.origins)?;
    Proxies::new(&config.server.proxies)?;
    let largest = config.limits.body_bytes.max(config.gateway.body_bytes);
    config.rate.check(config.limits.records_per_call.max(config.ingest.body_rows), largest)?;
    if config.limits.bodies_bytes < largest {
        let bytes = config.limits.bodies_bytes;
        return Err(format!(
            "limits.bodies_bytes is {bytes}: expected at least {largest}, which one body alone may have"
        )
        .into());
    }
    let mut names: Vec<_> = config.stream.iter().map(|stream| &stream.name).collect();
    names.sort();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("[[stream]] {} is configured twice", twice[0]).into());
    }
    let clients = secrets.settle(resolve_clients(&config.client, &policy, environment))?;
    Ok(Checked { clients, policy })
}

async fn node(
    config: Config,
    clients: Vec<Client>,
    policy: Arc<Policy>,
    role: Role,
    with_demo: bool,
) -> Result<(), Failure> {
    let data = &config.server.data;
    // What can be refused without a trace is refused before the data folder is touched.
    let listener = bind(config.server.listen)?;
    let address = listener.local_addr()?;
    if clients.is_empty() && !address.ip().is_loopback() {
        return Err(IssuerError::NoClients.into());
    }
    let (tls, renewal) = tls::Tls::open(&config.tls)?.unzip();
    std::fs::create_dir_all(data)
        .map_err(|error| format!("the data folder {} can't be made: {error}", data.display()))?;
    let url = match config.server.url.as_str() {
        "" if config.tls.is_on() => format!("https://{address}"),
        "" => format!("http://{address}"),
        url => url.to_owned(),
    };
    let clock: Clock = Arc::new(now);
    let development = if address.ip().is_loopback() { Development::On } else { Development::Off };

    let store::Opened { store: shared, entries, swept } =
        store::open(&config, data, role.takes_messages(), clock.clone()).await?;
    let is_new = shared.streams().await?.is_empty();
    let hub = Hub::new(&config.live);
    // Before anything else is written to the folder: whoever has the log has the folder.
    let ingest = match role.takes_messages() {
        true => Some(start_ingest(&config, shared.clone(), hub.clone(), clock.clone()).await?),
        false => None,
    };
    // It needs the store alone, so that every node has one.
    let replayer = Replayer::new(shared.clone(), config.limits.clone(), hub.clone());
    let watch = tokio::spawn(replayer.clone().watch());
    let foreign = {
        let secrets = Secrets::default();
        Foreign::all(&config.issuer, &policy, &|name| secrets.get(name), &clock)?
    };
    let settings = config.credentials.clone();
    let credentials = Credentials::open(entries, settings, policy.clone(), clock.clone()).await?;
    let follow = tokio::spawn(credentials.clone().follow());
    let trust = Trust { policy, foreign, credentials: Some(credentials) };
    let own = config.embedded_issuer.clone();
    let issuer = Issuer::open(data, &url, own, clients, development, trust, clock.clone())?;
    issuer.access().warm_up();
    if development == Development::On {
        access::Context::trust(data, config.tls.absolute_ca()?.as_deref())?;
    }
    // Before the first schema is built, so that it knows the fields of the demo's history.
    let traffic = match &ingest {
        Some(ingest) if with_demo => Some(demo::start(ingest.clone(), is_new, clock.clone()).await?),
        _ => None,
    };
    let rates = Rates::new(config.rate.clone(), Ticks::of_system());
    let drain = Duration::from_millis(config.server.drain_ms);
    let stopped = lifecycle::signals(drain)?;
    let gateway = match role.answers_queries() {
        true => {
            let publish: Arc<dyn Publish> = match &ingest {
                Some(ingest) => Arc::new(ingest.clone()),
                None => Arc::new(role::Nowhere),
            };
            let replay: Arc<dyn Replay> = Arc::new(replayer.clone());
            let (settings, live) = (config.gateway.clone(), config.live.clone());
            let (store, limits) = (shared.clone(), config.limits.clone());
            let (clock, stopping) = (clock.clone(), stopped.clone());
            let rates = rates.clone();
            let parts = gateway::Parts {
                store,
                publish,
                replay,
                access: Some(issuer.access()),
                settings,
                live,
                hub,
                limits,
                rates,
                clock,
                stopping,
            };
            Some(Gateway::start(parts).await?)
        }
        false => None,
    };
    let mut registry = Registry::with_prefix("tidegate");
    let requests = observe::Requests::register(&mut registry);
    observe::register_rates(rates.clone(), &mut registry);

    let limits = &config.limits;
    let bodies = Bodies::new(limits.bodies_bytes, Duration::from_millis(limits.bodies_wait_ms));
    let mut app = Router::new().merge(issuer.router()).merge(role.elsewhere());
    replayer.register(&mut registry);
    if let Some(ingest) = &ingest {
        ingest.register(&mut registry);
        app = app.merge(ingest.router::<Access>(bodies.clone()).with_state(issuer.access()));
    }
    if let Some(gateway) = &gateway {
        observe::register_live(gateway, &mut registry);
        app = app.merge(gateway.router(issuer.access(), bodies)).merge(console::router());
    }
    let app = app
        .merge(ops::router(ops::Parts { registry, ingest: ingest.clone(), store: shared }))
        .fallback(ops::nothing)
        .method_not_allowed_fallback(ops::wrong_method);
    let guards = guards::Guards {
        requests,
        over_tls: headers::OverTls(config.tls.is_on()),
        development,
        door: Door { rates, proxies: Proxies::new(&config.server.proxies)? },
        origins: Arc::new(Origins::new(&config.server.origins, &url, development)?),
    };
    let connections = connections::at_most(config.server.connections_max);
    let served = connections::Served {
        full: guards.before_full(ops::full(connections)),
        app: guards.before(app),
        connections,
        waits: timed::Waits {
            header: Duration::from_millis(config.server.header_ms),
            idle: Duration::from_millis(config.server.idle_ms),
        },
        tls,
    };

    let renewal = renewal.map(tokio::spawn);
    let sweeper = swept.map(|store| tokio::spawn(lifecycle::sweep(store, clock, config.server.clone())));
    banner::print(&banner::Facts {
        url: &url,
        data,
        role,
        demo: with_demo,
        code: issuer.page_code()?,
        missing: console::missing(),
    })?;
    tracing::info!(%address, data = %data.display(), ?role, "ready");

    lifecycle::serve(listener, served, drain, stopped).await?;
    if let Some(gateway) = gateway {
        gateway.closed().await;
    }
    if let Some(traffic) = traffic {
        traffic.abort();
    }
    for task in [sweeper, renewal, Some(watch), Some(follow)].into_iter().flatten() {
        task.abort();
    }
    if let Some(ingest) = ingest {
        ingest.drain(drain).await;
    }
    tracing::info!("stopped");
    Ok(())
}

async fn start_ingest(
    config: &Config,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    clock: Clock,
) -> Result<Ingest, Failure> {
    let (settings, limits, streams) = (config.ingest.clone(), config.limits.clone(), config.stream.clone());
    let source = source::of(config)?;
    Ok(Ingest::start(settings, limits, streams, store, hub, source, clock).await?)
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).map_err(|error| {
        format!("can't listen on {address}: {error}; is another node running? --listen ADDR takes another address, port 0 a free one")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The one place that reads the clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
