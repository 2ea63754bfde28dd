//! Secrets of the environment: what a variable holds, or the file that a variable of the same name with `_FILE` behind it names, as
//! container engines hand them over.

use std::cell::RefCell;
use std::path::Path;

use crate::commands::Failure;

/// The secret that `variable` names; `None` where there is none.
///
/// # Errors
/// A sentence that names variable and file, and never the secret.
pub(crate) fn secret(variable: &str) -> Result<Option<String>, String> {
    let by_file = format!("{variable}_FILE");
    match (std::env::var(variable).ok(), std::env::var_os(&by_file)) {
        (Some(_), Some(_)) => {
            Err(format!("{variable} and {by_file} are both set: which of them holds the secret?"))
        }
        (value, None) => Ok(value),
        (None, Some(path)) => read(&by_file, Path::new(&path)).map(Some),
    }
}

fn read(variable: &str, path: &Path) -> Result<String, String> {
    let wrong = |fault: &str| format!("{variable} names {}, which {fault}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&format!("can't be read: {error}")))?;
    // Editors end a file with a line's end, which is no part of the secret.
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() { Err(wrong("is empty")) } else { Ok(text.to_owned()) }
}

/// Secrets for those who ask for one after the other, and the first that could not be had.
#[derive(Debug, Default)]
pub(crate) struct Secrets(RefCell<Option<String>>);

impl Secrets {
    /// The secret that `variable` names, if there is one.
    pub(crate) fn get(&self, variable: &str) -> Option<String> {
        secret(variable).unwrap_or_else(|fault| {
            self.0.borrow_mut().get_or_insert(fault);
            None
        })
    }

    /// What came of asking: where a secret could not be had, that is why.
    ///
    /// # Errors
    /// The sentence, or else the error of whoever asked.
    pub(crate) fn settle<T, E: Into<Failure>>(&self, result: Result<T, E>) -> Result<T, Failure> {
        match self.0.borrow_mut().take() {
            Some(fault) => Err(fault.into()),
            None => result.map_err(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_secret_without_the_end_of_its_line() {
        let here = tempfile::tempdir().unwrap();
        let file = here.path().join("secret");
        for (content, expect) in [
            ("a secret\n", Ok("a secret")),
            ("a secret", Ok("a secret")),
            ("a secret\r\n", Ok("a secret")),
            (" a\nsecret \n\n", Ok(" a\nsecret \n")),
            ("", Err("is empty")),
            ("\n", Err("is empty")),
        ] {
            std::fs::write(&file, content).unwrap();
            match (read("X_FILE", &file), expect) {
                (Ok(text), Ok(expect)) => assert_eq!(text, expect),
                (Err(told), Err(expect)) => {
                    assert!(told.starts_with("X_FILE names ") && told.ends_with(expect), "{told}");
                }
                (told, _) => panic!("{content:?}: {told:?}"),
            }
        }
        assert!(read("X_FILE", &here.path().join("none")).unwrap_err().contains("can't be read"));
    }
}
