//! Forgetting machines, and looks at them.

use std::time::Duration;

use serde_json::Value;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::keep::alone;
use super::set::Matter;
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};
use crate::time::micros;

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Looks at machines.
    pub inspections: u64,
    /// Documents.
    pub documents: u64,
    /// Jobs that looked, and what came of them.
    pub jobs: u64,
}

impl Store {
    /// Forgets a machine and everything that hangs on it: its looks, their documents, the jobs that made
    /// them, and what no other machine has. Where `version` is given, it must be the one that the
    /// machine is at. Nothing where there is no such machine.
    pub async fn purge_machine(&self, id: &str, version: Option<i64>) -> Result<Option<Purged>> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            alone(self, &mut transaction).await?;
            let row = sqlx::query("SELECT number, version FROM machines WHERE id = $1")
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(row) = row else { return Ok(None) };
            let (machine, stands): (i64, i64) = (row.try_get("number")?, row.try_get("version")?);
            if version.is_some_and(|version| version != stands) {
                let what = format!("the machine is at version {stands}");
                return Err(Error::new(ErrorKind::Conflict, what));
            }
            let numbers = sqlx::query("SELECT number FROM inspections WHERE machine = $1")
                .bind(machine)
                .fetch_all(&mut *transaction)
                .await?;
            let numbers = all::<i64>(&numbers, "number")?;
            let mut left = self.left_of(&mut transaction, &numbers).await?;
            let row = sqlx::query(
                "SELECT packages, packages_base, flaws, flaws_base FROM machines WHERE number = $1",
            )
            .bind(machine)
            .fetch_one(&mut *transaction)
            .await?;
            for matter in Matter::BOTH {
                let (set, base) = matter.columns();
                for column in [set, base] {
                    left.sets[matter as usize].extend(row.try_get::<Option<i32>, _>(column)?);
                }
            }
            let mut purged = Purged { inspections: numbers.len() as u64, ..Purged::default() };
            let ids = Value::from(numbers).to_string();
            purged.jobs = self.forget_jobs_of(&mut transaction, &ids).await?;
            for (text, bound) in [
                ("DELETE FROM inspections WHERE machine = $1", machine),
                ("DELETE FROM machines WHERE number = $1", machine),
            ] {
                sqlx::query(text).bind(bound).execute(&mut *transaction).await?;
            }
            purged.documents = self.sweep_left(&mut transaction, left).await?;
            transaction.commit().await?;
            self.forget();
            Ok(Some(purged))
        })
        .await
    }

    /// Forgets looks that a newer one of the same machine has replaced, and that are older than `age`; at
    /// most `most`.
    pub async fn forget_inspections(&self, age: Duration, most: u32) -> Result<u64> {
        let old = "SELECT i.number FROM inspections i JOIN machines m ON m.number = i.machine \
                   WHERE i.at < {now} - $1 AND i.number <> m.inspection ORDER BY i.number LIMIT $2";
        // Whoever looks first does not stop others for nothing.
        let some = sqlx::query(self.sql(old))
            .bind(micros(age))
            .bind(1_i64)
            .fetch_optional(self.read())
            .await?;
        if some.is_none() {
            return Ok(0);
        }
        patiently(|| async {
            let mut transaction = self.begin().await?;
            alone(self, &mut transaction).await?;
            let rows = sqlx::query(self.sql(old))
                .bind(micros(age))
                .bind(i64::from(most))
                .fetch_all(&mut *transaction)
                .await?;
            let numbers = all::<i64>(&rows, "number")?;
            let left = self.left_of(&mut transaction, &numbers).await?;
            sqlx::query(self.sql(
                "DELETE FROM inspections WHERE number IN \
                 (SELECT CAST(value AS BIGINT) FROM {texts:$1})",
            ))
            .bind(Value::from(numbers.as_slice()).to_string())
            .execute(&mut *transaction)
            .await?;
            self.sweep_left(&mut transaction, left).await?;
            transaction.commit().await?;
            self.forget();
            Ok(numbers.len() as u64)
        })
        .await
    }

    /// Forgets the jobs that made these looks and have ended.
    async fn forget_jobs_of(
        &self,
        transaction: &mut Transaction<'static, Any>,
        inspections: &str,
    ) -> Result<u64> {
        let rows = sqlx::query(self.sql(
            "SELECT j.id FROM jobs j JOIN inspections i ON i.job = j.id \
             WHERE j.finished_at IS NOT NULL \
             AND i.number IN (SELECT CAST(value AS BIGINT) FROM {texts:$1})",
        ))
        .bind(inspections)
        .fetch_all(&mut **transaction)
        .await?;
        let ids = all::<String>(&rows, "id")?;
        self.delete_jobs(transaction, &ids).await?;
        Ok(ids.len() as u64)
    }

    /// What looks point to.
    async fn left_of(
        &self,
        transaction: &mut Transaction<'static, Any>,
        inspections: &[i64],
    ) -> Result<Left> {
        let rows = sqlx::query(self.sql(
            "SELECT report, findings, packages, flaws FROM inspections \
             WHERE number IN (SELECT CAST(value AS BIGINT) FROM {texts:$1})",
        ))
        .bind(Value::from(inspections).to_string())
        .fetch_all(&mut **transaction)
        .await?;
        let mut left = Left::default();
        for row in &rows {
            left.documents.push(row.try_get("report")?);
            left.documents.extend(row.try_get::<Option<i64>, _>("findings")?);
            left.sets[0].extend(row.try_get::<Option<i32>, _>("packages")?);
            left.sets[1].extend(row.try_get::<Option<i32>, _>("flaws")?);
        }
        Ok(left)
    }

    /// Takes away what nothing points to any more, of what is given and what hung on that. Says how many
    /// documents.
    async fn sweep_left(
        &self,
        transaction: &mut Transaction<'static, Any>,
        mut left: Left,
    ) -> Result<u64> {
        for matter in Matter::BOTH {
            // A set, and then the one that it was told by.
            for _ in 0..2 {
                let sets = std::mem::take(&mut left.sets[matter as usize]);
                if sets.is_empty() {
                    break;
                }
                self.sweep_sets(transaction, matter, sets, &mut left).await?;
            }
        }
        let mut swept = 0;
        for _ in 0..2 {
            let mut documents = std::mem::take(&mut left.documents);
            documents.sort_unstable();
            documents.dedup();
            if documents.is_empty() {
                break;
            }
            let rows = sqlx::query(self.sql(
                "DELETE FROM blobs WHERE number IN (SELECT CAST(value AS BIGINT) FROM {texts:$1}) \
                 AND NOT EXISTS (SELECT 1 FROM inspections i WHERE i.report = blobs.number) \
                 AND NOT EXISTS (SELECT 1 FROM inspections i WHERE i.findings = blobs.number) \
                 AND NOT EXISTS (SELECT 1 FROM package_sets s WHERE s.example = blobs.number) \
                 AND NOT EXISTS (SELECT 1 FROM flaw_sets s WHERE s.example = blobs.number) \
                 AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.base = blobs.number) \
                 RETURNING number, base",
            ))
            .bind(Value::from(documents).to_string())
            .fetch_all(&mut **transaction)
            .await?;
            swept += rows.len() as u64;
            left.documents = all::<Option<i64>>(&rows, "base")?.into_iter().flatten().collect();
        }
        Ok(swept)
    }

    async fn sweep_sets(
        &self,
        transaction: &mut Transaction<'static, Any>,
        matter: Matter,
        mut sets: Vec<i32>,
        left: &mut Left,
    ) -> Result<()> {
        sets.sort_unstable();
        sets.dedup();
        let (table, items, facts) = (matter.sets(), matter.items(), matter.facts());
        let (set, base) = matter.columns();
        let text = format!(
            "DELETE FROM {table} WHERE number IN (SELECT CAST(value AS INTEGER) FROM {}) \
             AND NOT EXISTS (SELECT 1 FROM machines m WHERE m.{set} = {table}.number) \
             AND NOT EXISTS (SELECT 1 FROM machines m WHERE m.{base} = {table}.number) \
             AND NOT EXISTS (SELECT 1 FROM inspections i WHERE i.{set} = {table}.number) \
             AND NOT EXISTS (SELECT 1 FROM {table} d WHERE d.base = {table}.number) \
             RETURNING number, base, example",
            self.engine().say("{texts:$1}"),
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(Value::from(sets).to_string())
            .fetch_all(&mut **transaction)
            .await?;
        let gone = all::<i32>(&rows, "number")?;
        left.sets[matter as usize].extend(all::<Option<i32>>(&rows, "base")?.into_iter().flatten());
        left.documents.extend(all::<Option<i64>>(&rows, "example")?.into_iter().flatten());
        if gone.is_empty() {
            return Ok(());
        }
        let text = format!(
            "DELETE FROM {items} WHERE item_set IN (SELECT CAST(value AS INTEGER) FROM {}) \
             RETURNING item",
            self.engine().say("{texts:$1}"),
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(Value::from(gone).to_string())
            .fetch_all(&mut **transaction)
            .await?;
        let mut numbers: Vec<i32> = all::<i32>(&rows, "item")?.into_iter().map(i32::abs).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let text = format!(
            "DELETE FROM {facts} WHERE number IN (SELECT CAST(value AS INTEGER) FROM {}) \
             AND NOT EXISTS (SELECT 1 FROM {items} i WHERE i.item = {facts}.number) \
             AND NOT EXISTS (SELECT 1 FROM {items} i WHERE i.item = -{facts}.number) RETURNING number",
            self.engine().say("{texts:$1}"),
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(Value::from(numbers).to_string())
            .fetch_all(&mut **transaction)
            .await?;
        if matter == Matter::Flaws {
            sqlx::query(self.sql(
                "DELETE FROM flaw_names WHERE flaw IN (SELECT CAST(value AS INTEGER) FROM {texts:$1})",
            ))
            .bind(Value::from(all::<i32>(&rows, "number")?).to_string())
            .execute(&mut **transaction)
            .await?;
        }
        Ok(())
    }
}

/// What may be swept away.
#[derive(Default)]
struct Left {
    documents: Vec<i64>,
    sets: [Vec<i32>; 2],
}

fn all<T>(rows: &[sqlx::any::AnyRow], column: &str) -> Result<Vec<T>>
where
    T: for<'r> sqlx::Decode<'r, Any> + sqlx::Type<Any>,
{
    rows.iter().map(|row| Ok(row.try_get(column)?)).collect()
}
