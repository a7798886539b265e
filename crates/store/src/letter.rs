//! What came in and was no job.

use sqlx::Row as _;

use crate::error::Result;
use crate::open::{Store, patiently};
use crate::time::Time;

/// Something that came in and could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLetter {
    /// From where it came.
    pub source: String,
    /// Why it is none.
    pub reason: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// The same as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// By which it is asked for.
    pub number: i64,
    /// When it came.
    pub received_at: Time,
    /// What it is.
    pub letter: NewLetter,
}

impl Store {
    /// Keeps what could not be taken.
    pub async fn bury(&self, letter: &NewLetter) -> Result<i64> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let row = sqlx::query(self.sql(
                "INSERT INTO letters (source, received_at, reason, body) VALUES ($1, {now}, $2, $3) \
                 RETURNING number",
            ))
            .bind(&letter.source)
            .bind(&letter.reason)
            .bind(letter.body.clone())
            .fetch_one(&mut *transaction)
            .await?;
            let number = row.try_get("number")?;
            transaction.commit().await?;
            Ok(number)
        })
        .await
    }

    /// What could not be taken, beyond number `after`.
    pub async fn letters(&self, after: i64, most: u32) -> Result<Vec<Letter>> {
        let rows = sqlx::query(
            "SELECT number, source, received_at, reason, body FROM letters WHERE number > $1 \
             ORDER BY number LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(self.read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Letter {
                    number: row.try_get("number")?,
                    received_at: Time(row.try_get("received_at")?),
                    letter: NewLetter {
                        source: row.try_get("source")?,
                        reason: row.try_get("reason")?,
                        body: row.try_get("body")?,
                    },
                })
            })
            .collect()
    }

    /// Forgets one, once it has been dealt with. False where there is none.
    pub async fn discard_letter(&self, number: i64) -> Result<bool> {
        patiently(|| async {
            let mut transaction = self.begin().await?;
            let done = sqlx::query("DELETE FROM letters WHERE number = $1")
                .bind(number)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }
}
