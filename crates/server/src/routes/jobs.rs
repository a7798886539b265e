//! Jobs: sent, looked at, followed, called off.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use fathom_jobs::{Desk, Envelope, Receipt, ResultDocument, Status, View};
use fathom_store::{JobFilter, JobState};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{json, must_be_json, plain_json};
use crate::access::Role;
use crate::caller::Caller;
use crate::parameters::{Id, Parameters};
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How often a job that is followed is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long a job is followed at most; whoever wants more comes again.
const FOLLOWED: Duration = Duration::from_secs(3600);
/// How long nothing may be said.
const SILENCE: Duration = Duration::from_secs(15);

/// A page of jobs.
#[derive(Serialize, JsonSchema)]
struct JobPage {
    /// The newest first.
    jobs: Vec<View>,
    /// The cursor of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A job in its short form: an operation and what it is about. Whatever the whole form has may stand
/// beside them.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct ShortJob {
    /// What is to be done, such as `fathom.inspect`.
    operation: String,
    /// What it is about.
    #[schemars(default)]
    payload: Value,
}

/// Either form of a job.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum AnyJob {
    Whole(Box<Envelope>),
    Short(ShortJob),
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/jobs", "submitJob", submit)
            .about("Send a job, whole or in its short form.")
            .needs(Role::Operator)
            .takes(of::<AnyJob>)
            .example(|| json!({ "operation": "fathom.echo", "payload": { "hello": "world" } }))
            .replies(202, "It was taken.", Some(of::<Receipt>))
            .replies(200, "The same was sent before: this is the first.", Some(of::<Receipt>)),
        Route::get("/api/v1/jobs", "listJobs", list)
            .about("List jobs, the newest first.")
            .needs(Role::Viewer)
            .parameter("status", "Only in these states, separated by commas.", || {
                let states = JobState::ALL.map(JobState::as_str).join("|");
                let pattern = format!("^({states})(,({states}))*$");
                json!({ "type": "string", "pattern": pattern, "examples": ["failed,dead"] })
            })
            .parameter(
                "operation",
                "Only of this operation, without a family.",
                || json!({ "type": "string", "examples": ["inspect"] }),
            )
            .parameter(
                "namespace",
                "Only of these namespaces, separated by commas.",
                || json!({ "type": "string" }),
            )
            .paged()
            .replies(200, "A page of them.", Some(of::<JobPage>)),
        Route::get("/api/v1/jobs/{id}", "getJob", view)
            .about("Look at a job.")
            .needs(Role::Viewer)
            .replies(200, "As it stands.", Some(of::<View>)),
        Route::get("/api/v1/jobs/{id}/result", "getJobResult", result)
            .about("Get what a job came to.")
            .needs(Role::Viewer)
            .replies(200, "What it came to.", Some(of::<ResultDocument>)),
        Route::get("/api/v1/jobs/{id}/events", "followJob", events)
            .about("Follow a job: its progress, and where it stands, until it ends.")
            .needs(Role::Viewer)
            .streams(200, "Server-sent events: `progress` and `status`.", "text/event-stream"),
        Route::delete("/api/v1/jobs/{id}", "cancelJob", cancel)
            .about("Call a job off.")
            .needs(Role::Operator)
            .replies(200, "It is called off.", Some(of::<View>))
            .replies(202, "Who has it is asked to stop.", Some(of::<View>)),
        Route::post("/api/v1/jobs/{id}/replay", "replayJob", replay)
            .about("Send a job that failed for good once more.")
            .needs(Role::Operator)
            .replies(202, "It is in the queue.", Some(of::<View>)),
    ]
}

async fn submit(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    must_be_json(&headers)?;
    let mut job = Desk::read(&body, "")?;
    let observability = job.observability.get_or_insert_default();
    observability.correlation_id.get_or_insert_with(|| caller.correlation.clone());
    let target = format!("{} {}", job.operation, job.job_id);
    service.record(caller.deed("submitJob", &target)).await?;
    let receipt = service.desk().hand_in(job, &caller.submitter()).await?;
    let status =
        if receipt.status == Status::Pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    let mut response = json(status, &receipt);
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/jobs/{}", receipt.job_id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let (most, before) = parameters.page(service.inner.rules.page_limit)?;
    let states = parameters
        .list("status")
        .map(|names| {
            names
                .into_iter()
                .map(|name| {
                    JobState::parse(name).ok_or_else(|| {
                        let known = JobState::ALL.map(JobState::as_str).join(", ");
                        Problem::invalid(format!("status: there is no {name:?}; there are {known}"))
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .transpose()?;
    let filter = JobFilter {
        namespaces: parameters
            .list("namespace")
            .map(|names| names.into_iter().map(str::to_owned).collect()),
        states,
        operation: parameters.text("operation").map(str::to_owned),
        before,
        most,
    };
    let (jobs, next) = service.desk().list(filter, &caller.submitter()).await?;
    Ok(json(StatusCode::OK, &JobPage { jobs, next: next.map(|number| number.to_string()) }))
}

async fn view(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let view = service.desk().view(&id, &caller.submitter()).await?;
    Ok(json(StatusCode::OK, &view))
}

async fn result(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    match service.desk().result(&id, &caller.submitter()).await? {
        Some(document) => Ok(plain_json(StatusCode::OK, document)),
        None => Err(Problem::new(
            StatusCode::CONFLICT,
            "NOT_FINISHED",
            "the job has not ended; look at it again later, or follow its events",
        )
        .retry_after(1)),
    }
}

async fn cancel(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    service.record(caller.deed("cancelJob", &id)).await?;
    let view = service.desk().cancel(&id, &caller.submitter()).await?;
    let over = view.status == Status::Cancelled;
    Ok(json(if over { StatusCode::OK } else { StatusCode::ACCEPTED }, &view))
}

async fn replay(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    service.record(caller.deed("replayJob", &id)).await?;
    let view = service.desk().replay(&id, &caller.submitter()).await?;
    Ok(json(StatusCode::ACCEPTED, &view))
}

async fn events(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let by = caller.submitter();
    // Whoever may not see it learns so before the stream begins.
    service.desk().view(&id, &by).await?;
    let seen = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<i64>().ok())
        .unwrap_or(0);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, Infallible>>(16);
    tokio::spawn(async move {
        let follow = follow(&service, &id, seen, &by, &sender);
        let _ = tokio::time::timeout(FOLLOWED, follow).await;
    });
    let stream = Stream { receiver };
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, kind, Body::new(stream)).into_response())
}

/// Tells what happens to a job until it ends, or nobody listens any more.
async fn follow(
    service: &Service,
    id: &str,
    mut seen: i64,
    by: &fathom_jobs::Submitter,
    sender: &tokio::sync::mpsc::Sender<Result<Bytes, Infallible>>,
) {
    let mut told = None;
    let mut said = tokio::time::Instant::now();
    loop {
        let Ok((events, status)) = service.desk().events(id, seen, by).await else { return };
        let more = events.len() == 100;
        let mut text = String::new();
        for event in events {
            seen = event.sequence;
            text.push_str(&format!("id: {seen}\nevent: progress\ndata: {}\n\n", event.document));
        }
        if told != Some(status) && !more {
            told = Some(status);
            let data = json!({ "job_id": id, "status": status });
            text.push_str(&format!("event: status\ndata: {data}\n\n"));
        }
        if text.is_empty() && said.elapsed() > SILENCE {
            text.push_str(": still here\n\n");
        }
        if !text.is_empty() {
            said = tokio::time::Instant::now();
            if sender.send(Ok(Bytes::from(text))).await.is_err() {
                return;
            }
        }
        if more {
            continue;
        }
        if is_final(status) {
            return;
        }
        tokio::select! {
            () = service.desk().store().work(LOOK) => {}
            () = sender.closed() => return,
        }
    }
}

fn is_final(status: Status) -> bool {
    matches!(
        status,
        Status::Completed | Status::Failed | Status::Cancelled | Status::Timeout | Status::Dead
    )
}

/// What is sent as it comes.
struct Stream {
    receiver: tokio::sync::mpsc::Receiver<Result<Bytes, Infallible>>,
}

impl axum::body::HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.receiver.poll_recv(context).map(|next| next.map(|it| it.map(http_body::Frame::data)))
    }
}
