//! Flaws, over all machines, and what it all comes to.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use fathom_store::{FlawFilter, FlawOrder, FlawSummary, MachineFilter};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::json;
use super::machines::{MachinePage, MachineView, within};
use crate::access::Role;
use crate::caller::Caller;
use crate::parameters::{Id, Parameters};
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How many packages of a flaw are told.
const PLACES: u32 = 200;
/// How many flaws the summary names.
const WORST: u32 = 10;

const SEVERITIES: &[(&str, u8)] =
    &[("negligible", 1), ("low", 2), ("medium", 3), ("high", 4), ("critical", 5)];

/// A flaw, and how many machines have it.
#[derive(Serialize, JsonSchema)]
struct FlawView {
    /// Its number in the CVE list, or its name where it has none.
    cve_id: String,
    /// How bad it is at worst.
    severity: Option<&'static str>,
    /// Its greatest base score.
    cvss_score: Option<f64>,
    /// How likely it is exploited within a month, from 0 to 1.
    epss: Option<f64>,
    /// Whether it is known to be exploited.
    exploited: bool,
    /// How much is at stake at most, from 0 to 100; how much a machine depends on it is not counted.
    risk: f64,
    /// The packages that have it.
    packages: Vec<String>,
    /// How many machines have it.
    vms: i64,
    /// How many have it only where somebody has decided to leave it so.
    excepted: i64,
}

impl From<FlawSummary> for FlawView {
    fn from(flaw: FlawSummary) -> Self {
        let severity = SEVERITIES.iter().find(|(_, it)| Some(*it) == flaw.severity);
        Self {
            cve_id: flaw.cve,
            severity: severity.map(|(word, _)| *word),
            cvss_score: flaw.cvss,
            epss: flaw.epss,
            exploited: flaw.exploited,
            risk: flaw.risk,
            packages: flaw.packages,
            vms: flaw.machines,
            excepted: flaw.excepted,
        }
    }
}

/// A page of flaws.
#[derive(Serialize, JsonSchema)]
struct FlawPage {
    /// Those that some machine has.
    cves: Vec<FlawView>,
    /// The cursor of the next page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A flaw, and where it is.
#[derive(Serialize, JsonSchema)]
struct FlawDetails {
    /// The flaw.
    #[serde(flatten)]
    flaw: FlawView,
    /// The packages that have it, in their versions.
    places: Vec<PlaceView>,
}

/// A package that has a flaw.
#[derive(Serialize, JsonSchema)]
struct PlaceView {
    /// The system, as `debian 12`.
    system: String,
    /// The kind of the package.
    package_kind: String,
    /// The package.
    package: String,
    /// The version that is installed.
    installed_version: String,
    /// The version that mends it.
    fixed_version: Option<String>,
    /// What can be said of it.
    state: String,
    /// What was decided about it, where something was.
    excepted: Option<String>,
    /// How many machines have it there.
    vms: i64,
}

/// What all machines come to.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// How many machines there are.
    vms: i64,
    /// How many were compared with what is known of flaws.
    scanned: i64,
    /// How many have a critical flaw.
    with_critical: i64,
    /// How many have a flaw that is known to be exploited.
    with_exploited: i64,
    /// How many have flaws that can be mended.
    with_fixable: i64,
    /// Of how many it is not known all that is installed.
    packages_unknown: i64,
    /// How many run which system.
    systems: Vec<SystemCount>,
    /// The flaws by which the most is at stake.
    worst: Vec<FlawView>,
}

/// How many machines run a system.
#[derive(Serialize, JsonSchema)]
struct SystemCount {
    /// The distribution; `null` where that is not known.
    os: Option<String>,
    /// Its version.
    os_version: Option<String>,
    /// How many.
    vms: i64,
}

pub(super) fn routes() -> Vec<Route> {
    let namespace = || json!({ "type": "string" });
    vec![
        Route::get("/api/v1/cves", "listCves", list)
            .about("List flaws that machines have, those first by which the most is at stake.")
            .needs(Role::Viewer)
            .parameter("severity", "Only those that are at least so bad.", || {
                let words: Vec<&str> = SEVERITIES.iter().map(|(word, _)| *word).collect();
                json!({ "type": "string", "enum": words })
            })
            .parameter(
                "exploited",
                "Only those that are known to be exploited, or only the others.",
                || json!({ "type": "boolean" }),
            )
            .parameter("package", "Only those in this package.", namespace)
            .parameter(
                "sort",
                "In which order.",
                || json!({ "type": "string", "enum": ["-risk", "cve_id"], "default": "-risk" }),
            )
            .parameter("namespace", "Only of these namespaces, separated by commas.", namespace)
            .paged_by_text()
            .replies(200, "A page of them.", Some(of::<FlawPage>)),
        Route::get("/api/v1/cves/{id}", "getCve", view)
            .about("Look at a flaw, by any of its names.")
            .needs(Role::Viewer)
            .replies(200, "As it stands.", Some(of::<FlawDetails>)),
        Route::get("/api/v1/cves/{id}/vms", "listCveVms", machines)
            .about("List the machines that have a flaw.")
            .needs(Role::Viewer)
            .parameter("namespace", "Only of these namespaces, separated by commas.", namespace)
            .parameter(
                "count",
                "Whether to count all there are; it takes longer.",
                || json!({ "type": "boolean", "default": false }),
            )
            .paged_by_text()
            .replies(200, "A page of them.", Some(of::<MachinePage>)),
        Route::get("/api/v1/summary", "getSummary", summary)
            .about("See what all machines come to.")
            .needs(Role::Viewer)
            .parameter("namespace", "Only of these namespaces, separated by commas.", namespace)
            .replies(200, "In figures.", Some(of::<Summary>)),
    ]
}

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let order = parameters
        .word("sort", &[("-risk", FlawOrder::Risk), ("cve_id", FlawOrder::Name)])?
        .unwrap_or_default();
    let after = parameters.text("cursor").map(|text| {
        let cursor = text.split_once('~').and_then(|(risk, name)| {
            let risk = f64::from_bits(u64::from_str_radix(risk, 16).ok()?);
            Some((Some(risk).filter(|it| it.is_finite())?, name.to_owned()))
        });
        cursor.ok_or_else(|| Problem::invalid("the cursor is none of ours"))
    });
    let filter = FlawFilter {
        namespaces: within(&caller, &parameters),
        severity: parameters.word("severity", SEVERITIES)?,
        exploited: parameters.word("exploited", &[("true", true), ("false", false)])?,
        package: parameters.text("package").map(str::to_owned),
        order,
        after: after.transpose()?,
        most: parameters.limit(service.inner.rules.page_limit.min(100))?,
    };
    let (flaws, more) = service.store().flaws(&filter).await?;
    let next =
        flaws.last().filter(|_| more).map(|last| format!("{:x}~{}", last.risk.to_bits(), last.cve));
    let cves = flaws.into_iter().map(FlawView::from).collect();
    Ok(json(StatusCode::OK, &FlawPage { cves, next }))
}

async fn view(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let seen = caller.namespaces.as_deref();
    let flaw = service.store().flaw(&id, seen, false).await?;
    let flaw = flaw.ok_or_else(|| {
        Problem::not_found(
            "no machine is known to have a flaw of that name; those that could not be compared may \
             have it: see /api/v1/summary",
        )
    })?;
    let places = service.store().flaw_places(&id, seen, PLACES).await?;
    let place = |it: fathom_store::FlawPlace| PlaceView {
        system: it.system,
        package_kind: it.kind,
        package: it.package,
        installed_version: it.version,
        fixed_version: it.fixed_version,
        state: it.state,
        excepted: it.excepted,
        vms: it.machines,
    };
    let places = places.into_iter().map(place).collect();
    Ok(json(StatusCode::OK, &FlawDetails { flaw: flaw.into(), places }))
}

async fn machines(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let most = parameters.limit(service.inner.rules.page_limit)?;
    let counted = parameters.word("count", &[("true", true), ("false", false)])?;
    let after = parameters.text("cursor").map(|text| {
        let cursor = text.split_once('.');
        let cursor =
            cursor.and_then(|(set, number)| Some((set.parse().ok()?, number.parse().ok()?)));
        cursor.ok_or_else(|| Problem::invalid("the cursor is none of ours"))
    });
    let namespaces = within(&caller, &parameters);
    let (machines, next) = service
        .store()
        .machines_with_flaw(&id, namespaces.as_deref(), after.transpose()?, most)
        .await?;
    let totals = match counted {
        Some(true) => {
            let condition = fathom_store::Condition::of_flaw(&id);
            let filter = MachineFilter {
                namespaces,
                condition: Some(condition),
                ..MachineFilter::default()
            };
            Some(service.store().count_machines(&filter).await?)
        }
        _ => None,
    };
    let page = MachinePage {
        vms: machines.into_iter().map(MachineView::from).collect(),
        next: next.map(|(set, number)| format!("{set}.{number}")),
        total: totals.map(|it| it.machines),
        unknown: totals.map(|it| it.unknown),
    };
    Ok(json(StatusCode::OK, &page))
}

async fn summary(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let namespaces = within(&caller, &parameters);
    let store = service.store();
    let census = store.machine_census(namespaces.as_deref()).await?;
    let systems = store.system_census(namespaces.as_deref()).await?;
    let worst = FlawFilter { namespaces, most: WORST, ..FlawFilter::default() };
    let (worst, _) = store.flaws(&worst).await?;
    let summary = Summary {
        vms: census.machines,
        scanned: census.scanned,
        with_critical: census.with_critical,
        with_exploited: census.with_exploited,
        with_fixable: census.with_fixable,
        packages_unknown: census.packages_unknown,
        systems: systems
            .into_iter()
            .map(|(os, os_version, vms)| SystemCount { os, os_version, vms })
            .collect(),
        worst: worst.into_iter().map(FlawView::from).collect(),
    };
    Ok(json(StatusCode::OK, &summary))
}
