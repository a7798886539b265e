//! What jobs ask of who does them, kept once however many ask it.

use sqlx::Row as _;

use crate::error::Result;
use crate::open::Store;

/// What some jobs ask of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// By which jobs and claims refer to it.
    pub number: i64,
    /// What it says.
    pub document: String,
}

impl Store {
    /// What the requirement of this number says.
    pub async fn requirement(&self, number: i64) -> Result<Option<String>> {
        let row = sqlx::query("SELECT document FROM requirements WHERE number = $1")
            .bind(number)
            .fetch_optional(self.read())
            .await?;
        Ok(row.map(|row| row.try_get("document")).transpose()?)
    }

    /// All that jobs which are not done ask, beyond number `after`.
    pub async fn requirements(&self, after: i64) -> Result<Vec<Requirement>> {
        let rows = sqlx::query(
            "SELECT number, document FROM requirements r WHERE number > $1 AND EXISTS \
             (SELECT 1 FROM jobs j WHERE j.requirement = r.number AND j.state < 4) ORDER BY number",
        )
        .bind(after)
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Requirement {
                    number: row.try_get("number")?,
                    document: row.try_get("document")?,
                })
            })
            .collect()
    }
}
