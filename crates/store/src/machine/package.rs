//! Looking at packages, over all machines.

use sqlx::Row as _;

use super::fact::plain;
use super::set::Matter;
use super::sql::{Sql, Value, pattern};
use crate::error::Result;
use crate::open::Store;

/// Which packages to list.
#[derive(Clone, Debug, Default)]
pub struct PackageFilter {
    /// Only those of machines of these namespaces; nothing: of all.
    pub namespaces: Option<Vec<String>>,
    /// Only those of this name, in which stars stand for anything.
    pub name: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Behind which to begin: its name and its number.
    pub after: Option<(String, i64)>,
    /// How many at most.
    pub most: u32,
}

/// A package in a version, and how many machines have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageSummary {
    /// Where it stands in the order of all packages.
    pub number: i64,
    /// The system, as `debian 12`.
    pub system: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The architecture.
    pub architecture: Option<String>,
    /// What it was built from.
    pub source: Option<String>,
    /// How many machines have it.
    pub machines: i64,
}

/// How many packages are looked at for a page: among them may be some that no machine has any more.
const LOOKED_AT: usize = 1000;

impl Store {
    /// A page of packages in their versions, by name; and behind which the next one begins, where there
    /// may be more.
    pub async fn packages(
        &self,
        filter: &PackageFilter,
    ) -> Result<(Vec<PackageSummary>, Option<(String, i64)>)> {
        let mut found: Vec<PackageSummary> = Vec::new();
        let mut after = filter.after.clone();
        let mut looked_at = 0;
        loop {
            let left = (filter.most as usize).saturating_sub(found.len());
            if left == 0 || looked_at >= LOOKED_AT {
                return Ok((found, after));
            }
            let mut sql = Sql::new(
                "SELECT number, system, kind, name, version, architecture, source FROM packages \
                 WHERE (1 = 1)",
            );
            match &filter.name {
                Some(name) if name.contains('*') => {
                    sql.say(" AND LOWER(name) LIKE ").text(&pattern(&plain(name)));
                    sql.say(" ESCAPE '\\'");
                }
                Some(name) => drop(sql.say(" AND name = ").text(&plain(name))),
                None => {}
            }
            if let Some(kind) = &filter.kind {
                sql.say(" AND kind = ").text(&plain(kind));
            }
            if let Some((name, number)) = &after {
                sql.say(" AND (name, number) > (").text(&plain(name)).say(", ");
                sql.value(Value::Whole(*number)).say(")");
            }
            sql.say(&format!(" ORDER BY name, number LIMIT {left}"));
            let rows = sql.rows(self).await?;
            for row in &rows {
                let number: i32 = row.try_get("number")?;
                let name: String = row.try_get("name")?;
                after = Some((name.clone(), i64::from(number)));
                let machines = self
                    .count_with(Matter::Packages, &[number], filter.namespaces.as_deref())
                    .await?;
                if machines > 0 {
                    found.push(PackageSummary {
                        number: i64::from(number),
                        system: row.try_get("system")?,
                        kind: row.try_get("kind")?,
                        name,
                        version: row.try_get("version")?,
                        architecture: row.try_get("architecture")?,
                        source: row.try_get("source")?,
                        machines,
                    });
                }
            }
            looked_at += rows.len();
            if rows.len() < left {
                return Ok((found, None));
            }
        }
    }
}
