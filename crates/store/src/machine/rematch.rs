//! Comparing machines once more, where what is known has changed.

use std::time::Duration;

use serde_json::Value;
use sqlx::Row as _;

use super::keep::{Sorting, share};
use super::{Place, Verdict};
use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::micros;

/// A machine that was not compared with what is known now.
#[derive(Clone, Debug)]
pub struct Unmatched {
    /// The machine.
    pub machine: i64,
    /// By which it is called.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The look that is compared.
    pub inspection: i64,
    /// What machines have in common that have the same findings.
    pub likeness: String,
    /// The report.
    pub report: Place,
}

impl Store {
    /// The namespaces that have machines.
    pub async fn namespaces(&self) -> Result<Vec<String>> {
        // One step of an index a namespace, instead of a look at all machines.
        let rows = sqlx::query(
            "WITH RECURSIVE n (namespace) AS (SELECT MIN(namespace) FROM machines UNION ALL \
             SELECT (SELECT MIN(m.namespace) FROM machines m WHERE m.namespace > n.namespace) \
             FROM n WHERE n.namespace IS NOT NULL) SELECT namespace FROM n WHERE namespace IS NOT NULL",
        )
        .fetch_all(self.read())
        .await?;
        rows.iter().map(|row| Ok(row.try_get("namespace")?)).collect()
    }

    /// Machines of a namespace that were compared with something else than `with`, those that are alike
    /// together. For as long as `lease` nobody else gets them.
    pub async fn unmatched(
        &self,
        namespace: &str,
        with: &str,
        most: u32,
        lease: Duration,
    ) -> Result<Vec<Unmatched>> {
        let rows = patiently(|| async {
            let mut transaction = self.begin().await?;
            let rows = sqlx::query(self.sql(
                "UPDATE machines SET match_after = {now} + $4 WHERE number IN (SELECT number \
                 FROM machines WHERE namespace = $1 AND match_after <= {now} AND \
                 (matched_with IS NULL OR matched_with < $2 OR matched_with > $2) \
                 ORDER BY likeness LIMIT $3 {unlocked}) RETURNING number",
            ))
            .bind(namespace)
            .bind(with)
            .bind(i64::from(most))
            .bind(micros(lease))
            .fetch_all(&mut *transaction)
            .await?;
            transaction.commit().await?;
            let numbers: std::result::Result<Vec<i64>, _> =
                rows.iter().map(|row| row.try_get("number")).collect();
            Ok(numbers?)
        })
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(self.sql(
            "SELECT m.number, m.id, m.name, m.inspection, m.likeness, b.number AS report, \
             b.digest, b.size FROM machines m JOIN inspections i ON i.number = m.inspection \
             JOIN blobs b ON b.number = i.report \
             WHERE m.number IN (SELECT CAST(value AS BIGINT) FROM {texts:$1}) ORDER BY m.likeness",
        ))
        .bind(Value::from(rows).to_string())
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Unmatched {
                    machine: row.try_get("number")?,
                    id: row.try_get("id")?,
                    name: row.try_get("name")?,
                    inspection: row.try_get("inspection")?,
                    likeness: row.try_get("likeness")?,
                    report: Place {
                        number: row.try_get("report")?,
                        digest: row.try_get("digest")?,
                        size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or(0),
                    },
                })
            })
            .collect()
    }

    /// What machines of a namespace come to now. Of a machine that was looked at since, nothing
    /// changes; false for those.
    pub async fn judge(
        &self,
        namespace: &str,
        verdicts: &[(&Unmatched, Verdict)],
    ) -> Result<Vec<bool>> {
        if verdicts.is_empty() {
            return Ok(Vec::new());
        }
        patiently(|| self.try_judge(namespace, verdicts)).await
    }

    async fn try_judge(
        &self,
        namespace: &str,
        verdicts: &[(&Unmatched, Verdict)],
    ) -> Result<Vec<bool>> {
        let mut transaction = self.begin().await?;
        share(self, &mut transaction).await?;
        let numbers: Vec<i64> = verdicts.iter().map(|(it, _)| it.machine).collect();
        let rows = sqlx::query(self.sql(
            "SELECT number, inspection FROM machines \
             WHERE number IN (SELECT CAST(value AS BIGINT) FROM {texts:$1}) \
             ORDER BY namespace, key {update}",
        ))
        .bind(Value::from(numbers).to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let mut stands = std::collections::HashMap::new();
        for row in &rows {
            stands.insert(row.try_get::<i64, _>("number")?, row.try_get::<i64, _>("inspection")?);
        }
        let counts: Vec<bool> = verdicts
            .iter()
            .map(|(it, _)| stands.get(&it.machine) == Some(&it.inspection))
            .collect();
        let counted: Vec<_> =
            verdicts.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(it, _)| it).collect();
        let told: Vec<_> = counted
            .iter()
            .map(|(_, verdict)| (namespace, verdict.flaws.as_slice(), verdict.findings.as_str()))
            .collect();
        let mut sorting = Sorting::new(self);
        let kept = sorting.sort_verdicts(&mut transaction, &told).await?;
        for ((unmatched, verdict), (findings, flaws)) in counted.into_iter().zip(kept) {
            sqlx::query(
                "UPDATE inspections SET findings = $2, flaws = $3, risk = $4 WHERE number = $1",
            )
            .bind(unmatched.inspection)
            .bind(findings)
            .bind(flaws.number)
            .bind(verdict.tally.risk)
            .execute(&mut *transaction)
            .await?;
            sqlx::query("UPDATE machines SET version = version + 1 WHERE number = $1")
                .bind(unmatched.machine)
                .execute(&mut *transaction)
                .await?;
            self.judged(&mut transaction, unmatched.machine, Some(verdict), Some(flaws)).await?;
        }
        transaction.commit().await?;
        sorting.committed();
        Ok(counts)
    }
}
