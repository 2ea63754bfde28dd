//! Columns that a migration adds: looked for first, as not every server knows `ADD IF NOT EXISTS`, and all refuse a column that is
//! there already.

use scylla::client::session::Session;

use super::super::call;
use super::super::fault::Fault;
use super::execute;

const ALTER: &str = "ALTER TABLE ";
const ADD: &str = " ADD IF NOT EXISTS ";

/// A column to be added.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Column<'s> {
    table: &'s str,
    name: &'s str,
    kind: &'s str,
}

impl<'s> Column<'s> {
    /// The column that `statement` adds, if that is what it does.
    pub(super) fn of(statement: &'s str) -> Option<Self> {
        let (table, column) = statement.strip_prefix(ALTER)?.split_once(ADD)?;
        let (name, kind) = column.split_once(' ')?;
        Some(Self { table, name, kind })
    }

    /// Adds it where it is not there. The caller has the lock, so nobody else does.
    pub(super) async fn add(&self, session: &Session, keyspace: &str) -> Result<(), Fault> {
        if self.is_there(session, keyspace).await? {
            return Ok(());
        }
        let statement = format!("{ALTER}{} ADD {} {}", self.table, self.name, self.kind);
        match execute(session, &statement, ()).await {
            Ok(_) => Ok(()),
            // It may have been done though its answer was lost, or late by an earlier holder of the lock.
            Err(fault) => {
                if self.is_there(session, keyspace).await? {
                    Ok(())
                } else {
                    Err(fault)
                }
            }
        }
    }

    async fn is_there(&self, session: &Session, keyspace: &str) -> Result<bool, Fault> {
        let text = "SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ? AND column_name = ?";
        let rows = execute(session, text, (keyspace, self.table, self.name)).await.and_then(call::rows)?;
        Ok(rows.rows_num() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_in_its_statement_and_in_no_other() {
        let column = Column::of("ALTER TABLE leases ADD IF NOT EXISTS parents frozen<list<text>>");
        assert_eq!(column, Some(Column { table: "leases", name: "parents", kind: "frozen<list<text>>" }));
        for statement in ["CREATE TABLE IF NOT EXISTS a (b text)", "ALTER TABLE leases ADD owner text", ""] {
            assert_eq!(Column::of(statement), None, "{statement}");
        }
    }
}
