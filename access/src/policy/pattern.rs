//! Patterns of stream names and topics, as rules write them: text, `*`, `{sub}`, `{claim:NAME}`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::glob::Glob;
use crate::principal::Identity;

/// Longest pattern, in bytes.
const BYTES_MAX: usize = 512;
/// Most texts that a pattern comes to where claims have several values.
const GLOBS_MAX: usize = 100;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    /// Any characters.
    Any,
    /// The caller's own topic: its subject, told apart from the subjects of other issuers.
    Subject,
    /// What a claim says, by a JSON pointer to it.
    Claim(Box<str>),
}

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no pattern: {why}")]
pub struct InvalidPattern {
    text: String,
    why: &'static str,
}

impl TryFrom<String> for Pattern {
    type Error = InvalidPattern;

    fn try_from(source: String) -> Result<Self, InvalidPattern> {
        match parse(&source) {
            Ok(parts) => Ok(Self { source, parts }),
            Err(why) => Err(InvalidPattern { text: source.chars().take(80).collect(), why }),
        }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.source
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

fn parse(source: &str) -> Result<Vec<Part>, &'static str> {
    if source.is_empty() || source.len() > BYTES_MAX {
        return Err("it has to be 1 to 512 bytes long");
    }
    let (mut parts, mut rest) = (Vec::new(), source);
    while let Some(at) = rest.find(['*', '{', '}']) {
        let (text, behind) = rest.split_at(at);
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        rest = match behind.strip_prefix('*') {
            Some(behind) => {
                parts.push(Part::Any);
                behind
            }
            None => {
                let (inside, behind) = behind[1..]
                    .split_once('}')
                    .filter(|_| behind.starts_with('{'))
                    .ok_or("a brace stands alone")?;
                parts.push(placeholder(inside)?);
                behind
            }
        };
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    Ok(parts)
}

fn placeholder(inside: &str) -> Result<Part, &'static str> {
    match inside.strip_prefix("claim:") {
        None if inside == "sub" => Ok(Part::Subject),
        None => Err("in braces stand sub, claim:NAME or claim:/JSON/POINTER"),
        Some("") => Err("claim: is followed by a claim's name, or a JSON pointer to it"),
        Some(pointer) if pointer.starts_with('/') => Ok(Part::Claim(pointer.into())),
        Some(name) => Ok(Part::Claim(format!("/{}", name.replace('~', "~0").replace('/', "~1")).into())),
    }
}

impl Pattern {
    /// JSON pointers to the claims that it needs.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Claim(pointer) => Some(&**pointer),
            _ => None,
        })
    }

    /// What it means for a caller; `None` where the caller lacks something that it names, or has too much of it.
    ///
    /// A star in what a token says is that character: whoever chooses a subject can't choose a pattern.
    pub(crate) fn of(&self, caller: &Identity, own_topic: &str) -> Option<Vec<Glob>> {
        let mut texts: Vec<Vec<String>> = vec![vec![String::new()]];
        for part in &self.parts {
            match part {
                Part::Any => texts.iter_mut().for_each(|pieces| pieces.push(String::new())),
                Part::Text(text) => append(&mut texts, text),
                Part::Subject => append(&mut texts, own_topic),
                Part::Claim(pointer) => {
                    let values = caller.claims.get(&**pointer).filter(|values| !values.is_empty())?;
                    if texts.len() * values.len() > GLOBS_MAX {
                        return None;
                    }
                    let each = values.iter().map(|value| {
                        let mut texts = texts.clone();
                        append(&mut texts, value);
                        texts
                    });
                    texts = each.flatten().collect();
                }
            }
        }
        let boxed = |pieces: Vec<String>| pieces.into_iter().map(String::into_boxed_str).collect();
        Some(texts.into_iter().map(|pieces| Glob::of_pieces(boxed(pieces))).collect())
    }
}

/// Appends `text` to what stands behind the last star of each.
fn append(texts: &mut [Vec<String>], text: &str) {
    texts.iter_mut().filter_map(|pieces| pieces.last_mut()).for_each(|last| last.push_str(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IssuerName;

    fn pattern(text: &str) -> Result<Pattern, InvalidPattern> {
        Pattern::try_from(text.to_owned())
    }

    #[test]
    fn patterns_say_what_is_wrong_with_them() {
        for (text, expect) in [
            ("", "1 to 512 bytes"),
            ("a{", "a brace stands alone"),
            ("a}b{sub}", "a brace stands alone"),
            ("{}", "in braces stand sub"),
            ("{Sub}", "in braces stand sub"),
            ("{claim:}", "a claim's name"),
        ] {
            let error = pattern(text).unwrap_err().to_string();
            assert!(error.contains(expect), "{text}: {error}");
        }
        let long = "a".repeat(513);
        assert!(pattern(&long).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn what_a_token_says_is_text_and_never_a_pattern() {
        let mut caller = Identity::new(IssuerName::Embedded, "a*b", "app");
        caller.claims.insert("/tenant".into(), vec!["acme".into(), "ac*".into()]);
        caller.claims.insert("/a/b".into(), vec!["{sub}".into()]);
        for (text, yes, no) in [
            ("{sub}", "a*b", "aab"),
            ("x/{sub}/*", "x/a*b/1", "x/aab/1"),
            ("{claim:tenant}/*", "acme/x", "acm/x"),
            ("{claim:/tenant}/*", "ac*/x", "acx/x"),
            ("{claim:/a/b}", "{sub}", "a*b"),
            ("a*", "a", "b"),
        ] {
            let globs = pattern(text).unwrap().of(&caller, "a*b").unwrap();
            assert!(globs.iter().any(|glob| glob.matches(yes)), "{text} {yes}");
            assert!(!globs.iter().any(|glob| glob.matches(no)), "{text} {no}");
        }
        assert_eq!(pattern("{claim:other}/*").unwrap().of(&caller, "a*b"), None);
        caller.claims.insert("/many".into(), (0..11).map(|n| n.to_string()).collect());
        assert_eq!(pattern("{claim:many}{claim:many}").unwrap().of(&caller, "a*b"), None);
    }
}
