//! The projector against a plain model: a parser that builds trees, and a walk over these.

use proptest::prelude::*;
use schema::Limits;
use serde_json::{Map, Value, json};

use super::*;
use crate::plan::Slot;

fn slot<T>(first: bool, key: &str, value: T) -> Slot<T> {
    let prefix = format!("{}\"{key}\":", if first { '{' } else { ',' }).into_bytes().into();
    Slot { prefix, key: key.to_owned(), value }
}

/// A level that shows each of `fields` (response key, producer's name, view) of an object.
fn level(fields: Vec<(String, String, Member)>) -> Level {
    let slots = fields.into_iter().enumerate();
    let slots = slots.map(|(at, (key, name, member))| (slot(at == 0, &key, member), Some(name)));
    Level::new(slots.collect(), Box::from(&b"\"T\""[..]))
}

fn primary(show: Show) -> Member {
    Member::Primary { opened: false, show }
}

fn write(member: &Member, document: &str) -> (String, Errors) {
    let limits = Limits::default();
    let mut projector = Projector::new(10, &limits);
    let mut out = Vec::new();
    projector.member(member, document.as_bytes(), &mut out).unwrap();
    (String::from_utf8(out).unwrap(), projector.errors)
}

#[test]
fn scalars_are_shown_as_they_were_sent_or_not_at_all() {
    for (leaf, document, expect, error) in [
        (Leaf::Long, "9007199254740993", "9007199254740993", ""),
        (Leaf::Long, "-9223372036854775808", "-9223372036854775808", ""),
        (Leaf::Long, "9223372036854775808", "null", "9223372036854775808 does not fit Long"),
        (Leaf::Long, "1.0", "null", ""),
        (Leaf::Long, "\"1\"", "null", ""),
        (Leaf::Float, "1", "1", ""),
        (Leaf::Float, "1.50", "1.50", ""),
        (Leaf::Float, "1e400", "null", "1e400 does not fit Float"),
        (Leaf::Float, "-1E-400", "-1E-400", ""),
        (Leaf::Text, r#""\ud83d\ude00""#, r#""\ud83d\ude00""#, ""),
        (Leaf::Text, "null", "null", ""),
        (Leaf::Boolean, "true", "true", ""),
        (Leaf::Boolean, "0", "null", ""),
        (Leaf::Json, r#"{"a": [1e400]}"#, r#"{"a": [1e400]}"#, ""),
    ] {
        let (written, errors) = write(&primary(Show::Leaf(leaf)), document);
        assert_eq!(written, expect, "{leaf:?} of {document}");
        let said = errors.list.first().map_or("", |error| &error.message);
        assert!(said.starts_with(error) && said.is_empty() == error.is_empty(), "{said}");
    }
}

#[test]
fn what_is_no_number_is_told_without_a_panic() {
    let unchecked = format!("1{}", "\u{feff}".repeat(20));
    let (written, errors) = write(&primary(Show::Leaf(Leaf::Long)), &unchecked);
    assert_eq!((written.as_str(), errors.total), ("null", 1));
}

#[test]
fn strings_are_opened_and_errors_tell_the_path() {
    let inner = level(vec![("n".into(), "n".into(), primary(Show::List(Box::new(Show::Leaf(Leaf::Long)))))]);
    let opened = Member::Primary { opened: true, show: Show::Object(inner) };
    let whole = primary(Show::Object(level(vec![("alias".into(), "m".into(), opened)])));
    let (written, errors) = write(&whole, r#"{"x":{"m":1},"m":"{\"n\":[1,99999999999999999999]}"}"#);
    assert_eq!(written, r#"{"alias":{"n":[1,null]}}"#);
    assert_eq!(serde_json::to_value(&errors.list[0].path).unwrap(), json!(["alias", "n", 1]));
    // What does not open is of another kind.
    assert_eq!(write(&whole, r#"{"m":"{\"n\":1,\"n\":2}"}"#).0, r#"{"alias":null}"#);
    assert_eq!(write(&whole, r#"{"m":"plain"}"#).0, r#"{"alias":null}"#);
}

#[test]
fn maps_are_lists_of_entries() {
    let fields =
        vec![slot(true, "k", EntryField::Key), slot(false, "v", EntryField::Value(Show::Leaf(Leaf::Long)))];
    let member = Member::Entries { opened: false, fields };
    assert_eq!(write(&member, r#"{"a\"b":1,"c":"x"}"#).0, r#"[{"k":"a\"b","v":1},{"k":"c","v":null}]"#);
    assert_eq!(write(&member, "{}").0, "[]");
    assert_eq!(write(&member, "[]").0, "null");
}

#[test]
fn an_object_whose_members_were_all_found_is_left_behind() {
    let long = || primary(Show::Leaf(Leaf::Long));
    let object = |fields: Vec<(&str, &str, Member)>| {
        let owned = fields.into_iter().map(|(key, name, member)| (key.into(), name.into(), member));
        primary(Show::Object(level(owned.collect())))
    };
    let document = r#"{"a":{"b":{"x":1,"y":"}\"]{","c":2},"c":{"x":3}},"c":4,"d":{"x":5,"c":6}}"#;
    for (fields, expect) in [
        // Another name is wanted behind it,
        (vec![("one", "d", object(vec![("r", "x", long())]))], r#"{"one":{"r":5}}"#),
        (
            vec![
                ("one", "c", long()),
                ("two", "a", object(vec![("r", "b", object(vec![("s", "x", long())]))])),
            ],
            r#"{"one":4,"two":{"r":{"s":1}}}"#,
        ),
        // on its own level too,
        (
            vec![(
                "one",
                "a",
                object(vec![
                    ("r", "b", object(vec![("s", "x", long())])),
                    ("t", "c", object(vec![("u", "x", long())])),
                ]),
            )],
            r#"{"one":{"r":{"s":1},"t":{"u":3}}}"#,
        ),
        // or all of it.
        (
            vec![("one", "d", object(vec![("r", "x", long())])), ("two", "d", Member::Json)],
            r#"{"one":{"r":5},"two":{"x":5,"c":6}}"#,
        ),
        (
            vec![
                ("one", "d", object(vec![("r", "x", long())])),
                ("two", "d", object(vec![("s", "c", long())])),
            ],
            r#"{"one":{"r":5},"two":{"s":6}}"#,
        ),
    ] {
        let (written, errors) = write(&object(fields), document);
        assert_eq!((written.as_str(), errors.total), (expect, 0));
    }
}

/// A selection, in a form that both the projector and the model read.
#[derive(Clone, Debug)]
enum Want {
    Leaf(Leaf),
    Object(Vec<(String, String, Want)>),
    List(Box<Want>),
}

/// Names of members: short, longer than a word, and with an escape. Few, so that what is wanted is mostly there.
const NAME: &str = "[ab]|name-of-c|d\"";

fn want() -> impl Strategy<Value = Want> {
    let leaf = prop_oneof![
        Just(Leaf::Long),
        Just(Leaf::Float),
        Just(Leaf::Text),
        Just(Leaf::Boolean),
        Just(Leaf::Json)
    ];
    leaf.prop_map(Want::Leaf).prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec((NAME, inner.clone()), 1..4).prop_map(|fields| {
                let keyed = fields.into_iter().enumerate();
                Want::Object(keyed.map(|(at, (name, want))| (format!("r{at}"), name, want)).collect())
            }),
            inner.prop_map(|want| Want::List(Box::new(want))),
        ]
    })
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1000i32..1000).prop_map(|n| Value::from(f64::from(n) + 0.5)),
        "[\"\\\\a{}\\[,:é]{0,3}".prop_map(Value::from),
        "[a-z{}é ]{0,60}[\"\\\\]?".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(NAME, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A document that mostly has what is wanted, beside other things. `picks` are its dice.
fn fitting(want: &Want, picks: &mut impl Iterator<Item = usize>, other: &[Value]) -> Value {
    let any = |picks: &mut dyn Iterator<Item = usize>| other[picks.next().unwrap_or(0) % other.len()].clone();
    match want {
        _ if picks.next().is_none_or(|pick| pick % 8 == 0) => any(picks),
        Want::Leaf(_) => any(picks),
        Want::List(element) => (0..3).map(|_| fitting(element, picks, other)).collect(),
        Want::Object(fields) => {
            // One before, one between, and one behind the others.
            let mut members: Map<_, _> =
                ["A", "c", "z"].map(|name| (name.to_owned(), any(picks))).into_iter().collect();
            members.extend(fields.iter().map(|(_, name, want)| (name.clone(), fitting(want, picks, other))));
            Value::Object(members)
        }
    }
}

fn compile(want: &Want) -> Show {
    match want {
        Want::Leaf(leaf) => Show::Leaf(*leaf),
        Want::List(element) => Show::List(Box::new(compile(element))),
        Want::Object(fields) => Show::Object(level(
            fields
                .iter()
                .map(|(key, name, want)| (key.clone(), name.clone(), primary(compile(want))))
                .collect(),
        )),
    }
}

fn model(want: &Want, value: &Value) -> Value {
    match (want, value) {
        (Want::Leaf(Leaf::Json), value) => value.clone(),
        (Want::Leaf(Leaf::Long), value) if value.is_i64() => value.clone(),
        (Want::Leaf(Leaf::Float), value) if value.is_number() => value.clone(),
        (Want::Leaf(Leaf::Text), value) if value.is_string() => value.clone(),
        (Want::Leaf(Leaf::Boolean), value) if value.is_boolean() => value.clone(),
        (Want::List(element), Value::Array(items)) => items.iter().map(|item| model(element, item)).collect(),
        (Want::Object(fields), Value::Object(members)) => {
            let shown = fields.iter().map(|(key, name, want)| {
                (key.clone(), members.get(name).map_or(Value::Null, |value| model(want, value)))
            });
            Value::Object(shown.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn projection_agrees_with_a_walk_over_a_tree(
        want in want(),
        other in prop::collection::vec(document(), 1..4),
        picks in prop::collection::vec(0usize..64, 64),
        spaced: bool,
    ) {
        let document = fitting(&want, &mut picks.into_iter(), &other);
        let text = if spaced { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        let (written, errors) = write(&primary(compile(&want)), &text);
        prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), model(&want, &document), "{}", written);
        prop_assert_eq!(errors.total, 0);
    }

    #[test]
    fn unchecked_bytes_never_panic(want in want(), bytes in r#"[\[\]{}:,"a-d0.\\ ]{0,40}"#) {
        let limits = Limits::default();
        let show = primary(compile(&want));
        let _ = Projector::new(1, &limits).member(&show, bytes.as_bytes(), &mut Vec::new());
    }
}
