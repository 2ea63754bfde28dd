//! What the benches share: a clock that counts work and not waiting, and a table. `README.md` says what each bench tells.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::fmt::Display;
use std::hint::black_box;

/// CPU time of this whole process so far, in nanoseconds: all threads, user and system.
pub fn cpu_ns() -> u64 {
    cpu_ns_where(|_| true)
}

/// As [`cpu_ns`], without the threads whose name begins so. It has at most 15 bytes.
pub fn cpu_ns_without(name: &str) -> u64 {
    cpu_ns_where(|task| !std::fs::read_to_string(task.join("comm")).unwrap_or_default().starts_with(name))
}

fn cpu_ns_where(counts: impl Fn(&std::path::Path) -> bool) -> u64 {
    // A thread's time is added up when it leaves its processor; else every few milliseconds only.
    std::thread::yield_now();
    let tasks = std::fs::read_dir("/proc/self/task").expect("a Linux with /proc");
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0)
    };
    tasks.flatten().filter(|task| counts(&task.path())).map(of).sum()
}

/// A figure of this process's memory, such as `VmRSS`, in bytes.
pub fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux with /proc");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.expect("a figure") << 10
}

/// From now on, `VmHWM` is the peak since now.
pub fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("a Linux with /proc");
}

/// Runs that are timed as one.
const RUNS: u64 = 50;

/// The least CPU time of a run of `work` in `rounds` of 50 runs, in nanoseconds, after one that is not counted.
///
/// The least, as everything else that a shared machine does only adds.
pub fn least_cpu_ns<T>(rounds: usize, mut work: impl FnMut() -> T) -> u64 {
    black_box(work());
    let round = |_| {
        let before = cpu_ns();
        for _ in 0..RUNS {
            black_box(work());
        }
        (cpu_ns() - before) / RUNS
    };
    (0..rounds).map(round).min().unwrap_or(0)
}

/// Prints one line of a table.
pub fn row(name: &str, value: impl Display, ratio: Option<f64>) {
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    println!("{name:<58} {value:>16} {ratio:>8}");
}
