//! Faults that pass: the caller is answered as if nothing had been, only later.

use std::time::Duration;

use crate::testing::errors;

use super::operation::Ready;
use super::*;

/// So many requests in a row meet it.
const TIMES: usize = 2;

fn troubles() -> Vec<(&'static str, Trouble)> {
    vec![
        ("overloaded", Trouble::Refused(errors::overloaded())),
        ("unavailable", Trouble::Refused(errors::unavailable())),
        ("read time-out", Trouble::Refused(errors::read_timeout())),
        ("write time-out, not done", Trouble::Refused(errors::write_timeout())),
        ("write time-out, though done", Trouble::DoneBut(errors::write_timeout())),
        ("server error", Trouble::Refused(errors::server_error())),
        ("no answer, not done", Trouble::Dropped),
        ("done after it was given up", Trouble::Late(Duration::from_millis(700))),
        ("connection cut, not done", Trouble::Cut),
        ("connection cut, though done", Trouble::DoneAndCut),
        ("statement forgotten", Trouble::Unprepared),
    ]
}

/// How many requests it takes, without the trouble that there may be.
async fn measure(store: &Scylla, operation: Operation, ready: &Ready) -> (usize, Result<(), String>) {
    let (sent, done) = requests(store, operation.run(store, ready)).await;
    (sent, done.map_err(|error| format!("{error:?}")))
}

/// What came of a fault in each operation: how many requests more it took.
async fn put_to_the_test(name: &str, trouble: &Trouble) -> String {
    let mut proxy = Proxy::start(server()).await;
    let (store, straight) = (open_through(&proxy, 400, 15_000).await, open().await);
    let mut line = format!("| {name} |");
    for operation in Operation::ALL {
        let calm = operation.prepare(&store, &straight).await;
        let (least, done) = measure(&store, operation, &calm).await;
        assert_eq!(done, Ok(()), "{operation:?}, without a fault");
        let ready = operation.prepare(&store, &straight).await;
        proxy.trouble(&operation.statement(&store), TIMES, trouble);
        let (sent, done) = measure(&store, operation, &ready).await;
        proxy.peace();
        assert_eq!(done, Ok(()), "{name}: {operation:?}");
        assert!(operation.is_done(&straight, &ready).await, "{name}: {operation:?}");
        // The driver asks again by itself only where a statement is forgotten.
        assert!(sent > least || matches!(trouble, Trouble::Unprepared), "{name}: {operation:?}");
        line += &format!(" {} |", sent - least.min(sent));
    }
    let ready = Operation::Batch.prepare(&store, &straight).await;
    Operation::all_works(&store, &ready).await;
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_not_seen() {
    if left_out() {
        return;
    }
    let troubles = troubles();
    let lines = troubles.iter().map(|(name, trouble)| put_to_the_test(name, trouble));
    let lines = futures_util::future::join_all(lines).await;
    println!("requests more than without the fault, which came {TIMES} times:\n{:?}", Operation::ALL);
    println!("{}", lines.join("\n"));
}
