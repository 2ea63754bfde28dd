//! The CQL server that tests use: the one that `TIDEGATE_TEST_CQL` names. `cargo xtask test` starts one.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use schema::{Clock, StreamName, Timestamp};

use crate::StoreError;
use crate::scylla::{Scylla, ScyllaOptions, migrate};

const VARIABLE: &str = "TIDEGATE_TEST_CQL";
/// Whom to log in as there; nobody logs in where it is not set.
const USER: &str = "TIDEGATE_TEST_CQL_USER";
const PASSWORD: &str = "TIDEGATE_TEST_CQL_PASSWORD";

/// The keyspace that all tests share, as each uses streams of its own: making one takes seconds.
pub const KEYSPACE: &str = "tidegate_test";

/// Whether `TIDEGATE_WITHOUT` names `cql`.
pub fn left_out() -> bool {
    let without = std::env::var("TIDEGATE_WITHOUT").unwrap_or_default();
    without.split([',', ' ']).any(|need| need == "cql")
}

/// The server.
///
/// # Panics
/// If no server is named, or there is no such host.
#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
pub fn server() -> SocketAddr {
    let named = std::env::var(VARIABLE);
    let named = named.expect(
        "TIDEGATE_TEST_CQL must name a CQL server as HOST:PORT: `cargo xtask test` starts one; TIDEGATE_WITHOUT=cql leaves this out",
    );
    let mut found = named.to_socket_addrs().expect("TIDEGATE_TEST_CQL is no HOST:PORT");
    found.next().expect("TIDEGATE_TEST_CQL names a host without an address")
}

/// Options for a keyspace of the server at `address`.
pub fn options_at(address: SocketAddr, keyspace: &str) -> ScyllaOptions {
    let url = format!("scylla://{address}/{keyspace}");
    let user = std::env::var(USER).unwrap_or_default();
    ScyllaOptions { url, user, replication_factor: 1, ..ScyllaOptions::default() }
}

/// The password of whoever logs in there.
pub fn password() -> String {
    std::env::var(PASSWORD).unwrap_or_default()
}

/// Opens the keyspace of `options`, after bringing it to this binary's schema.
///
/// # Errors
/// [`StoreError::Open`] as for [`Scylla::open`].
pub async fn open(options: &ScyllaOptions) -> Result<Scylla, StoreError> {
    static MIGRATED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let straight = ScyllaOptions { url: options_at(server(), KEYSPACE).url, ..options.clone() };
    let (clock, password): (Clock, _) = (Arc::new(now), password());
    MIGRATED.get_or_try_init(|| migrate::run(&straight, &password, false, |_| {})).await?;
    Scylla::open(options, &password, clock).await
}

/// The machine's time.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A name that no run has used.
pub fn fresh(purpose: &str) -> String {
    static USED: AtomicU64 = AtomicU64::new(0);
    let number = USED.fetch_add(1, Ordering::Relaxed);
    format!("{purpose}_{:x}_{:x}_{number}", std::process::id(), now().0)
}

/// A stream that no run has used.
///
/// # Panics
/// If `purpose` can't begin a stream's name.
#[expect(clippy::expect_used, reason = "a test fails where it can't go on")]
pub fn fresh_stream(purpose: &str) -> StreamName {
    StreamName::new(&fresh(purpose)).expect("the name of a stream")
}
