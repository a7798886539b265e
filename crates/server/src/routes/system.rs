//! How the service is.

use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::{json, plain_json};
use crate::access::Role;
use crate::document::document;
use crate::meters;
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How the service is.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// `healthy`, or `degraded` where the store does not answer.
    status: String,
    /// Of the program.
    version: String,
    /// Whether the store answers.
    store: bool,
}

/// Which program this is.
#[derive(Serialize, JsonSchema)]
struct Version {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// Of the protocol of jobs.
    protocol_version: String,
}

pub(super) fn routes() -> Vec<Route> {
    let health = |path: &'static str, id: &'static str| {
        Route::get(path, id, health).about("Say how the service is.").for_all().replies(
            200,
            "It is well.",
            Some(of::<Health>),
        )
    };
    vec![
        health("/health", "getHealth"),
        health("/api/v1/health", "getApiHealth"),
        Route::get("/healthz", "getLiveness", live)
            .about("Say whether the process lives.")
            .for_all()
            .streams(200, "It does.", "text/plain"),
        Route::get("/readyz", "getReadiness", ready)
            .about("Say whether requests can be answered: whether the store can be asked.")
            .for_all()
            .streams(200, "They can.", "text/plain"),
        Route::get("/api/v1/version", "getVersion", version)
            .about("Say which program this is.")
            .for_all()
            .replies(200, "It says.", Some(of::<Version>)),
        Route::get("/metrics", "getMetrics", metrics)
            .about("Tell what is counted, as Prometheus reads it: OpenMetrics to who accepts that.")
            .needs(Role::Viewer)
            .streams(200, "All of it.", "text/plain"),
        Route::get("/api/v1/openapi.json", "getDocument", openapi)
            .about("Get this document.")
            .for_all()
            .streams(200, "The document.", "application/json"),
    ]
}

/// Whether the store answers, soon.
async fn answers(service: &Service) -> bool {
    let asked = service.desk().store().now();
    matches!(tokio::time::timeout(Duration::from_secs(3), asked).await, Ok(Ok(_)))
}

async fn health(State(service): State<Service>) -> Result<Response, Problem> {
    let store = answers(&service).await;
    let health = Health {
        status: if store { "healthy" } else { "degraded" }.to_owned(),
        version: service.inner.version.to_owned(),
        store,
    };
    Ok(json(if store { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &health))
}

async fn live() -> Result<&'static str, Problem> {
    Ok("ok\n")
}

async fn ready(State(service): State<Service>) -> Result<&'static str, Problem> {
    if answers(&service).await {
        return Ok("ok\n");
    }
    Err(Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        "the store cannot be asked at the moment",
    )
    .retry_after(1))
}

async fn version(State(service): State<Service>) -> Result<Response, Problem> {
    let version = Version {
        name: "fathom".to_owned(),
        version: service.inner.version.to_owned(),
        protocol_version: "1.0".to_owned(),
    };
    Ok(json(StatusCode::OK, &version))
}

async fn metrics(State(service): State<Service>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(told(&service, &headers).await)
}

/// What is counted, as an answer.
pub(crate) async fn told(service: &Service, headers: &HeaderMap) -> Response {
    const OPEN: &str = "application/openmetrics-text";
    let accepted = headers.get_all(header::ACCEPT).iter();
    let open = accepted.filter_map(|value| value.to_str().ok()).any(|text| text.contains(OPEN));
    let exposition = meters::exposition(service).await;
    let (kind, text) = match open {
        true => ("application/openmetrics-text; version=1.0.0; charset=utf-8", exposition),
        false => ("text/plain; version=0.0.4; charset=utf-8", meters::plain(&exposition)),
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn openapi() -> Result<Response, Problem> {
    // It does not change while the program runs.
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());
    Ok(plain_json(StatusCode::OK, DOCUMENT.as_str()))
}
