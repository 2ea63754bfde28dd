//! Steps with their times, and the table of them at the end.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::Failure;

/// The last row's name.
const TOGETHER: &str = "together";

/// What became of the steps so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    taken: Duration,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Passed,
    Failed(String),
    LeftOut(String),
}

impl Report {
    /// Runs a step, whatever became of those before, and tells whether it passed.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<(), Failure>) -> bool {
        println!("\n── {name}");
        let started = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(failure) => {
                eprintln!("error: {failure}");
                Outcome::Failed(failure.to_string())
            }
        };
        let passed = matches!(outcome, Outcome::Passed);
        self.rows.push(Row { name: name.to_owned(), taken: started.elapsed(), outcome });
        passed
    }

    /// Notes a step that is not run, so that it is not taken for one that passed.
    pub(crate) fn left_out(&mut self, name: &str, reason: &str) {
        println!("\n── {name}: LEFT OUT, {reason}");
        let outcome = Outcome::LeftOut(reason.to_owned());
        self.rows.push(Row { name: name.to_owned(), taken: Duration::ZERO, outcome });
    }

    /// Prints the table; fails if a step failed.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        println!("\n{}", self.table());
        let failed = |row: &&Row| matches!(row.outcome, Outcome::Failed(_));
        match self.rows.iter().filter(failed).count() {
            0 => Ok(()),
            count => Err(format!("{count} of {} steps failed", self.rows.len()).into()),
        }
    }

    fn table(&self) -> String {
        let names = self.rows.iter().map(|row| row.name.as_str()).chain([TOGETHER]);
        let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
        let mut table = String::new();
        for Row { name, taken, outcome } in &self.rows {
            let outcome = match outcome {
                Outcome::Passed => "ok".to_owned(),
                Outcome::Failed(why) => format!("FAILED: {}", why.lines().next().unwrap_or_default()),
                Outcome::LeftOut(why) => format!("LEFT OUT: {why}"),
            };
            let _ = writeln!(table, "{name:width$}  {:7.1} s  {outcome}", taken.as_secs_f64());
        }
        let total: Duration = self.rows.iter().map(|row| row.taken).sum();
        let _ = write!(table, "{TOGETHER:width$}  {:7.1} s", total.as_secs_f64());
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_report_and_later_steps_still_run() {
        let mut report = Report::default();
        assert!(!report.step("first", || Err("no".into())));
        assert!(report.step("second", || Ok(())));
        let failure = report.finish().expect_err("the first step failed");
        assert_eq!(failure.to_string(), "1 of 2 steps failed");
    }

    #[test]
    fn the_table_tells_each_outcome() {
        let row = |name: &str, seconds, outcome| Row {
            name: name.to_owned(),
            taken: Duration::from_secs(seconds),
            outcome,
        };
        let rows = vec![
            row("build", 90, Outcome::Passed),
            row("tests", 5, Outcome::Failed("why\nand more".to_owned())),
            row("page", 0, Outcome::LeftOut("asked".to_owned())),
        ];
        let expect = "build        90.0 s  ok\n\
                      tests         5.0 s  FAILED: why\n\
                      page          0.0 s  LEFT OUT: asked\n\
                      together     95.0 s";
        assert_eq!(Report { rows }.table(), expect);
    }
}
