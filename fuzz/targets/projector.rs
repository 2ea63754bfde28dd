//! Projection against a walk over a tree: the same bytes, and as many errors.

use gateway::Slot;
use gateway::project::{EntryField, Leaf, Level, Member, Projector, Show};
use schema::Limits;

use super::tree::{Node, Tree, read};

/// The input is a selection, a line feed, and a document.
///
/// `L F T B J` are scalars; `[x` is a list of x; `{ax by}` an object of which members a and b are wanted. Before a
/// member's view, `o` opens strings; `j` is its JSON view, and `ex` lists its entries.
pub(crate) fn target(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let member = Plan(input[..end].iter()).member(0);
    let document = input.get(end + 1..).unwrap_or_default();
    let limits = Limits { json_depth: 16, ..Limits::default() };
    let mut projector = Projector::new(3, &limits);
    let mut out = Vec::new();
    // The pipeline hands over documents without the white space around them.
    let written = projector.member(&member, document.trim_ascii(), &mut out);
    let Ok(tree) = read(document.trim_ascii(), limits.json_depth) else { return };
    assert_eq!(written, Ok(()), "the document passed the check");
    let mut model = Model { limits: &limits, errors: 0, out: String::new() };
    model.member(&member, &tree);
    assert_eq!(String::from_utf8(out).expect("JSON is UTF-8"), model.out);
    assert_eq!(projector.errors.total, model.errors);
    assert_eq!(projector.errors.list.len(), model.errors.min(3));
}

struct Plan<'a>(std::slice::Iter<'a, u8>);

impl Plan<'_> {
    fn next(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(b'J')
    }

    fn member(&mut self, depth: usize) -> Member {
        match self.next() {
            b'j' => Member::Json,
            b'o' => Member::Primary { opened: true, show: self.show(depth) },
            b'e' => {
                let fields = vec![
                    slot(0, EntryField::Typename(Box::from(&b"\"E\""[..]))),
                    slot(1, EntryField::Key),
                    slot(2, EntryField::Value(self.show(depth))),
                ];
                Member::Entries { opened: depth % 2 == 1, fields }
            }
            code => Member::Primary { opened: false, show: self.show_of(code, depth) },
        }
    }

    fn show(&mut self, depth: usize) -> Show {
        let code = self.next();
        self.show_of(code, depth)
    }

    fn show_of(&mut self, code: u8, depth: usize) -> Show {
        match code {
            b'L' => Show::Leaf(Leaf::Long),
            b'F' => Show::Leaf(Leaf::Float),
            b'T' => Show::Leaf(Leaf::Text),
            b'B' => Show::Leaf(Leaf::Boolean),
            b'[' if depth < 12 => Show::List(Box::new(self.show(depth + 1))),
            b'{' if depth < 12 => Show::Object(self.level(depth)),
            _ => Show::Leaf(Leaf::Json),
        }
    }

    fn level(&mut self, depth: usize) -> Level {
        let mut fields: Vec<(Slot<Member>, Option<String>)> = Vec::new();
        while self.0.len() > 0 && fields.len() < 8 {
            let name = match self.next() {
                b'}' => break,
                // A character of two bytes, in UTF-8 and behind an escape.
                b'#' => "é".to_owned(),
                byte => char::from(byte & 0x7f).to_string(),
            };
            let member = self.member(depth + 1);
            fields.push((slot(fields.len(), member), Some(name)));
        }
        fields.push((slot(fields.len(), Member::Json), None));
        Level::new(fields, Box::from(&b"\"O\""[..]))
    }
}

fn slot<T>(at: usize, value: T) -> Slot<T> {
    let prefix = format!("{}\"r{at}\":", if at == 0 { '{' } else { ',' });
    Slot { prefix: prefix.into_bytes().into(), key: format!("r{at}"), value }
}

/// What is to be written, told by the tree.
struct Model<'l> {
    limits: &'l Limits,
    errors: usize,
    out: String,
}

impl Model<'_> {
    fn member(&mut self, member: &Member, tree: &Tree<'_>) {
        let opened = match member {
            Member::Json => return self.out += tree.raw,
            Member::Primary { opened, .. } | Member::Entries { opened, .. } => *opened,
        };
        if let (true, Node::Text(text)) = (opened, &tree.node) {
            let inside = text.trim_start_matches([' ', '\t', '\n', '\r']);
            let nested = inside.starts_with(['{', '[']);
            if let (true, Ok(found)) = (nested, read(inside.as_bytes(), self.limits.json_depth)) {
                return self.view(member, &Tree { raw: inside, node: found.node });
            }
        }
        self.view(member, tree);
    }

    fn view(&mut self, member: &Member, tree: &Tree<'_>) {
        match (member, &tree.node) {
            (Member::Primary { show, .. }, _) => self.show(show, tree),
            (Member::Entries { fields, .. }, Node::Object(members)) => {
                self.list(members, |this, entry| {
                    for field in fields {
                        this.bytes(&field.prefix);
                        match &field.value {
                            EntryField::Typename(name) => this.bytes(name),
                            EntryField::Key => this.out += entry.written,
                            EntryField::Value(show) => this.show(show, &entry.value),
                        }
                    }
                    this.out.push('}');
                });
            }
            _ => self.out += "null",
        }
    }

    fn show(&mut self, show: &Show, tree: &Tree<'_>) {
        match (show, &tree.node) {
            (Show::Leaf(leaf), node) => self.leaf(*leaf, node, tree.raw),
            (Show::List(element), Node::Array(items)) => {
                self.list(items, |this, item| this.show(element, item));
            }
            (Show::Object(level), Node::Object(members)) => {
                for (slot, name) in level.fields() {
                    self.bytes(&slot.prefix);
                    let Some(name) = name else {
                        self.bytes(level.typename());
                        continue;
                    };
                    match members.iter().find(|member| member.name == name) {
                        Some(found) => self.member(&slot.value, &found.value),
                        None => self.out += "null",
                    }
                }
                self.out.push('}');
            }
            _ => self.out += "null",
        }
    }

    fn leaf(&mut self, leaf: Leaf, node: &Node<'_>, raw: &str) {
        let fits = match (leaf, node) {
            (Leaf::Json, _) | (Leaf::Boolean, Node::Boolean) | (Leaf::Text, Node::Text(_)) => Some(true),
            (Leaf::Long, Node::Integer) => Some(raw.parse::<i64>().is_ok()),
            (Leaf::Float, Node::Integer | Node::Float) => Some(raw.parse::<f64>().is_ok_and(f64::is_finite)),
            _ => None,
        };
        self.errors += usize::from(fits == Some(false));
        self.out += if fits == Some(true) { raw } else { "null" };
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(']');
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.out += &String::from_utf8_lossy(bytes);
    }
}
