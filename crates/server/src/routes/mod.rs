//! The operations, by what they are about.

mod access;
mod docs;
mod exceptions;
mod flaws;
mod jobs;
mod letters;
mod login;
mod machine;
mod machines;
mod packages;
mod policies;
mod scan;
pub(crate) mod system;
mod webhooks;
mod workers;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize as _, Serialize};

use crate::problem::Problem;
use crate::route::Route;

pub(crate) use scan::AT_ONCE as SCANS;

/// Who makes the documents that are made here.
const GENERATOR: &str = concat!("fathom ", env!("CARGO_PKG_VERSION"));

/// The groups that operations are told in, and what each is about.
pub(crate) const GROUPS: &[(&str, &str)] = &[
    ("Jobs", "Send jobs, look at them, follow them, call them off."),
    ("Machines", "Which machines there are, and what is on them."),
    ("Flaws", "What is wrong with machines, and what was decided about it."),
    ("Workers", "Who does them, and what they can."),
    ("Dead letters", "What came in and was no job."),
    ("Webhooks", "Who is told what has happened, and what they were told."),
    ("Access", "Who may use the service, and what was done with it."),
    ("Service", "How the service is, and what it tells of itself."),
];

/// All of them, by their groups.
pub(crate) fn all() -> Vec<(&'static str, Route)> {
    let routes = [
        jobs::routes(),
        [machines::routes(), machine::routes(), packages::routes(), policies::routes()]
            .into_iter()
            .flatten()
            .collect(),
        [flaws::routes(), exceptions::routes(), scan::routes()].into_iter().flatten().collect(),
        workers::routes(),
        letters::routes(),
        webhooks::routes(),
        [login::routes(), access::routes()].into_iter().flatten().collect(),
        [system::routes(), docs::routes()].into_iter().flatten().collect(),
    ];
    let named = GROUPS.iter().map(|(name, _)| *name).zip(routes);
    named.flat_map(|(group, routes)| routes.into_iter().map(move |route| (group, route))).collect()
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
    // What is read into a type with names could be read from a list, too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "MALFORMED",
            "the body: it is no object",
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "MALFORMED", format!("the body: {error}"))
    })
}

/// A whole number from 1 on, which JSON may write with a point.
fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(from)? else { return Ok(None) };
    /// What a number of JSON holds everywhere.
    const MOST: f64 = (1_u64 << 53) as f64;
    let point = || number.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < MOST);
    let number = number.as_i64().or_else(|| point().map(|it| it as i64));
    let number = number.filter(|it| *it >= 1);
    number.map(Some).ok_or_else(|| serde::de::Error::custom("it is a whole number from 1 on"))
}
