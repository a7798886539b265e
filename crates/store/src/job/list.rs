//! Looking at jobs.

use std::time::Duration;

use serde_json::Value;
use sqlx::{Any, Row as _, Transaction};

use super::JobState;
use super::claim::span;
use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::{Time, micros};

/// A job as it stands.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where it stands in the order of all jobs: pages go on behind it.
    pub number: i64,
    /// What it is called.
    pub id: String,
    /// Whose it is.
    pub namespace: String,
    /// What is to be done.
    pub operation: String,
    /// The pool whose workers do it.
    pub pool: String,
    /// Where it stands.
    pub state: JobState,
    /// From 1 to 10.
    pub priority: u8,
    /// What it asks of who does it.
    pub requirement: i64,
    /// Under which key it was sent.
    pub idempotency_key: Option<String>,
    /// Who sent it.
    pub submitted_by: String,
    /// Which try it is at.
    pub attempt: u32,
    /// How often it is tried at most.
    pub max_attempts: u32,
    /// How often somebody took it since it last failed.
    pub deliveries: u32,
    /// How long a try may take.
    pub timeout: Duration,
    /// When it has to be done.
    pub deadline: Option<Time>,
    /// When it may be taken.
    pub available_at: Time,
    /// Whether whoever has it is asked to stop.
    pub cancel: bool,
    /// Who has or had it.
    pub worker: Option<String>,
    /// When it was sent.
    pub submitted_at: Time,
    /// When somebody began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// What went wrong last: a code and a text.
    pub error: Option<(String, String)>,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only of these namespaces; nothing: of all.
    pub namespaces: Option<Vec<String>>,
    /// Only in these states.
    pub states: Option<Vec<JobState>>,
    /// Only of this operation.
    pub operation: Option<String>,
    /// Only those older than this one, by number.
    pub before: Option<i64>,
    /// How many at most.
    pub most: u32,
}

const COLUMNS: &str = "SELECT number, id, namespace, operation, pool, state, priority, requirement, \
     idempotency_key, submitted_by, attempt, max_attempts, deliveries, timeout, deadline, \
     available_at, cancel, worker, submitted_at, started_at, finished_at, error_code, error_message \
     FROM jobs ";

impl Store {
    /// The job of this name.
    pub async fn job(&self, id: &str) -> Result<Option<Job>> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
        let row = sqlx::query(text).bind(id).fetch_optional(self.read()).await?;
        row.as_ref().map(read).transpose()
    }

    /// The job of this name as it was sent.
    pub async fn envelope(&self, id: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT envelope FROM jobs WHERE id = $1")
            .bind(id)
            .fetch_optional(self.read())
            .await?;
        Ok(row.map(|row| row.try_get("envelope")).transpose()?)
    }

    /// Jobs, the newest first.
    pub async fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>> {
        let engine = self.engine();
        let text = format!(
            "{COLUMNS} WHERE number < $1 AND ($2 = '' OR operation = $2) \
             AND ($3 = '' OR state IN (SELECT CAST(value AS BIGINT) FROM {})) \
             AND ($4 = '' OR namespace IN (SELECT value FROM {})) ORDER BY number DESC LIMIT $5",
            engine.say("{texts:COALESCE(NULLIF($3, ''), '[]')}"),
            engine.say("{texts:COALESCE(NULLIF($4, ''), '[]')}"),
        );
        let states = filter.states.as_ref().map_or(String::new(), |states| {
            Value::from(states.iter().map(|state| state.number()).collect::<Vec<_>>()).to_string()
        });
        let namespaces = filter
            .namespaces
            .as_ref()
            .map_or(String::new(), |names| Value::from(names.as_slice()).to_string());
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(filter.operation.as_deref().unwrap_or(""))
            .bind(states)
            .bind(namespaces)
            .bind(i64::from(filter.most))
            .fetch_all(self.read())
            .await?;
        rows.iter().map(read).collect()
    }

    /// Which of these jobs anybody may take.
    pub async fn ready(&self, ids: &[String]) -> Result<Vec<String>> {
        let rows =
            sqlx::query(self.sql(
                "SELECT id FROM jobs WHERE state = 1 AND id IN (SELECT value FROM {texts:$1})",
            ))
            .bind(Value::from(ids).to_string())
            .fetch_all(self.read())
            .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// How many jobs are in which state, by pool; of those that have ended only these are counted
    /// that are still kept.
    pub async fn census(&self) -> Result<Vec<(String, JobState, i64)>> {
        let rows = sqlx::query(
            "SELECT pool, state, COUNT(*) AS jobs FROM jobs GROUP BY pool, state ORDER BY pool, state",
        )
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                let state = JobState::of(row.try_get("state")?)?;
                Ok((row.try_get("pool")?, state, row.try_get("jobs")?))
            })
            .collect()
    }

    /// How many jobs wait in each pool.
    pub async fn waiting(&self) -> Result<Vec<(String, i64)>> {
        let rows = sqlx::query(
            "SELECT pool, COUNT(*) AS jobs FROM jobs WHERE state IN (0, 1) GROUP BY pool ORDER BY pool",
        )
        .fetch_all(self.read())
        .await?;
        rows.iter().map(|row| Ok((row.try_get("pool")?, row.try_get("jobs")?))).collect()
    }

    /// Puts a job that is dead or failed back into the queue, its tries counted anew. False where it
    /// is neither.
    pub async fn replay(&self, id: &str) -> Result<bool> {
        let done = patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql(
                "UPDATE jobs SET state = 1, attempt = 1, deliveries = 0, fence = fence + 1, cancel = 0, \
                 worker = NULL, started_at = NULL, finished_at = NULL, error_code = NULL, \
                 error_message = NULL, available_at = {now}, announced_at = 0, deadline = NULL \
                 WHERE id = $1 AND state IN (5, 7, 8)",
            ))
            .bind(id)
            .execute(&mut *transaction)
            .await?;
            if done.rows_affected() == 1 {
                sqlx::query("DELETE FROM results WHERE job = $1")
                    .bind(id)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await?;
        self.ring();
        Ok(done)
    }

    /// Forgets jobs that ended longer ago than `age`, and all that hangs on them; at most `most`.
    pub async fn forget_jobs(&self, age: Duration, most: u32) -> Result<u64> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let rows = sqlx::query(self.sql(
                "SELECT id FROM jobs WHERE finished_at < {now} - $1 ORDER BY finished_at LIMIT $2",
            ))
            .bind(micros(age))
            .bind(i64::from(most))
            .fetch_all(&mut *transaction)
            .await?;
            let ids: Vec<String> =
                rows.iter().map(|row| row.try_get("id")).collect::<std::result::Result<_, _>>()?;
            self.delete_jobs(&mut transaction, &ids).await?;
            transaction.commit().await?;
            Ok(rows.len() as u64)
        })
        .await
    }

    /// Forgets jobs, and all that hangs on them.
    pub(crate) async fn delete_jobs(
        &self,
        transaction: &mut Transaction<'static, Any>,
        ids: &[String],
    ) -> Result<()> {
        let ids = Value::from(ids).to_string();
        for table in [
            "DELETE FROM results WHERE job IN (SELECT value FROM {texts:$1})",
            "DELETE FROM events WHERE job IN (SELECT value FROM {texts:$1})",
            "DELETE FROM attempts WHERE job IN (SELECT value FROM {texts:$1})",
            "DELETE FROM jobs WHERE id IN (SELECT value FROM {texts:$1})",
        ] {
            sqlx::query(self.sql(table)).bind(&ids).execute(&mut **transaction).await?;
        }
        // What no job asks any more.
        sqlx::query(
            "DELETE FROM requirements WHERE NOT EXISTS \
             (SELECT 1 FROM jobs WHERE jobs.requirement = requirements.number)",
        )
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<Job> {
    let small = |name: &str| -> Result<u32> {
        Ok(u32::try_from(row.try_get::<i64, _>(name)?).unwrap_or(u32::MAX))
    };
    let time =
        |name: &str| -> Result<Option<Time>> { Ok(row.try_get::<Option<i64>, _>(name)?.map(Time)) };
    let code: Option<String> = row.try_get("error_code")?;
    let message: Option<String> = row.try_get("error_message")?;
    Ok(Job {
        number: row.try_get("number")?,
        id: row.try_get("id")?,
        namespace: row.try_get("namespace")?,
        operation: row.try_get("operation")?,
        pool: row.try_get("pool")?,
        state: JobState::of(row.try_get("state")?)?,
        priority: u8::try_from(small("priority")?).unwrap_or(u8::MAX),
        requirement: row.try_get("requirement")?,
        idempotency_key: row.try_get("idempotency_key")?,
        submitted_by: row.try_get("submitted_by")?,
        attempt: small("attempt")?,
        max_attempts: small("max_attempts")?,
        deliveries: small("deliveries")?,
        timeout: span(row.try_get("timeout")?),
        deadline: time("deadline")?,
        available_at: Time(row.try_get("available_at")?),
        cancel: row.try_get::<i64, _>("cancel")? != 0,
        worker: row.try_get("worker")?,
        submitted_at: Time(row.try_get("submitted_at")?),
        started_at: time("started_at")?,
        finished_at: time("finished_at")?,
        error: code.map(|code| (code, message.unwrap_or_default())),
    })
}
