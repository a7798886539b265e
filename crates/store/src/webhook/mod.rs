//! What others are told of what has happened: rows, as jobs are.
//!
//! Who is to be told stands in the store, so that whatever happens is written down for them in the
//! transaction in which it happens ([`announce`]): it is told if, and only if, it came to pass. Whoever
//! delivers claims what is due ([`deliver`]) and says what came of it, with a number that an older claim
//! does not have. Claimed and not said anything about, a delivery is due again after a while.

mod announce;
mod deliver;

use serde_json::Value;
use sqlx::Row as _;

pub use announce::Happening;
pub use deliver::{Delivered, Delivery, DeliveryState, Due};

use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// What it is called.
    pub name: String,
    /// What may be shown of it.
    pub document: String,
    /// What it is told about; without any, everything.
    pub events: Vec<String>,
    /// The namespaces that it is told about; without any, all.
    pub namespaces: Vec<String>,
}

impl Store {
    /// Says who is told from now on. What waits for those that are no more is dead.
    pub async fn set_webhooks(&self, webhooks: &[Webhook]) -> Result<()> {
        let names: Vec<&str> = webhooks.iter().map(|it| it.name.as_str()).collect();
        let names = Value::from(names).to_string();
        patiently(|| async {
            let mut transaction = self.begin().await?;
            sqlx::query(
                self.sql("DELETE FROM webhooks WHERE name NOT IN (SELECT value FROM {texts:$1})"),
            )
            .bind(&names)
            .execute(&mut *transaction)
            .await?;
            for webhook in webhooks {
                sqlx::query(
                    "INSERT INTO webhooks (name, document, events, namespaces) \
                     VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET \
                     document = excluded.document, events = excluded.events, \
                     namespaces = excluded.namespaces",
                )
                .bind(&webhook.name)
                .bind(&webhook.document)
                .bind(Value::from(webhook.events.clone()).to_string())
                .bind(Value::from(webhook.namespaces.clone()).to_string())
                .execute(&mut *transaction)
                .await?;
            }
            sqlx::query(self.sql(
                "UPDATE deliveries SET state = 2, ended_at = {now}, fence = fence + 1, \
                 error = 'the settings have no such webhook any more' \
                 WHERE state = 0 AND webhook NOT IN (SELECT value FROM {texts:$1})",
            ))
            .bind(&names)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// Who is told, in the order of their names.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>> {
        let rows = sqlx::query(ALL).fetch_all(self.read()).await?;
        rows.iter().map(read).collect()
    }
}

const ALL: &str = "SELECT name, document, events, namespaces FROM webhooks ORDER BY name";

fn read(row: &sqlx::any::AnyRow) -> Result<Webhook> {
    let list = |column: &str| -> Result<Vec<String>> {
        let text: String = row.try_get(column)?;
        serde_json::from_str(&text).map_err(|_| {
            Error::new(ErrorKind::Unfit, format!("the {column} of a webhook are no list"))
        })
    };
    Ok(Webhook {
        name: row.try_get("name")?,
        document: row.try_get("document")?,
        events: list("events")?,
        namespaces: list("namespaces")?,
    })
}
