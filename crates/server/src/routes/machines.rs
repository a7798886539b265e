//! Machines: which there are.

use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fathom_jobs::rfc3339;
use fathom_store::{Condition, Cursor, Found, Machine, MachineFilter, MachineOrder};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::json;
use crate::access::Role;
use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How many pages can be asked for by number: each costs what all before it cost.
const PAGES: u32 = 100;
/// How many machines a table has at most.
const ROWS: u32 = 200_000;

/// A machine.
#[derive(Serialize, JsonSchema)]
pub(super) struct MachineView {
    /// By which it is called here.
    id: String,
    /// What people call it.
    name: String,
    /// Whose it is.
    namespace: String,
    /// Where it comes from, and what it is called there.
    source: String,
    /// What it is called where it comes from, as a moref.
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    /// What it calls itself; what is not known is `null`, here and below.
    hostname: Option<String>,
    /// The family of its system.
    family: Option<String>,
    /// The distribution.
    os: Option<String>,
    /// Its version.
    os_version: Option<String>,
    /// Both, as people write it.
    os_name: Option<String>,
    /// The architecture.
    architecture: Option<String>,
    /// The kernel that starts.
    kernel: Option<String>,
    /// How many packages are installed.
    packages: Option<u32>,
    /// Whether these are all: only then is it known what is not installed.
    packages_known: bool,
    /// What is wrong with it; `null` where that was not looked for.
    vulnerabilities: Option<Counts>,
    /// Whether what is not among its flaws is not there.
    vulnerabilities_known: bool,
    /// When it was first looked at.
    first_seen_at: String,
    /// When it was last looked at.
    seen_at: String,
    /// When it was last compared with what is known of flaws.
    matched_at: Option<String>,
    /// The newest look at it.
    inspection: i64,
    /// It grows with every change.
    version: i64,
}

/// How much is wrong with a machine: each flaw counts once.
#[derive(Serialize, JsonSchema)]
struct Counts {
    /// How much is at stake, from 0 to 100.
    risk: f64,
    /// Flaws that are critical.
    critical: u32,
    /// Flaws that are grave.
    high: u32,
    /// Flaws of middling gravity.
    medium: u32,
    /// Flaws of little consequence.
    low: u32,
    /// Flaws of no consequence in practice.
    negligible: u32,
    /// Flaws of which nobody says how bad they are.
    unknown: u32,
    /// Flaws that are known to be exploited.
    exploited: u32,
    /// Flaws that a package mends which is there to be installed.
    fixable: u32,
    /// Findings that somebody has decided about.
    excepted: u32,
}

impl From<Machine> for MachineView {
    fn from(machine: Machine) -> Self {
        let Machine { whose, nature, .. } = machine;
        Self {
            id: machine.id,
            name: whose.name,
            namespace: whose.namespace,
            source: whose.key,
            alias: whose.alias,
            hostname: nature.hostname,
            family: nature.family,
            os: nature.os,
            os_version: nature.os_version,
            os_name: nature.os_name,
            architecture: nature.architecture,
            kernel: nature.kernel,
            packages: machine.packages,
            packages_known: machine.packages_known,
            vulnerabilities: machine.tally.map(|tally| Counts {
                risk: tally.risk,
                critical: tally.critical,
                high: tally.high,
                medium: tally.medium,
                low: tally.low,
                negligible: tally.negligible,
                unknown: tally.unrated,
                exploited: tally.exploited,
                fixable: tally.fixable,
                excepted: tally.excepted,
            }),
            vulnerabilities_known: machine.flaws_known,
            first_seen_at: rfc3339(machine.first_seen_at),
            seen_at: rfc3339(machine.seen_at),
            matched_at: machine.matched_at.map(rfc3339),
            inspection: machine.inspection,
            version: machine.version,
        }
    }
}

/// A page of machines.
#[derive(Serialize, JsonSchema)]
pub(super) struct MachinePage {
    /// Those for which it is sure that they are as was asked.
    pub(super) vms: Vec<MachineView>,
    /// The cursor of the next page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
    /// How many there are, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<i64>,
    /// Of how many it cannot be told whether they are as was asked, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unknown: Option<i64>,
}

pub(super) fn routes() -> Vec<Route> {
    let list = Route::get("/api/v1/vms", "listVms", list)
        .about("List machines.")
        .needs(Role::Viewer)
        .parameter("filter", "Only those for which this holds.", || {
            json!({ "type": "string", "maxLength": 4096,
                "examples": ["os = debian and risk > 70 and package ~ openssl"] })
        })
        .parameter("sort", "In which order; the greatest first behind a minus.", || {
            let words: Vec<&str> = ORDERS.iter().map(|(word, _)| *word).collect();
            json!({ "type": "string", "enum": words, "default": "name" })
        })
        .parameter(
            "namespace",
            "Only of these namespaces, separated by commas.",
            || json!({ "type": "string" }),
        )
        .parameter(
            "count",
            "Whether to count all there are; it takes longer.",
            || json!({ "type": "boolean", "default": false }),
        )
        .parameter(
            "page",
            "A page by its number instead of a cursor, for clients that know no other way.",
            || json!({ "type": "integer", "minimum": 1, "maximum": PAGES }),
        )
        .paged_by_text()
        .replies(200, "A page of them.", Some(of::<MachinePage>));
    let export = Route::get("/api/v1/vms.csv", "exportVms", export)
        .about("Get machines as a table for spreadsheets.")
        .needs(Role::Viewer)
        .parameter(
            "filter",
            "Only those for which this holds.",
            || json!({ "type": "string", "maxLength": 4096 }),
        )
        .parameter(
            "namespace",
            "Only of these namespaces, separated by commas.",
            || json!({ "type": "string" }),
        )
        .streams(200, "All of them, by name.", "text/csv");
    vec![list, export]
}

const ORDERS: &[(&str, (MachineOrder, bool))] = &[
    ("name", (MachineOrder::Name, false)),
    ("-name", (MachineOrder::Name, true)),
    ("risk", (MachineOrder::Risk, false)),
    ("-risk", (MachineOrder::Risk, true)),
    ("seen", (MachineOrder::Seen, false)),
    ("-seen", (MachineOrder::Seen, true)),
];

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let most = parameters.limit(service.inner.rules.page_limit)?;
    let counted = parameters.word("count", &[("true", true), ("false", false)])?;
    let mut filter = asked(&caller, &parameters, most)?;
    let page = parameters.number("page", 1, PAGES)?;
    if page.is_some() && filter.after.is_some() {
        return Err(Problem::invalid("page and cursor: one of them is meant"));
    }
    let mut found = service.store().machines(&filter).await?;
    for _ in 1..page.unwrap_or(1) {
        match found.next.take() {
            Some(next) => filter.after = Some(next),
            None => {
                found.machines.clear();
                break;
            }
        }
        found = service.store().machines(&filter).await?;
    }
    let totals = match counted {
        Some(true) => Some(service.store().count_machines(&filter).await?),
        _ => None,
    };
    let page = MachinePage {
        vms: found.machines.into_iter().map(MachineView::from).collect(),
        next: found.next.map(|next| next.to_string()),
        total: totals.map(|it| it.machines),
        unknown: totals.map(|it| it.unknown),
    };
    Ok(json(StatusCode::OK, &page))
}

async fn export(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let mut filter = asked(&caller, &parameters, 1000)?;
    let mut table = Vec::from(
        &b"id,name,namespace,source,hostname,os,os_version,architecture,kernel,packages,risk,critical,\
         high,medium,low,negligible,unknown,exploited,fixable,excepted,seen_at,matched_at\r\n"[..],
    );
    let mut rows = 0;
    loop {
        let page = service.store().machines(&filter).await?;
        for machine in page.machines {
            rows += 1;
            row(&mut table, machine.into());
        }
        match page.next {
            Some(next) if rows < ROWS => filter.after = Some(next),
            Some(_) => {
                return Err(Problem::invalid(format!(
                    "there are more than {ROWS} machines; ask for fewer with filter"
                )));
            }
            None => break,
        }
    }
    let kind = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"vms.csv\""),
    ];
    Ok((StatusCode::OK, kind, table).into_response())
}

fn row(table: &mut Vec<u8>, machine: MachineView) {
    let counts = machine.vulnerabilities;
    let number = |of: fn(&Counts) -> u32| counts.as_ref().map(|it| of(it).to_string());
    let cells = [
        Some(machine.id),
        Some(machine.name),
        Some(machine.namespace),
        Some(machine.source),
        machine.hostname,
        machine.os,
        machine.os_version,
        machine.architecture,
        machine.kernel,
        machine.packages.map(|it| it.to_string()),
        counts.as_ref().map(|it| format!("{:.2}", it.risk)),
        number(|it| it.critical),
        number(|it| it.high),
        number(|it| it.medium),
        number(|it| it.low),
        number(|it| it.negligible),
        number(|it| it.unknown),
        number(|it| it.exploited),
        number(|it| it.fixable),
        number(|it| it.excepted),
        Some(machine.seen_at),
        machine.matched_at,
    ];
    let cells = cells.map(Option::unwrap_or_default);
    // Nothing can go wrong with writing to memory.
    let _ = fathom_document::csv_record(table, cells.iter().map(String::as_str));
}

/// The machines that are asked for.
fn asked(caller: &Caller, parameters: &Parameters, most: u32) -> Result<MachineFilter, Problem> {
    let condition = parameters.text("filter").filter(|text| !text.is_empty());
    let condition = condition
        .map(|text| {
            Condition::parse(text).map_err(|error| Problem::invalid(format!("filter: {error}")))
        })
        .transpose()?;
    let (order, descending) = parameters.word("sort", ORDERS)?.unwrap_or_default();
    let after = parameters.text("cursor").map(str::parse::<Cursor>).transpose()?;
    let namespaces = within(caller, parameters);
    Ok(MachineFilter { namespaces, condition, order, descending, after, most })
}

/// The namespaces that are asked for, of those that the caller sees.
pub(super) fn within(caller: &Caller, parameters: &Parameters) -> Option<Vec<String>> {
    let asked = parameters.list("namespace");
    match (&caller.namespaces, asked) {
        (None, None) => None,
        (None, Some(asked)) => Some(asked.into_iter().map(str::to_owned).collect()),
        (Some(seen), None) => Some(seen.clone()),
        (Some(seen), Some(asked)) => {
            Some(seen.iter().filter(|it| asked.contains(&it.as_str())).cloned().collect())
        }
    }
}

/// The machine that is asked for.
pub(super) async fn one(service: &Service, caller: &Caller, id: &str) -> Result<Machine, Problem> {
    match service.store().machine(id, caller.namespaces.as_deref()).await? {
        Found::One(machine) => Ok(*machine),
        Found::Nothing => Err(Problem::not_found("there is no machine of that name")),
        Found::Several(machines) => {
            let named = |it: &fathom_store::Named| format!("{} ({})", it.id, it.whose.key);
            let named: Vec<String> = machines.iter().map(named).collect();
            Err(Problem::new(
                StatusCode::CONFLICT,
                "AMBIGUOUS",
                format!("several machines are called so; ask by id: {}", named.join(", ")),
            ))
        }
    }
}
