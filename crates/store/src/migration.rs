//! How the tables came about, a step each. A step that was published is never changed.

use sqlx::{AssertSqlSafe, Row as _};

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::open::Store;

/// Number, name, and what it does.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "jobs", include_str!("migrations/0001-jobs.sql")),
    (2, "access", include_str!("migrations/0002-access.sql")),
    (3, "machines", include_str!("migrations/0003-machines.sql")),
    (4, "users", include_str!("migrations/0004-users.sql")),
    (5, "webhooks", include_str!("migrations/0005-webhooks.sql")),
    (6, "pools", include_str!("migrations/0006-pools.sql")),
];

/// The number of the newest step: the layout that this program works with.
pub const LATEST: i64 = STEPS[STEPS.len() - 1].0;

/// Who migrates holds this lock of PostgreSQL, so that each step runs once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4616453220195471)";

impl Store {
    /// Brings the tables to the layout of step `to`. Several may do so at once: one does, and the
    /// others wait.
    pub(crate) async fn migrate(&self, to: i64) -> Result<()> {
        let mut transaction = self.begin().await?;
        if self.engine() == Engine::Postgres {
            sqlx::query(LOCK).execute(&mut *transaction).await?;
        }
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS migrations \
             (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)",
        )
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query("SELECT COALESCE(MAX(number), 0) AS number FROM migrations")
            .fetch_one(&mut *transaction)
            .await?;
        let stands: i64 = row.try_get("number")?;
        if stands > LATEST {
            return Err(Error::new(
                ErrorKind::Unfit,
                format!(
                    "the database has layout {stands}, and this program works with {LATEST}: it was \
                     used by a newer one"
                ),
            ));
        }
        for (number, name, text) in STEPS {
            if *number <= stands || *number > to {
                continue;
            }
            let statements = AssertSqlSafe(self.engine().say(text).into_owned());
            sqlx::raw_sql(statements).execute(&mut *transaction).await?;
            sqlx::query(
                self.sql(
                    "INSERT INTO migrations (number, name, applied_at) VALUES ($1, $2, {now})",
                ),
            )
            .bind(*number)
            .bind(*name)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
