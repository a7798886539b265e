//! Who is told about what has happened.

use fathom_config::{Config, WebhookEvent};
use fathom_store::Store;
use fathom_webhook::{Deliverer, Endpoint};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{failed, watched};
use crate::exit::Failure;

/// Tells those whom the settings name, until `stop` says to leave.
pub(super) async fn start(
    config: &Config,
    store: Store,
    stop: watch::Receiver<bool>,
) -> Result<JoinHandle<()>, Failure> {
    let endpoints = config.webhooks.iter().map(endpoint).collect::<Result<Vec<_>, _>>()?;
    for endpoint in &endpoints {
        watched::say(config, &format!("webhook {} is told of what happens", endpoint.name));
    }
    let deliverer = Deliverer::register(store, endpoints)
        .await
        .map_err(|error| failed("the webhooks", &error))?;
    Ok(tokio::spawn(deliverer.run(stop)))
}

fn endpoint(set: &fathom_config::Webhook) -> Result<Endpoint, Failure> {
    let network = |network: &fathom_config::Network| {
        let unfit = |why: String| Failure::Usage(format!("webhooks: {}: {why}", set.name));
        network.to_string().parse().map_err(unfit)
    };
    let event = |event: &WebhookEvent| match event {
        WebhookEvent::JobFinished => "job.finished".to_owned(),
        WebhookEvent::FindingsCritical => "findings.critical".to_owned(),
    };
    Ok(Endpoint {
        name: set.name.clone(),
        url: set.url.clone(),
        secret: set.secret.clone(),
        events: set.events.iter().map(event).collect(),
        namespaces: set.namespaces.clone(),
        networks: set.networks.iter().map(network).collect::<Result<_, _>>()?,
        ca_file: set.ca_file.clone(),
        timeout: set.timeout.get(),
        give_up: set.give_up.get(),
    })
}
