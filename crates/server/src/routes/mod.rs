//! The operations, by what they are about.

mod access;
mod jobs;
mod letters;
pub(crate) mod system;
mod webhooks;
mod workers;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::problem::Problem;
use crate::route::Route;

/// All of them.
pub(crate) fn all() -> Vec<Route> {
    [
        jobs::routes(),
        workers::routes(),
        letters::routes(),
        webhooks::routes(),
        access::routes(),
        system::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A document as an answer.
fn json<T: Serialize>(status: StatusCode, document: &T) -> Response {
    match serde_json::to_vec(document) {
        Ok(body) => plain_json(status, body),
        Err(_) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_ERROR",
            "the answer cannot be written",
        )
        .into_response(),
    }
}

/// The same of what is JSON already.
fn plain_json(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

/// Whether the body says that it is JSON. A page of somebody else can send a form without being
/// asked, but not this.
fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|text| text.split(';').next()).map(str::trim);
    let is = |kind: &str| {
        let kind = kind.to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    };
    if kind.is_some_and(is) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_MEDIA_TYPE",
        "the body is to be JSON; send \"Content-Type: application/json\"",
    ))
}

/// Reads a body.
fn read<T: serde::de::DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    must_be_json(headers)?;
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "MALFORMED", format!("the body: {error}"))
    })
}
