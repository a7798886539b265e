//! Policies: the rules that jobs can apply to machines.

use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::json;
use crate::access::Role;
use crate::problem::Problem;
use crate::route::{Route, of};

/// A profile: rules that belong together.
#[derive(Serialize, JsonSchema)]
struct Policy {
    /// By which jobs name it.
    name: &'static str,
    /// What it asks.
    about: &'static str,
    /// The rules of it.
    rules: Vec<Rule>,
}

/// A rule.
#[derive(Serialize, JsonSchema)]
struct Rule {
    /// By which results name it.
    id: String,
    /// What it asks.
    title: String,
    /// How grave it is to fail it.
    severity: String,
}

/// What can be applied.
#[derive(Serialize, JsonSchema)]
struct Policies {
    /// The profiles that are built in.
    policies: Vec<Policy>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/policies", "listPolicies", list)
            .about("List the rules that the operations inspect and profile can apply.")
            .needs(Role::Viewer)
            .replies(200, "The profiles and their rules.", Some(of::<Policies>)),
    ]
}

async fn list() -> Result<Response, Problem> {
    let rules = fathom_profile::builtin().map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", error.to_string())
    })?;
    let of = |name: &str| {
        let some = rules.iter().filter(|rule| rule.profile == name);
        some.map(|rule| Rule {
            id: rule.id.clone(),
            title: rule.title.clone(),
            severity: fathom_fleet::word(&rule.severity),
        })
        .collect()
    };
    let policies = fathom_profile::PROFILES
        .into_iter()
        .map(|(name, about)| Policy { name, about, rules: of(name) })
        .collect();
    Ok(json(StatusCode::OK, &Policies { policies }))
}
