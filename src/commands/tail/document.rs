//! The subscription that a tail stands for.

use super::Failure;

/// What is wanted of each message's data: names, and what is wanted below them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields(Vec<(String, Fields)>);

impl Fields {
    /// Reads `a,b.c`.
    fn parse(text: &str) -> Result<Self, Failure> {
        let mut fields = Self::default();
        for path in text.split(',') {
            let mut below = &mut fields;
            for name in path.trim().split('.') {
                let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
                let is_name =
                    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit());
                if !is_name {
                    return Err(format!("--fields has {path:?}: expected names as the schema spells them, such as cookie_id,message.color").into());
                }
                let known = below.0.iter().position(|(other, _)| other == name);
                let at = known.unwrap_or_else(|| {
                    below.0.push((name.to_owned(), Self::default()));
                    below.0.len() - 1
                });
                below = &mut below.0[at].1;
            }
        }
        Ok(fields)
    }

    fn write(&self, out: &mut String) {
        if self.0.is_empty() {
            return;
        }
        out.push_str(" {");
        for (name, below) in &self.0 {
            out.push(' ');
            out.push_str(name);
            below.write(out);
        }
        out.push_str(" }");
    }
}

/// The document, and whether messages come with the chosen fields instead of as they were sent.
pub(super) fn document(root_field: &str, fields: Option<&str>) -> Result<String, Failure> {
    let mut message = String::from("time topic ");
    match fields {
        None => message.push_str("raw"),
        Some(fields) => {
            message.push_str("data");
            Fields::parse(fields)?.write(&mut message);
        }
    }
    Ok(format!(
        "subscription($topics: [String!], $from: Time, $resume: ResumeCursor) {{ tail: {root_field}(topics: $topics, from: $from, resume: $resume) {{ gap {{ reason from to }} message {{ {message} }} }} }}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_a_selection() {
        for (fields, expect) in [
            (None, "{ time topic raw }"),
            (Some("a"), "{ time topic data { a } }"),
            (Some("a, b.c,b.d.e,a"), "{ time topic data { a b { c d { e } } } }"),
        ] {
            let document = document("userEvents", fields).unwrap();
            assert!(document.contains(&format!("message {expect} }} }}")), "{document}");
        }
        for wrong in ["", "a,", "a..b", "a b", "1a", "a{b}", "__x)"] {
            assert!(document("s", Some(wrong)).is_err(), "{wrong}");
        }
    }
}
