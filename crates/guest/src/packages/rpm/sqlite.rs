//! The container of rpm since 4.16: a database of SQLite, whose table `Packages` holds a header a
//! row.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use super::Visit;
use crate::files::{Files, Read};
use crate::packages::HIDES;
use crate::sqlite::{Database, Record, Source, Value};

/// The column of the header; before it is the number of the package.
const BLOB: usize = 1;

pub(super) fn read(
    files: &Files<'_>,
    path: &str,
    main: Arc<dyn ReadAt>,
    visit: Visit<'_>,
) -> Result<()> {
    let mut beside = |suffix: &str| match files.open(&format!("{path}{suffix}"), HIDES) {
        Read::There(reader) => Some(reader),
        Read::Absent => None,
        Read::Unread(_) => {
            let why = "what it says may have been changed since";
            let _ = visit(Err(Error::unsupported(format!("a database without its {suffix}"), why)));
            None
        }
    };
    let (wal, journal) = (beside("-wal"), beside("-journal"));
    let (database, problems) = Database::open(Source { main, wal, journal })?;
    for problem in problems {
        let _ = visit(Err(problem));
    }
    database.rows("Packages", &mut |row| match row {
        Ok(row) => header(&row, visit),
        Err(error) => visit(Err(error)),
    })
}

fn header(row: &Record<'_>, visit: Visit<'_>) -> ControlFlow<()> {
    match row.value(BLOB) {
        Ok(Value::Blob(header)) => visit(Ok(header)),
        Ok(other) => {
            let why = match other {
                Value::Null => "nothing".to_owned(),
                other => format!("{other:?}").chars().take(40).collect(),
            };
            let what = format!("package {}", row.id);
            visit(Err(Error::corrupt(what, 0, format!("it has {why} for a header"))))
        }
        Err(error) => visit(Err(error.within(format!("package {}", row.id)))),
    }
}
