//! Who may log in, and what they got by it.

use std::time::Duration;

use sqlx::{Any, Row as _, Transaction};

use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::{Time, micros};
use crate::token::{Token, insert, read_namespaces, written_namespaces};

/// Somebody who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What they are called.
    pub name: String,
    /// A hash of their password.
    pub password: String,
    /// What they may do.
    pub role: String,
    /// The namespaces that they see; nothing: all.
    pub namespaces: Option<Vec<String>>,
    /// Who let them in.
    pub created_by: String,
    /// When.
    pub created_at: Time,
    /// Since when they have this password.
    pub changed_at: Time,
    /// When they logged in last.
    pub login_at: Option<Time>,
    /// Since when they may not log in.
    pub disabled_at: Option<Time>,
}

/// What is changed of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserChange<'a> {
    /// They have this password now, by its hash.
    Password(&'a str),
    /// They may not log in.
    Disable,
    /// They may again.
    Enable,
    /// They are gone.
    Delete,
}

const COLUMNS: &str = "SELECT name, password, role, namespaces, created_by, created_at, changed_at, \
     login_at, disabled_at FROM users ";

impl Store {
    /// Keeps somebody. False where there is one of that name.
    pub async fn add_user(&self, user: &User) -> Result<bool> {
        let namespaces = written_namespaces(user.namespaces.as_deref());
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql(
                "INSERT INTO users (name, password, role, namespaces, created_by, created_at, \
                 changed_at) VALUES ($1, $2, $3, $4, $5, {now}, {now}) ON CONFLICT DO NOTHING",
            ))
            .bind(&user.name)
            .bind(&user.password)
            .bind(&user.role)
            .bind(namespaces.as_deref())
            .bind(&user.created_by)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    /// Who has this name.
    pub async fn user(&self, name: &str) -> Result<Option<User>> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name = $1"));
        let row = sqlx::query(text).bind(name).fetch_optional(self.read()).await?;
        row.as_ref().map(read).transpose()
    }

    /// All of them, by name.
    pub async fn users(&self) -> Result<Vec<User>> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name"));
        let rows = sqlx::query(text).fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }

    /// Changes somebody, and ends what they got by logging in. False where there is none of that name.
    pub async fn change_user(&self, name: &str, change: UserChange<'_>) -> Result<bool> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let query = match change {
                UserChange::Password(hash) => sqlx::query(
                    self.sql("UPDATE users SET password = $2, changed_at = {now} WHERE name = $1"),
                )
                .bind(name)
                .bind(hash),
                UserChange::Disable => sqlx::query(self.sql(
                    "UPDATE users SET disabled_at = COALESCE(disabled_at, {now}) WHERE name = $1",
                ))
                .bind(name),
                UserChange::Enable => {
                    sqlx::query("UPDATE users SET disabled_at = NULL WHERE name = $1").bind(name)
                }
                UserChange::Delete => sqlx::query("DELETE FROM users WHERE name = $1").bind(name),
            };
            let done = query.execute(&mut *transaction).await?;
            self.end_sessions(&mut transaction, name).await?;
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    async fn end_sessions(&self, within: &mut Transaction<'static, Any>, name: &str) -> Result<()> {
        sqlx::query(
            self.sql(
                "UPDATE tokens SET revoked_at = {now} WHERE owner = $1 AND revoked_at IS NULL",
            ),
        )
        .bind(name)
        .execute(&mut **within)
        .await?;
        Ok(())
    }

    /// Keeps the token that somebody gets by logging in. False where they have changed since their
    /// password was looked at: it is another one, or they may not log in any more.
    pub async fn begin_session(
        &self,
        user: &User,
        token: &Token,
        lifetime: Duration,
    ) -> Result<bool> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            // Who changes them at the same moment comes before this or after it, and then ends it.
            let done = sqlx::query(self.sql(
                "UPDATE users SET login_at = {now} \
                 WHERE name = $1 AND password = $2 AND disabled_at IS NULL",
            ))
            .bind(&user.name)
            .bind(&user.password)
            .execute(&mut *transaction)
            .await?;
            if done.rows_affected() != 1 {
                return Ok(false);
            }
            insert(self, &mut transaction, token, Some(lifetime)).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Forgets what people got by logging in and has not counted for so long.
    pub async fn forget_sessions(&self, age: Duration) -> Result<u64> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query(self.sql(
                "DELETE FROM tokens WHERE owner IS NOT NULL \
                 AND (expires_at < {now} - $1 OR revoked_at < {now} - $1)",
            ))
            .bind(micros(age))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<User> {
    let time =
        |name: &str| -> Result<Option<Time>> { Ok(row.try_get::<Option<i64>, _>(name)?.map(Time)) };
    Ok(User {
        name: row.try_get("name")?,
        password: row.try_get("password")?,
        role: row.try_get("role")?,
        namespaces: read_namespaces(row)?,
        created_by: row.try_get("created_by")?,
        created_at: Time(row.try_get("created_at")?),
        changed_at: Time(row.try_get("changed_at")?),
        login_at: time("login_at")?,
        disabled_at: time("disabled_at")?,
    })
}
