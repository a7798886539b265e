//! How far jobs have come.

use serde_json::json;
use sqlx::Row as _;

use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::Time;

/// Something that a job told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The job.
    pub job: String,
    /// Which of its events this is.
    pub sequence: i64,
    /// When it was recorded.
    pub at: Time,
    /// What it tells.
    pub document: String,
}

impl Store {
    /// Records what jobs tell: pairs of job and document. Who no longer holds a job by its fence says
    /// nothing about it.
    pub async fn tell(&self, events: &[(String, i64, String)]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        // Several of one job in one batch follow one another.
        let mut ordinal = std::collections::HashMap::new();
        let rows: Vec<_> = events
            .iter()
            .map(|(job, fence, document)| {
                let next = ordinal.entry(job.as_str()).or_insert(0_i64);
                *next += 1;
                json!({ "job": job, "fence": fence, "ordinal": *next, "document": document })
            })
            .collect();
        let rows = serde_json::Value::from(rows).to_string();
        patiently(|| async {
            let mut transaction = self.begin().await?;
            sqlx::query(self.sql(
                "INSERT INTO events (job, sequence, at, document) \
                 SELECT j.id, COALESCE((SELECT MAX(o.sequence) FROM events o WHERE o.job = j.id), 0) \
                 + CAST(e.value ->> 'ordinal' AS BIGINT), {now}, e.value ->> 'document' \
                 FROM {rows:$1} e JOIN jobs j ON j.id = e.value ->> 'job' \
                 AND j.fence = CAST(e.value ->> 'fence' AS BIGINT) AND j.state IN (2, 3)",
            ))
            .bind(&rows)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await?;
        self.ring();
        Ok(())
    }

    /// What a job told of itself last.
    pub async fn last_event(&self, job: &str) -> Result<Option<Event>> {
        let row = sqlx::query(
            "SELECT job, sequence, at, document FROM events WHERE job = $1 \
             ORDER BY sequence DESC LIMIT 1",
        )
        .bind(job)
        .fetch_optional(self.read())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// What a job told of itself after event `after`, at most `most` of it.
    pub async fn events(&self, job: &str, after: i64, most: u32) -> Result<Vec<Event>> {
        let rows = sqlx::query(
            "SELECT job, sequence, at, document FROM events \
             WHERE job = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        )
        .bind(job)
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(self.read())
        .await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<Event> {
    Ok(Event {
        job: row.try_get("job")?,
        sequence: row.try_get("sequence")?,
        at: Time(row.try_get("at")?),
        document: row.try_get("document")?,
    })
}
