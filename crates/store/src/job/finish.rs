//! How jobs end.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Any, Row as _, Transaction};

use super::JobState;
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};
use crate::time::micros;

/// Results up to this size are kept as they are.
const PLAIN: usize = 4096;

/// What came of a try.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The job.
    pub job: String,
    /// The number that it was got with.
    pub fence: i64,
    /// How it ended.
    pub finish: Finish,
}

/// How a try ended.
#[derive(Clone, Debug)]
pub enum Finish {
    /// For good: in this state, with this result.
    End {
        /// Which of the ends.
        state: JobState,
        /// What there is to tell of it.
        result: String,
        /// What went wrong, if something did: a code and a text.
        error: Option<(String, String)>,
    },
    /// It is to be tried again, after this long.
    Again {
        /// When.
        after: Duration,
        /// What went wrong: a code and a text.
        error: (String, String),
    },
    /// Nothing was done: whoever has it has to leave, or cannot do it.
    GiveBack {
        /// When somebody else may have it.
        after: Duration,
    },
}

/// What came of calling a job off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// Nobody had it; it is called off.
    AtOnce,
    /// Who has it is asked to stop.
    Asked,
    /// It had ended already, like this.
    Ended(JobState),
    /// It may not be called off.
    Refused,
}

impl Store {
    /// Ends tries. Of each it says whether it counts: whoever has lost a job may not end it.
    pub async fn finish(&self, completions: &[Completion]) -> Result<Vec<bool>> {
        if completions.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Value> = completions.iter().map(row).collect();
        let rows = Value::from(rows).to_string();
        let accepted = patiently(|| async {
            let mut transaction = self.begin().await?;
            let returned = sqlx::query(self.sql(
                "UPDATE jobs SET state = CAST(e.value ->> 'state' AS BIGINT), \
                 attempt = attempt + CAST(e.value ->> 'more' AS BIGINT), \
                 deliveries = CASE WHEN CAST(e.value ->> 'kept' AS BIGINT) = 1 THEN deliveries ELSE 0 END, \
                 available_at = {now} + CAST(e.value ->> 'after' AS BIGINT), \
                 announced_at = {now}, fence = fence + 1, lease_until = NULL, \
                 worker = CASE WHEN CAST(e.value ->> 'state' AS BIGINT) > 3 THEN worker END, \
                 started_at = COALESCE(started_at, {now}), \
                 finished_at = CASE WHEN CAST(e.value ->> 'state' AS BIGINT) > 3 THEN {now} END, \
                 error_code = e.value ->> 'code', error_message = e.value ->> 'message' \
                 FROM {rows:$1} e WHERE jobs.id = e.value ->> 'id' \
                 AND jobs.fence = CAST(e.value ->> 'fence' AS BIGINT) AND jobs.state IN (2, 3) \
                 RETURNING jobs.id AS id",
            ))
            .bind(&rows)
            .fetch_all(&mut *transaction)
            .await?;
            let mut accepted = HashSet::with_capacity(returned.len());
            for row in &returned {
                accepted.insert(row.try_get::<String, _>("id")?);
            }
            self.keep(&mut transaction, completions, &accepted).await?;
            let ended = completions.iter().filter(|it| {
                matches!(it.finish, Finish::End { .. }) && accepted.contains(&it.job)
            });
            self.announce_ended(&mut transaction, ended.map(|it| it.job.as_str())).await?;
            transaction.commit().await?;
            Ok(accepted)
        })
        .await?;
        self.ring();
        Ok(completions.iter().map(|completion| accepted.contains(&completion.job)).collect())
    }

    /// Keeps results, and what failed.
    async fn keep(
        &self,
        transaction: &mut Transaction<'static, Any>,
        completions: &[Completion],
        accepted: &HashSet<String>,
    ) -> Result<()> {
        let mut plain = Vec::new();
        let mut failed = Vec::new();
        for completion in completions.iter().filter(|it| accepted.contains(&it.job)) {
            let job = &completion.job;
            match &completion.finish {
                Finish::End { result, .. } if result.len() <= PLAIN => {
                    plain.push(json!({ "job": job, "document": result }));
                }
                Finish::End { result, .. } => {
                    let packed = zstd::bulk::compress(result.as_bytes(), 3).map_err(|error| {
                        Error::new(
                            ErrorKind::Internal,
                            format!("a result cannot be packed: {error}"),
                        )
                    })?;
                    sqlx::query(
                        "INSERT INTO results (job, packed) VALUES ($1, $2) ON CONFLICT (job) DO NOTHING",
                    )
                    .bind(job)
                    .bind(packed)
                    .execute(&mut **transaction)
                    .await?;
                }
                Finish::Again { error: (code, message), .. } => {
                    failed.push(json!({ "job": job, "code": code, "message": message }));
                }
                Finish::GiveBack { .. } => {}
            }
        }
        if !plain.is_empty() {
            sqlx::query(self.sql(
                "INSERT INTO results (job, document) SELECT e.value ->> 'job', \
                 e.value ->> 'document' FROM {rows:$1} e WHERE true ON CONFLICT (job) DO NOTHING",
            ))
            .bind(Value::from(plain).to_string())
            .execute(&mut **transaction)
            .await?;
        }
        if !failed.is_empty() {
            sqlx::query(self.sql(
                "INSERT INTO attempts (job, delivery, attempt, worker, ended_at, error_code, \
                 error_message) SELECT j.id, (SELECT COUNT(*) + 1 FROM attempts a WHERE a.job = j.id), \
                 j.attempt - 1, j.worker, {now}, e.value ->> 'code', e.value ->> 'message' \
                 FROM {rows:$1} e JOIN jobs j ON j.id = e.value ->> 'job'",
            ))
            .bind(Value::from(failed).to_string())
            .execute(&mut **transaction)
            .await?;
        }
        Ok(())
    }

    /// What a job came to, where it has ended.
    pub async fn result(&self, job: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT document, packed FROM results WHERE job = $1")
            .bind(job)
            .fetch_optional(self.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        if let Some(document) = row.try_get::<Option<String>, _>("document")? {
            return Ok(Some(document));
        }
        let packed: Vec<u8> = row.try_get("packed")?;
        let unpacked = zstd::stream::decode_all(packed.as_slice());
        let damaged = || Error::new(ErrorKind::Unfit, format!("the result of {job} is damaged"));
        let bytes = unpacked.map_err(|_| damaged())?;
        String::from_utf8(bytes).map(Some).map_err(|_| damaged())
    }

    /// Calls a job off, with this result where nobody has it.
    pub async fn cancel(&self, job: &str, result: &str) -> Result<Cancelled> {
        let cancelled = patiently(|| async {
            let mut transaction = self.begin().await?;
            let at_once = sqlx::query(self.sql(
                "UPDATE jobs SET state = 6, cancel = 1, fence = fence + 1, finished_at = {now}, \
                 error_code = 'CANCELLED', error_message = 'called off before anybody had it' \
                 WHERE id = $1 AND state IN (0, 1) AND cancellable = 1",
            ))
            .bind(job)
            .execute(&mut *transaction)
            .await?;
            let outcome = if at_once.rows_affected() == 1 {
                sqlx::query(
                    "INSERT INTO results (job, document) VALUES ($1, $2) ON CONFLICT (job) DO NOTHING",
                )
                .bind(job)
                .bind(result)
                .execute(&mut *transaction)
                .await?;
                self.announce_ended(&mut transaction, [job]).await?;
                Cancelled::AtOnce
            } else {
                let asked = sqlx::query(
                    "UPDATE jobs SET cancel = 1 WHERE id = $1 AND state IN (2, 3) AND cancellable = 1",
                )
                .bind(job)
                .execute(&mut *transaction)
                .await?;
                if asked.rows_affected() == 1 {
                    Cancelled::Asked
                } else {
                    let row = sqlx::query("SELECT state FROM jobs WHERE id = $1")
                        .bind(job)
                        .fetch_optional(&mut *transaction)
                        .await?;
                    let Some(row) = row else {
                        let what = format!("there is no job {job:?}");
                        return Err(Error::new(ErrorKind::NotFound, what));
                    };
                    match JobState::of(row.try_get("state")?)? {
                        state if state.is_final() => Cancelled::Ended(state),
                        _ => Cancelled::Refused,
                    }
                }
            };
            transaction.commit().await?;
            Ok(outcome)
        })
        .await?;
        self.ring();
        Ok(cancelled)
    }
}

/// `state`: where it stands then; `more`: whether the next try has the next number; `kept`: whether
/// how often it was taken still counts.
fn row(completion: &Completion) -> Value {
    let Completion { job, fence, finish } = completion;
    match finish {
        Finish::End { state, error, .. } => json!({
            "id": job, "fence": fence, "state": state.number(), "more": 0, "kept": 1, "after": 0,
            "code": error.as_ref().map(|(code, _)| code),
            "message": error.as_ref().map(|(_, message)| message),
        }),
        Finish::Again { after, error: (code, message) } => json!({
            "id": job, "fence": fence, "state": JobState::Pending.number(), "more": 1, "kept": 0,
            "after": micros(*after), "code": code, "message": message,
        }),
        Finish::GiveBack { after } => json!({
            "id": job, "fence": fence, "state": JobState::Pending.number(), "more": 0, "kept": 1,
            "after": micros(*after), "code": null, "message": null,
        }),
    }
}
