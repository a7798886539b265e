//! Who may use the interface.

use std::time::Duration;

use sqlx::{Any, Row as _, Transaction};

use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};
use crate::time::{Time, micros};

/// A token as it is kept: whoever reads the database cannot use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// By which it is named where its secret must not be.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// A digest of its secret.
    pub digest: String,
    /// What its bearer may do.
    pub role: String,
    /// The namespaces that its bearer sees; nothing: all.
    pub namespaces: Option<Vec<String>>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Time,
    /// Until when it counts.
    pub expires_at: Option<Time>,
    /// Since when it does not count any more.
    pub revoked_at: Option<Time>,
    /// When it was last used, to the minute.
    pub used_at: Option<Time>,
    /// Whose it is, of those that somebody got by logging in.
    pub owner: Option<String>,
}

const COLUMNS: &str = "SELECT id, name, digest, role, namespaces, created_by, created_at, \
     expires_at, revoked_at, used_at, owner FROM tokens ";

impl Store {
    /// Keeps a token that counts for `lifetime`.
    pub async fn add_token(&self, token: &Token, lifetime: Option<Duration>) -> Result<()> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            insert(self, &mut transaction, token, lifetime).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// The token whose secret has this digest, if it counts.
    pub async fn token(&self, digest: &str) -> Result<Option<Token>> {
        let text = format!(
            "{COLUMNS} WHERE digest = $1 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > {})",
            self.engine().say("{now}")
        );
        let row =
            sqlx::query(sqlx::AssertSqlSafe(text)).bind(digest).fetch_optional(self.read()).await?;
        row.as_ref().map(read).transpose()
    }

    /// All tokens, those too that do not count any more, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY created_at DESC, id"));
        let rows = sqlx::query(text).fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }

    /// Notes that a token was used, not more often than once a minute.
    pub async fn use_token(&self, id: &str) -> Result<()> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            sqlx::query(self.sql(
                "UPDATE tokens SET used_at = {now} \
                 WHERE id = $1 AND (used_at IS NULL OR used_at < {now} - 60000000)",
            ))
            .bind(id)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// Lets a token count no more. False where there is none, or it did not count before.
    pub async fn revoke_token(&self, id: &str) -> Result<bool> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done =
                sqlx::query(self.sql(
                    "UPDATE tokens SET revoked_at = {now} WHERE id = $1 AND revoked_at IS NULL",
                ))
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }
}

/// Adds a token within a transaction.
pub(crate) async fn insert(
    store: &Store,
    within: &mut Transaction<'static, Any>,
    token: &Token,
    lifetime: Option<Duration>,
) -> Result<()> {
    sqlx::query(store.sql(
        "INSERT INTO tokens (id, name, digest, role, namespaces, created_by, created_at, expires_at, \
         owner) VALUES ($1, $2, $3, $4, $5, $6, {now}, {now} + $7, $8)",
    ))
    .bind(&token.id)
    .bind(&token.name)
    .bind(&token.digest)
    .bind(&token.role)
    .bind(written_namespaces(token.namespaces.as_deref()))
    .bind(&token.created_by)
    .bind(lifetime.map(micros))
    .bind(token.owner.as_deref())
    .execute(&mut **within)
    .await?;
    Ok(())
}

pub(crate) fn written_namespaces(names: Option<&[String]>) -> Option<String> {
    names.map(|names| serde_json::Value::from(names).to_string())
}

/// The namespaces of a token or a user. What cannot be read must not read as "all".
pub(crate) fn read_namespaces(row: &sqlx::any::AnyRow) -> Result<Option<Vec<String>>> {
    let namespaces: Option<String> = row.try_get("namespaces")?;
    namespaces
        .map(|text| {
            serde_json::from_str(&text)
                .map_err(|_| Error::new(ErrorKind::Unfit, "namespaces are no list of names"))
        })
        .transpose()
}

fn read(row: &sqlx::any::AnyRow) -> Result<Token> {
    let time =
        |name: &str| -> Result<Option<Time>> { Ok(row.try_get::<Option<i64>, _>(name)?.map(Time)) };
    Ok(Token {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        digest: row.try_get("digest")?,
        role: row.try_get("role")?,
        namespaces: read_namespaces(row)?,
        created_by: row.try_get("created_by")?,
        created_at: Time(row.try_get("created_at")?),
        expires_at: time("expires_at")?,
        revoked_at: time("revoked_at")?,
        used_at: time("used_at")?,
        owner: row.try_get("owner")?,
    })
}
