//! Who is told about what has happened, and what they were told.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use fathom_jobs::rfc3339;
use fathom_store::DeliveryState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::json;
use crate::access::Role;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How many deliveries of each are shown.
const SHOWN: u32 = 20;

/// All webhooks.
#[derive(Serialize, JsonSchema)]
struct WebhookList {
    /// In the order of their names.
    webhooks: Vec<WebhookView>,
}

/// An address that is told about what has happened.
#[derive(Serialize, JsonSchema)]
struct WebhookView {
    /// What it is called.
    name: String,
    /// How it is told; nothing where this version does not understand what another has kept.
    settings: Option<WebhookSettings>,
    /// What it is told about; without any, everything.
    events: Vec<String>,
    /// The namespaces that it is told about; without any, all.
    namespaces: Vec<String>,
    /// What it was told last, the newest first.
    deliveries: Vec<DeliveryView>,
}

/// How an address is told, without what is secret.
#[derive(Serialize, Deserialize, JsonSchema)]
struct WebhookSettings {
    /// Its server.
    url: String,
    /// Whether messages are signed.
    signed: bool,
    /// Networks that its name may lead to although they are not public.
    networks: Vec<String>,
    /// How long it may take to answer.
    timeout_seconds: f64,
    /// How long a message is tried again.
    give_up_seconds: f64,
}

/// Something that was or is to be told.
#[derive(Serialize, JsonSchema)]
struct DeliveryView {
    /// What the header `X-Fathom-Delivery` says.
    id: String,
    /// What has happened.
    event: String,
    /// Whose it is.
    namespace: String,
    /// `waiting`, `delivered` or `dead`.
    state: String,
    /// How often it was tried.
    attempts: u32,
    /// When it happened.
    created_at: String,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
    /// When it was taken, or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// With which status it was answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/webhooks", "listWebhooks", list)
            .about("List who is told about what has happened, and what they were told last.")
            .needs(Role::Admin)
            .replies(200, "All of them.", Some(of::<WebhookList>)),
    ]
}

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    caller.everywhere()?;
    let store = service.desk().store();
    let mut webhooks = Vec::new();
    for webhook in store.webhooks().await? {
        let deliveries = store.deliveries(&webhook.name, SHOWN).await?;
        webhooks.push(WebhookView {
            settings: serde_json::from_str(&webhook.document).ok(),
            name: webhook.name,
            events: webhook.events,
            namespaces: webhook.namespaces,
            deliveries: deliveries.into_iter().map(view).collect(),
        });
    }
    Ok(json(StatusCode::OK, &WebhookList { webhooks }))
}

fn view(delivery: fathom_store::Delivery) -> DeliveryView {
    let waits = delivery.state == DeliveryState::Waiting;
    DeliveryView {
        id: delivery.id,
        event: delivery.event,
        namespace: delivery.namespace,
        state: delivery.state.as_str().to_owned(),
        attempts: delivery.attempts,
        created_at: rfc3339(delivery.created_at),
        next_attempt_at: waits.then(|| rfc3339(delivery.due_at)),
        ended_at: delivery.ended_at.map(rfc3339),
        status: delivery.status,
        error: delivery.error,
    }
}
