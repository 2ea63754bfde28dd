//! What follows a command: filters, and the parts that are left out.

use crate::Failure;

/// A command's arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Which tests are meant; all where there are none.
    pub(crate) filters: Vec<String>,
    without: Vec<String>,
}

impl Arguments {
    /// Reads `words`; only `parts` of this command can be left out.
    pub(crate) fn parse(command: &str, words: Vec<String>, parts: &[&str]) -> Result<Self, Failure> {
        let mut arguments = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let part = match word.strip_prefix("--without") {
                Some("") => words.next().unwrap_or_default(),
                Some(rest) if rest.starts_with('=') => rest[1..].to_owned(),
                _ if word.starts_with('-') => {
                    return Err(format!("`{command}` knows no `{word}`; see `cargo xtask help`").into());
                }
                _ => {
                    arguments.filters.push(word);
                    continue;
                }
            };
            if !parts.contains(&part.as_str()) {
                return Err(format!("`{command}` cannot leave out `{part}`, only {}", listed(parts)).into());
            }
            arguments.without.push(part);
        }
        Ok(arguments)
    }

    /// Whether `part` was asked to be left out.
    pub(crate) fn leaves_out(&self, part: &str) -> bool {
        self.without.iter().any(|left_out| left_out == part)
    }

    /// What was asked to be left out.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.without
    }

    /// For commands that do one thing.
    pub(crate) fn refuse_filters(&self, command: &str) -> Result<(), Failure> {
        match self.filters.first() {
            None => Ok(()),
            Some(word) => Err(format!("`{command}` takes no argument, but `{word}` was given").into()),
        }
    }
}

fn listed(parts: &[&str]) -> String {
    match parts {
        [] => "nothing".to_owned(),
        [part] => (*part).to_owned(),
        [parts @ .., last] => format!("{} and {last}", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: Result<(&[&str], &[&str]), &str>) {
        let words = line.split_whitespace().map(str::to_owned).collect();
        let found =
            Arguments::parse("test", words, &["page", "disk", "net"]).map_err(|failure| failure.to_string());
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let expect =
            expect.map(|(filters, without)| Arguments { filters: owned(filters), without: owned(without) });
        assert_eq!(found, expect.map_err(str::to_owned));
    }

    #[test]
    fn words_are_filters_or_parts_to_leave_out() {
        check("", Ok((&[], &[])));
        check("cursor page", Ok((&["cursor", "page"], &[])));
        check("--without page cursor", Ok((&["cursor"], &["page"])));
        check("--without=page", Ok((&[], &["page"])));
        check("--without net --without disk", Ok((&[], &["net", "disk"])));
        check("--without tests", Err("`test` cannot leave out `tests`, only page, disk and net"));
        check("--without", Err("`test` cannot leave out ``, only page, disk and net"));
        check("--fast", Err("`test` knows no `--fast`; see `cargo xtask help`"));
    }
}
