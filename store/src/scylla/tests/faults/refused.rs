//! Errors that are the request's own fault: it is not made again.

use crate::testing::errors;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_work_is_not_tried_again() {
    if left_out() {
        return;
    }
    let mut proxy = Proxy::start(server()).await;
    let (store, straight) = (open_through(&proxy, 5_000, 60_000).await, open().await);
    for error in [errors::invalid(), errors::syntax_error(), errors::unauthorized(), errors::config_error()] {
        for operation in Operation::ALL {
            let ready = operation.prepare(&store, &straight).await;
            // Were it asked a second time, it would work.
            proxy.trouble(&operation.statement(&store), 1, &Trouble::Refused(error.clone()));
            let done = operation.run(&store, &ready).await;
            let failed = format!("{:?}", done.expect_err(&format!("{operation:?} was asked again")));
            assert!(failed.contains(&format!("{error:?}")), "{operation:?}: {failed}");
            if !matches!(operation, Operation::Read | Operation::Ids) {
                assert!(!operation.is_done(&straight, &ready).await, "{operation:?}");
            }
            operation.run(&store, &ready).await.unwrap();
            assert!(operation.is_done(&straight, &ready).await, "{operation:?}");
            proxy.peace();
        }
    }
}
