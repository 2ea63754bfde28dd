//! Whatever comes in whatever order: the machine stands, and what it promises holds.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::{Machine, Output, Run, Step};

const TEXTS: [&str; 15] = [
    r#"{"type":"connection_init","payload":{"Authorization":"Bearer alice"}}"#,
    r#"{"type":"connection_init"}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"pong"}"#,
    r#"{"id":"a","type":"subscribe","payload":{"query":"{x}"}}"#,
    r#"{"id":"b","type":"subscribe","payload":{"query":"{x}"}}"#,
    r#"{"id":"c","type":"subscribe","payload":{"query":"{x}"}}"#,
    r#"{"id":"a","type":"complete"}"#,
    r#"{"id":"b","type":"complete"}"#,
    r#"{"id":"c","type":"complete"}"#,
    r#"{"id":"","type":"complete"}"#,
    r#"{"type":"start"}"#,
    "{",
    "\u{0}",
    r#"{"id":"a","type":"subscribe","payload":{"query":7}}"#,
];

/// Mostly what does not end the socket, so that sequences get somewhere.
fn step() -> impl Strategy<Value = Step> {
    let runs = 1_u64..8;
    prop_oneof![
        20 => (2_usize..10).prop_map(|at| Step::Text(TEXTS[at])),
        1 => (0_usize..TEXTS.len()).prop_map(|at| Step::Text(TEXTS[at])),
        1 => Just(Step::Binary),
        1 => Just(Step::Revoked),
        8 => runs.clone().prop_map(|run| Step::Next(run, "1")),
        4 => runs.clone().prop_map(|run| Step::Answered(run, "{}")),
        2 => runs.clone().prop_map(|run| Step::Refused(run, "{}")),
        2 => runs.clone().prop_map(Step::Failed),
        4 => runs.prop_map(Step::Complete),
        4 => (0_u64..9_000).prop_map(Step::Wait),
        2 => Just(Step::Waits),
        2 => Just(Step::Takes),
        2 => Just(Step::Taken),
    ]
}

/// What may be said of an operation.
#[derive(Default)]
struct Seen {
    running: HashMap<Run, String>,
    ended: HashSet<Run>,
    is_closed: bool,
    is_acknowledged: bool,
}

impl Seen {
    fn note(&mut self, machine: &Machine, step: Step, output: &Output) {
        assert!(!self.is_closed, "{step:?} after a close");
        match output {
            Output::Start(run, _) => {
                assert!(self.is_acknowledged && !self.ended.contains(run));
                let Step::Text(text) = step else { panic!("{step:?} starts") };
                let id = text[7..8].to_owned();
                assert!(self.running.values().all(|running| *running != id), "{id} twice");
                assert!(self.running.insert(*run, id).is_none() && self.running.len() <= 2);
            }
            Output::Next(run, ..) => {
                assert!(self.running.contains_key(run), "next of what does not run");
                if matches!(step, Step::Answered(..)) {
                    self.end(*run);
                }
            }
            Output::Stop(run) => self.end(*run),
            Output::Text(text) => self.text(machine, step, &super::text(text)),
            Output::Close(close) => {
                assert!(close.reason.len() <= 123);
                self.is_closed = true;
            }
            Output::Drop => self.is_closed = true,
            Output::SignedIn(_) => assert!(!self.is_acknowledged),
            Output::Ping => {}
            Output::Verify(_) => panic!("nobody has verified it"),
        }
    }

    fn text(&mut self, machine: &Machine, step: Step, text: &str) {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        match (value["type"].as_str().unwrap(), step) {
            ("connection_ack", _) => self.is_acknowledged = true,
            ("pong", Step::Text(_)) => {}
            // One too many was refused, and never ran.
            ("error", Step::Text(_)) => assert_eq!(self.running.len(), 2),
            ("complete", Step::Answered(..)) => {}
            ("complete", Step::Complete(run)) | ("error", Step::Refused(run, _) | Step::Failed(run)) => {
                self.end(machine.runs[usize::try_from(run).unwrap() - 1]);
            }
            _ => panic!("{step:?} says {text}"),
        }
    }

    fn end(&mut self, run: Run) {
        assert!(self.running.remove(&run).is_some(), "the end of what does not run");
        self.ended.insert(run);
    }
}

proptest! {
    #[test]
    fn any_sequence(has_init in any::<bool>(), steps in prop::collection::vec(step(), 0..60)) {
        let mut machine = Machine::new(None);
        let mut seen = Seen::default();
        let init = has_init.then_some(super::INIT);
        for step in init.into_iter().chain(steps) {
            let outputs = machine.step(step);
            for output in &outputs {
                seen.note(&machine, step, output);
            }
            machine.show(outputs);
            let now = machine.now();
            machine.protocol.timers().next(now);
        }
    }

    #[test]
    fn any_text(text in ".{0,80}") {
        let mut machine = Machine::new(Some("Bearer alice"));
        machine.step(Step::Text(TEXTS[1]));
        let outputs = machine.step(Step::Text(String::leak(text)));
        prop_assert!(outputs.len() <= 1);
    }
}
