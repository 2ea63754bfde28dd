//! What the shape promises, by tables and properties.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::json::Pointer;

fn learn(learned: &mut Learned, documents: &[&str], limits: &Limits) -> bool {
    let opens = Opens::new(&["/message".parse::<Pointer>().unwrap()]);
    let mut learner = Learner::new(learned, &opens, limits);
    documents
        .iter()
        .map(|document| learner.learn(learned, document.as_bytes()).unwrap())
        .fold(false, |a, b| a | b)
}

/// The types after each of `steps` was published, the last step's.
fn published(steps: &[&[&str]], limits: &Limits) -> String {
    let mut shape = Shape::default();
    for documents in steps {
        let mut learned = shape.learned.clone();
        learn(&mut learned, documents, limits);
        shape = shape.grown(learned, "T", limits);
    }
    let mut sdl = String::new();
    if let Some(data) = &shape.published.data {
        sdl.push_str("T {\n");
        write_fields(data, &mut sdl);
        sdl.push_str("}\n");
        write_types(data, &mut sdl);
    }
    sdl.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn messages_become_types() {
    let limits = Limits::default();
    let wide = |n: usize| {
        format!("{{\"m\":{{{}}}}}", (0..n).map(|i| format!("\"k{i}\":{i}")).collect::<Vec<_>>().join(","))
    };
    for (steps, expect) in [
        (vec![vec!["{}"]], ""),
        (vec![vec![r#"{"a":null,"b":[],"c":{}}"#]], ""),
        (
            vec![vec![r#"{"a":1,"b":true,"c":"x","d":1.5}"#]],
            "T { data: TData } type TData { a: Long b: Boolean c: String d: Float }",
        ),
        // A number widens in its place; any other kind goes to a sibling.
        (vec![vec![r#"{"a":1}"#], vec![r#"{"a":1.5}"#]], "T { data: TData } type TData { a: Float }"),
        (
            vec![vec![r#"{"a":1}"#], vec![r#"{"a":"x"}"#]],
            r#"T { data: TData } type TData { a: Long "In the JSON: \"a\"" a_json: JSON }"#,
        ),
        // The richest kind comes first where several are there at once.
        (
            vec![vec![r#"{"a":"x"}"#, r#"{"a":{"b":1}}"#]],
            r#"T { data: TData } type TData { a: TDataA "In the JSON: \"a\"" a_json: JSON } type TDataA { b: Long }"#,
        ),
        // JSON inside a string, where the stream says so.
        (
            vec![vec![r#"{"message":"{\"color\":\"teal\"}","other":"{\"x\":1}"}"#]],
            "T { data: TData } type TData { message: TDataMessage other: String } type TDataMessage { color: String }",
        ),
        // Lists, of lists too; what is empty is waited for.
        (
            vec![vec![r#"{"a":[],"b":[[1],[]],"c":[{"x":1},{"y":"z"}]}"#]],
            "T { data: TData } type TData { b: [[Long]] c: [TDataC] } type TDataC { x: Long y: String }",
        ),
        (
            vec![vec![r#"{"a":[1,"x"]}"#]],
            r#"T { data: TData } type TData { a: [String] "In the JSON: \"a\"" a_json: JSON }"#,
        ),
        // Names that GraphQL can't spell.
        (
            vec![vec![r#"{"a-b":1,"a.b":2}"#]],
            r#"T { data: TData } type TData { "In the JSON: \"a-b\"" a_b: Long "In the JSON: \"a.b\"" a_b_2: Long }"#,
        ),
        // Documents that are no objects.
        (vec![vec!["1", "2.5"]], "T { data: Float }"),
        (
            vec![vec!["[1]", r#"{"a":1}"#]],
            r#"T { data: TData "In the JSON: \"data\"" data_json: JSON } type TData { a: Long }"#,
        ),
        // Too many names: a map from the beginning, or beside the object that was promised.
        (
            vec![vec![wide(201).as_str()]],
            r#"T { data: TData } type TData { "In the JSON: \"m\"" m_entries: [TDataMEntry!] } type TDataMEntry { key: String! value: Long }"#,
        ),
        (
            vec![vec![wide(1).as_str()], vec![wide(201).as_str()]],
            r#"T { data: TData } type TData { m: TDataM "In the JSON: \"m\"" m_entries: [TDataMEntry!] } type TDataM { k0: Long } type TDataMEntry { key: String! value: Long }"#,
        ),
    ] {
        let steps: Vec<&[&str]> = steps.iter().map(Vec::as_slice).collect();
        assert_eq!(published(&steps, &limits), expect, "{steps:?}");
    }
}

#[test]
fn what_is_too_deep_or_too_much_is_bounded() {
    let limits = Limits { shape_depth: 2, shape_fields: 3, ..Limits::default() };
    let deep = r#"{"a":{"b":{"c":1}}}"#;
    assert_eq!(
        published(&[&[deep]], &limits),
        "T { data: TData } type TData { a: TDataA } type TDataA { b: JSON }"
    );
    let mut learned = Learned::default();
    learn(&mut learned, &[r#"{"a":1,"b":2,"c":3,"d":4,"e":5}"#], &limits);
    assert_eq!((learned.count(), learned.cut), (3, true));
}

#[test]
fn a_long_name_is_left_out_whether_its_place_is_a_map_already_or_not() {
    let limits = Limits { name_bytes: 3, object_names: 2, ..Limits::default() };
    let (many, long) = (r#"{"a":1,"b":2,"c":3}"#, r#"{"long":{"x":"y"}}"#);
    let (mut before, mut after) = (Learned::default(), Learned::default());
    learn(&mut before, &[long, many], &limits);
    learn(&mut after, &[many, long], &limits);
    assert_eq!(before, after);
    assert!(before.cut && before.map.is_some_and(|map| map.fields.is_empty()));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        any::<f32>().prop_filter("finite", |x| x.is_finite()).prop_map(|x| f64::from(x).into()),
        "[a-c]{0,2}".prop_map(Into::into),
        Just(r#"{"x":1,"y":[2]}"#.into()),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::hash_map("[a-f]|message|a_json|a-b", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every GraphQL field that can be reached, with its type.
fn promises(published: &Published) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut sdl = String::from("type T {\n");
    if let Some(data) = &published.data {
        write_fields(data, &mut sdl);
        sdl.push_str("}\n");
        write_types(data, &mut sdl);
    }
    let mut of = String::new();
    for line in sdl.lines().map(str::trim).filter(|line| !line.starts_with('"')) {
        if let Some(name) = line.strip_prefix("type ") {
            of = name.trim_end_matches(" {").to_owned();
        } else if let Some((field, out)) = line.split_once(": ") {
            let twin = all.insert(format!("{of}.{field}"), out.to_owned());
            assert_eq!(twin, None, "{of}.{field} twice in {sdl}");
        }
    }
    all
}

fn limits() -> Limits {
    // Low, so that objects become maps in small examples.
    Limits { object_names: 4, ..Limits::default() }
}

proptest! {
    #[test]
    fn the_order_of_messages_does_not_change_what_is_learned(
        documents in prop::collection::vec(json(), 0..8), seed in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()
    ) {
        let texts: Vec<String> = documents.iter().map(ToString::to_string).collect();
        let mut all: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut forward = Learned::default();
        learn(&mut forward, &all, &limits());
        prop_assert!(!learn(&mut forward, &all, &limits()), "learning again is no news");
        if !all.is_empty() {
            let length = all.len();
            all.rotate_left(seed.index(length));
            all.reverse();
        }
        let mut backward = Learned::default();
        learn(&mut backward, &all, &limits());
        prop_assert_eq!(&forward, &backward);

        // And two halves, learned apart, join to the same.
        let (left, right) = all.split_at(cut.index(all.len() + 1));
        let (mut a, mut b) = (Learned::default(), Learned::default());
        learn(&mut a, left, &limits());
        learn(&mut b, right, &limits());
        let mut ba = b.clone();
        ba.join(&a, limits().object_names);
        a.join(&b, limits().object_names);
        prop_assert_eq!(&a, &forward);
        prop_assert_eq!(&ba, &forward);
    }

    #[test]
    fn a_promise_is_kept(documents in prop::collection::vec(json(), 1..8)) {
        let mut shape = Shape::default();
        for document in &documents {
            let before = promises(&shape.published);
            let mut learned = shape.learned.clone();
            learn(&mut learned, &[&document.to_string()], &limits());
            shape = shape.grown(learned, "T", &limits());
            let after = promises(&shape.published);
            for (field, out) in before {
                let now = after.get(&field).cloned().unwrap_or_default();
                prop_assert!(now == out || now == out.replace("Long", "Float"), "{field}: {out} became {now:?}");
            }
        }
    }
}

/// What is left of the types of `documents` when these paths are hidden.
fn left(documents: &[&str], hidden: &[&str]) -> String {
    let limits = Limits { object_names: 3, ..Limits::default() };
    let mut shape = Shape::default();
    let mut learned = Learned::default();
    learn(&mut learned, documents, &limits);
    shape = shape.grown(learned, "T", &limits);
    let paths = hidden.iter().map(|path| FieldPath::try_from((*path).to_owned()).unwrap());
    let published = shape.published.without(&Hidden::new(paths.collect()));
    let mut sdl = String::new();
    if let Some(data) = &published.data {
        write_fields(data, &mut sdl);
        write_types(data, &mut sdl);
    }
    sdl.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_hidden_leaves_nothing_through_which_it_could_be_seen() {
    let nested = r#"{"a":1,"b":{"c":1,"d":"x"}}"#;
    let whole = "data: TData type TData { a: Long b: TDataB } type TDataB { c: Long d: String }";
    let mixed = [nested, r#"{"b":"x"}"#];
    let map = r#"{"m":{"p":{"x":1,"y":2},"q":{"x":1},"r":{},"s":{}}}"#;
    let list = r#"{"l":[{"x":1,"y":2}],"ll":[[{"x":1,"y":2}]]}"#;
    let opened = r#"{"message":"{\"x\":1,\"y\":2}","text":"{\"x\":1}"}"#;
    for (documents, hidden, expect) in [
        (&[nested][..], &[][..], whole),
        (&[nested], &["/x", "/b/x/y", "/c"], whole),
        (&[nested], &["/b/c"], "data: TData type TData { a: Long b: TDataB } type TDataB { d: String }"),
        (&[nested], &["/b"], "data: TData type TData { a: Long }"),
        // A type without fields is none, and so is what would be of it.
        (&[nested], &["/b/c", "/b/d"], "data: TData type TData { a: Long }"),
        (&[nested], &["/*"], ""),
        (&[nested], &["/*/c"], "data: TData type TData { a: Long b: TDataB } type TDataB { d: String }"),
        // What lies below a text could be in it; a number holds nothing.
        (
            &[nested],
            &["/b/d/e", "/a/e"],
            "data: TData type TData { a: Long b: TDataB } type TDataB { c: Long }",
        ),
        // A sibling shows the value as it is, whatever its kind.
        (&mixed, &["/b/c"], "data: TData type TData { a: Long b: TDataB } type TDataB { d: String }"),
        (
            &[map],
            &["/m/p/x"],
            "data: TData type TData { \"In the JSON: \\\"m\\\"\" m_entries: [TDataMEntry!] } type TDataMEntry { key: String! value: TDataMEntryValue } type TDataMEntryValue { y: Long }",
        ),
        (&[map], &["/m/*"], ""),
        (&[map], &["/m/p"], ""),
        (
            &[list],
            &["/l/*/x", "/ll/x"],
            "data: TData type TData { l: [TDataL] ll: [[TDataLl]] } type TDataL { y: Long } type TDataLl { y: Long }",
        ),
        (&[list], &["/l/0/x", "/ll"], "data: TData type TData { l: [TDataL] } type TDataL { y: Long }"),
        (
            &[opened],
            &["/message/x"],
            "data: TData type TData { message: TDataMessage text: String } type TDataMessage { y: Long }",
        ),
        (
            &[opened],
            &["/text/x"],
            "data: TData type TData { message: TDataMessage } type TDataMessage { x: Long y: Long }",
        ),
        (&["[1]"], &["/0"], ""),
        (&["7"], &["/x"], "data: Long"),
    ] {
        let told = left(documents, hidden);
        let told = if told.starts_with("data") { told } else { told.trim().to_owned() };
        assert_eq!(told, expect, "{documents:?} without {hidden:?}");
    }
}

#[test]
fn paths_of_fields_are_read_as_they_are_written() {
    for text in ["/a", "/a/b", "/a/*/b", "/a~1b/~0", "/0"] {
        assert_eq!(FieldPath::try_from(text.to_owned()).unwrap().to_string(), text);
    }
    for text in ["", "/", "a", "/a/", "//a", "a/b"] {
        assert!(FieldPath::try_from(text.to_owned()).is_err(), "{text}");
    }
}
