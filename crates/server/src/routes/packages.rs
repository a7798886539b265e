//! Packages, over all machines.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use fathom_store::{PackageFilter, PackageSummary};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::json;
use super::machines::within;
use crate::access::Role;
use crate::caller::Caller;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// A package in a version, and how many machines have it.
#[derive(Serialize, JsonSchema)]
struct PackageView {
    /// The system, as `debian 12`.
    system: String,
    /// Its kind, as `deb`.
    kind: String,
    /// Its name.
    name: String,
    /// The version, with epoch and release.
    version: String,
    /// The architecture.
    architecture: Option<String>,
    /// What it was built from.
    source: Option<String>,
    /// How many machines have it.
    vms: i64,
}

impl From<PackageSummary> for PackageView {
    fn from(package: PackageSummary) -> Self {
        Self {
            system: package.system,
            kind: package.kind,
            name: package.name,
            version: package.version,
            architecture: package.architecture,
            source: package.source,
            vms: package.machines,
        }
    }
}

/// A page of packages.
#[derive(Serialize, JsonSchema)]
struct PackagePage {
    /// By name.
    packages: Vec<PackageView>,
    /// The cursor of the next page, where there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) fn routes() -> Vec<Route> {
    let text = || json!({ "type": "string" });
    vec![
        Route::get("/api/v1/packages", "listPackages", list)
            .about("List packages in the versions that machines have.")
            .needs(Role::Viewer)
            .parameter("name", "Only those of this name, in which * stands for anything.", text)
            .parameter("kind", "Only those of this kind, as deb.", text)
            .parameter("namespace", "Only of these namespaces, separated by commas.", text)
            .paged_by_text()
            .replies(200, "A page of them.", Some(of::<PackagePage>)),
    ]
}

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let after = parameters.text("cursor").map(|text| {
        let cursor = text.split_once('~');
        let cursor =
            cursor.and_then(|(number, name)| Some((name.to_owned(), number.parse().ok()?)));
        cursor.ok_or_else(|| Problem::invalid("the cursor is none of ours"))
    });
    let filter = PackageFilter {
        namespaces: within(&caller, &parameters),
        name: parameters.text("name").map(str::to_owned),
        kind: parameters.text("kind").map(str::to_owned),
        after: after.transpose()?,
        most: parameters.limit(service.inner.rules.page_limit.min(100))?,
    };
    let (packages, next) = service.store().packages(&filter).await?;
    let page = PackagePage {
        packages: packages.into_iter().map(PackageView::from).collect(),
        next: next.map(|(name, number)| format!("{number}~{name}")),
    };
    Ok(json(StatusCode::OK, &page))
}
