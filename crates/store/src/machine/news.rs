//! What of a verdict others want to know at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::{Any, Row as _, Transaction};

use super::Verdict;
use super::fact::plain;
use crate::error::Result;
use crate::open::Store;
use crate::webhook::Happening;

/// How others ask for it.
const EVENT: &str = "findings.critical";
/// How many flaws are named.
const NAMED: usize = 100;

impl Store {
    /// Writes down for others which critical flaws a machine was not known to have. To be called before
    /// the machine is told what the verdict says.
    pub(super) async fn news(
        &self,
        transaction: &mut Transaction<'static, Any>,
        machine: i64,
        verdict: &Verdict,
    ) -> Result<()> {
        let critical = verdict.flaws.iter().filter(|it| it.severity == Some(5));
        let critical: BTreeSet<String> =
            critical.filter(|it| it.excepted.is_none()).map(|it| plain(&it.cve)).collect();
        if critical.is_empty() || !self.is_told(transaction, EVENT).await? {
            return Ok(());
        }
        let row =
            sqlx::query("SELECT id, namespace, name, version FROM machines WHERE number = $1")
                .bind(machine)
                .fetch_one(&mut **transaction)
                .await?;
        let known = sqlx::query(self.sql(
            "SELECT DISTINCT f.cve FROM machines m JOIN flaws f ON f.excepted IS NULL \
             WHERE m.number = $1 AND f.cve IN (SELECT value FROM {texts:$2}) AND \
             (EXISTS (SELECT 1 FROM flaw_items a WHERE a.item_set = m.flaws AND a.item = f.number) \
             OR (EXISTS (SELECT 1 FROM flaw_items b WHERE b.item_set = m.flaws_base \
             AND b.item = f.number) AND NOT EXISTS (SELECT 1 FROM flaw_items r \
             WHERE r.item_set = m.flaws AND r.item = -f.number)))",
        ))
        .bind(machine)
        .bind(Value::from(critical.iter().cloned().collect::<Vec<_>>()).to_string())
        .fetch_all(&mut **transaction)
        .await?;
        let mut new = critical;
        for row in &known {
            new.remove(&row.try_get::<String, _>("cve")?);
        }
        if new.is_empty() {
            return Ok(());
        }
        let (id, version): (String, i64) = (row.try_get("id")?, row.try_get("version")?);
        let data = json!({
            "vm": { "id": id, "name": row.try_get::<String, _>("name")? },
            "count": new.len(),
            "cve_ids": new.into_iter().take(NAMED).collect::<Vec<_>>(),
            "findings": format!("/api/v1/vms/{id}/findings"),
        });
        let happening = Happening {
            event: EVENT.to_owned(),
            namespace: row.try_get("namespace")?,
            key: format!("{id} {version}"),
            data: data.to_string(),
        };
        self.announce_in(transaction, &[happening]).await
    }
}
