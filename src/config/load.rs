//! Settings from a file, then from the environment, each wrong one named.

use std::path::{Path, PathBuf};

use super::Config;

/// Settings that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {} can't be read", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file says something that can't be used. The cause shows line, key and what was expected.
    #[error("the configuration file {} can't be used", path.display())]
    Toml {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
    /// The file sets something that is no setting. What to is not shown: some take a secret for one.
    #[error("the configuration file {} can't be used: line {line}: {reason}", path.display())]
    Unknown { path: PathBuf, line: usize, reason: String },
    /// A variable of the environment can't be used. What it holds is shown only by a reason that is about it.
    #[error("the environment variable {variable} can't be used: {reason}")]
    Variable { variable: String, reason: String },
}

/// How the reader says that it knows no setting of that name.
const UNKNOWN: &str = "unknown field";

const PREFIX: &str = "TIDEGATE__";

/// The settings of `file`, if one is given, and over them those of `environment`: `TIDEGATE__SECTION__KEY`.
pub(crate) fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table = toml::Table::new();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        let wrong = |source: toml::de::Error| {
            let path = path.to_owned();
            match source.span().filter(|_| source.message().starts_with(UNKNOWN)) {
                Some(span) => {
                    let before = text.as_bytes().iter().take(span.start);
                    let line = 1 + before.filter(|byte| **byte == b'\n').count();
                    ConfigError::Unknown { path, line, reason: source.message().to_owned() }
                }
                None => ConfigError::Toml { path, source },
            }
        };
        // Read as settings first: only so does an error know its line.
        let _: Config = toml::from_str(&text).map_err(wrong)?;
        table = toml::from_str(&text).map_err(wrong)?;
    }
    let mut variables: Vec<_> = environment.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.sort();
    for (variable, value) in variables {
        let with = set(&table, &variable, &value);
        table = with.map_err(|reason| ConfigError::Variable { variable, reason })?;
    }
    // Each step was read as settings before it was taken.
    table
        .try_into()
        .map_err(|source| ConfigError::Toml { path: file.unwrap_or(Path::new("")).to_owned(), source })
}

/// `table` with one more setting. The value is TOML where it can be (a number, true, a list), else text.
fn set(table: &toml::Table, variable: &str, value: &str) -> Result<toml::Table, String> {
    let path = variable[PREFIX.len()..].to_ascii_lowercase();
    let Some((section, key)) =
        path.split_once("__").filter(|(section, key)| !section.is_empty() && !key.is_empty())
    else {
        return Err("expected TIDEGATE__SECTION__KEY".into());
    };
    let text = toml::Value::String(value.to_owned());
    let parsed = format!("x = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("x"));
    let mut reason = String::new();
    for candidate in parsed.into_iter().chain([text]) {
        let mut with = table.clone();
        let section = with.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let Some(section) = section.as_table_mut() else {
            return Err("expected TIDEGATE__SECTION__KEY".into());
        };
        section.insert(key.to_owned(), candidate);
        match with.clone().try_into::<Config>() {
            Ok(_) => return Ok(with),
            Err(error) if reason.is_empty() => reason = error.message().to_owned(),
            Err(_) => {}
        }
    }
    Err(reason)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        load(None, pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.toml");
        std::fs::write(
            &path,
            "[server]\nlisten = \"127.0.0.1:5000\"\ndrain_ms = 5\n[[stream]]\nname = \"s\"\n",
        )
        .unwrap();
        let variables =
            [("TIDEGATE__SERVER__DRAIN_MS", "7"), ("TIDEGATE__LOG__LEVEL", "debug"), ("HOME", "/x")];
        let config =
            load(Some(&path), variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))).unwrap();
        assert_eq!((config.server.listen.port(), config.server.drain_ms), (5000, 7));
        assert_eq!((config.log.level.as_str(), config.stream.len()), ("debug", 1));
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_line_and_what_was_expected() {
        let dir = tempfile::tempdir().unwrap();
        for (text, expect) in [
            ("[server]\nlisten = 4000\n", vec!["line 2", "listen"]),
            (
                "[server]\n\nlitsen = \"x\"\n",
                vec!["line 3", "unknown field `litsen`", "expected one of", "`listen`"],
            ),
            ("[store]\npassword = \"5ecret\"\n", vec!["line 2", "unknown field `password`"]),
            ("[[client]]\nid = \"a\"\nsecret = \"5ecret\"\n", vec!["line 3", "unknown field `secret`"]),
            ("[[stream]]\nname = \"a b\"\n", vec!["line 2", "may hold only letters"]),
            ("[[stream]]\nname = \"a\"\nretention = \"30\"\n", vec!["line 3", "a number with a unit"]),
            ("[server\n", vec!["line 1"]),
        ] {
            let path = dir.path().join("t.toml");
            std::fs::write(&path, text).unwrap();
            let error = load(Some(&path), std::iter::empty()).unwrap_err();
            let said = format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default());
            assert!(!said.contains("5ecret"), "{said}");
            for part in expect {
                assert!(said.contains(part), "{said:?} lacks {part:?}");
            }
        }
        let gone = load(Some(&dir.path().join("gone.toml")), std::iter::empty()).unwrap_err().to_string();
        assert!(gone.contains("gone.toml"), "{gone}");
        for (name, value, expect) in [
            ("TIDEGATE__STORE__PASSWORD", "5ecret", "unknown field `password`"),
            ("TIDEGATE__SERVER__LITSEN", "x", "unknown field `litsen`"),
            ("TIDEGATE__SERVER__DRAIN_MS", "soon", "invalid type: string \"soon\""),
            ("TIDEGATE__SERVER", "x", "expected TIDEGATE__SECTION__KEY"),
            ("TIDEGATE__SEVER__LISTEN", "x", "unknown field `sever`"),
        ] {
            let error = environment(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(expect) && !error.contains("5ecret"), "{error}");
        }
    }
}
