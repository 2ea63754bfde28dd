//! Three workers share the shards of a stream: one leaves, one is killed, one sleeps through the loss of its leases, and all
//! come back, while messages come in all the time.

use std::collections::BTreeMap;
use std::thread;

use super::cluster::{Cluster, STREAM, balanced, is_of, loads, partitions};
use super::watch::Watch;
use super::{check, lasting};
use crate::support::kinesis::Emulator;
use crate::support::kinesis::producer::Plan;
use crate::support::{Turns, tidegate, until};

#[test]
fn workers_that_leave_die_and_sleep_are_replaced() {
    let seed = Turns::seeded().seed();
    let context = format!("seed {seed}");
    let Some(mut cluster) = Cluster::start("workers that share Kinesis's shards", Emulator::start(), 8)
    else {
        return;
    };
    let client = cluster.client();
    let all = balanced(&client, 3);
    what_is_listed(&cluster, &all);
    let watch = Watch::from_now(&client);
    let plan = Plan { seed, keys: 24, count: None, rate: Some(100), is_mixed: true };
    let producer = cluster.emulator.produce(STREAM, &plan);
    producer.wait_for(100);

    // Stopped in order, it hands over what it had: nobody waits for a lease to expire.
    cluster.workers[0].terminate();
    assert_eq!(cluster.workers[0].wait().code(), Some(0), "{context}: {}", cluster.workers[0].log());
    let still = loads(&client).into_keys().flatten().any(|owner| is_of(&owner, &cluster.workers[0]));
    assert!(!still, "{context}: who left has some still: {:?}", loads(&client));
    let two = balanced(&client, 2);
    check::checkpoints(&client, || producer.acks(), &context);

    // Killed, it is found out.
    cluster.workers[1].kill_9();
    let one = balanced(&client, 1);
    assert!(two.contains(&one[0]) && is_of(&one[0], &cluster.workers[2]), "{context}: {one:?} of {two:?}");
    check::checkpoints(&client, || producer.acks(), &context);

    cluster.workers[0].restart();
    cluster.workers[1].restart();
    let three = balanced(&client, 3);
    assert_eq!(
        three.iter().filter(|owner| all.contains(owner)).count(),
        1,
        "{context}: a new life has a new name"
    );

    // Asleep, it loses its leases, and does no harm when it wakes and takes itself for their owner.
    cluster.workers[2].signal("STOP");
    let others = until(
        "the sleeper's shards to be taken",
        || loads(&client),
        |loads| (loads.len() == 2).then(|| loads.keys().cloned().collect::<Vec<_>>()),
    );
    assert!(!others.contains(&Some(one[0].clone())), "{context}: {others:?}, {one:?} sleeps");
    thread::sleep(lasting(1));
    cluster.workers[2].signal("CONT");
    check::checkpoints(&client, || producer.acks(), &context);
    balanced(&client, 3);
    let acks = producer.stop();
    let taken = check::all_is_there(&client, &watch, &acks, &context);
    check::checkpoints(&client, || acks.clone(), &context);
    let ready: BTreeMap<_, _> =
        cluster.workers.iter().map(|worker| (worker.process(), worker.get("/readyz").status)).collect();
    assert!(ready.values().all(|status| *status == 200), "{context}: {ready:?}");
    assert_eq!(partitions(&client).len(), 8, "{context}");
    println!("{context}: {} acknowledged, there {taken:?} later", acks.len());
}

/// Each shard is listed with its owner, and with what that says of itself, by a node that has none.
fn what_is_listed(cluster: &Cluster, owners: &[String]) {
    let (folder, data) = (cluster.gateway.folder(), cluster.gateway.data().display().to_string());
    let lines = until(
        "all owners to say how they are doing",
        || tidegate(folder, &["streams", STREAM, "--data", &data], "").stdout,
        |listed| {
            let lines: Vec<Vec<String>> = listed
                .lines()
                .skip(1)
                .map(|line| line.split_whitespace().map(ToOwned::to_owned).collect())
                .collect();
            (lines.len() == 8 && lines.iter().all(|cells| cells.get(2).is_some_and(|lag| lag != "-")))
                .then_some(lines)
        },
    );
    for cells in lines {
        let [_, owner, lag, age, numbers @ ..] = &cells[..] else { panic!("{cells:?}") };
        assert!(owners.contains(owner), "{cells:?} of {owners:?}");
        let seconds = |text: &String| text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok());
        assert!(seconds(lag).is_some() && seconds(age).is_some(), "{cells:?}");
        assert!(
            numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u64>().is_ok()),
            "{cells:?}"
        );
    }
}
