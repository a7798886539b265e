//! Somebody who is told.

use std::path::PathBuf;
use std::time::Duration;

use fathom_block::Location;
use fathom_block::source::{HttpOptions, Network, Resolver, Secret, Web, is_public};
use fathom_secret::SecretUrl;
use fathom_store::{Due, Webhook};
use serde_json::{Value, json};

use crate::signature::sign;

/// How much of an answer that is no yes is kept.
const SAID: usize = 200;

/// An address, and what it is told.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub url: SecretUrl,
    /// What messages are signed with.
    pub secret: Option<Secret>,
    /// What it is told about; without any, everything.
    pub events: Vec<String>,
    /// The namespaces that it is told about; without any, all.
    pub namespaces: Vec<String>,
    /// Networks that its name may lead to although they are not public.
    pub networks: Vec<Network>,
    /// The certificates that are trusted, where they are not those of this system: a file of PEM.
    pub ca_file: Option<PathBuf>,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// How long a message is tried again.
    pub give_up: Duration,
}

/// Why a message was not taken.
pub(crate) struct Refused {
    pub(crate) status: Option<u16>,
    pub(crate) why: String,
}

impl Endpoint {
    /// As the store has it, with nothing of what is secret.
    pub(crate) fn webhook(&self) -> Webhook {
        let networks: Vec<_> = self.networks.iter().map(ToString::to_string).collect();
        let document = json!({
            "url": self.shown(), "signed": self.secret.is_some(), "networks": networks,
            "timeout_seconds": self.timeout.as_secs_f64(),
            "give_up_seconds": self.give_up.as_secs_f64(),
        });
        Webhook {
            name: self.name.clone(),
            document: document.to_string(),
            events: self.events.clone(),
            namespaces: self.namespaces.clone(),
        }
    }

    /// Its server alone: what is behind that is often as good as a password.
    fn shown(&self) -> String {
        let url = self.url.to_string();
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", &url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or(host);
        format!("{scheme}://{host}/…")
    }

    /// Connections to it, and to nowhere that its name must not lead to.
    pub(crate) fn web(&self) -> Web {
        let networks = self.networks.clone();
        let admits = move |address| {
            is_public(address) || networks.iter().any(|network| network.contains(address))
        };
        let timeout = self.timeout;
        let options = HttpOptions::new()
            .ca_file(self.ca_file.clone())
            .no_redirects()
            .timeouts(timeout, timeout)
            .resolver(Resolver::new(admits));
        Web::new(&options)
    }

    /// Sends a message once. Blocks.
    pub(crate) fn send(&self, web: &Web, due: &Due, now: u64) -> Result<u16, Refused> {
        let body = body(due);
        let mut headers = vec![
            ("Content-Type", Secret::new("application/json")),
            ("X-Fathom-Event", Secret::new(due.event.as_str())),
            ("X-Fathom-Delivery", Secret::new(due.id.as_str())),
        ];
        if let Some(secret) = &self.secret {
            let signature = sign(secret.expose().as_bytes(), now, body.as_bytes());
            headers.push(("X-Fathom-Signature", Secret::new(signature)));
        }
        match web.post(self.url.expose(), &headers, body.as_bytes(), self.timeout) {
            Ok((status @ 200..=299, _)) => Ok(status),
            Ok((status @ 300..=399, _)) => {
                let why = format!("it answers {status}: redirects are not followed");
                Err(Refused { status: Some(status), why })
            }
            Ok((status, answer)) => {
                let said: String = String::from_utf8_lossy(&answer)
                    .chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .take(SAID)
                    .collect();
                let why = match said.trim() {
                    "" => format!("it answers {status}"),
                    said => format!("it answers {status}: {said}"),
                };
                Err(Refused { status: Some(status), why })
            }
            Err(error) => {
                let named = Location::Url(self.url.expose().to_owned()).to_string();
                let why = error.to_string().replace(&named, &self.shown());
                Err(Refused { status: None, why })
            }
        }
    }
}

/// What is sent: the same for each try.
fn body(due: &Due) -> String {
    let data: Value = serde_json::from_str(&due.data).unwrap_or(Value::Null);
    let document = json!({
        "id": due.id,
        "event": due.event,
        "created_at": fathom_jobs::rfc3339(due.created_at),
        "namespace": due.namespace,
        "data": data,
    });
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_its_server_is_shown() {
        let of = |url: &str| Endpoint {
            name: "a".to_owned(),
            url: SecretUrl::new(url),
            secret: Some(Secret::new("hush")),
            events: Vec::new(),
            namespaces: Vec::new(),
            networks: vec!["10.0.0.0/8".parse().unwrap()],
            ca_file: None,
            timeout: Duration::from_secs(1),
            give_up: Duration::from_secs(1),
        };
        for url in ["https://h.example:8443/hush?hush=hush", "https://hush:hush@h.example:8443"] {
            let endpoint = of(url);
            assert_eq!(endpoint.shown(), "https://h.example:8443/…");
            assert!(!endpoint.webhook().document.contains("hush"));
        }
    }
}
