//! Reads tables of an SQLite database as its next user would find them.
//!
//! What a transaction had promised but not yet moved into the file lies in the write-ahead log
//! beside it; what one had begun in the file and not finished is undone from the rollback journal.
//! Both become pages that are read in place of the file's own. Only whole tables are read, in the
//! order of their row identifiers: there is no query language and no index.
//!
//! Every page belongs to one thing: a tree, or the overflow of one row. So each is read once, and a
//! link that comes back to a page that was used before is damage.
//!
//! The format: <https://www.sqlite.org/fileformat2.html>.

mod btree;
mod journal;
mod page;
mod record;
mod wal;

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use page::Pages;
pub(crate) use record::{Record, Value};

/// The files of one database.
pub(crate) struct Source {
    /// The database.
    pub(crate) main: Arc<dyn ReadAt>,
    /// Its write-ahead log: the same name and `-wal`.
    pub(crate) wal: Option<Arc<dyn ReadAt>>,
    /// Its rollback journal: the same name and `-journal`.
    pub(crate) journal: Option<Arc<dyn ReadAt>>,
}

/// A database.
pub(crate) struct Database {
    pages: Pages,
}

/// A row of a table, or why one or many could not be read.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(Result<Record<'_>>) -> ControlFlow<()>;

impl Database {
    /// Opens the database. What is wrong with what lies beside it is a problem, not an end.
    pub(crate) fn open(source: Source) -> Result<(Self, Vec<Error>)> {
        let (pages, problems) = Pages::open(source)?;
        Ok((Self { pages }, problems))
    }

    /// Shows every row of the table.
    pub(crate) fn rows(&self, table: &str, visit: Visit<'_>) -> Result<()> {
        let root = self.root(table)?;
        btree::walk(&self.pages, root, visit);
        Ok(())
    }

    /// The page that the table's tree begins at.
    fn root(&self, table: &str) -> Result<u32> {
        let mut root = None;
        let mut problem = None;
        if !self.pages.is_empty() {
            btree::walk(
                &self.pages,
                1,
                &mut |row| match row.and_then(|row| root_of(&row, table)) {
                    Ok(None) => ControlFlow::Continue(()),
                    Ok(found) => {
                        root = found;
                        ControlFlow::Break(())
                    }
                    Err(error) => {
                        problem.get_or_insert(error);
                        ControlFlow::Continue(())
                    }
                },
            );
        }
        match (root, problem) {
            (Some(root), _) => Ok(root),
            (None, Some(problem)) => Err(problem),
            (None, None) => Err(Error::corrupt("database", 0, format!("it has no table {table}"))),
        }
    }
}

/// The root page that a row of the schema gives for the table. Names of tables have no case.
fn root_of(row: &Record<'_>, table: &str) -> Result<Option<u32>> {
    let is_table = row.value(0)? == Value::Text(b"table");
    let named = match row.value(1)? {
        Value::Text(name) => name.eq_ignore_ascii_case(table.as_bytes()),
        _ => false,
    };
    if !is_table || !named {
        return Ok(None);
    }
    match row.value(3)? {
        Value::Integer(root) if root > 0 => match u32::try_from(root) {
            Ok(root) => Ok(Some(root)),
            Err(_) => Err(Error::corrupt("schema", 0, format!("{table} begins at page {root}"))),
        },
        _ => Err(Error::corrupt("schema", 0, format!("{table} has no root page"))),
    }
}

#[cfg(test)]
pub(crate) mod tests;
