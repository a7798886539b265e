//! Putting in order what was left: by whoever died, by time, and by brokers that forgot.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Any, Row as _, Transaction};

use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::micros;

/// How many rows of a kind one sweep takes.
const MOST: i64 = 1000;

/// What a sweep goes by.
#[derive(Clone, Debug)]
pub struct SweepRules {
    /// How often a job may be lost with who had it before it is set aside.
    pub deliveries: u32,
    /// Jobs that nobody took for this long are told of again.
    pub announce_after: Duration,
    /// How many of them at most.
    pub announce_most: u32,
    /// What is kept as the result of a job that ends without anybody: by its id and what happened.
    pub result: fn(job: &str, state: &str, code: &str, message: &str) -> String,
}

/// A job that whoever distributes jobs should tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The job.
    pub job: String,
    /// The pool whose workers do it.
    pub pool: String,
    /// From 1 to 10.
    pub priority: u8,
}

/// What a sweep did.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// May be taken now: their time has come, or who had them is lost.
    pub ready: Vec<Announcement>,
    /// Nobody has taken them for long.
    pub forgotten: Vec<Announcement>,
    /// How many were taken from who was lost with them.
    pub rescued: u64,
    /// How many were set aside.
    pub dead: u64,
    /// How many ended because their time was over.
    pub late: u64,
    /// What was taken from who was lost with it, or ended, and why.
    pub told: Vec<Told>,
}

/// A job that is not as it was.
#[derive(Clone, Debug)]
pub struct Told {
    /// What it is called.
    pub job: String,
    /// The job as it was sent.
    pub envelope: String,
    /// What has become of it.
    pub reason: String,
}

impl Store {
    /// Puts in order what was left. Any number of processes may do so at once.
    pub async fn sweep(&self, rules: &SweepRules) -> Result<Swept> {
        let swept = patiently(|| async {
            let mut transaction = self.begin().await?;
            let mut swept = Swept::default();
            self.rescue(&mut transaction, rules, &mut swept).await?;
            self.expire(&mut transaction, rules, &mut swept).await?;
            let ready = sqlx::query(self.sql(
                "UPDATE jobs SET state = 1, announced_at = {now} WHERE number IN \
                 (SELECT number FROM jobs WHERE state = 0 AND available_at <= {now} \
                 ORDER BY available_at LIMIT $1 {unlocked}) RETURNING id, pool, priority",
            ))
            .bind(MOST)
            .fetch_all(&mut *transaction)
            .await?;
            for row in &ready {
                swept.ready.push(announcement(row)?);
            }
            let forgotten = sqlx::query(self.sql(
                "UPDATE jobs SET announced_at = {now} WHERE number IN \
                 (SELECT number FROM jobs WHERE state = 1 AND announced_at < {now} - $2 \
                 ORDER BY priority DESC, number LIMIT $1 {unlocked}) RETURNING id, pool, priority",
            ))
            .bind(i64::from(rules.announce_most))
            .bind(micros(rules.announce_after))
            .fetch_all(&mut *transaction)
            .await?;
            for row in &forgotten {
                swept.forgotten.push(announcement(row)?);
            }
            transaction.commit().await?;
            Ok(swept)
        })
        .await?;
        if !swept.ready.is_empty() || swept.late + swept.dead > 0 {
            self.ring();
        }
        Ok(swept)
    }

    /// Takes jobs from who was not heard of.
    async fn rescue(
        &self,
        transaction: &mut Transaction<'static, Any>,
        rules: &SweepRules,
        swept: &mut Swept,
    ) -> Result<()> {
        let rows = sqlx::query(self.sql(
            "SELECT id, pool, priority, worker, attempt, deliveries, cancel, envelope FROM jobs \
             WHERE state IN (2, 3) AND lease_until < {now} ORDER BY lease_until LIMIT $1 {unlocked}",
        ))
        .bind(MOST)
        .fetch_all(&mut **transaction)
        .await?;
        let (mut again, mut ended, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            let id: String = row.try_get("id")?;
            let worker: Option<String> = row.try_get("worker")?;
            let worker = worker.as_deref().unwrap_or("nobody");
            let deliveries: i64 = row.try_get("deliveries")?;
            let message = format!("{worker} had it and was not heard of any more");
            lost.push(json!({ "job": id, "worker": worker, "message": message,
                "attempt": row.try_get::<i64, _>("attempt")? }));
            swept.told.push(told(row, message)?);
            swept.rescued += 1;
            if row.try_get::<i64, _>("cancel")? != 0 {
                ended.push(end(
                    rules,
                    &id,
                    (6, "cancelled"),
                    "CANCELLED",
                    "called off; who had it was lost",
                ));
            } else if deliveries >= i64::from(rules.deliveries) {
                let message = format!(
                    "{deliveries} times whoever had it was lost, {worker} last: it is set aside"
                );
                ended.push(end(rules, &id, (8, "dead"), "POISON", &message));
                swept.told.push(told(row, message)?);
                swept.dead += 1;
            } else {
                swept.ready.push(announcement(row)?);
                again.push(id);
            }
        }
        if !lost.is_empty() {
            sqlx::query(self.sql(
                "INSERT INTO attempts (job, delivery, attempt, worker, ended_at, error_code, \
                 error_message) SELECT e.value ->> 'job', (SELECT COUNT(*) + 1 FROM attempts a \
                 WHERE a.job = e.value ->> 'job'), CAST(e.value ->> 'attempt' AS BIGINT), \
                 e.value ->> 'worker', {now}, 'WORKER_LOST', e.value ->> 'message' FROM {rows:$1} e",
            ))
            .bind(Value::from(lost).to_string())
            .execute(&mut **transaction)
            .await?;
        }
        if !again.is_empty() {
            sqlx::query(self.sql(
                "UPDATE jobs SET state = 1, fence = fence + 1, worker = NULL, lease_until = NULL, \
                 announced_at = {now}, available_at = {now} WHERE id IN (SELECT value FROM {texts:$1})",
            ))
            .bind(Value::from(again).to_string())
            .execute(&mut **transaction)
            .await?;
        }
        self.end(transaction, ended).await
    }

    /// Ends what nobody has taken in time.
    async fn expire(
        &self,
        transaction: &mut Transaction<'static, Any>,
        rules: &SweepRules,
        swept: &mut Swept,
    ) -> Result<()> {
        let rows = sqlx::query(self.sql(
            "SELECT id, envelope FROM jobs WHERE state IN (0, 1) AND deadline IS NOT NULL AND deadline < {now} \
             ORDER BY deadline LIMIT $1 {unlocked}",
        ))
        .bind(MOST)
        .fetch_all(&mut **transaction)
        .await?;
        let mut ended = Vec::new();
        for row in &rows {
            let id: String = row.try_get("id")?;
            let message = "its deadline passed before anybody had done it";
            ended.push(end(rules, &id, (7, "timeout"), "DEADLINE_EXCEEDED", message));
            swept.told.push(told(row, message.to_owned())?);
            swept.late += 1;
        }
        self.end(transaction, ended).await
    }

    async fn end(
        &self,
        transaction: &mut Transaction<'static, Any>,
        ended: Vec<Value>,
    ) -> Result<()> {
        if ended.is_empty() {
            return Ok(());
        }
        let jobs: Vec<String> =
            ended.iter().filter_map(|it| Some(it.get("job")?.as_str()?.to_owned())).collect();
        let ended = Value::from(ended).to_string();
        for text in [
            "UPDATE jobs SET state = CAST(e.value ->> 'state' AS BIGINT), fence = fence + 1, \
             lease_until = NULL, finished_at = {now}, error_code = e.value ->> 'code', \
             error_message = e.value ->> 'message' FROM {rows:$1} e WHERE jobs.id = e.value ->> 'job'",
            "INSERT INTO results (job, document) SELECT e.value ->> 'job', e.value ->> 'result' \
             FROM {rows:$1} e WHERE true ON CONFLICT (job) DO NOTHING",
        ] {
            sqlx::query(self.sql(text)).bind(&ended).execute(&mut **transaction).await?;
        }
        self.announce_ended(transaction, jobs.iter().map(String::as_str)).await
    }
}

fn end(
    rules: &SweepRules,
    job: &str,
    (state, name): (i64, &str),
    code: &str,
    message: &str,
) -> Value {
    let result = (rules.result)(job, name, code, message);
    json!({ "job": job, "state": state, "code": code, "message": message, "result": result })
}

fn told(row: &sqlx::any::AnyRow, reason: String) -> Result<Told> {
    Ok(Told { job: row.try_get("id")?, envelope: row.try_get("envelope")?, reason })
}

fn announcement(row: &sqlx::any::AnyRow) -> Result<Announcement> {
    let priority: i64 = row.try_get("priority")?;
    Ok(Announcement {
        job: row.try_get("id")?,
        pool: row.try_get("pool")?,
        priority: u8::try_from(priority).unwrap_or(u8::MAX),
    })
}
