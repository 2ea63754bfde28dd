//! What rules give and take: a case table.

use super::*;

const RULES: &str = r#"
[[rule]]
effect = "allow"
roles = ["partner"]
issuers = ["corp"]
streams = ["orders", "bills-*"]
topics = ["{claim:tenant}/*", "public"]
rights = ["read"]

[[rule]]
effect = "allow"
roles = ["partner"]
streams = ["clicks"]
topics = ["{sub}"]
rights = ["read", "write"]

[[rule]]
effect = "allow"
issuers = ["corp"]
clients = ["app"]
streams = ["notes"]
topics = ["corp/team-*"]
rights = ["read", "write"]

[[rule]]
effect = "deny"
roles = ["partner", "data.read"]
unless_roles = ["auditor"]
streams = ["*"]
topics = ["*/secret"]

[[rule]]
effect = "deny"
unless_roles = ["auditor"]
streams = ["orders"]
fields = ["/card", "/items/*/price"]

[[rule]]
effect = "deny"
roles = ["guest"]
streams = ["*"]
rights = ["write", "admin"]

[[rule]]
effect = "allow"
roles = ["operator"]
streams = ["orders", "clicks"]
rights = ["admin"]
"#;

/// What a caller may do with a topic: `r`, `w`; `-` neither.
fn rights(who: &Principal, name: &str, of: &str, rule: &TopicRule) -> String {
    let (stream, topic) = (stream(name), topic(of));
    let may = |action| check(who, &action).is_ok();
    let read = may(Action::ReadTopic { stream: &stream, rule, topic: &topic });
    let write = may(Action::Write { stream: &stream, rule, topic: &topic });
    [(read, 'r'), (write, 'w')].iter().filter(|(is, _)| *is).map(|(_, letter)| *letter).collect()
}

#[test]
fn case_table() {
    let policy = Policy::new(settings(RULES).unwrap(), ["corp"]).unwrap();
    let key = TopicRule::Key;
    for (scope, tenants, stream, topic, expect) in [
        // A partner reads what is its tenant's, and what is public.
        ("partner", &["acme"][..], "orders", "acme/1", "r"),
        ("partner", &["acme"], "bills-2026", "acme/1", "r"),
        ("partner", &["acme"], "bills", "acme/1", ""),
        ("partner", &["acme"], "orders", "public", "r"),
        ("partner", &["acme"], "orders", "globex/1", ""),
        ("partner", &["acme"], "orders", "acme", ""),
        ("partner", &["acme"], "other", "acme/1", ""),
        ("partner", &["acme", "globex"], "orders", "globex/1", "r"),
        // A pattern is not what a claim can hold.
        ("partner", &["*"], "orders", "acme/1", ""),
        ("partner", &["*"], "orders", "*/1", "r"),
        // Without the claim, nothing of the patterns that name it.
        ("partner", &[], "orders", "acme/1", ""),
        ("partner", &[], "orders", "/1", ""),
        ("partner", &[], "orders", "public", "r"),
        // Its own topic is its own issuer's.
        ("partner", &[], "clicks", "corp/alice", "rw"),
        ("partner", &[], "clicks", "alice", ""),
        ("partner", &[], "clicks", "corp/alice2", ""),
        // What is denied is denied, but to whom the rule leaves out.
        ("partner", &["acme"], "orders", "acme/secret", ""),
        ("partner auditor", &["acme"], "orders", "acme/secret", "r"),
        ("data.read data.write", &[], "orders", "x/secret", ""),
        ("data.read data.write auditor", &[], "orders", "x/secret", "rw"),
        ("data.read data.write", &[], "orders", "x/public", "rw"),
        ("data.write", &[], "orders", "x/secret", "w"),
        ("data.read data.write guest", &[], "orders", "x/public", "r"),
        ("", &["acme"], "orders", "acme/1", ""),
        ("Partner", &["acme"], "orders", "acme/1", ""),
    ] {
        let who = caller(&policy, "alice", scope, tenants);
        assert_eq!(rights(&who, stream, topic, &key), expect, "{scope:?} {tenants:?} {stream} {topic}");
    }
}

#[test]
fn a_stream_of_callers_is_widened_by_rules_that_name_topics_and_never_for_writers() {
    let policy = Policy::new(settings(RULES).unwrap(), ["corp"]).unwrap();
    let own = TopicRule::Caller;
    for (scope, topic, expect) in [
        ("", "corp/team-1", "r"),
        ("", "corp/alice", ""),
        ("data.read", "corp/alice", "r"),
        ("data.read", "corp/team-1", "r"),
        ("data.read", "corp/bob", ""),
        ("data.read data.write", "corp/alice", "rw"),
        ("data.read data.write", "corp/team-1", "r"),
        ("data.read data.admin", "corp/bob", "r"),
        ("data.read data.admin", "corp/secret", ""),
    ] {
        let who = caller(&policy, "alice", scope, &[]);
        assert_eq!(rights(&who, "notes", topic, &own), expect, "{scope:?} {topic}");
    }
}

#[test]
fn scopes_tell_their_topics() {
    let policy = Policy::new(settings(RULES).unwrap(), ["corp"]).unwrap();
    let scope = |scope: &str, tenants: &[&str], name: &str| {
        read_scope(&caller(&policy, "alice", scope, tenants), &stream(name), &TopicRule::Key)
    };
    let Ok(ReadScope::Within(within)) = scope("partner", &["b", "a"], "orders") else { panic!() };
    assert_eq!((within.exact(), within.prefixes()), (None, vec!["a/", "b/", "public"]));
    let Ok(ReadScope::Within(within)) = scope("partner", &[], "orders") else { panic!() };
    assert_eq!(within.exact(), Some(vec![topic("public")]));
    assert_eq!(scope("data.read auditor", &[], "orders"), Ok(ReadScope::All));
    // Equal rights are equal, whoever has them.
    assert_eq!(scope("partner", &["a", "b"], "orders"), scope("partner", &["b", "a"], "orders"));
    let [one, other] = ["alice", "bob"].map(|who| caller(&policy, who, "data.read", &[]).rights_number());
    assert_eq!(one, other);
    let [one, other] = ["alice", "bob"].map(|who| caller(&policy, who, "partner", &[]).rights_number());
    assert_ne!(one, other, "their own topics are not the same");
}

#[test]
fn hidden_fields_are_hidden_whatever_else_is_given() {
    let policy = Policy::new(settings(RULES).unwrap(), ["corp"]).unwrap();
    let hidden = |scope: &str, name: &str| {
        let seen = sees(&caller(&policy, "alice", scope, &["acme"]), &stream(name))?;
        Some(seen.paths().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(hidden("data.read", "orders").as_deref(), Some("/card /items/*/price"));
    assert_eq!(hidden("partner", "orders").as_deref(), Some("/card /items/*/price"));
    assert_eq!(hidden("data.read data.admin", "clicks").as_deref(), Some(""));
    assert_eq!(hidden("data.read auditor", "orders").as_deref(), Some(""));
    assert_eq!(hidden("data.write", "orders"), None);
    assert_eq!(hidden("partner", "other"), None);
}

#[test]
fn dead_letters_are_for_those_from_whom_nothing_is_hidden() {
    let policy = Policy::new(settings(RULES).unwrap(), ["corp"]).unwrap();
    let may = |scope: &str, name: &str| {
        check(&caller(&policy, "alice", scope, &[]), &Action::Administer { stream: &stream(name) })
    };
    for (scope, name, expect) in [
        ("data.admin", "clicks", Ok(())),
        ("operator", "clicks", Ok(())),
        ("operator", "other", Err("do not include this: its dead letters")),
        ("data.admin", "orders", Err("which show fields that are hidden")),
        ("data.admin auditor", "orders", Ok(())),
        ("data.admin guest", "clicks", Err("its dead letters")),
        ("data.read", "clicks", Err("needs the role data.admin")),
    ] {
        let told = may(scope, name).map_err(|denied| denied.to_string());
        match expect {
            Ok(()) => assert_eq!(told, Ok(()), "{scope} {name}"),
            Err(expect) => assert!(told.clone().unwrap_err().contains(expect), "{scope} {name}: {told:?}"),
        }
    }
    // A right in streams is not the role that all of it needs.
    assert!(check(&caller(&policy, "alice", "operator", &[]), &Action::Admin).is_err());
}

#[test]
fn a_rule_that_denies_and_cannot_be_expanded_denies_all_that_it_could_be_about() {
    let rules = r#"
[[rule]]
effect = "deny"
issuers = ["corp"]
streams = ["orders"]
topics = ["{claim:tenant}/private"]
rights = ["read"]
"#;
    let policy = Policy::new(settings(rules).unwrap(), ["corp"]).unwrap();
    let key = TopicRule::Key;
    let who = caller(&policy, "alice", "data.read", &["acme"]);
    assert_eq!(rights(&who, "orders", "acme/private", &key), "");
    assert_eq!(rights(&who, "orders", "acme/x", &key), "r");
    let who = caller(&policy, "alice", "data.read", &[]);
    assert_eq!(rights(&who, "orders", "acme/x", &key), "");
    assert_eq!(rights(&who, "clicks", "acme/x", &key), "r");
}

#[test]
fn rules_that_cannot_be_used_say_why() {
    let allow = "effect = \"allow\"\nroles = [\"r\"]\nrights = [\"read\"]\n";
    let deny = "effect = \"deny\"\nroles = [\"r\"]\n";
    for (rule, expect) in [
        (format!("{allow}streams = []"), "number 1: streams is empty"),
        (
            format!("{allow}streams = [\"*\"]\nissuers = [\"crop\"]"),
            "no issuer \"crop\": there are embedded, keys, corp",
        ),
        (
            format!("{allow}streams = [\"*\"]\ntopics = [\"{{claim:t}}\"]"),
            "asks for the claim /t: name the issuers",
        ),
        (format!("{allow}streams = [\"*\"]\nclients = [\"app\"]"), "name the issuers, too"),
        (format!("{allow}streams = [\"*\"]\nfields = [\"/x\"]"), "so it hides no fields"),
        (
            "effect = \"allow\"\nrights = [\"read\"]\nstreams = [\"*\"]".into(),
            "name the roles or the clients",
        ),
        ("effect = \"allow\"\nroles = [\"r\"]\nstreams = [\"*\"]".into(), "it allows nothing"),
        (
            "effect = \"allow\"\nroles = [\"r\"]\nrights = [\"admin\"]\nstreams = [\"*\"]\ntopics = [\"x\"]"
                .into(),
            "admin is a right in whole streams",
        ),
        (
            format!("{deny}streams = [\"*\"]\ntopics = [\"x\"]\nfields = [\"/x\"]"),
            "fields are hidden in whole streams",
        ),
        ("effect = \"deny\"\nroles = [\"a b\"]\nstreams = [\"*\"]".into(), "\"a b\" can't be a role"),
        (format!("{deny}streams = [\"{{x}}\"]"), "in braces stand"),
        (format!("{deny}streams = [\"*\"]\nfields = [\"x\"]"), "names no field"),
        (format!("{deny}streams = [\"*\"]\nfields = [\"/a//b\"]"), "names no field"),
        (format!("{deny}streams = [\"*\"]\nhidden = [\"/a\"]"), "unknown field `hidden`"),
    ] {
        let read = settings(&format!("[[rule]]\n{rule}\n"));
        let error =
            read.and_then(|rules| Policy::new(rules, ["corp"]).map(drop).map_err(|error| error.to_string()));
        let error = error.unwrap_err();
        assert!(error.contains(expect), "{rule}: {error}");
    }
}
