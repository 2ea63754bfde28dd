//! Learning: never a panic, no news twice, no matter in which order, and promises that are kept.

use schema::Limits;
use schema::json::{CheckLimits, Pointer, check};
use schema::shape::{Field, Learned, Learner, Opens, Out, Shape, write_fields, write_types};

/// Low enough to be reached, except for the room: which fields are learned before it is used up hangs on their order.
fn limits() -> Limits {
    Limits { shape_depth: 4, name_bytes: 8, object_names: 4, ..Limits::default() }
}

/// The input is documents, one a line.
pub(crate) fn target(input: &[u8]) {
    let limits = limits();
    let opens: Vec<Pointer> = ["/m", "/o/m"].iter().filter_map(|pointer| pointer.parse().ok()).collect();
    let opens = Opens::new(&opens);
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').take(12).collect();
    let is_good = |line: &&&[u8]| check(line, CheckLimits::from(&limits)).is_ok();
    let good: Vec<&[u8]> = lines.iter().filter(is_good).copied().collect();
    let forth = learn(good.iter(), &opens, &limits);
    let back = learn(good.iter().rev(), &opens, &limits);
    assert_eq!(forth, back, "what is learned does not hang on the order");
    let mut again = forth.clone();
    let mut learner = Learner::new(&forth, &opens, &limits);
    for line in &good {
        assert_eq!(learner.learn(&mut again, line), Ok(false), "what was learned is no news");
    }
    assert_eq!(again, forth);
    let mut joined = forth.clone();
    joined.join(&back, limits.object_names);
    assert_eq!(joined, forth, "joining with itself changes nothing");
    promise(&good, &opens, &limits);
    // Bytes that were never checked, and a shape that has next to no room.
    let tight = Limits { shape_fields: 3, ..limits };
    for limits in [&Limits::default(), &tight] {
        let mut learned = Learned::default();
        let mut learner = Learner::new(&learned, &opens, limits);
        for line in &lines {
            let _ = learner.learn(&mut learned, line);
        }
    }
}

fn learn<'l>(lines: impl Iterator<Item = &'l &'l [u8]>, opens: &Opens, limits: &Limits) -> Learned {
    let mut learned = Learned::default();
    let mut learner = Learner::new(&learned, opens, limits);
    for line in lines {
        learner.learn(&mut learned, line).expect("the document passed the check");
    }
    learned
}

/// Publishes after each message: what was promised stays, except that `Long` may widen.
fn promise(lines: &[&[u8]], opens: &Opens, limits: &Limits) {
    let mut shape = Shape::default();
    for line in lines {
        let mut learned = shape.learned.clone();
        let news = Learner::new(&learned, opens, limits).learn(&mut learned, line);
        if news != Ok(true) {
            continue;
        }
        let next = shape.grown(learned, "T", limits);
        match (&shape.published.data, &next.published.data) {
            (Some(before), Some(after)) => kept(before, after),
            (before, _) => assert!(before.is_none(), "a promise was taken back"),
        }
        if let Some(data) = &next.published.data {
            let mut sdl = String::new();
            write_fields(data, &mut sdl);
            write_types(data, &mut sdl);
        }
        let text = serde_json::to_vec(&next).expect("a shape is JSON");
        assert_eq!(serde_json::from_slice::<Shape>(&text).expect("and back"), next);
        shape = next;
    }
}

fn kept(before: &Field, after: &Field) {
    assert_eq!(before.key, after.key);
    assert!(before.json.is_none() || before.json == after.json, "{before:?} became {after:?}");
    if let Some((name, out)) = &before.primary {
        let (name_after, after) = after.primary.as_ref().expect("the field is there still");
        assert_eq!(name, name_after);
        same(out, after);
    }
    if let Some(entries) = &before.entries {
        let after = after.entries.as_ref().expect("the entries are there still");
        assert_eq!((&entries.name, &entries.type_name), (&after.name, &after.type_name));
        same(&entries.value, &after.value);
    }
}

fn same(before: &Out, after: &Out) {
    match (before, after) {
        (Out::Long, Out::Float) => {}
        (Out::List(before), Out::List(after)) => same(before, after),
        (Out::Object(before), Out::Object(after)) => {
            assert_eq!(before.type_name, after.type_name);
            assert!(before.fields.len() <= after.fields.len());
            before.fields.iter().zip(&after.fields).for_each(|(before, after)| kept(before, after));
        }
        _ => assert_eq!(before, after),
    }
}
