//! The migrations that this binary has, and their statements.

/// One version of the schema.
pub(super) struct Migration {
    /// Counts from 1.
    pub(super) version: i32,
    /// The file's name.
    pub(super) name: &'static str,
    text: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal;)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            text: include_str!(concat!("../../../../migrations/", $name)),
        },)+]
    };
}

/// All of them, in order.
pub(super) const MIGRATIONS: &[Migration] = migrations! {
    1 "0001_tables.cql";
    2 "0002_workers.cql";
    3 "0003_dead_letters.cql";
};

/// The schema that this binary is written for.
pub const VERSION: i32 = MIGRATIONS.len() as i32;

impl Migration {
    /// Its statements, without comments. Each ends with a semicolon at the end of a line.
    pub(super) fn statements(&self) -> impl Iterator<Item = String> {
        let code = self.text.lines().filter(|line| !line.trim_start().starts_with("--"));
        let code: Vec<&str> = code.collect();
        let statements: Vec<String> = code
            .join("\n")
            .split(";\n")
            .map(|statement| statement.trim().trim_end_matches(';').to_owned())
            .collect();
        statements.into_iter().filter(|statement| !statement.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_and_every_statement_may_be_run_again() {
        for (migration, number) in MIGRATIONS.iter().zip(1..) {
            assert_eq!(migration.version, number);
            assert!(migration.name.starts_with(&format!("{number:04}_")), "{}", migration.name);
            assert!(migration.statements().count() > 0);
            for statement in migration.statements() {
                assert!(statement.contains("IF NOT EXISTS"), "{}: {statement}", migration.name);
                assert!(!statement.contains(';'), "{}: {statement}", migration.name);
            }
        }
    }
}
