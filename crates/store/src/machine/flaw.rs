//! Looking at flaws, over all machines.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::fact::plain;
use super::set::Matter;
use super::sql::{Sql, Value, listed};
use crate::error::Result;
use crate::open::Store;

/// By what flaws are put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlawOrder {
    /// How much is at stake, the most first.
    #[default]
    Risk,
    /// Their names.
    Name,
}

/// Which flaws to list.
#[derive(Clone, Debug, Default)]
pub struct FlawFilter {
    /// Only those of machines of these namespaces; nothing: of all.
    pub namespaces: Option<Vec<String>>,
    /// Only those that are at least so bad, from 1 to 5.
    pub severity: Option<u8>,
    /// Only those that are known to be exploited, or only the others.
    pub exploited: Option<bool>,
    /// Only those in this package.
    pub package: Option<String>,
    /// In which order.
    pub order: FlawOrder,
    /// Behind which to begin: its risk and its name.
    pub after: Option<(f64, String)>,
    /// How many at most.
    pub most: u32,
}

/// A flaw, and how many machines have it.
#[derive(Clone, Debug, PartialEq)]
pub struct FlawSummary {
    /// Its number in the CVE list, or its name.
    pub cve: String,
    /// How bad it is at worst, from 1 to 5.
    pub severity: Option<u8>,
    /// Its greatest base score.
    pub cvss: Option<f64>,
    /// How likely it is exploited within a month.
    pub epss: Option<f64>,
    /// Whether it is known to be exploited.
    pub exploited: bool,
    /// How much is at stake at most.
    pub risk: f64,
    /// The packages that have it.
    pub packages: Vec<String>,
    /// Machines that have it, and about which nobody has decided otherwise.
    pub machines: i64,
    /// Machines that have it only where somebody has decided to leave it so.
    pub excepted: i64,
}

/// How many flaws are looked at for a page: among them may be some that no machine has any more.
const LOOKED_AT: usize = 1000;

impl Store {
    /// A page of flaws, and whether there may be more.
    pub async fn flaws(&self, filter: &FlawFilter) -> Result<(Vec<FlawSummary>, bool)> {
        let mut found = Vec::new();
        let mut after = filter.after.clone();
        let mut looked_at = 0;
        while found.len() < filter.most as usize && looked_at < LOOKED_AT {
            let left = (filter.most as usize - found.len()).max(8);
            let page = self.known_flaws(filter, after.as_ref(), left).await?;
            looked_at += page.len();
            let whole = page.len() < left;
            for (cve, risk) in page {
                after = Some((risk, cve.clone()));
                if let Some(flaw) = self.flaw(&cve, filter.namespaces.as_deref(), true).await? {
                    found.push(flaw);
                    if found.len() == filter.most as usize {
                        return Ok((found, true));
                    }
                }
            }
            if whole {
                return Ok((found, false));
            }
        }
        Ok((found, true))
    }

    /// Flaws, whether any machine has them or not: their names, and how much is at stake.
    async fn known_flaws(
        &self,
        filter: &FlawFilter,
        after: Option<&(f64, String)>,
        most: usize,
    ) -> Result<Vec<(String, f64)>> {
        let mut sql = Sql::new("SELECT f.cve, MAX(f.risk) AS risk FROM flaws f WHERE (1 = 1)");
        if let Some(severity) = filter.severity {
            sql.say(" AND f.severity >= ").value(Value::Whole(i64::from(severity)));
        }
        if let Some(exploited) = filter.exploited {
            sql.say(" AND f.exploited = ").value(Value::Whole(i64::from(exploited)));
        }
        if let Some(package) = &filter.package {
            sql.say(" AND f.package = ").text(&plain(package));
        }
        if let (FlawOrder::Name, Some((_, name))) = (filter.order, after) {
            sql.say(" AND f.cve > ").text(&plain(name));
        }
        sql.say(" GROUP BY f.cve");
        match (filter.order, after) {
            (FlawOrder::Name, _) => drop(sql.say(" ORDER BY f.cve")),
            (FlawOrder::Risk, after) => {
                if let Some((risk, name)) = after {
                    sql.say(" HAVING MAX(f.risk) < ").value(Value::Number(*risk));
                    sql.say(" OR (MAX(f.risk) = ").value(Value::Number(*risk));
                    sql.say(" AND f.cve > ").text(&plain(name)).say(")");
                }
                sql.say(" ORDER BY MAX(f.risk) DESC, f.cve");
            }
        }
        sql.say(&format!(" LIMIT {most}"));
        let rows = sql.rows(self).await?;
        rows.iter().map(|row| Ok((row.try_get("cve")?, row.try_get("risk")?))).collect()
    }

    /// The flaw that goes by this name; nothing where no machine has it. Where `own` is set, other
    /// names of it do not count.
    pub async fn flaw(
        &self,
        name: &str,
        namespaces: Option<&[String]>,
        own: bool,
    ) -> Result<Option<FlawSummary>> {
        let mut facts = Sql::new(
            "SELECT number, cve, package, severity, cvss, epss, exploited, risk, excepted FROM flaws \
             WHERE ",
        );
        if own {
            facts.say("cve = ").text(&plain(name));
        } else {
            let numbers = self.flaws_named(name).await?;
            facts.say("number IN ").numbers(&numbers);
        }
        let rows = facts.rows(self).await?;
        let (mut open, mut decided) = (Vec::new(), Vec::new());
        let mut packages = BTreeMap::new();
        let mut summary: Option<FlawSummary> = None;
        for row in &rows {
            let number: i32 = row.try_get("number")?;
            let excepted: Option<String> = row.try_get("excepted")?;
            if excepted.is_none() { &mut open } else { &mut decided }.push(number);
            packages.insert(row.try_get::<String, _>("package")?, ());
            let severity: Option<i64> = row.try_get("severity")?;
            let severity = severity.and_then(|it| u8::try_from(it).ok());
            let (cvss, epss): (Option<f64>, Option<f64>) =
                (row.try_get("cvss")?, row.try_get("epss")?);
            let (exploited, risk): (i64, f64) = (row.try_get("exploited")?, row.try_get("risk")?);
            let most = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
            summary = Some(match summary {
                None => FlawSummary {
                    cve: row.try_get("cve")?,
                    severity,
                    cvss,
                    epss,
                    exploited: exploited != 0,
                    risk,
                    packages: Vec::new(),
                    machines: 0,
                    excepted: 0,
                },
                Some(so_far) => FlawSummary {
                    severity: so_far.severity.max(severity),
                    cvss: most(so_far.cvss, cvss),
                    epss: most(so_far.epss, epss),
                    exploited: so_far.exploited || exploited != 0,
                    risk: so_far.risk.max(risk),
                    ..so_far
                },
            });
        }
        let Some(mut summary) = summary else { return Ok(None) };
        summary.machines = self.count_with(Matter::Flaws, &open, namespaces).await?;
        if !decided.is_empty() {
            let all: Vec<i32> = open.iter().chain(&decided).copied().collect();
            let all = self.count_with(Matter::Flaws, &all, namespaces).await?;
            summary.excepted = (all - summary.machines).max(0);
        }
        summary.packages = packages.into_keys().collect();
        Ok(Some(summary).filter(|it| it.machines + it.excepted > 0))
    }

    /// In which packages the flaw of this name is: system, kind, package, version, the version that
    /// mends it, and how many machines have it there.
    pub async fn flaw_places(
        &self,
        name: &str,
        namespaces: Option<&[String]>,
        most: u32,
    ) -> Result<Vec<FlawPlace>> {
        let numbers = self.flaws_named(name).await?;
        let rows = Sql::new(format!(
            "SELECT number, system, kind, package, version, fixed_version, state, excepted FROM flaws \
             WHERE number IN {} ORDER BY system, package, version, number",
            listed(&numbers)
        ))
        .rows(self)
        .await?;
        let mut places = Vec::new();
        for row in &rows {
            if places.len() == most as usize {
                break;
            }
            let number: i32 = row.try_get("number")?;
            let machines = self.count_with(Matter::Flaws, &[number], namespaces).await?;
            if machines > 0 {
                places.push(FlawPlace {
                    system: row.try_get("system")?,
                    kind: row.try_get("kind")?,
                    package: row.try_get("package")?,
                    version: row.try_get("version")?,
                    fixed_version: row.try_get("fixed_version")?,
                    state: row.try_get("state")?,
                    excepted: row.try_get("excepted")?,
                    machines,
                });
            }
        }
        Ok(places)
    }
}

/// A package that has a flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlawPlace {
    /// The system, as `debian 12`.
    pub system: String,
    /// The kind of the package.
    pub kind: String,
    /// The package.
    pub package: String,
    /// The version that is installed.
    pub version: String,
    /// The version that mends it.
    pub fixed_version: Option<String>,
    /// What can be said of it.
    pub state: String,
    /// The kind of decision that tells it apart, where there is one.
    pub excepted: Option<String>,
    /// How many machines have it there.
    pub machines: i64,
}
