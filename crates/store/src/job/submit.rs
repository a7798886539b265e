//! Taking jobs in.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Any, Row as _, Transaction};

use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};
use crate::time::{Time, micros};

/// A job that is to be done.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What it is called, by whoever made it.
    pub id: String,
    /// Whose it is.
    pub namespace: String,
    /// What is to be done.
    pub operation: String,
    /// The pool whose workers do it.
    pub pool: String,
    /// From 1 to 10; 10 comes first.
    pub priority: u8,
    /// A digest of the requirement, and what it says.
    pub requirement: (String, String),
    /// Whoever sends the same again under this key gets the first one.
    pub idempotency_key: Option<String>,
    /// A digest of what is asked for: two jobs of one name are one only if it is the same.
    pub fingerprint: String,
    /// The job as it was sent.
    pub envelope: String,
    /// Who sent it.
    pub submitted_by: String,
    /// Which try comes first.
    pub attempt: u32,
    /// How often it is tried at most.
    pub max_attempts: u32,
    /// How long a try may take.
    pub timeout: Duration,
    /// When it has to be done.
    pub deadline: Option<Time>,
    /// Whether it may be called off.
    pub cancellable: bool,
}

/// What came of sending a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It was taken.
    New {
        /// When.
        at: Time,
    },
    /// Another namespace has a job of this name.
    Taken,
    /// It is known.
    Known {
        /// What the first one is called.
        id: String,
        /// When it was sent.
        at: Time,
        /// Whether the same was asked for.
        same: bool,
    },
}

impl Store {
    /// Takes jobs in, all of them or none. For each it says whether it is new.
    pub async fn submit(&self, jobs: &[NewJob]) -> Result<Vec<Submitted>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        for job in jobs {
            if [&job.id, &job.namespace, &job.envelope].iter().any(|text| text.contains('\0')) {
                return Err(Error::new(ErrorKind::Invalid, "a job has a NUL in it"));
            }
        }
        let submitted = patiently(|| self.try_submit(jobs)).await?;
        self.ring();
        Ok(submitted)
    }

    async fn try_submit(&self, jobs: &[NewJob]) -> Result<Vec<Submitted>> {
        let mut transaction = self.begin().await?;
        let numbers = self.require(&mut transaction, jobs).await?;
        // Two who send the same jobs in another order would wait for each other.
        let mut sorted: Vec<&NewJob> = jobs.iter().collect();
        sorted.sort_by(|a, b| a.id.cmp(&b.id));
        let of = |job: &&NewJob| row(job, numbers.get(job.requirement.0.as_str()).copied());
        let rows: Vec<Value> = sorted.iter().map(of).collect();
        let taken = sqlx::query(self.sql(
            "INSERT INTO jobs (id, namespace, operation, pool, state, priority, requirement, \
             idempotency_key, fingerprint, envelope, submitted_by, attempt, max_attempts, deliveries, \
             timeout, deadline, available_at, announced_at, cancellable, cancel, fence, submitted_at) \
             SELECT e.value ->> 'id', e.value ->> 'namespace', e.value ->> 'operation', \
             e.value ->> 'pool', 1, CAST(e.value ->> 'priority' AS BIGINT), \
             CAST(e.value ->> 'requirement' AS BIGINT), e.value ->> 'key', \
             e.value ->> 'fingerprint', e.value ->> 'envelope', e.value ->> 'by', \
             CAST(e.value ->> 'attempt' AS BIGINT), CAST(e.value ->> 'max' AS BIGINT), 0, \
             CAST(e.value ->> 'timeout' AS BIGINT), CAST(e.value ->> 'deadline' AS BIGINT), {now}, \
             {now}, CAST(e.value ->> 'cancellable' AS BIGINT), 0, 0, {now} \
             FROM {rows:$1} e WHERE true ON CONFLICT DO NOTHING RETURNING id, submitted_at",
        ))
        .bind(Value::from(rows).to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let mut new: HashMap<String, Time> = HashMap::with_capacity(taken.len());
        for row in &taken {
            new.insert(row.try_get("id")?, Time(row.try_get("submitted_at")?));
        }
        let mut submitted = Vec::with_capacity(jobs.len());
        let mut seen = HashSet::new();
        for job in jobs {
            // The first of several of one name in a batch is the one that was taken, if it was.
            let first = seen.insert(job.id.as_str());
            submitted.push(match new.get(&job.id) {
                Some(at) if first => Submitted::New { at: *at },
                _ => self.known(&mut transaction, job).await?,
            });
        }
        transaction.commit().await?;
        Ok(submitted)
    }

    /// The numbers of what the jobs ask for.
    async fn require<'a>(
        &self,
        transaction: &mut Transaction<'static, Any>,
        jobs: &'a [NewJob],
    ) -> Result<HashMap<&'a str, i64>> {
        let mut wanted: Vec<_> = jobs.iter().map(|job| &job.requirement).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let ids: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
        let ids = Value::from(ids).to_string();
        let mut found = self.numbers(transaction, &ids).await?;
        if found.len() < wanted.len() {
            let rows: Vec<Value> = wanted
                .iter()
                .filter(|(id, _)| !found.contains_key(id))
                .map(|(id, document)| json!({ "id": id, "document": document }))
                .collect();
            sqlx::query(self.sql(
                "INSERT INTO requirements (id, document) SELECT e.value ->> 'id', \
                 e.value ->> 'document' FROM {rows:$1} e WHERE true ON CONFLICT (id) DO NOTHING",
            ))
            .bind(Value::from(rows).to_string())
            .execute(&mut **transaction)
            .await?;
            found = self.numbers(transaction, &ids).await?;
        }
        Ok(wanted.into_iter().filter_map(|(id, _)| Some((id.as_str(), *found.get(id)?))).collect())
    }

    async fn numbers(
        &self,
        transaction: &mut Transaction<'static, Any>,
        ids: &str,
    ) -> Result<HashMap<String, i64>> {
        let rows =
            sqlx::query(self.sql(
                "SELECT id, number FROM requirements WHERE id IN (SELECT value FROM {texts:$1})",
            ))
            .bind(ids)
            .fetch_all(&mut **transaction)
            .await?;
        rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("number")?))).collect()
    }

    /// The job that is there already.
    async fn known(
        &self,
        transaction: &mut Transaction<'static, Any>,
        job: &NewJob,
    ) -> Result<Submitted> {
        // By its key first: who sends a job again may well give it a new name.
        let row = sqlx::query(
            "SELECT id, submitted_at, fingerprint FROM jobs WHERE (namespace = $1 AND \
             idempotency_key = $2) OR (id = $3 AND namespace = $1) \
             ORDER BY CASE WHEN idempotency_key = $2 THEN 0 ELSE 1 END LIMIT 1",
        )
        .bind(&job.namespace)
        .bind(job.idempotency_key.as_deref())
        .bind(&job.id)
        .fetch_optional(&mut **transaction)
        .await?;
        // A job of this name is another namespace's, of which this one is told nothing more.
        let Some(row) = row else { return Ok(Submitted::Taken) };
        let fingerprint: String = row.try_get("fingerprint")?;
        Ok(Submitted::Known {
            id: row.try_get("id")?,
            at: Time(row.try_get("submitted_at")?),
            same: fingerprint == job.fingerprint,
        })
    }
}

fn row(job: &NewJob, requirement: Option<i64>) -> Value {
    json!({
        "id": job.id,
        "namespace": job.namespace,
        "operation": job.operation,
        "pool": job.pool,
        "priority": job.priority,
        "requirement": requirement,
        "key": job.idempotency_key,
        "fingerprint": job.fingerprint,
        "envelope": job.envelope,
        "by": job.submitted_by,
        "attempt": job.attempt,
        "max": job.max_attempts,
        "timeout": micros(job.timeout),
        "deadline": job.deadline.map(|at| at.0),
        "cancellable": i64::from(job.cancellable),
    })
}
