//! Claiming what is to be told, and saying what came of it.

use std::time::Duration;

use serde_json::Value;
use sqlx::Row as _;

use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};
use crate::time::{Time, micros};

/// Something that is to be told now.
#[derive(Clone, Debug)]
pub struct Due {
    /// What it is called.
    pub id: String,
    /// Who is told.
    pub webhook: String,
    /// What has happened.
    pub event: String,
    /// Whose it is.
    pub namespace: String,
    /// What there is to tell.
    pub data: String,
    /// The number that what is said about it carries.
    pub fence: i64,
    /// Which try this is.
    pub attempt: u32,
    /// When it happened.
    pub created_at: Time,
    /// How long ago that is.
    pub age: Duration,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It was taken, with this status.
    Yes(u16),
    /// It is to be tried again after this long.
    Again(Duration, Option<u16>, String),
    /// It is given up.
    Never(Option<u16>, String),
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its time.
    Waiting,
    /// It was taken.
    Delivered,
    /// It was given up.
    Dead,
}

impl DeliveryState {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// Something that was or is to be told.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What it is called.
    pub id: String,
    /// What has happened.
    pub event: String,
    /// Whose it is.
    pub namespace: String,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it happened.
    pub created_at: Time,
    /// When it is tried next.
    pub due_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// With which status it was answered last.
    pub status: Option<u16>,
    /// What went wrong last.
    pub error: Option<String>,
}

impl Store {
    /// Claims up to `most` of what these webhooks are to be told now. Where nothing is said about it for
    /// `lease`, it is due again.
    pub async fn due_deliveries(
        &self,
        webhooks: &[String],
        most: u32,
        lease: Duration,
    ) -> Result<Vec<Due>> {
        let names = Value::from(webhooks).to_string();
        // Mostly nothing is, and whoever only looks holds up nobody who writes.
        let some = sqlx::query(self.sql(
            "SELECT 1 AS some FROM deliveries WHERE state = 0 AND due_at <= {now} \
             AND webhook IN (SELECT value FROM {texts:$1}) LIMIT 1",
        ))
        .bind(&names)
        .fetch_optional(self.read())
        .await?;
        if some.is_none() {
            return Ok(Vec::new());
        }
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let rows = sqlx::query(self.sql(
                "UPDATE deliveries SET fence = fence + 1, attempts = attempts + 1, \
                 due_at = {now} + $2 WHERE number IN (SELECT number FROM deliveries \
                 WHERE state = 0 AND due_at <= {now} AND webhook IN (SELECT value FROM {texts:$1}) \
                 ORDER BY due_at LIMIT $3 {unlocked}) \
                 RETURNING id, webhook, event, namespace, data, fence, attempts, created_at, {now} AS at",
            ))
            .bind(&names)
            .bind(micros(lease))
            .bind(i64::from(most))
            .fetch_all(&mut *transaction)
            .await?;
            transaction.commit().await?;
            rows.iter().map(due).collect()
        })
        .await
    }

    /// Says what came of a try. False where it does not count: somebody else has tried it since.
    pub async fn delivered(&self, id: &str, fence: i64, came: &Delivered) -> Result<bool> {
        let (state, after, status, error) = match came {
            Delivered::Yes(status) => (1, Duration::ZERO, Some(*status), None),
            Delivered::Again(after, status, why) => (0, *after, *status, Some(why)),
            Delivered::Never(status, why) => (2, Duration::ZERO, *status, Some(why)),
        };
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql(
                "UPDATE deliveries SET state = CAST($3 AS BIGINT), fence = fence + 1, \
                 due_at = {now} + CAST($4 AS BIGINT), status = CAST($5 AS BIGINT), error = $6, \
                 ended_at = CASE WHEN CAST($3 AS BIGINT) = 0 THEN NULL ELSE {now} END \
                 WHERE id = $1 AND fence = $2 AND state = 0",
            ))
            .bind(id)
            .bind(fence)
            .bind(state)
            .bind(micros(after))
            .bind(status.map(i64::from))
            .bind(error.map(|text| text.replace('\0', " ")))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    /// The last deliveries to a webhook, the newest first.
    pub async fn deliveries(&self, webhook: &str, most: u32) -> Result<Vec<Delivery>> {
        let rows = sqlx::query(
            "SELECT id, event, namespace, state, attempts, created_at, due_at, ended_at, status, \
             error FROM deliveries WHERE webhook = $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(webhook)
        .bind(i64::from(most))
        .fetch_all(self.read())
        .await?;
        rows.iter().map(read).collect()
    }

    /// Forgets deliveries that ended longer ago than `age`, at most so many.
    pub async fn forget_deliveries(&self, age: Duration, most: u32) -> Result<u64> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql(
                "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries \
                 WHERE state <> 0 AND ended_at < {now} - $1 ORDER BY ended_at LIMIT $2)",
            ))
            .bind(micros(age))
            .bind(i64::from(most))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }
}

fn due(row: &sqlx::any::AnyRow) -> Result<Due> {
    let created_at = Time(row.try_get("created_at")?);
    Ok(Due {
        id: row.try_get("id")?,
        webhook: row.try_get("webhook")?,
        event: row.try_get("event")?,
        namespace: row.try_get("namespace")?,
        data: row.try_get("data")?,
        fence: row.try_get("fence")?,
        attempt: count(row)?,
        created_at,
        age: Time(row.try_get("at")?).since(created_at),
    })
}

fn count(row: &sqlx::any::AnyRow) -> Result<u32> {
    Ok(u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX))
}

fn read(row: &sqlx::any::AnyRow) -> Result<Delivery> {
    let state = match row.try_get::<i64, _>("state")? {
        0 => DeliveryState::Waiting,
        1 => DeliveryState::Delivered,
        2 => DeliveryState::Dead,
        other => {
            let what = format!("a delivery is in state {other}, which there is not");
            return Err(Error::new(ErrorKind::Unfit, what));
        }
    };
    let ended: Option<i64> = row.try_get("ended_at")?;
    let status: Option<i64> = row.try_get("status")?;
    Ok(Delivery {
        id: row.try_get("id")?,
        event: row.try_get("event")?,
        namespace: row.try_get("namespace")?,
        state,
        attempts: count(row)?,
        created_at: Time(row.try_get("created_at")?),
        due_at: Time(row.try_get("due_at")?),
        ended_at: ended.map(Time),
        status: status.and_then(|status| u16::try_from(status).ok()),
        error: row.try_get("error")?,
    })
}
