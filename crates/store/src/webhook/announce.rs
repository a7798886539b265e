//! Writing down what has happened, for those who are to be told.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Any, Row as _, Transaction};

use super::{ALL, Webhook, read};
use crate::error::{Error, ErrorKind, Result};
use crate::job::JobState;
use crate::open::{Store, patiently};

/// The most that is told of something.
const LARGEST: usize = 64 << 10;
/// How much of an error is told.
const SAID: usize = 1000;

/// Something that has happened.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What: `job.finished`, `findings.critical`.
    pub event: String,
    /// Whose it is.
    pub namespace: String,
    /// What tells it from others of its kind. Who is told of the same twice is told once.
    pub key: String,
    /// What there is to tell: an object of JSON.
    pub data: String,
}

impl Store {
    /// Writes down what has happened for all who are to be told of it. Where it happens in a
    /// transaction of this store, it is written down there.
    pub async fn announce(&self, happenings: &[Happening]) -> Result<()> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            self.announce_in(&mut transaction, happenings).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await?;
        self.ring();
        Ok(())
    }

    /// The same as a part of `transaction`.
    pub(crate) async fn announce_in(
        &self,
        transaction: &mut Transaction<'static, Any>,
        happenings: &[Happening],
    ) -> Result<()> {
        if happenings.is_empty() {
            return Ok(());
        }
        let told = told(transaction).await?;
        self.write_down(transaction, &told, happenings).await
    }

    /// Whether anybody wants to be told of such an event.
    pub(crate) async fn is_told(
        &self,
        transaction: &mut Transaction<'static, Any>,
        event: &str,
    ) -> Result<bool> {
        Ok(told(transaction).await?.iter().any(|it| wants(&it.events, event)))
    }

    /// Writes down that these jobs have ended.
    pub(crate) async fn announce_ended(
        &self,
        transaction: &mut Transaction<'static, Any>,
        jobs: impl IntoIterator<Item = &str>,
    ) -> Result<()> {
        let told = told(transaction).await?;
        if !told.iter().any(|it| wants(&it.events, "job.finished")) {
            return Ok(());
        }
        let jobs: Vec<&str> = jobs.into_iter().collect();
        let rows = sqlx::query(self.sql(
            "SELECT id, namespace, operation, state, attempt, fence, worker, started_at, \
             finished_at, error_code, error_message FROM jobs \
             WHERE id IN (SELECT value FROM {texts:$1})",
        ))
        .bind(Value::from(jobs).to_string())
        .fetch_all(&mut **transaction)
        .await?;
        let happenings = rows.iter().map(ended).collect::<Result<Vec<_>>>()?;
        self.write_down(transaction, &told, &happenings).await
    }

    async fn write_down(
        &self,
        transaction: &mut Transaction<'static, Any>,
        told: &[Webhook],
        happenings: &[Happening],
    ) -> Result<()> {
        let mut rows = Vec::new();
        for it in happenings {
            if it.data.len() > LARGEST || it.data.contains('\0') {
                let what = format!("{}: more than is told of anything, or a NUL", it.event);
                return Err(Error::new(ErrorKind::Invalid, what));
            }
            for webhook in told {
                if wants(&webhook.events, &it.event) && wants(&webhook.namespaces, &it.namespace) {
                    rows.push(json!({
                        "id": id(&[&webhook.name, &it.event, &it.namespace, &it.key]),
                        "webhook": webhook.name, "event": it.event, "namespace": it.namespace,
                        "data": it.data,
                    }));
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(self.sql(
            "INSERT INTO deliveries (id, webhook, event, namespace, data, state, attempts, fence, \
             created_at, due_at) SELECT e.value ->> 'id', e.value ->> 'webhook', \
             e.value ->> 'event', e.value ->> 'namespace', e.value ->> 'data', 0, 0, 0, {now}, {now} \
             FROM {rows:$1} e WHERE true ON CONFLICT (id) DO NOTHING",
        ))
        .bind(Value::from(rows).to_string())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

/// Who is told.
async fn told(transaction: &mut Transaction<'static, Any>) -> Result<Vec<Webhook>> {
    let rows = sqlx::query(ALL).fetch_all(&mut **transaction).await?;
    rows.iter().map(read).collect()
}

/// Whether a name is among those that are wanted.
fn wants(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|it| it == name)
}

/// A job that has ended. Its fence tells one end from the next, where it is sent again.
fn ended(row: &sqlx::any::AnyRow) -> Result<Happening> {
    let (job, namespace): (String, String) = (row.try_get("id")?, row.try_get("namespace")?);
    let fence: i64 = row.try_get("fence")?;
    let mut data = json!({
        "job_id": job,
        "operation": row.try_get::<String, _>("operation")?,
        "status": JobState::of(row.try_get("state")?)?.as_str(),
        "attempt": row.try_get::<i64, _>("attempt")?,
        "result": format!("/api/v1/jobs/{job}/result"),
    });
    if let Some(worker) = row.try_get::<Option<String>, _>("worker")? {
        data["worker_id"] = json!(worker);
    }
    let (began, ended) = (row.try_get("started_at")?, row.try_get("finished_at")?);
    if let (Some(began), Some(ended)) = (began, ended) {
        let (began, ended): (i64, i64) = (began, ended);
        data["duration_seconds"] = json!(ended.saturating_sub(began).max(0) as f64 / 1e6);
    }
    if let Some(code) = row.try_get::<Option<String>, _>("error_code")? {
        let message: Option<String> = row.try_get("error_message")?;
        let message: String = message.unwrap_or_default().chars().take(SAID).collect();
        data["error"] = json!({ "code": code, "message": message });
    }
    let key = format!("{job}:{fence}");
    Ok(Happening { event: "job.finished".to_owned(), namespace, key, data: data.to_string() })
}

/// What a delivery is called: the same for the same.
fn id(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
