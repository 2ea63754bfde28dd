//! What holds for all rules: their order means nothing, and what is narrower never gives more.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

/// A rule in the small world of streams `a`, `ab`, `b` and topics of `a` and `b`.
#[derive(Clone, Debug)]
struct Small {
    allows: bool,
    roles: Vec<&'static str>,
    unless: Vec<&'static str>,
    streams: Vec<&'static str>,
    topics: Vec<&'static str>,
    rights: Vec<&'static str>,
    fields: Vec<&'static str>,
}

const ROLES: [&str; 3] = ["data.read", "p", "q"];
const STREAMS: [&str; 4] = ["*", "a*", "a", "b"];
const TOPICS: [&str; 6] = ["*", "a*", "*a", "ab", "{sub}", "{claim:tenant}*"];

fn small() -> impl Strategy<Value = Small> {
    let some = |all: &'static [&'static str], least| subsequence(all.to_vec(), least..=all.len());
    (
        any::<bool>(),
        some(&ROLES, 0),
        some(&ROLES, 0),
        some(&STREAMS, 1),
        some(&TOPICS, 0),
        some(&["read", "write"], 1),
        some(&["/x", "/y/z"], 0),
    )
        .prop_map(|(allows, roles, unless, streams, topics, rights, fields)| Small {
            roles: if allows && roles.is_empty() { vec!["p"] } else { roles },
            unless: if unless.len() == ROLES.len() { Vec::new() } else { unless },
            fields: if allows { Vec::new() } else { fields },
            allows,
            streams,
            topics,
            rights,
        })
}

fn policy(rules: &[Small]) -> Policy {
    let text: String = rules
        .iter()
        .map(|rule| {
            let hides = !rule.fields.is_empty();
            let (topics, rights) = if hides { (vec![], vec![]) } else { (rule.topics.clone(), rule.rights.clone()) };
            format!(
                "[[rule]]\neffect = \"{}\"\nissuers = [\"corp\"]\nroles = {:?}\nunless_roles = {:?}\nstreams = {:?}\n\
                 topics = {topics:?}\nrights = {rights:?}\nfields = {:?}\n",
                if rule.allows { "allow" } else { "deny" },
                rule.roles,
                rule.unless,
                rule.streams,
                rule.fields
            )
        })
        .collect();
    let settings = if text.is_empty() { Vec::new() } else { settings(&text).unwrap() };
    Policy::new(settings, ["corp"]).unwrap()
}

/// All that a caller may do in the small world: the set of what is answered by yes.
fn all(policy: &Policy, scope: &str, tenants: &[&str]) -> std::collections::BTreeSet<String> {
    let who = caller(policy, "a", scope, tenants);
    let mut may = std::collections::BTreeSet::new();
    for name in ["a", "ab", "b"] {
        let stream = stream(name);
        for rule in [TopicRule::Key, TopicRule::Caller] {
            for of in ["a", "b", "ab", "ba", "corp/a", "corp/b"] {
                let topic = topic(of);
                if check(&who, &Action::ReadTopic { stream: &stream, rule: &rule, topic: &topic }).is_ok() {
                    may.insert(format!("read {name} {rule:?} {of}"));
                }
                if check(&who, &Action::Write { stream: &stream, rule: &rule, topic: &topic }).is_ok() {
                    may.insert(format!("write {name} {rule:?} {of}"));
                }
            }
        }
        // What is seen of a stream that can't be read is nothing.
        if let Some(hidden) = sees(&who, &stream) {
            let hidden: Vec<String> = hidden.paths().map(ToString::to_string).collect();
            let shown = ["/x", "/y/z"].into_iter().filter(|path| !hidden.iter().any(|hidden| hidden == path));
            may.extend(shown.map(|path| format!("see {name} {path}")));
        }
    }
    may
}

fn scopes() -> impl Strategy<Value = String> {
    subsequence(ROLES.to_vec(), 0..=ROLES.len()).prop_map(|roles| roles.join(" "))
}

/// `rule` with one thing less of what it gives or is for.
fn narrower(rule: &Small, which: usize, topic: &'static str) -> Small {
    let mut less = rule.clone();
    match which {
        // One role less, but not none, which would be all.
        0 if less.roles.len() > 1 => drop(less.roles.pop()),
        1 if less.streams.len() > 1 => drop(less.streams.remove(0)),
        // Topics are named where none were: not all of a stream's any more.
        2 if less.topics.is_empty() => less.topics = vec!["{sub}"],
        2 | 3 if less.topics.len() > 1 => drop(less.topics.remove(0)),
        4 if less.rights.len() > 1 => drop(less.rights.pop()),
        5 if !less.unless.contains(&"q") => less.unless.push("q"),
        _ if less.streams.contains(&"*") => less.streams = vec![if topic == "ab" { "b" } else { "a*" }],
        _ => {}
    }
    less
}

proptest! {
    #[test]
    fn the_order_of_rules_changes_nothing(
        rules in proptest::collection::vec(small(), 0..5), scope in scopes(), turn in 0..5usize,
    ) {
        let before = all(&policy(&rules), &scope, &["b"]);
        let mut turned = rules.clone();
        turned.rotate_left(turn.min(rules.len()));
        prop_assert_eq!(&before, &all(&policy(&turned), &scope, &["b"]));
        turned.reverse();
        prop_assert_eq!(&before, &all(&policy(&turned), &scope, &["b"]));
    }

    #[test]
    fn another_rule_that_allows_takes_nothing_and_one_that_denies_gives_nothing(
        rules in proptest::collection::vec(small(), 0..4), more in small(), scope in scopes(),
    ) {
        let before = all(&policy(&rules), &scope, &["b"]);
        let with = [rules, vec![more.clone()]].concat();
        let after = all(&policy(&with), &scope, &["b"]);
        if more.allows {
            prop_assert!(before.is_subset(&after), "taken: {:?}", before.difference(&after));
        } else {
            prop_assert!(after.is_subset(&before), "given: {:?}", after.difference(&before));
        }
    }

    #[test]
    fn a_narrower_rule_that_allows_never_gives_more(
        rules in proptest::collection::vec(small(), 0..4), one in small(), which in 0..7usize,
        topic in select(TOPICS.to_vec()), scope in scopes(),
    ) {
        // In streams that keep callers apart, naming topics is more than naming none: this is about the others.
        let plain = |set: std::collections::BTreeSet<String>| -> std::collections::BTreeSet<String> {
            set.into_iter().filter(|line| !line.contains("Caller")).collect()
        };
        let one = Small { allows: true, fields: Vec::new(), roles: if one.roles.is_empty() { vec!["p"] } else { one.roles.clone() }, ..one };
        let wide = plain(all(&policy(&[rules.clone(), vec![one.clone()]].concat()), &scope, &["b"]));
        let narrow = plain(all(&policy(&[rules, vec![narrower(&one, which, topic)]].concat()), &scope, &["b"]));
        prop_assert!(narrow.is_subset(&wide), "given: {:?}", narrow.difference(&wide));
    }

    #[test]
    fn fewer_claims_never_give_more(rules in proptest::collection::vec(small(), 0..5), scope in scopes()) {
        let with = all(&policy(&rules), &scope, &["b"]);
        let without = all(&policy(&rules), &scope, &[]);
        prop_assert!(without.is_subset(&with), "given: {:?}", without.difference(&with));
    }

    #[test]
    fn a_topic_is_read_where_the_scope_holds_it(
        rules in proptest::collection::vec(small(), 0..5), scope in scopes(), of in "[ab]{1,3}", apart in any::<bool>(),
    ) {
        let policy = policy(&rules);
        let who = caller(&policy, "a", &scope, &["b"]);
        let (stream, topic) = (stream("a"), topic(&of));
        let rule = if apart { TopicRule::Caller } else { TopicRule::Key };
        let within = read_scope(&who, &stream, &rule).is_ok_and(|scope| scope.contains(&topic));
        let one = check(&who, &Action::ReadTopic { stream: &stream, rule: &rule, topic: &topic });
        prop_assert_eq!(one.is_ok(), within);
        if let Ok(ReadScope::Within(scope)) = read_scope(&who, &stream, &rule) {
            let begins = scope.prefixes().iter().any(|prefix| of.starts_with(prefix));
            prop_assert!(!within || begins, "{:?}", scope.prefixes());
            if let Some(exact) = scope.exact() {
                prop_assert_eq!(exact.contains(&topic), within);
            }
        }
    }
}
