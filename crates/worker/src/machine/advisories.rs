//! What stands in the way of looking for flaws, as trouble of a job.

use fathom_advisory::{Error, Kind};
use fathom_fleet::NoDatabase;

use crate::handler::Trouble;

/// Where there is no database, or none that can be used.
pub(super) fn none(why: NoDatabase) -> Trouble {
    let text = why.to_string();
    match why {
        NoDatabase::None(_) => {
            Trouble { recoverable: true, ..Trouble::lasting("NO_DATABASE", text) }
        }
        NoDatabase::Unfit(error) => failed(error),
    }
}

/// Where nobody is to scan.
pub(super) fn switched_off() -> Trouble {
    Trouble::lasting("NO_DATABASE", "this worker does not look for flaws: scan.enabled is false")
}

/// An error of the database.
pub(super) fn failed(error: Error) -> Trouble {
    let text = error.to_string();
    match error.kind() {
        Kind::Missing => none(error.into()),
        Kind::Corrupt => Trouble::lasting("DATABASE_CORRUPT", text),
        Kind::Unsupported => Trouble::lasting("DATABASE_UNSUPPORTED", text),
        Kind::Io => Trouble::passing("DATABASE_UNREAD", text),
    }
}
