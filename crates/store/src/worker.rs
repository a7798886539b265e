//! Who works.

use std::time::Duration;

use sqlx::Row as _;

use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::{Time, micros};

/// What a worker is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// It has places free.
    Ready,
    /// All its places are taken.
    Busy,
    /// It ends what it has and takes nothing new.
    Draining,
    /// It has not been heard of, or has said goodbye.
    Offline,
}

impl WorkerState {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Draining => "draining",
            Self::Offline => "offline",
        }
    }

    fn of(text: &str) -> Self {
        match text {
            "ready" => Self::Ready,
            "busy" => Self::Busy,
            "draining" => Self::Draining,
            _ => Self::Offline,
        }
    }
}

/// A worker, as it is registered.
#[derive(Clone, Debug)]
pub struct Worker {
    /// What it is called.
    pub id: String,
    /// The pool whose jobs it does.
    pub pool: String,
    /// Of this program.
    pub version: String,
    /// What it can do, in its own words.
    pub document: String,
    /// What it is up to.
    pub state: WorkerState,
    /// How many jobs it has.
    pub current_jobs: i64,
    /// When it registered.
    pub registered_at: Time,
    /// When it was last heard of.
    pub heartbeat_at: Time,
}

impl Store {
    /// Registers a worker, or says anew what it is.
    pub async fn register(&self, worker: &Worker) -> Result<()> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            sqlx::query(self.sql(
                "INSERT INTO workers \
                 (id, pool, version, document, state, current_jobs, registered_at, heartbeat_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, {now}, {now}) ON CONFLICT (id) DO UPDATE SET \
                 pool = excluded.pool, version = excluded.version, document = excluded.document, \
                 state = excluded.state, current_jobs = excluded.current_jobs, \
                 registered_at = excluded.registered_at, heartbeat_at = excluded.heartbeat_at",
            ))
            .bind(&worker.id)
            .bind(&worker.pool)
            .bind(&worker.version)
            .bind(&worker.document)
            .bind(worker.state.as_str())
            .bind(worker.current_jobs)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// Says that a worker lives and what it is up to. False where it is not registered.
    pub async fn greet(&self, id: &str, state: WorkerState, current_jobs: i64) -> Result<bool> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql(
                "UPDATE workers SET state = $2, current_jobs = $3, heartbeat_at = {now} WHERE id = $1",
            ))
            .bind(id)
            .bind(state.as_str())
            .bind(current_jobs)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    /// All workers by name; those that were not heard of for `silence` are offline.
    pub async fn workers(&self, silence: Duration) -> Result<Vec<Worker>> {
        let rows = sqlx::query(self.sql(
            "SELECT id, pool, version, document, CASE WHEN heartbeat_at < {now} - $1 THEN 'offline' \
             ELSE state END AS state, current_jobs, registered_at, heartbeat_at FROM workers ORDER BY id",
        ))
        .bind(micros(silence))
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Worker {
                    id: row.try_get("id")?,
                    pool: row.try_get("pool")?,
                    version: row.try_get("version")?,
                    document: row.try_get("document")?,
                    state: WorkerState::of(row.try_get("state")?),
                    current_jobs: row.try_get("current_jobs")?,
                    registered_at: Time(row.try_get("registered_at")?),
                    heartbeat_at: Time(row.try_get("heartbeat_at")?),
                })
            })
            .collect()
    }

    /// Forgets workers that were not heard of for `silence`.
    pub async fn forget_workers(&self, silence: Duration) -> Result<u64> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql("DELETE FROM workers WHERE heartbeat_at < {now} - $1"))
                .bind(micros(silence))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }
}
