//! What came in and was no job.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use fathom_jobs::rfc3339;
use schemars::JsonSchema;
use serde::Serialize;

use super::json;
use crate::access::Role;
use crate::caller::Caller;
use crate::parameters::{Id, Parameters};
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// A page of what was no job.
#[derive(Serialize, JsonSchema)]
struct LetterPage {
    /// The oldest first.
    letters: Vec<LetterView>,
    /// The cursor of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that came in and was no job.
#[derive(Serialize, JsonSchema)]
struct LetterView {
    /// By which it is asked for.
    id: String,
    /// From where it came.
    source: String,
    /// When.
    received_at: String,
    /// Why it is none.
    reason: String,
    /// How long it is.
    bytes: usize,
    /// How it begins; what is no text is replaced.
    body: String,
}

/// How much of one is shown.
const SHOWN: usize = 4096;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/dead-letters", "listDeadLetters", list)
            .about("List what came in and was no job.")
            .needs(Role::Admin)
            .paged()
            .replies(200, "A page of it.", Some(of::<LetterPage>)),
        Route::delete("/api/v1/dead-letters/{id}", "discardDeadLetter", discard)
            .about("Forget something that was no job.")
            .needs(Role::Admin)
            .replies(204, "It is forgotten.", None),
    ]
}

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    caller.everywhere()?;
    let (most, after) = parameters.page(service.inner.rules.page_limit)?;
    let letters = service.desk().store().letters(after.unwrap_or(0), most + 1).await?;
    let more = letters.len() > most as usize;
    let letters: Vec<_> = letters.into_iter().take(most as usize).collect();
    let next = more.then(|| letters.last().map(|it| it.number.to_string())).flatten();
    let letters = letters
        .into_iter()
        .map(|it| LetterView {
            id: it.number.to_string(),
            source: it.letter.source,
            received_at: rfc3339(it.received_at),
            reason: it.letter.reason,
            bytes: it.letter.body.len(),
            body: String::from_utf8_lossy(&it.letter.body[..it.letter.body.len().min(SHOWN)])
                .into_owned(),
        })
        .collect();
    Ok(json(StatusCode::OK, &LetterPage { letters, next }))
}

async fn discard(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    caller.everywhere()?;
    let unknown = || Problem::not_found(format!("there is no dead letter {id:?}"));
    let number: i64 = id.parse().map_err(|_| unknown())?;
    service.record(caller.deed("discardDeadLetter", &id)).await?;
    if !service.desk().store().discard_letter(number).await? {
        return Err(unknown());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
