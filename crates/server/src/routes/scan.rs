//! Comparing what a caller brings with what is known of flaws.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use fathom_advisory::{Database, Day};
use fathom_fleet::{Judge, NoDatabase};
use fathom_intake::Kind;
use fathom_jobs::rfc3339;
use fathom_report::Report;
use fathom_report::finding::Findings;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::machine::compute;
use super::{GENERATOR, json, must_be_json};
use crate::access::Role;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How many documents are compared at once.
pub(crate) const AT_ONCE: usize = 4;

/// What is known of flaws.
#[derive(Serialize, JsonSchema)]
struct AdvisoryStatus {
    /// Whether there is a database that can be used.
    available: bool,
    /// Why not, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it is made of.
    providers: Vec<Provider>,
}

/// A part of the database.
#[derive(Serialize, JsonSchema)]
struct Provider {
    /// Who provides it.
    provider: String,
    /// The last day on which anything in it was changed.
    as_of: String,
    /// When it was made.
    built: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/scan", "scan", scan)
            .about(
                "Find what is known to be wrong with what a document lists: a report of fathom, a bill \
                 of materials (CycloneDX, SPDX), or an index report. Nothing of it is kept.",
            )
            .needs(Role::Viewer)
            .takes(of::<Value>)
            .example(|| {
                serde_json::json!({ "bomFormat": "CycloneDX", "specVersion": "1.6",
                    "components": [{ "type": "library", "name": "openssl", "version": "3.0.11-1",
                        "purl": "pkg:deb/debian/openssl@3.0.11-1?distro=debian-12" }] })
            })
            .replies(200, "The findings.", Some(of::<Findings>)),
        Route::get("/api/v1/advisories/status", "getAdvisoryStatus", status)
            .about("See what is known of flaws, and as of when.")
            .needs(Role::Viewer)
            .replies(200, "The parts of the database.", Some(of::<AdvisoryStatus>)),
    ]
}

async fn scan(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    must_be_json(&headers)?;
    let namespace = caller.submitter().namespace;
    let decided = service.store().approved_exceptions(&namespace).await?;
    let now = service.store().now().await?;
    let busy = || {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "BUSY",
            "as many documents are being compared as can be at once; try again",
        )
        .retry_after(1)
    };
    // Waiting is bounded by the time that a request has.
    let places = Arc::clone(&service.inner.scans);
    let place = places.acquire_owned().await.map_err(|_| busy())?;
    compute(move || {
        let _place = place;
        let report = report(&body)?;
        let database = database(&service)?;
        let today = Day::of(&rfc3339(now));
        let judge = Judge::new(database, &decided, today, GENERATOR);
        let findings = judge.findings(&report).map_err(|error| unavailable(error.to_string()))?;
        Ok(json(StatusCode::OK, &findings))
    })
    .await
}

async fn status(State(service): State<Service>) -> Result<Response, Problem> {
    compute(move || {
        let status = match opened(&service) {
            Ok(database) => AdvisoryStatus {
                available: true,
                reason: None,
                providers: database
                    .segments()
                    .iter()
                    .map(|segment| Provider {
                        provider: segment.about().provider.clone(),
                        as_of: segment.about().as_of.clone(),
                        built: segment.about().built.clone(),
                    })
                    .collect(),
            },
            Err(why) => {
                AdvisoryStatus { available: false, reason: Some(why), providers: Vec::new() }
            }
        };
        Ok(json(StatusCode::OK, &status))
    })
    .await
}

/// What a document lists.
fn report(body: &[u8]) -> Result<Report, Problem> {
    let malformed = |why: String| {
        Problem::new(StatusCode::BAD_REQUEST, "MALFORMED", format!("the body: {why}"))
    };
    match fathom_intake::kind(body).map_err(|error| malformed(error.to_string()))? {
        Kind::Fathom => fathom_diff::saved_report(body).map_err(|why| malformed(why.to_string())),
        _ => {
            let taken = fathom_intake::read(body).map_err(|error| malformed(error.to_string()))?;
            Ok(taken.report)
        }
    }
}

fn opened(service: &Service) -> Result<Arc<Database>, String> {
    let Some(advisories) = &service.inner.rules.advisories else {
        return Err("this service does not look for flaws: scan.enabled is false".to_owned());
    };
    advisories.open().map_err(|why: NoDatabase| why.to_string())
}

fn database(service: &Service) -> Result<Arc<Database>, Problem> {
    opened(service).map_err(unavailable)
}

fn unavailable(why: String) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "NO_DATABASE", why)
}
