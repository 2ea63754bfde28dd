//! Faults that last: a call gives up within its time, what was in doubt is settled later, and the store works again.

use std::time::{Duration, Instant};

use crate::testing::errors;

use super::*;
use crate::StoreError;

/// Longest that a request and a call may take, in milliseconds.
const REQUEST_MS: u64 = 200;
const CALL_MS: u64 = 900;
/// A call asks for several things, one after the other, each of which has its time; and machines are slow.
const PATIENCE: Duration = Duration::from_secs(30);

fn troubles() -> [(&'static str, Trouble); 4] {
    [
        ("overloaded", Trouble::Refused(errors::overloaded())),
        ("write time-out, though done", Trouble::DoneBut(errors::write_timeout())),
        ("no answer", Trouble::Dropped),
        ("connection cut", Trouble::Cut),
    ]
}

async fn put_to_the_test(name: &str, trouble: &Trouble) {
    let mut proxy = Proxy::start(server()).await;
    let (store, straight) = (open_through(&proxy, REQUEST_MS, CALL_MS).await, open().await);
    for operation in Operation::ALL {
        let ready = operation.prepare(&store, &straight).await;
        proxy.trouble(&operation.statement(&store), usize::MAX, trouble);
        let began = Instant::now();
        let done = operation.run(&store, &ready).await;
        assert!(began.elapsed() < PATIENCE, "{name}: {operation:?} took {:?}", began.elapsed());
        match done {
            Err(StoreError::Unavailable { .. }) => {}
            // A serial read has found that it was done.
            Ok(()) => assert!(operation.is_done(&straight, &ready).await, "{name}: {operation:?}"),
            Err(error) => panic!("{name}: {operation:?}: {error:?}"),
        }
        proxy.peace();
        // The same store, and the same call.
        let began = Instant::now();
        while let Err(error) = operation.run(&store, &ready).await {
            assert!(began.elapsed() < PATIENCE, "{name}: {operation:?} does not come back: {error:?}");
        }
        assert!(operation.is_done(&straight, &ready).await, "{name}: {operation:?}");
    }
    let ready = Operation::Batch.prepare(&store, &straight).await;
    Operation::all_works(&store, &ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_gives_up_in_time_and_may_be_made_again() {
    if left_out() {
        return;
    }
    let troubles = troubles();
    let tests = troubles.iter().map(|(name, trouble)| put_to_the_test(name, trouble));
    futures_util::future::join_all(tests).await;
}

/// Those that wait for their turn wait no longer than those that have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_turn_is_part_of_a_calls_time() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let options = options_at(proxy.address(), KEYSPACE);
    let options = ScyllaOptions { requests_max: 1, request_ms: 2_000, call_ms: 3_000, ..options };
    let store = cql::open(&options).await.unwrap();
    proxy.trouble(&Operation::Read.statement(&store), usize::MAX, &Trouble::Dropped);
    let straight = open().await;
    let ready = Operation::Read.prepare(&straight, &straight).await;
    let began = Instant::now();
    let calls = (0..30).map(|_| Operation::Read.run(&store, &ready));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_err));
    // One after the other they would take a minute, at two seconds each.
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}
