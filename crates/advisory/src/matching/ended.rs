//! Whether anybody mends a system any more.

use fathom_report::{Fact, System};

use crate::database::Database;
use crate::day::Day;
use crate::error::Result;
use crate::segment::End;

/// Since when a system is not mended any more, if it is not: as the report says, or the database where
/// the report does not know.
pub(super) fn ended(database: &Database, system: &System, today: Day) -> Result<Option<String>> {
    let since = |last: Day| {
        let is_over = today.is_known() && last.is_known() && last < today;
        is_over.then(|| format!("since {last}"))
    };
    Ok(match (&system.identity.end_of_life, end_of(database, system)?) {
        (Fact::Known { value, .. }, _) => {
            since(Day::of(value.extended.as_deref().unwrap_or(&value.support)))
        }
        (Fact::Unknown { .. }, Some(end)) if !end.last().is_known() => Some("for long".to_owned()),
        (Fact::Unknown { .. }, Some(end)) => since(end.last()),
        (Fact::Absent { .. } | Fact::Unknown { .. }, _) => None,
    })
}

/// Until when the database says that a system is mended.
fn end_of(database: &Database, system: &System) -> Result<Option<End>> {
    let identity = &system.identity;
    let (Some(segment), Some(distribution), Some(version)) =
        (database.provider("endoflife"), identity.distribution.value(), identity.version.value())
    else {
        return Ok(None);
    };
    // CentOS and CentOS Stream go by one name and end on different days.
    let distribution = distribution.to_lowercase();
    match (distribution.as_str(), identity.name.value()) {
        ("centos", None) => Ok(None),
        ("centos", Some(name)) if name.contains("Stream") => {
            segment.end_of("centos-stream", version)
        }
        (distribution, _) => segment.end_of(distribution, version),
    }
}
