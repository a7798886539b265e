//! Who works, and what can be asked for.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use fathom_jobs::{Operation, WorkerDescription, rfc3339};
use schemars::JsonSchema;
use serde::Serialize;

use super::json;
use crate::access::Role;
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// All workers.
#[derive(Serialize, JsonSchema)]
struct WorkerList {
    /// By name.
    workers: Vec<WorkerView>,
}

/// A worker, as it stands.
#[derive(Serialize, JsonSchema)]
struct WorkerView {
    /// What it says of itself.
    #[serde(flatten)]
    description: WorkerDescription,
    /// When it registered.
    registered_at: String,
    /// What it is up to.
    status: WorkerStatus,
}

/// What a worker is up to.
#[derive(Serialize, JsonSchema)]
struct WorkerStatus {
    /// `ready`, `busy`, `draining` or `offline`.
    state: String,
    /// How many jobs it has.
    current_jobs: i64,
    /// When it was last heard of.
    last_heartbeat: String,
}

/// What can be asked for.
#[derive(Serialize, JsonSchema)]
struct CapabilityList {
    /// Of the protocol of jobs.
    protocol_version: String,
    /// What there is, by the names that jobs give it.
    operations: Vec<String>,
    /// What some worker that is there does.
    available_operations: Vec<String>,
    /// What some worker that is there has.
    features: Vec<String>,
    /// Formats that some worker that is there reads.
    disk_formats: Vec<String>,
    /// Filesystems that some worker that is there reads.
    filesystems: Vec<String>,
    /// How many workers are there.
    workers: usize,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/workers", "listWorkers", workers)
            .about("List the workers.")
            .needs(Role::Viewer)
            .replies(200, "All of them.", Some(of::<WorkerList>)),
        Route::get("/api/v1/capabilities", "getCapabilities", capabilities)
            .about("Say what can be asked for.")
            .needs(Role::Viewer)
            .replies(200, "What can be.", Some(of::<CapabilityList>)),
    ]
}

async fn workers(State(service): State<Service>) -> Result<Response, Problem> {
    let workers = known(&service).await?;
    Ok(json(StatusCode::OK, &WorkerList { workers }))
}

async fn capabilities(State(service): State<Service>) -> Result<Response, Problem> {
    let workers = known(&service).await?;
    let there: Vec<_> = workers.iter().filter(|it| it.status.state != "offline").collect();
    let all = |list: fn(&WorkerDescription) -> &Vec<String>| -> Vec<String> {
        let all: BTreeSet<_> = there.iter().flat_map(|it| list(&it.description)).cloned().collect();
        all.into_iter().collect()
    };
    let document = CapabilityList {
        protocol_version: "1.0".to_owned(),
        operations: Operation::ALL.map(|it| format!("fathom.{}", it.as_str())).to_vec(),
        available_operations: all(|it| &it.capabilities.operations),
        features: all(|it| &it.capabilities.features),
        disk_formats: all(|it| &it.capabilities.disk_formats),
        filesystems: all(|it| &it.capabilities.filesystems),
        workers: there.len(),
    };
    Ok(json(StatusCode::OK, &document))
}

async fn known(service: &Service) -> Result<Vec<WorkerView>, Problem> {
    let workers = service.desk().workers().await?;
    Ok(workers
        .into_iter()
        .filter_map(|worker| {
            Some(WorkerView {
                description: serde_json::from_str(&worker.document).ok()?,
                registered_at: rfc3339(worker.registered_at),
                status: WorkerStatus {
                    state: worker.state.as_str().to_owned(),
                    current_jobs: worker.current_jobs,
                    last_heartbeat: rfc3339(worker.heartbeat_at),
                },
            })
        })
        .collect())
}
