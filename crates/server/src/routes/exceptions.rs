//! Decisions about flaws: asked for by one, made by another.

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use fathom_jobs::rfc3339;
use fathom_report::Day;
use fathom_report::finding::ExemptionKind;
use fathom_store::{ExceptionFilter, ExceptionRow, Step, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::machines::within;
use super::{json, read};
use crate::access::Role;
use crate::caller::Caller;
use crate::parameters::{Id, Parameters};
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// The longest reason.
const REASON: usize = 2000;
/// The longest name of anything.
const NAME: usize = 200;

/// Something that is printed, without characters that nothing prints.
const TEXT: &str = r"^[^\u0000-\u001f\u007f]*[^\u0000-\u0020\u007f][^\u0000-\u001f\u007f]*$";

/// How it is said until when something holds.
fn until(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "anyOf": [
        { "type": "string", "format": "date" },
        { "enum": ["fixable", "all-fixable", null] },
    ] })
}

/// A decision that is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Request {
    /// The flaw, by any of its names.
    #[schemars(length(min = 1, max = 200), regex(pattern = TEXT))]
    cve_id: String,
    /// The package, or what it was built from; every one where it is left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200), regex(pattern = TEXT))]
    package: Option<String>,
    /// What names of machines are like, as `web-*`; all where it is left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200), regex(pattern = TEXT))]
    machines: Option<String>,
    /// Whether it is put off, or is none.
    kind: ExemptionKind,
    /// Why.
    #[schemars(length(min = 1, max = 2000), regex(pattern = TEXT))]
    reason: String,
    /// A day (`2027-01-31`), `fixable` or `all-fixable`; for ever where it is left out.
    #[serde(default)]
    #[schemars(schema_with = "until")]
    until: Option<String>,
    /// Whose machines it is about; the caller's first namespace where it is left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200), regex(pattern = TEXT))]
    namespace: Option<String>,
}

/// What is said with a decision.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    /// What there is to say.
    #[serde(default)]
    #[schemars(length(max = 2000), regex(pattern = r"^[^\u0000]*$"))]
    note: Option<String>,
    /// The version that was looked at: nothing happens where it is at another.
    #[serde(default, deserialize_with = "super::whole")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    version: Option<i64>,
}

/// A decision as it stands.
#[derive(Serialize, JsonSchema)]
struct ExceptionView {
    /// By which it is called.
    id: String,
    /// Whose machines it is about.
    namespace: String,
    /// `pending`, `approved`, `denied`, `cancelled`, or `expired` where its day is over.
    status: String,
    /// The flaw.
    cve_id: String,
    /// The package; `null` for every one.
    package: Option<String>,
    /// What names of machines are like; `null` for all.
    machines: Option<String>,
    /// `deferred` or `false-positive`.
    kind: String,
    /// Why.
    reason: String,
    /// Until when; `null` for ever.
    until: Option<String>,
    /// Who asked for it.
    requested_by: String,
    /// When.
    requested_at: String,
    /// Who decided.
    decided_by: Option<String>,
    /// When.
    decided_at: Option<String>,
    /// What that person said.
    note: Option<String>,
    /// It grows with every change.
    version: i64,
}

impl ExceptionView {
    fn of(row: ExceptionRow, now: Time) -> Self {
        let day = row.until.as_deref().and_then(Day::parse);
        let today = Day::parse(&rfc3339(now));
        let over =
            matches!((day, today), (Some(day), Some(today)) if day.number() < today.number());
        Self {
            id: row.id,
            namespace: row.namespace,
            status: if over && row.standing == "approved" {
                "expired".to_owned()
            } else {
                row.standing
            },
            cve_id: row.flaw,
            package: row.package,
            machines: row.machines,
            kind: row.kind,
            reason: row.reason,
            until: row.until,
            requested_by: row.requested_by,
            requested_at: rfc3339(row.requested_at),
            decided_by: row.decided_by,
            decided_at: row.decided_at.map(rfc3339),
            note: row.note,
            version: row.version,
        }
    }
}

/// A page of decisions.
#[derive(Serialize, JsonSchema)]
struct ExceptionPage {
    /// The newest first.
    exceptions: Vec<ExceptionView>,
    /// The cursor of the next page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) fn routes() -> Vec<Route> {
    let text = || json!({ "type": "string" });
    let decided = |route: Route| {
        route.takes(of::<Said>).example(|| json!({ "note": "seen", "version": 1 })).replies(
            200,
            "As it stands now.",
            Some(of::<ExceptionView>),
        )
    };
    vec![
        Route::get("/api/v1/exceptions", "listExceptions", list)
            .about("List decisions about flaws, the newest first.")
            .needs(Role::Viewer)
            .parameter(
                "status",
                "Only those that stand so.",
                || json!({ "type": "string", "enum": STANDINGS }),
            )
            .parameter("namespace", "Only of these namespaces, separated by commas.", text)
            .paged()
            .replies(200, "A page of them.", Some(of::<ExceptionPage>)),
        Route::post("/api/v1/exceptions", "requestException", request)
            .about("Ask for a decision about a flaw. Until it is made, nothing changes.")
            .needs(Role::Operator)
            .takes(of::<Request>)
            .example(|| {
                json!({ "cve_id": "CVE-2024-1234", "package": "openssl", "machines": "web-*",
                    "kind": "deferred", "reason": "mended with the next release",
                    "until": "2027-03-31" })
            })
            .replies(201, "It was asked for.", Some(of::<ExceptionView>)),
        Route::get("/api/v1/exceptions/{id}", "getException", view)
            .about("Look at a decision.")
            .needs(Role::Viewer)
            .replies(200, "As it stands.", Some(of::<ExceptionView>)),
        decided(
            Route::post("/api/v1/exceptions/{id}/approve", "approveException", approve)
                .about("Let it hold: the findings that it is about are told apart from the others.")
                .needs(Role::Admin),
        ),
        decided(
            Route::post("/api/v1/exceptions/{id}/deny", "denyException", deny)
                .about("Refuse it.")
                .needs(Role::Admin),
        ),
        decided(
            Route::post("/api/v1/exceptions/{id}/cancel", "cancelException", cancel)
                .about("Take it back, whether it holds already or not.")
                .needs(Role::Operator),
        ),
    ]
}

const STANDINGS: [&str; 4] = ["pending", "approved", "denied", "cancelled"];

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let (most, before) = parameters.page(service.inner.rules.page_limit)?;
    let standing = parameters.word("status", &STANDINGS.map(|it| (it, it)))?;
    let filter = ExceptionFilter {
        namespaces: within(&caller, &parameters),
        standing: standing.map(str::to_owned),
        before,
        most,
    };
    let rows = service.store().exceptions(&filter).await?;
    let now = service.store().now().await?;
    let full = rows.len() == most as usize;
    let next = rows.last().filter(|_| full).map(|last| last.number.to_string());
    let exceptions = rows.into_iter().map(|row| ExceptionView::of(row, now)).collect();
    Ok(json(StatusCode::OK, &ExceptionPage { exceptions, next }))
}

async fn request(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let wanted: Request = read(&headers, &body)?;
    let namespace = match wanted.namespace {
        Some(namespace) => namespace,
        None => caller.submitter().namespace,
    };
    if caller.namespaces.as_ref().is_some_and(|seen| !seen.contains(&namespace)) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "FORBIDDEN",
            "the token is not for this namespace",
        ));
    }
    for (member, text, most) in [
        ("cve_id", Some(&wanted.cve_id), NAME),
        ("package", wanted.package.as_ref(), NAME),
        ("machines", wanted.machines.as_ref(), NAME),
        ("reason", Some(&wanted.reason), REASON),
        ("namespace", Some(&namespace), NAME),
    ] {
        let Some(text) = text else { continue };
        let says = |it: char| it > ' ' && it != '\u{7f}';
        let fits = !text.contains(|it: char| it < ' ' || it == '\u{7f}') && text.contains(says);
        if !fits || text.chars().count() > most {
            return Err(Problem::invalid(format!(
                "{member}: a text of 1 to {most} characters is meant, without any that control a \
                 terminal"
            )));
        }
    }
    if let Some(until) = &wanted.until {
        let is_day = until.len() == 10 && Day::parse(until).is_some();
        if !is_day && !["fixable", "all-fixable"].contains(&until.as_str()) {
            return Err(Problem::invalid(
                "until: a day as 2027-01-31, \"fixable\" or \"all-fixable\" is meant",
            ));
        }
    }
    let id = format!("ex-{:032x}", rand::random::<u128>());
    service.record(caller.deed("requestException", &format!("{id} {}", wanted.cve_id))).await?;
    let row = service
        .store()
        .request_exception(&ExceptionRow {
            number: 0,
            id: id.clone(),
            namespace,
            version: 1,
            standing: "pending".to_owned(),
            flaw: wanted.cve_id,
            package: wanted.package,
            machines: wanted.machines,
            kind: fathom_fleet::word(&wanted.kind),
            reason: wanted.reason,
            until: wanted.until,
            requested_by: caller.name.clone(),
            requested_at: Time(0),
            decided_by: None,
            decided_at: None,
            note: None,
        })
        .await?;
    let now = service.store().now().await?;
    let mut response = json(StatusCode::CREATED, &ExceptionView::of(row, now));
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/exceptions/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn view(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let row = seen(&service, &caller, &id).await?;
    let now = service.store().now().await?;
    Ok(json(StatusCode::OK, &ExceptionView::of(row, now)))
}

/// The decision, where the caller sees it.
async fn seen(service: &Service, caller: &Caller, id: &str) -> Result<ExceptionRow, Problem> {
    let row = service.store().exception(id).await?;
    let sees = |row: &ExceptionRow| {
        caller.namespaces.as_ref().is_none_or(|seen| seen.contains(&row.namespace))
    };
    row.filter(sees).ok_or_else(|| Problem::not_found("there is no exception of that name"))
}

async fn approve(
    state: State<Service>,
    caller: Extension<Caller>,
    id: Id,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    decide(state, caller, id, headers, body, ("approveException", &["pending"], "approved")).await
}

async fn deny(
    state: State<Service>,
    caller: Extension<Caller>,
    id: Id,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    decide(state, caller, id, headers, body, ("denyException", &["pending"], "denied")).await
}

async fn cancel(
    state: State<Service>,
    caller: Extension<Caller>,
    id: Id,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let step: Taken = ("cancelException", &["pending", "approved"], "cancelled");
    decide(state, caller, id, headers, body, step).await
}

/// What is done, from how something stands, and to how it is to stand.
type Taken = (&'static str, &'static [&'static str], &'static str);

async fn decide(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    body: Bytes,
    (action, from, to): Taken,
) -> Result<Response, Problem> {
    let said: Said = read(&headers, &body)?;
    if said.note.as_ref().is_some_and(|note| note.chars().count() > REASON || note.contains('\0')) {
        return Err(Problem::invalid(format!(
            "note: a text of at most {REASON} characters is meant"
        )));
    }
    let row = seen(&service, &caller, &id).await?;
    // Four eyes: whoever asks does not grant it to himself, unless there is nobody else.
    if to == "approved" && row.requested_by == caller.name && !service.inner.rules.open {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "SELF_APPROVAL",
            "whoever asked for it does not approve it; somebody else has to",
        ));
    }
    service.record(caller.deed(action, &id)).await?;
    let step =
        Step { from, to, by: &caller.name, note: said.note.as_deref(), version: said.version };
    let row = service.store().decide(&id, step).await?;
    let row = row.ok_or_else(|| Problem::not_found("there is no exception of that name"))?;
    let now = service.store().now().await?;
    Ok(json(StatusCode::OK, &ExceptionView::of(row, now)))
}
