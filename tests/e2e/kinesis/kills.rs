//! Workers are killed at moments drawn from a seed, one of three at a time, and started again: every message that was
//! acknowledged is there once, in order. `TIDEGATE_SEED=n` draws the same again.

use std::thread;
use std::time::{Duration, Instant};

use super::cluster::{Cluster, STREAM, balanced};
use super::watch::Watch;
use super::{asked, check};
use crate::support::Turns;
use crate::support::kinesis::Emulator;
use crate::support::kinesis::producer::Plan;

/// How many, unless `TIDEGATE_KILLS` asks for more.
const KILLS: u64 = 6;

#[test]
fn kills_of_one_of_three_workers_lose_nothing_and_repeat_nothing() {
    let mut turns = Turns::seeded();
    let (seed, began) = (turns.seed(), Instant::now());
    let Some(mut cluster) = Cluster::start("workers that are killed", Emulator::start(), 6) else { return };
    let client = cluster.client();
    balanced(&client, 3);
    let watch = Watch::from_now(&client);
    let plan = Plan { seed, keys: 30, count: None, rate: Some(60), is_mixed: true };
    let producer = cluster.emulator.produce(STREAM, &plan);
    let kills = asked("TIDEGATE_KILLS").unwrap_or(KILLS);
    for kill in 1..=kills {
        let context = format!("seed {seed}, after kill {kill}");
        thread::sleep(Duration::from_millis(turns.below(2_500) as u64));
        let worker = &mut cluster.workers[turns.below(3)];
        worker.kill_9();
        if turns.below(3) == 0 {
            check::checkpoints(&client, || producer.acks(), &context);
        }
        // Some are away for longer than a lease lasts, and some come back before anybody knows.
        thread::sleep(Duration::from_millis([0, 500, 4_500][turns.below(3)]));
        // Some die again before they have found their feet.
        if turns.below(4) == 0 {
            worker.start_and_kill_9(Duration::from_millis(turns.below(1_000) as u64));
        }
        worker.restart();
        if turns.below(4) == 0 {
            let open = cluster.emulator.open_shards(STREAM);
            cluster.emulator.split(STREAM, &open[turns.below(open.len())]);
        }
    }
    let context = format!("seed {seed}, after {kills} kills");
    let acks = producer.stop();
    let taken = check::all_is_there(&client, &watch, &acks, &context);
    check::checkpoints(&client, || acks.clone(), &context);
    println!("{context}: {} acknowledged, there {taken:?} later; {:?}", acks.len(), began.elapsed());
    assert!(acks.len() > 40 * kills as usize, "{context}: too little to say anything");
}
