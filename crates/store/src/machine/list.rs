//! Looking at machines.

use std::fmt;
use std::str::FromStr;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::fact::{hex, plain};
use super::filter::{Condition, Resolved};
use super::membership::has;
use super::set::Matter;
use super::sql::{Sql, Value, listed};
use super::{Inspection, Machine, Nature, Place, Tally, Whose};
use crate::error::{Error, ErrorKind, Result};
use crate::open::Store;
use crate::time::Time;

/// By what machines are put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MachineOrder {
    /// Their names.
    #[default]
    Name,
    /// How much is at stake; of whom that is not known comes before who has nothing at stake.
    Risk,
    /// When they were last looked at.
    Seen,
}

impl MachineOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Name => "m.name",
            Self::Risk => "COALESCE(m.risk, -1)",
            Self::Seen => "m.seen_at",
        }
    }
}

/// Where a page ends: the next one begins behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    by: By,
    number: i64,
}

#[derive(Clone, Debug, PartialEq)]
enum By {
    Text(String),
    Number(f64),
    Whole(i64),
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match &self.by {
            By::Text(text) => write!(out, "t{}.{number}", hex(text.as_bytes())),
            By::Number(of) => write!(out, "n{:x}.{number}", of.to_bits()),
            By::Whole(of) => write!(out, "w{of:x}.{number}"),
        }
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let (by, number) = text.split_once('.')?;
            let number = number.parse().ok()?;
            let mut rest = by.chars();
            let kind = rest.next()?;
            let rest = rest.as_str();
            let by = match kind {
                't' => {
                    if rest.len() % 2 != 0 || !rest.is_ascii() || rest.len() > 8192 {
                        return None;
                    }
                    let bytes: Option<Vec<u8>> = rest
                        .as_bytes()
                        .chunks(2)
                        .map(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok())
                        .collect();
                    By::Text(String::from_utf8(bytes?).ok()?)
                }
                'n' => {
                    let number = f64::from_bits(u64::from_str_radix(rest, 16).ok()?);
                    By::Number(Some(number).filter(|it| it.is_finite())?)
                }
                'w' => By::Whole(i64::from_str_radix(rest, 16).ok()?),
                _ => return None,
            };
            Some(Self { by, number })
        };
        read().ok_or_else(|| Error::new(ErrorKind::Invalid, "the cursor is none of ours"))
    }
}

/// Which machines to list.
#[derive(Clone, Debug, Default)]
pub struct MachineFilter {
    /// Only of these namespaces; nothing: of all.
    pub namespaces: Option<Vec<String>>,
    /// Only those for which it holds.
    pub condition: Option<Condition>,
    /// In which order.
    pub order: MachineOrder,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Behind which to begin.
    pub after: Option<Cursor>,
    /// How many at most.
    pub most: u32,
}

/// Some of the machines that were asked for.
#[derive(Clone, Debug)]
pub struct MachinePage {
    /// These.
    pub machines: Vec<Machine>,
    /// Where the next ones begin, where there may be more.
    pub next: Option<Cursor>,
}

/// How many machines are as was asked, and of how many that cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Machines of which it is sure.
    pub machines: i64,
    /// Machines of which it is sure neither that they are nor that they are not.
    pub unknown: i64,
}

/// What machines come to in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// All of them.
    pub machines: i64,
    /// Those that were compared with what is known of flaws.
    pub scanned: i64,
    /// Those that have a critical flaw.
    pub with_critical: i64,
    /// Those that have a flaw that is known to be exploited.
    pub with_exploited: i64,
    /// Those that have flaws that can be mended.
    pub with_fixable: i64,
    /// Those of which it is not known all that is installed.
    pub packages_unknown: i64,
}

/// What goes by a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// One machine.
    One(Box<Machine>),
    /// Several.
    Several(Vec<Named>),
}

/// A machine, as far as it is told apart from others of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// By which it is called.
    pub id: String,
    /// How it is known.
    pub whose: Whose,
}

/// Of how many families machines are looked for at first.
const FAMILIES: i32 = 4;
/// How many facts are asked for each alone.
const ALONE: usize = 100;
/// How many systems are told apart.
const SYSTEMS: u32 = 200;
/// How many machines of one name are told.
const TOLD: i64 = 20;

const COLUMNS: &str = "m.number, m.id, m.namespace, m.key, m.alias, m.name, m.version, \
     m.first_seen_at, m.seen_at, m.inspection, m.hostname, m.family, m.os, m.os_version, m.os_name, \
     m.architecture, m.kernel, m.package_count, m.packages_known, m.flaws_known, m.matched_with, \
     m.matched_at, m.risk, m.critical, m.high, m.medium, m.low, m.negligible, m.unrated, \
     m.exploited, m.fixable, m.excepted";

impl Store {
    /// The machine that goes by this id, or by this name where it comes from: that is only one's as
    /// long as there is no other.
    pub async fn machine(&self, name: &str, namespaces: Option<&[String]>) -> Result<Found> {
        let name = plain(name);
        let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM machines m WHERE m.id = "));
        sql.text(&name).say(" AND ").within("m", namespaces);
        if let Some(row) = sql.rows(self).await?.first() {
            return Ok(Found::One(Box::new(read(row)?)));
        }
        let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM machines m WHERE m.alias = "));
        sql.text(&name).say(" AND ").within("m", namespaces);
        sql.say(&format!(" ORDER BY m.number LIMIT {TOLD}"));
        let rows = sql.rows(self).await?;
        match rows.as_slice() {
            [] => Ok(Found::Nothing),
            [row] => Ok(Found::One(Box::new(read(row)?))),
            rows => {
                let named = |row| read(row).map(|it| Named { id: it.id, whose: it.whose });
                Ok(Found::Several(rows.iter().map(named).collect::<Result<_>>()?))
            }
        }
    }

    /// A page of machines.
    pub async fn machines(&self, filter: &MachineFilter) -> Result<MachinePage> {
        let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM machines m WHERE "));
        sql.within("m", filter.namespaces.as_deref());
        if let Some(condition) = &filter.condition {
            sql.say(" AND ");
            condition.resolve(self).await?.holds(&mut sql, true);
        }
        let column = filter.order.column();
        let (sign, direction) = if filter.descending { ("<", " DESC") } else { (">", "") };
        if let Some(after) = &filter.after {
            let by = match (&after.by, filter.order) {
                (By::Text(text), MachineOrder::Name) => Value::Text(plain(text)),
                (By::Number(number), MachineOrder::Risk) => Value::Number(*number),
                (By::Whole(number), MachineOrder::Seen) => Value::Whole(*number),
                _ => {
                    let what = "the cursor is of a list in another order";
                    return Err(Error::new(ErrorKind::Invalid, what));
                }
            };
            sql.say(&format!(" AND ({column}, m.number) {sign} (")).value(by).say(", ");
            sql.value(Value::Whole(after.number)).say(")");
        }
        sql.say(&format!(" ORDER BY {column}{direction}, m.number{direction} LIMIT "));
        sql.value(Value::Whole(i64::from(filter.most)));
        let machines: Vec<Machine> =
            sql.rows(self).await?.iter().map(read).collect::<Result<_>>()?;
        let full = machines.len() == filter.most as usize;
        let next = machines.last().filter(|_| full).map(|last| Cursor {
            by: match filter.order {
                MachineOrder::Name => By::Text(last.whose.name.clone()),
                MachineOrder::Risk => By::Number(last.tally.map_or(-1.0, |it| it.risk)),
                MachineOrder::Seen => By::Whole(last.seen_at.0),
            },
            number: last.number,
        });
        Ok(MachinePage { machines, next })
    }

    /// How many machines there are of those that a list would give.
    pub async fn count_machines(&self, filter: &MachineFilter) -> Result<Totals> {
        let count = |sql: Sql| async move {
            let rows = sql.rows(self).await?;
            Ok::<i64, Error>(rows.first().map_or(Ok(0), |row| row.try_get("machines"))?)
        };
        let begin = || {
            let mut sql = Sql::new("SELECT COUNT(*) AS machines FROM machines m WHERE ");
            sql.within("m", filter.namespaces.as_deref());
            sql
        };
        let all = count(begin()).await?;
        let Some(condition) = &filter.condition else {
            return Ok(Totals { machines: all, unknown: 0 });
        };
        let condition: Resolved = condition.resolve(self).await?;
        let mut sure = [0; 2];
        for (wanted, sure) in [true, false].into_iter().zip(&mut sure) {
            let mut sql = begin();
            condition.holds(sql.say(" AND "), wanted);
            *sure = count(sql).await?;
        }
        let [machines, others] = sure;
        Ok(Totals { machines, unknown: (all - machines - others).max(0) })
    }

    /// What machines come to in figures.
    pub async fn machine_census(&self, namespaces: Option<&[String]>) -> Result<Census> {
        let mut sql = Sql::new("SELECT COUNT(*) AS machines");
        for (name, condition) in [
            ("scanned", "m.matched_with IS NOT NULL"),
            ("with_critical", "m.critical > 0"),
            ("with_exploited", "m.exploited > 0"),
            ("with_fixable", "m.fixable > 0"),
            ("packages_unknown", "m.packages_known = 0"),
        ] {
            sql.say(&format!(", COUNT(CASE WHEN {condition} THEN 1 END) AS {name}"));
        }
        sql.say(" FROM machines m WHERE ").within("m", namespaces);
        let rows = sql.rows(self).await?;
        let Some(row) = rows.first() else { return Ok(Census::default()) };
        Ok(Census {
            machines: row.try_get("machines")?,
            scanned: row.try_get("scanned")?,
            with_critical: row.try_get("with_critical")?,
            with_exploited: row.try_get("with_exploited")?,
            with_fixable: row.try_get("with_fixable")?,
            packages_unknown: row.try_get("packages_unknown")?,
        })
    }

    /// How many machines run which system in which version, the most first.
    pub async fn system_census(
        &self,
        namespaces: Option<&[String]>,
    ) -> Result<Vec<(Option<String>, Option<String>, i64)>> {
        let mut sql =
            Sql::new("SELECT m.os, m.os_version, COUNT(*) AS machines FROM machines m WHERE ");
        sql.within("m", namespaces);
        sql.say(&format!(
            " GROUP BY m.os, m.os_version ORDER BY COUNT(*) DESC, m.os, m.os_version LIMIT {SYSTEMS}"
        ));
        let rows = sql.rows(self).await?;
        rows.iter()
            .map(|row| {
                Ok((row.try_get("os")?, row.try_get("os_version")?, row.try_get("machines")?))
            })
            .collect()
    }

    /// The looks at a machine, the newest first.
    pub async fn inspections(
        &self,
        machine: i64,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<Inspection>> {
        let rows = sqlx::query(
            "SELECT i.number, i.job, i.at, i.risk, r.digest AS report, r.size, f.digest AS findings \
             FROM inspections i JOIN blobs r ON r.number = i.report \
             LEFT JOIN blobs f ON f.number = i.findings \
             WHERE i.machine = $1 AND i.number < $2 ORDER BY i.number DESC LIMIT $3",
        )
        .bind(machine)
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(most))
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Inspection {
                    number: row.try_get("number")?,
                    job: row.try_get("job")?,
                    at: Time(row.try_get("at")?),
                    report: row.try_get("report")?,
                    size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or(0),
                    findings: row.try_get("findings")?,
                    risk: row.try_get("risk")?,
                })
            })
            .collect()
    }

    /// Where the report and the findings of a look at a machine are; nothing where there is no such
    /// look.
    pub async fn places(
        &self,
        machine: i64,
        inspection: i64,
    ) -> Result<Option<(Place, Option<Place>)>> {
        let row = sqlx::query(
            "SELECT i.report, i.findings, r.digest AS report_digest, r.size AS report_size, \
             f.digest AS findings_digest, f.size AS findings_size FROM inspections i \
             JOIN blobs r ON r.number = i.report LEFT JOIN blobs f ON f.number = i.findings \
             WHERE i.machine = $1 AND i.number = $2",
        )
        .bind(machine)
        .bind(inspection)
        .fetch_optional(self.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let size = |size: i64| u64::try_from(size).unwrap_or(0);
        let report = Place {
            number: row.try_get("report")?,
            digest: row.try_get("report_digest")?,
            size: size(row.try_get("report_size")?),
        };
        let findings = match row.try_get::<Option<i64>, _>("findings")? {
            None => None,
            Some(number) => Some(Place {
                number,
                digest: row.try_get("findings_digest")?,
                size: size(row.try_get("findings_size")?),
            }),
        };
        Ok(Some((report, findings)))
    }

    /// The machines that have one of these flaws, by the families of those that are alike: so that a
    /// page costs what it holds, however many there are in all.
    pub async fn machines_with_flaw(
        &self,
        name: &str,
        namespaces: Option<&[String]>,
        after: Option<(i32, i64)>,
        most: u32,
    ) -> Result<(Vec<Machine>, Option<(i32, i64)>)> {
        let facts = self.flaws_named(name).await?;
        self.machines_with(Matter::Flaws, &facts, namespaces, after, most).await
    }

    async fn machines_with(
        &self,
        matter: Matter,
        facts: &[i32],
        namespaces: Option<&[String]>,
        after: Option<(i32, i64)>,
        most: u32,
    ) -> Result<(Vec<Machine>, Option<(i32, i64)>)> {
        let mut found: Vec<(i32, Machine)> = Vec::new();
        let (mut from, behind) = after.unwrap_or((0, 0));
        let (mut at_once, mut first) = (FAMILIES, true);
        while !facts.is_empty() && found.len() < most as usize {
            let sets = self.sets_with(matter, facts, namespaces, from, at_once).await?;
            let Some(last) = sets.last().copied() else { break };
            let behind = Some((from, behind)).filter(|_| first && after.is_some());
            first = false;
            let left = i64::from(most) - found.len() as i64;
            found.extend(self.owned(matter, facts, namespaces, &sets, behind, left).await?);
            from = last + 1;
            at_once = (at_once * 4).min(256);
        }
        let full = found.len() >= most as usize;
        let next = found.last().filter(|_| full).map(|(set, machine)| (*set, machine.number));
        Ok((found.into_iter().map(|(_, machine)| machine).collect(), next))
    }

    /// The next sets that say that one of the facts is in them.
    async fn sets_with(
        &self,
        matter: Matter,
        facts: &[i32],
        namespaces: Option<&[String]>,
        from: i32,
        most: i32,
    ) -> Result<Vec<i32>> {
        // Each fact has its sets in their order: of none more than the first are looked at.
        let mut sql = Sql::default();
        let some: Vec<&[i32]> = match facts.len() {
            0..=ALONE => facts.chunks(1).collect(),
            _ => vec![facts],
        };
        for (index, facts) in some.into_iter().enumerate() {
            sql.say(if index == 0 { "" } else { " UNION " }).say(&format!(
                "SELECT item_set FROM (SELECT DISTINCT i.item_set FROM {} i JOIN {} s \
                 ON s.number = i.item_set WHERE i.item IN {} AND i.item_set >= {from} AND ",
                matter.items(),
                matter.sets(),
                listed(facts),
            ));
            sql.within("s", namespaces);
            sql.say(&format!(" ORDER BY i.item_set LIMIT {most}) AS x{index}"));
        }
        sql.say(&format!(" ORDER BY item_set LIMIT {most}"));
        let rows = sql.rows(self).await?;
        rows.iter().map(|row| Ok(row.try_get("item_set")?)).collect()
    }

    /// The machines that have one of the facts by these sets: by their own, or by its base where their
    /// own says nothing of it.
    async fn owned(
        &self,
        matter: Matter,
        facts: &[i32],
        namespaces: Option<&[String]>,
        sets: &[i32],
        behind: Option<(i32, i64)>,
        most: i64,
    ) -> Result<Vec<(i32, Machine)>> {
        let (set, base) = matter.columns();
        let (items, sets, facts_listed) = (matter.items(), listed(sets), listed(facts));
        let mut sql = Sql::new("SELECT * FROM (");
        for (owner, also) in [
            (set, String::new()),
            (
                base,
                format!(
                    " AND m.{set} <> m.{base} AND NOT EXISTS (SELECT 1 FROM {items} a \
                     WHERE a.item_set = m.{set} AND a.item IN {facts_listed}) AND {}",
                    has(matter, facts)
                ),
            ),
        ] {
            sql.say(if owner == set { "" } else { " UNION ALL " });
            sql.say(&format!(
                "SELECT m.{owner} AS owner, {COLUMNS} FROM machines m WHERE m.{owner} IN {sets}{also} AND "
            ));
            sql.within("m", namespaces);
        }
        sql.say(") AS o");
        if let Some((set, number)) = behind {
            sql.say(&format!(" WHERE (o.owner, o.number) > ({set}, {number})"));
        }
        sql.say(" ORDER BY o.owner, o.number LIMIT ").value(Value::Whole(most));
        let rows = sql.rows(self).await?;
        rows.iter().map(|row| Ok((row.try_get("owner")?, read(row)?))).collect()
    }

    /// The flaws that go by this name.
    pub(super) async fn flaws_named(&self, name: &str) -> Result<Vec<i32>> {
        let rows = sqlx::query("SELECT flaw FROM flaw_names WHERE name = $1 ORDER BY flaw")
            .bind(plain(name))
            .fetch_all(self.read())
            .await?;
        rows.iter().map(|row| Ok(row.try_get("flaw")?)).collect()
    }
}

pub(super) fn read(row: &AnyRow) -> Result<Machine> {
    let count = |name: &str| -> Result<Option<u32>> {
        let count: Option<i64> = row.try_get(name)?;
        Ok(count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
    };
    let risk: Option<f64> = row.try_get("risk")?;
    let tally = match risk {
        None => None,
        Some(risk) => Some(Tally {
            risk,
            critical: count("critical")?.unwrap_or(0),
            high: count("high")?.unwrap_or(0),
            medium: count("medium")?.unwrap_or(0),
            low: count("low")?.unwrap_or(0),
            negligible: count("negligible")?.unwrap_or(0),
            unrated: count("unrated")?.unwrap_or(0),
            exploited: count("exploited")?.unwrap_or(0),
            fixable: count("fixable")?.unwrap_or(0),
            excepted: count("excepted")?.unwrap_or(0),
        }),
    };
    Ok(Machine {
        number: row.try_get("number")?,
        id: row.try_get("id")?,
        whose: Whose {
            namespace: row.try_get("namespace")?,
            key: row.try_get("key")?,
            alias: row.try_get("alias")?,
            name: row.try_get("name")?,
        },
        version: row.try_get("version")?,
        first_seen_at: Time(row.try_get("first_seen_at")?),
        seen_at: Time(row.try_get("seen_at")?),
        inspection: row.try_get("inspection")?,
        nature: Nature {
            hostname: row.try_get("hostname")?,
            family: row.try_get("family")?,
            os: row.try_get("os")?,
            os_version: row.try_get("os_version")?,
            os_name: row.try_get("os_name")?,
            architecture: row.try_get("architecture")?,
            kernel: row.try_get("kernel")?,
        },
        packages: count("package_count")?,
        packages_known: row.try_get::<i64, _>("packages_known")? != 0,
        flaws_known: row.try_get::<i64, _>("flaws_known")? != 0,
        matched_with: row.try_get("matched_with")?,
        matched_at: row.try_get::<Option<i64>, _>("matched_at")?.map(Time),
        tally,
    })
}
