//! One machine: what it is, what was found on it, and how that changed.

use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fathom_jobs::rfc3339;
use fathom_report::finding::Findings;
use fathom_report::{Difference, Report};
use fathom_store::{Machine, Place};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::machines::{MachineView, one};
use super::{GENERATOR, json, plain_json};
use crate::access::Role;
use crate::caller::Caller;
use crate::parameters::{Id, Parameters};
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// A look at a machine.
#[derive(Serialize, JsonSchema)]
struct InspectionView {
    /// By which it is called.
    inspection: i64,
    /// When.
    at: String,
    /// The job that looked.
    job_id: Option<String>,
    /// The SHA-256 of its report.
    report_sha256: String,
    /// How many bytes that has.
    report_size: u64,
    /// The SHA-256 of its findings, where these were looked for.
    findings_sha256: Option<String>,
    /// How much was at stake.
    risk: Option<f64>,
}

/// A page of looks at a machine.
#[derive(Serialize, JsonSchema)]
struct InspectionPage {
    /// The newest first.
    reports: Vec<InspectionView>,
    /// The cursor of the next page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What was forgotten.
#[derive(Serialize, JsonSchema)]
struct Forgotten {
    /// The machine.
    id: String,
    /// Looks at it.
    inspections: u64,
    /// Documents that nothing else points to.
    documents: u64,
    /// Jobs that had looked at it, and what came of them.
    jobs: u64,
}

pub(super) fn routes() -> Vec<Route> {
    let about = "The look that is meant; the newest where none is named.";
    // What a number of JSON holds everywhere.
    let inspection = || json!({ "type": "integer", "minimum": 1, "maximum": (1_i64 << 53) - 1 });
    vec![
        Route::get("/api/v1/vms/{id}", "getVm", view)
            .about("Look at a machine, by its id or by what it is called where it comes from.")
            .needs(Role::Viewer)
            .replies(200, "As it stands.", Some(of::<MachineView>)),
        Route::delete("/api/v1/vms/{id}", "purgeVm", purge)
            .about("Forget a machine and everything that hangs on it.")
            .needs(Role::Admin)
            .parameter(
                "version",
                "The version that was looked at: nothing happens where it is at another.",
                inspection,
            )
            .replies(200, "It is forgotten.", Some(of::<Forgotten>)),
        Route::get("/api/v1/vms/{id}/report", "getVmReport", report)
            .about("Get the report on a machine.")
            .needs(Role::Viewer)
            .parameter("inspection", about, inspection)
            .replies(200, "The report.", Some(of::<Report>)),
        Route::get("/api/v1/vms/{id}/reports", "listVmReports", reports)
            .about("List the looks at a machine.")
            .needs(Role::Viewer)
            .paged()
            .replies(200, "A page of them.", Some(of::<InspectionPage>)),
        Route::get("/api/v1/vms/{id}/diff", "diffVm", diff)
            .about("Compare two looks at a machine.")
            .needs(Role::Viewer)
            .parameter("from", "The earlier one; by default the one before the other.", inspection)
            .parameter("to", "The later one; by default the newest.", inspection)
            .replies(200, "What differs.", Some(of::<Difference>)),
        Route::get("/api/v1/vms/{id}/findings", "getVmFindings", findings)
            .about("Get what is known to be wrong with a machine.")
            .needs(Role::Viewer)
            .parameter("inspection", about, inspection)
            .replies(200, "The findings.", Some(of::<Findings>)),
        Route::get("/api/v1/vms/{id}/sbom", "getVmSbom", sbom)
            .about("Get the bill of materials of a machine.")
            .needs(Role::Viewer)
            .parameter(
                "format",
                "Which.",
                || json!({ "type": "string", "enum": ["cyclonedx", "spdx"], "default": "cyclonedx" }),
            )
            .parameter("inspection", about, inspection)
            .replies(200, "The bill of materials.", None),
    ]
}

async fn view(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let machine = one(&service, &caller, &id).await?;
    Ok(json(StatusCode::OK, &MachineView::from(machine)))
}

async fn purge(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let version = parameters.number("version", 1, i64::MAX)?;
    let machine = one(&service, &caller, &id).await?;
    service.record(caller.deed("purgeVm", &machine.id)).await?;
    let gone = service.store().purge_machine(&machine.id, version).await?;
    let gone = gone.ok_or_else(|| Problem::not_found("the machine is forgotten already"))?;
    let forgotten = Forgotten {
        id: machine.id,
        inspections: gone.inspections,
        documents: gone.documents,
        jobs: gone.jobs,
    };
    Ok(json(StatusCode::OK, &forgotten))
}

async fn report(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let machine = one(&service, &caller, &id).await?;
    let (report, _) = places(&service, &machine, &parameters, "inspection").await?;
    Ok(document(service.store().document(&report).await?, &report))
}

async fn findings(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let machine = one(&service, &caller, &id).await?;
    let (_, findings) = places(&service, &machine, &parameters, "inspection").await?;
    let findings = findings.ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "NOT_SCANNED",
            "it was not looked for flaws yet; that is done when there is a database of advisories \
             (scan.database)",
        )
    })?;
    Ok(document(service.store().document(&findings).await?, &findings))
}

async fn reports(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let (most, before) = parameters.page(service.inner.rules.page_limit)?;
    let machine = one(&service, &caller, &id).await?;
    let looks = service.store().inspections(machine.number, before, most).await?;
    let full = looks.len() == most as usize;
    let next = looks.last().filter(|_| full).map(|it| it.number.to_string());
    let view = |it: fathom_store::Inspection| InspectionView {
        inspection: it.number,
        at: rfc3339(it.at),
        job_id: it.job,
        report_sha256: it.report,
        report_size: it.size,
        findings_sha256: it.findings,
        risk: it.risk,
    };
    let page = InspectionPage { reports: looks.into_iter().map(view).collect(), next };
    Ok(json(StatusCode::OK, &page))
}

async fn diff(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let machine = one(&service, &caller, &id).await?;
    let to = parameters.number("to", 1, i64::MAX)?.unwrap_or(machine.inspection);
    let from = match parameters.number("from", 1, i64::MAX)? {
        Some(from) => from,
        None => {
            let before = service.store().inspections(machine.number, Some(to), 1).await?;
            let before = before.first().ok_or_else(|| {
                Problem::new(
                    StatusCode::CONFLICT,
                    "NOTHING_BEFORE",
                    "there is no earlier look at it to compare with",
                )
            })?;
            before.number
        }
    };
    let (before, _) = at(&service, &machine, from).await?;
    let (after, _) = at(&service, &machine, to).await?;
    let (before, after) =
        (service.store().document(&before).await?, service.store().document(&after).await?);
    compute(move || {
        let (before, after): (Report, Report) = (read(&before)?, read(&after)?);
        Ok(json(StatusCode::OK, &fathom_diff::compare(&before, &after, GENERATOR)))
    })
    .await
}

async fn sbom(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let format =
        parameters.word("format", &[("cyclonedx", true), ("spdx", false)])?.unwrap_or(true);
    let machine = one(&service, &caller, &id).await?;
    let inspection = parameters.number("inspection", 1, i64::MAX)?;
    let inspection = inspection.unwrap_or(machine.inspection);
    let (report, _) = at(&service, &machine, inspection).await?;
    // The same look gives the same document.
    let looks = service.store().inspections(machine.number, Some(inspection + 1), 1).await?;
    let time = looks.first().map_or(machine.seen_at, |it| it.at);
    let time = rfc3339(fathom_store::Time(time.0 / 1_000_000 * 1_000_000));
    let document = service.store().document(&report).await?;
    compute(move || {
        let report: Report = read(&document)?;
        let mut out = Vec::new();
        let written = match format {
            true => fathom_document::cyclonedx(&report, &time, &mut out),
            false => fathom_document::spdx(&report, &time, &mut out),
        };
        written.map_err(|_| unfit())?;
        let kind = match format {
            true => "application/vnd.cyclonedx+json",
            false => "application/spdx+json",
        };
        Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], out).into_response())
    })
    .await
}

/// Where the documents of the look are that is asked for.
async fn places(
    service: &Service,
    machine: &Machine,
    parameters: &Parameters,
    name: &str,
) -> Result<(Place, Option<Place>), Problem> {
    let inspection = parameters.number(name, 1, i64::MAX)?.unwrap_or(machine.inspection);
    at(service, machine, inspection).await
}

async fn at(
    service: &Service,
    machine: &Machine,
    inspection: i64,
) -> Result<(Place, Option<Place>), Problem> {
    let found = service.store().places(machine.number, inspection).await?;
    found.ok_or_else(|| Problem::not_found("there is no such look at the machine any more"))
}

/// A document as it was kept.
fn document(document: Vec<u8>, place: &Place) -> Response {
    let mut response = plain_json(StatusCode::OK, document);
    if let Ok(tag) = header::HeaderValue::from_str(&format!("\"{}\"", place.digest)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn read<T: serde::de::DeserializeOwned>(document: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(document).map_err(|_| unfit())
}

fn unfit() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "INTERNAL_ERROR",
        "a document that was kept cannot be read by this version",
    )
}

/// Has something computed where that keeps nobody waiting.
pub(super) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_ERROR",
            "a bug in the service; its log says more",
        )),
    }
}
