//! What somebody wants to have decided about flaws, and what was decided.

use sqlx::Row as _;

use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};
use crate::time::Time;

/// A decision about a flaw, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionRow {
    /// Where it stands in the order of all.
    pub number: i64,
    /// By which it is called.
    pub id: String,
    /// Whose machines it is about.
    pub namespace: String,
    /// It grows with every change.
    pub version: i64,
    /// `pending`, `approved`, `denied` or `cancelled`.
    pub standing: String,
    /// The flaw.
    pub flaw: String,
    /// The package, or what it was built from; nothing: every one.
    pub package: Option<String>,
    /// What names of machines are like; nothing: all.
    pub machines: Option<String>,
    /// `deferred` or `false-positive`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// A day, `fixable` or `all-fixable`; nothing: for ever.
    pub until: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: Time,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Time>,
    /// What that person said.
    pub note: Option<String>,
}

/// Which to list.
#[derive(Clone, Debug, Default)]
pub struct ExceptionFilter {
    /// Only of these namespaces; nothing: of all.
    pub namespaces: Option<Vec<String>>,
    /// Only those that stand so.
    pub standing: Option<String>,
    /// Only those older than this one, by number.
    pub before: Option<i64>,
    /// How many at most.
    pub most: u32,
}

/// A decision to be made.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// From how it stands.
    pub from: &'s [&'s str],
    /// To how it is to stand.
    pub to: &'s str,
    /// Who decides.
    pub by: &'s str,
    /// What there is to say.
    pub note: Option<&'s str>,
    /// The version that was looked at: whoever decides knows what about.
    pub version: Option<i64>,
}

const COLUMNS: &str = "SELECT number, id, namespace, version, standing, flaw, package, machines, kind, \
     reason, until, requested_by, requested_at, decided_by, decided_at, note FROM exceptions ";

impl Store {
    /// Asks for one; what stands in it of numbers, times and decisions does not count.
    pub async fn request_exception(&self, wanted: &ExceptionRow) -> Result<ExceptionRow> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            sqlx::query(self.sql(
                "INSERT INTO exceptions (id, namespace, version, standing, flaw, package, machines, \
                 kind, reason, until, requested_by, requested_at) \
                 VALUES ($1, $2, 1, 'pending', $3, $4, $5, $6, $7, $8, $9, {now})",
            ))
            .bind(&wanted.id)
            .bind(&wanted.namespace)
            .bind(&wanted.flaw)
            .bind(wanted.package.as_deref())
            .bind(wanted.machines.as_deref())
            .bind(&wanted.kind)
            .bind(&wanted.reason)
            .bind(wanted.until.as_deref())
            .bind(&wanted.requested_by)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await?;
        let made = self.exception(&wanted.id).await?;
        made.ok_or_else(|| Error::new(ErrorKind::NotFound, "the exception is gone already"))
    }

    /// The one that is called so.
    pub async fn exception(&self, id: &str) -> Result<Option<ExceptionRow>> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
        let row = sqlx::query(text).bind(id).fetch_optional(self.read()).await?;
        row.as_ref().map(read).transpose()
    }

    /// A page of them, the newest first.
    pub async fn exceptions(&self, filter: &ExceptionFilter) -> Result<Vec<ExceptionRow>> {
        let text = format!(
            "{COLUMNS} WHERE number < $1 AND ($2 = '' OR standing = $2) \
             AND ($3 = '' OR namespace IN (SELECT value FROM {})) ORDER BY number DESC LIMIT $4",
            self.engine().say("{texts:COALESCE(NULLIF($3, ''), '[]')}"),
        );
        let namespaces = filter
            .namespaces
            .as_ref()
            .map_or(String::new(), |names| serde_json::Value::from(names.as_slice()).to_string());
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(filter.standing.as_deref().unwrap_or(""))
            .bind(namespaces)
            .bind(i64::from(filter.most))
            .fetch_all(self.read())
            .await?;
        rows.iter().map(read).collect()
    }

    /// Those that hold for machines of a namespace, the oldest first.
    pub async fn approved_exceptions(&self, namespace: &str) -> Result<Vec<ExceptionRow>> {
        let text = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE namespace = $1 AND standing = 'approved' ORDER BY number"
        ));
        let rows = sqlx::query(text).bind(namespace).fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }

    /// Takes a step with one. A conflict where it does not stand, or is not at the version, from which
    /// the step leads; nothing where there is none of that name.
    pub async fn decide(&self, id: &str, step: Step<'_>) -> Result<Option<ExceptionRow>> {
        let from = serde_json::Value::from(step.from).to_string();
        let done = patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql(
                "UPDATE exceptions SET standing = $2, version = version + 1, decided_by = $3, \
                 decided_at = {now}, note = $4 WHERE id = $1 \
                 AND standing IN (SELECT value FROM {texts:$5}) AND ($6 = 0 OR version = $6)",
            ))
            .bind(id)
            .bind(step.to)
            .bind(step.by)
            .bind(step.note)
            .bind(&from)
            .bind(step.version.unwrap_or(0))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await?;
        let stands = self.exception(id).await?;
        match (done, stands) {
            (_, None) => Ok(None),
            (true, stands) => Ok(stands),
            (false, Some(stands)) => Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "the exception is {} at version {}, and cannot become {}",
                    stands.standing, stands.version, step.to
                ),
            )),
        }
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<ExceptionRow> {
    Ok(ExceptionRow {
        number: row.try_get("number")?,
        id: row.try_get("id")?,
        namespace: row.try_get("namespace")?,
        version: row.try_get("version")?,
        standing: row.try_get("standing")?,
        flaw: row.try_get("flaw")?,
        package: row.try_get("package")?,
        machines: row.try_get("machines")?,
        kind: row.try_get("kind")?,
        reason: row.try_get("reason")?,
        until: row.try_get("until")?,
        requested_by: row.try_get("requested_by")?,
        requested_at: Time(row.try_get("requested_at")?),
        decided_by: row.try_get("decided_by")?,
        decided_at: row.try_get::<Option<i64>, _>("decided_at")?.map(Time),
        note: row.try_get("note")?,
    })
}
