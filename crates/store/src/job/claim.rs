//! Taking jobs on, and keeping hold of them.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::{Time, micros};

/// Who wants which jobs.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The worker.
    pub worker: &'a str,
    /// The requirements that it meets.
    pub meets: &'a [i64],
    /// How many it wants at most.
    pub most: u32,
    /// How long it holds them unless it says that it lives.
    pub lease: Duration,
    /// Only these, of which a broker has told it.
    pub only: Option<&'a [String]>,
}

/// A job that somebody has got.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// What it is called.
    pub id: String,
    /// Whose it is.
    pub namespace: String,
    /// Where it stands in the order of all jobs.
    pub number: i64,
    /// What is to be done.
    pub operation: String,
    /// The job as it was sent.
    pub envelope: String,
    /// The number that later statements about it carry.
    pub fence: i64,
    /// Which try this is.
    pub attempt: u32,
    /// How often it is tried at most.
    pub max_attempts: u32,
    /// How often somebody took it, this time too.
    pub deliveries: u32,
    /// From 1 to 10.
    pub priority: u8,
    /// How long the try may take.
    pub timeout: Duration,
    /// What is left until it has to be done.
    pub left: Option<Duration>,
    /// When it was sent.
    pub submitted_at: Time,
    /// Since when it could be taken.
    pub available_at: Time,
    /// When it was got.
    pub claimed_at: Time,
}

/// A sign of life for one job.
#[derive(Clone, Debug)]
pub struct Beat {
    /// The job.
    pub job: String,
    /// The number that it was got with.
    pub fence: i64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beaten {
    /// Whoever said so still has it.
    Held,
    /// The same, and is asked to stop.
    Cancel,
    /// Somebody else has it, or nobody.
    Lost,
}

/// The claim, of all that may be taken or of some.
macro_rules! claim {
    ($some:literal) => {
        concat!(
            "UPDATE jobs SET state = 2, worker = $1, fence = fence + 1, \
             started_at = COALESCE(started_at, {now}), deliveries = deliveries + 1, lease_until = {now} + $2 WHERE number IN \
             (SELECT number FROM jobs WHERE state = 1 AND requirement IN \
             (SELECT CAST(value AS BIGINT) FROM {texts:$3}) ",
            $some,
            " ORDER BY priority DESC, number LIMIT $4 {unlocked}) \
             RETURNING id, namespace, number, operation, envelope, fence, attempt, \
             max_attempts, deliveries, priority, timeout, deadline, submitted_at, available_at, \
             {now} AS at"
        )
    };
}

impl Store {
    /// Gives the worker jobs that it can do, the most urgent first.
    pub async fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        if claim.most == 0 || claim.meets.is_empty() {
            return Ok(Vec::new());
        }
        let meets = Value::from(claim.meets).to_string();
        let only = claim.only.map(|ids| Value::from(ids).to_string());
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let query = sqlx::query(match &only {
                None => self.sql(claim!("")),
                Some(_) => self.sql(claim!("AND id IN (SELECT value FROM {texts:$5})")),
            })
            .bind(claim.worker)
            .bind(micros(claim.lease))
            .bind(&meets)
            .bind(i64::from(claim.most));
            let query = match &only {
                Some(only) => query.bind(only),
                None => query,
            };
            let rows = query.fetch_all(&mut *transaction).await?;
            transaction.commit().await?;
            let mut claimed = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
            claimed.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.number));
            Ok(claimed)
        })
        .await
    }

    /// Whether who got a job by this fence still has it, and was not asked to stop.
    pub async fn is_held(&self, job: &str, fence: i64) -> Result<bool> {
        let row = sqlx::query(
            "SELECT 1 AS held FROM jobs WHERE id = $1 AND fence = $2 AND state IN (2, 3) AND cancel = 0",
        )
        .bind(job)
        .bind(fence)
        .fetch_optional(self.read())
        .await?;
        Ok(row.is_some())
    }

    /// Says that the jobs are worked at, and holds them for another `lease`.
    pub async fn beat(&self, beats: &[Beat], lease: Duration) -> Result<Vec<Beaten>> {
        if beats.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Value> =
            beats.iter().map(|beat| json!({ "id": beat.job, "fence": beat.fence })).collect();
        let rows = Value::from(rows).to_string();
        let held = patiently(|| async {
            let mut transaction = self.begin().await?;
            let rows = sqlx::query(self.sql(
                "UPDATE jobs SET state = 3, lease_until = {now} + $2, \
                 started_at = COALESCE(started_at, {now}) FROM {rows:$1} e \
                 WHERE jobs.id = e.value ->> 'id' \
                 AND jobs.fence = CAST(e.value ->> 'fence' AS BIGINT) AND jobs.state IN (2, 3) \
                 RETURNING jobs.id AS id, jobs.cancel AS cancel",
            ))
            .bind(&rows)
            .bind(micros(lease))
            .fetch_all(&mut *transaction)
            .await?;
            transaction.commit().await?;
            let mut held = std::collections::HashMap::with_capacity(rows.len());
            for row in &rows {
                held.insert(row.try_get::<String, _>("id")?, row.try_get::<i64, _>("cancel")?);
            }
            Ok(held)
        })
        .await?;
        Ok(beats
            .iter()
            .map(|beat| match held.get(&beat.job) {
                Some(0) => Beaten::Held,
                Some(_) => Beaten::Cancel,
                None => Beaten::Lost,
            })
            .collect())
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<Claimed> {
    let at: i64 = row.try_get("at")?;
    let deadline: Option<i64> = row.try_get("deadline")?;
    let small = |name: &str| -> Result<u32> {
        Ok(u32::try_from(row.try_get::<i64, _>(name)?).unwrap_or(u32::MAX))
    };
    Ok(Claimed {
        id: row.try_get("id")?,
        namespace: row.try_get("namespace")?,
        number: row.try_get("number")?,
        operation: row.try_get("operation")?,
        envelope: row.try_get("envelope")?,
        fence: row.try_get("fence")?,
        attempt: small("attempt")?,
        max_attempts: small("max_attempts")?,
        deliveries: small("deliveries")?,
        priority: u8::try_from(small("priority")?).unwrap_or(u8::MAX),
        timeout: span(row.try_get("timeout")?),
        left: deadline.map(|deadline| Time(deadline).since(Time(at))),
        submitted_at: Time(row.try_get("submitted_at")?),
        available_at: Time(row.try_get("available_at")?),
        claimed_at: Time(at),
    })
}

pub(super) fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
