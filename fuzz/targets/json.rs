//! The check against serde_json with the rules of I-JSON besides, and a walk against a tree.

use schema::json::{CheckLimits, Cursor, Fault, Kind, Malformed, Pointer, check};

use super::tree::{Node, Refused, Tree, read};

/// The input is a document.
pub(crate) fn target(document: &[u8]) {
    for depth in [3, 128] {
        verdict(document, depth);
    }
    if let Ok(tree) = read(document, 128) {
        let (mut walked, mut expect) = (String::new(), String::new());
        walk(&mut Cursor::new(document), 0, &mut walked).expect("the document passed the check");
        tell(&tree, &mut expect);
        assert_eq!(walked, expect, "a walk sees what a tree holds");
        point(document, &tree);
    }
    // Bytes that were never checked may give nonsense, but they end.
    let _ = walk(&mut Cursor::new(document), 0, &mut String::new());
}

fn verdict(document: &[u8], depth: usize) {
    let ours = check(document, CheckLimits { bytes: 1 << 20, depth });
    let theirs = read(document, depth).map(drop);
    match (&ours, theirs) {
        (Ok(()), Ok(())) => {}
        (Err(Fault::NotJson { .. } | Fault::NotUtf8 { .. }), Err(Refused::Grammar)) => {}
        // What is told is the first that is wrong, and something else may be wrong behind it.
        (Err(Fault::DuplicateName { .. } | Fault::LoneSurrogate { .. } | Fault::TooDeep { .. }), Err(_)) => {}
        (_, theirs) => panic!("ours: {ours:?}; theirs: {theirs:?}"),
    }
    if let Err(fault) = ours {
        let told = fault.to_string();
        assert!(told.len() < 1_000 && !told.contains('\n'), "one clear sentence: {told}");
        let (Fault::TooDeep { at, .. }
        | Fault::NotUtf8 { at }
        | Fault::NotJson { at, .. }
        | Fault::DuplicateName { at, .. }
        | Fault::LoneSurrogate { at }) = fault
        else {
            return;
        };
        assert!(at <= document.len(), "byte {at} lies in the document");
    }
}

/// The document as a walk meets it: names and strings by their meaning, numbers by their digits.
fn walk(cursor: &mut Cursor<'_>, depth: usize, out: &mut String) -> Result<(), Malformed> {
    let kind = cursor.kind()?;
    match kind {
        _ if depth > 200 => return Err(Malformed),
        Kind::Object => {
            cursor.enter_object()?;
            out.push('{');
            while let Some(name) = cursor.next_name()? {
                let meant = name.decode()?;
                assert!(name.is(&meant), "a name is what it means");
                *out += &format!("{meant:?}:");
                walk(cursor, depth + 1, out)?;
            }
            out.push('}');
        }
        Kind::Array => {
            cursor.enter_array()?;
            out.push('[');
            while cursor.next_element()? {
                walk(cursor, depth + 1, out)?;
                out.push(',');
            }
            out.push(']');
        }
        Kind::Text => *out += &format!("{:?}", cursor.text()?.decode()?),
        _ => *out += &format!("{kind:?} {}", String::from_utf8_lossy(cursor.skip()?)),
    }
    Ok(())
}

fn tell(tree: &Tree<'_>, out: &mut String) {
    let kind = match &tree.node {
        Node::Object(members) => {
            out.push('{');
            for member in members {
                *out += &format!("{:?}:", member.name);
                tell(&member.value, out);
            }
            return out.push('}');
        }
        Node::Array(items) => {
            out.push('[');
            for item in items {
                tell(item, out);
                out.push(',');
            }
            return out.push(']');
        }
        Node::Text(text) => return *out += &format!("{text:?}"),
        Node::Null => Kind::Null,
        Node::Boolean => Kind::Boolean,
        Node::Integer => Kind::Integer,
        Node::Float => Kind::Float,
    };
    *out += &format!("{kind:?} {}", tree.raw);
}

/// Every member of the outermost object is found by a pointer.
fn point(document: &[u8], tree: &Tree<'_>) {
    let Node::Object(members) = &tree.node else { return };
    for member in members {
        let text = format!("/{}", member.name.replace('~', "~0").replace('/', "~1"));
        let pointer: Pointer = text.parse().expect("its escapes are right");
        let found = pointer.find(document).map(|(_, raw)| raw);
        assert_eq!(found, Some(member.value.raw.as_bytes()), "{text}");
    }
}
