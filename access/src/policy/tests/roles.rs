//! What roles give without any rule: a case table, and what holds for every principal.

use proptest::prelude::*;

use super::*;

fn principal(subject: &str, roles: Roles) -> Principal {
    Principal::new(IssuerName::Embedded, subject, subject, roles, Timestamp(0)).unwrap()
}

/// What `alice` with the roles of `scope` may do in a stream of this rule: one letter an action.
fn answers(scope: &str, rule: &TopicRule) -> String {
    let alice = principal("alice", Roles::from_scope(scope));
    let stream = StreamName::new("s").unwrap();
    let [own, foreign] = ["alice", "bob"].map(|topic| Topic::new(topic).unwrap());
    [
        Action::Read { stream: &stream, rule },
        Action::ReadTopic { stream: &stream, rule, topic: &own },
        Action::ReadTopic { stream: &stream, rule, topic: &foreign },
        Action::Write { stream: &stream, rule, topic: &own },
        Action::Write { stream: &stream, rule, topic: &foreign },
        Action::Admin,
    ]
    .map(|action| match decide(&alice, &action) {
        Decision::Allow(ReadScope::All) => 'a',
        Decision::Allow(ReadScope::Within(scope)) if scope.exact() == Some(vec![own.clone()]) => 'o',
        Decision::Allow(ReadScope::Within(_)) => '?',
        Decision::Deny(Denied::MissingRole(_)) => '-',
        Decision::Deny(Denied::ForeignTopic { .. }) => 'x',
        Decision::Deny(Denied::Outside { .. }) => '?',
    })
    .iter()
    .collect()
}

#[test]
fn case_table() {
    // Read, read own, read foreign, write own, write foreign, admin:
    // a = all, o = its own, x = a foreign topic, - = a missing role.
    for (scope, plain, caller) in [
        ("", "------", "------"),
        ("data.read", "aaa---", "oax---"),
        ("data.write", "---aa-", "---ax-"),
        ("data.admin", "-----a", "-----a"),
        ("data.read data.write", "aaaaa-", "oaxax-"),
        ("data.read data.admin", "aaa--a", "aaa--a"),
        ("data.write data.admin", "---aaa", "---axa"),
        ("data.read data.write data.admin", "aaaaaa", "aaaaxa"),
        ("data.Read read data.*", "------", "------"),
    ] {
        for name in ["key", "/topic", "constant:bob"] {
            assert_eq!(answers(scope, &rule(name)), plain, "{scope:?} in a stream of {name}");
        }
        assert_eq!(answers(scope, &rule("caller")), caller, "{scope:?} in a stream of callers");
    }
}

#[test]
fn denials_say_what_to_do() {
    let stream = StreamName::new("notes").unwrap();
    let topic = Topic::new("bob").unwrap();
    let writer = principal("alice", Roles::from([Role::Write]));
    let denied = check(&writer, &Action::Write { stream: &stream, rule: &TopicRule::Caller, topic: &topic })
        .unwrap_err();
    assert_eq!(
        denied.to_string(),
        "stream notes keeps its callers apart: this token reaches only its own topic, alice"
    );
    let denied = read_scope(&writer, &stream, &TopicRule::Key).unwrap_err();
    assert!(denied.to_string().contains("needs the role data.read"), "{denied}");
}

fn roles() -> impl Strategy<Value = Roles> {
    proptest::collection::vec(0..3usize, 0..4)
        .prop_map(|picks| picks.into_iter().map(|n| Role::ALL[n]).collect())
}

fn rules() -> impl Strategy<Value = TopicRule> {
    prop_oneof![
        Just(TopicRule::Key),
        Just(TopicRule::Caller),
        Just(rule("/topic")),
        "[a-c]".prop_map(|t| rule(&format!("constant:{t}")))
    ]
}

proptest! {
    #[test]
    fn another_role_never_takes_a_right_away(
        roles in roles(), more in 0..3usize, rule in rules(), topic in "[a-c]", subject in "[a-c]",
    ) {
        let (less, more) = (principal(&subject, roles.clone()), principal(&subject, roles.with(Role::ALL[more])));
        let stream = StreamName::new("s").unwrap();
        let topic = Topic::new(&topic).unwrap();
        for action in [
            Action::Read { stream: &stream, rule: &rule },
            Action::ReadTopic { stream: &stream, rule: &rule, topic: &topic },
            Action::Write { stream: &stream, rule: &rule, topic: &topic },
            Action::Admin,
        ] {
            if let Decision::Allow(before) = decide(&less, &action) {
                let Decision::Allow(after) = decide(&more, &action) else { panic!("{action:?} was taken away") };
                prop_assert!(after == ReadScope::All || after == before);
            }
        }
    }

    #[test]
    fn reading_a_topic_agrees_with_the_scope(
        roles in roles(), rule in rules(), topic in "[a-c]", subject in "[a-c]",
    ) {
        let principal = principal(&subject, roles);
        let stream = StreamName::new("s").unwrap();
        let topic = Topic::new(&topic).unwrap();
        let scope = read_scope(&principal, &stream, &rule);
        let one = check(&principal, &Action::ReadTopic { stream: &stream, rule: &rule, topic: &topic });
        prop_assert_eq!(one.is_ok(), scope.is_ok_and(|scope| scope.contains(&topic)));
    }

    #[test]
    fn in_a_stream_of_callers_nobody_writes_for_another(roles in roles(), topic in "[a-c]", subject in "[a-c]") {
        let principal = principal(&subject, roles);
        let stream = StreamName::new("s").unwrap();
        let topic = Topic::new(&topic).unwrap();
        let write = Action::Write { stream: &stream, rule: &TopicRule::Caller, topic: &topic };
        prop_assert!(check(&principal, &write).is_err() || topic.as_str() == subject);
    }
}
