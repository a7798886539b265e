//! What was done by whom, in a chain: each entry holds the digest of the one before it, so that none
//! can be changed or taken out of the middle without all that follow.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::engine::Engine;
use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::Time;

/// Who appends holds this lock of PostgreSQL.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4616453220195472)";
/// What the first entry is chained to.
const START: &str = "fathom";
/// How many entries are looked at in one go.
const PAGE: i64 = 1000;

/// Something that was done, or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Who.
    pub actor: String,
    /// What, such as `jobs.submit`.
    pub action: String,
    /// On what.
    pub target: String,
    /// Whether it was allowed: `allowed`, `denied`.
    pub outcome: String,
    /// By which it is found in logs and traces.
    pub correlation: String,
    /// From where it was asked for.
    pub from: String,
}

/// A deed as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which it is, from 1 on without a gap.
    pub number: i64,
    /// When it was recorded.
    pub at: Time,
    /// What it says, as JSON.
    pub document: String,
    /// Of the document, its number and time, and the digest before.
    pub digest: String,
}

/// How the chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// All of it holds: so many entries, and the digest of the last, to be compared with one that was
    /// kept elsewhere.
    Whole {
        /// How many.
        entries: i64,
        /// Of the last.
        head: String,
    },
    /// From this entry on it does not hold.
    Broken {
        /// The first that is wrong, or is not there.
        at: i64,
    },
}

impl Store {
    /// Appends deeds, all or none.
    pub async fn record(&self, deeds: &[Deed]) -> Result<()> {
        if deeds.is_empty() {
            return Ok(());
        }
        patiently(|| async {
            let mut transaction = self.begin().await?;
            if self.engine() == Engine::Postgres {
                sqlx::query(LOCK).execute(&mut *transaction).await?;
            }
            let last = sqlx::query(self.sql(
                "SELECT {now} AS now, (SELECT MAX(number) FROM audit) AS number, \
                 (SELECT digest FROM audit ORDER BY number DESC LIMIT 1) AS digest",
            ))
            .fetch_one(&mut *transaction)
            .await?;
            let at: i64 = last.try_get("now")?;
            let mut number = last.try_get::<Option<i64>, _>("number")?.unwrap_or(0);
            let digest: Option<String> = last.try_get("digest")?;
            let mut digest = digest.unwrap_or_else(|| START.to_owned());
            let mut rows = Vec::with_capacity(deeds.len());
            for deed in deeds {
                number += 1;
                let document = document(deed);
                digest = link(&digest, number, at, &document);
                rows.push(json!({ "number": number, "document": document, "digest": digest }));
            }
            sqlx::query(self.sql(
                "INSERT INTO audit (number, at, document, digest) \
                 SELECT CAST(e.value ->> 'number' AS BIGINT), $2, e.value ->> 'document', \
                 e.value ->> 'digest' FROM {rows:$1} e",
            ))
            .bind(Value::from(rows).to_string())
            .bind(at)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// Entries beyond number `after`.
    pub async fn audit(&self, after: i64, most: i64) -> Result<Vec<Entry>> {
        let rows = sqlx::query(
            "SELECT number, at, document, digest FROM audit WHERE number > $1 ORDER BY number LIMIT $2",
        )
        .bind(after)
        .bind(most)
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Entry {
                    number: row.try_get("number")?,
                    at: Time(row.try_get("at")?),
                    document: row.try_get("document")?,
                    digest: row.try_get("digest")?,
                })
            })
            .collect()
    }

    /// Computes the whole chain anew.
    pub async fn verify_audit(&self) -> Result<Chain> {
        let mut entries = 0;
        let mut head = START.to_owned();
        loop {
            let page = self.audit(entries, PAGE).await?;
            if page.is_empty() {
                return Ok(Chain::Whole { entries, head });
            }
            for entry in page {
                let digest = link(&head, entry.number, entry.at.0, &entry.document);
                if entry.number != entries + 1 || digest != entry.digest {
                    return Ok(Chain::Broken { at: entries + 1 });
                }
                entries = entry.number;
                head = digest;
            }
        }
    }
}

fn document(deed: &Deed) -> String {
    let Deed { actor, action, target, outcome, correlation, from } = deed;
    let text = json!({ "actor": actor, "action": action, "target": target, "outcome": outcome,
        "correlation_id": correlation, "from": from })
    .to_string();
    // Databases of text have no place for it.
    text.replace("\\u0000", "\\ufffd")
}

fn link(before: &str, number: i64, at: i64, document: &str) -> String {
    let mut hash = Sha256::new();
    for part in [before, &number.to_string(), &at.to_string(), document] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
