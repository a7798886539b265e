//! A service with a store of its own, and whoever asks it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fathom_jobs::{Capabilities, Configuration, Desk, Hold, WorkerDescription};
use fathom_server::{Role, Rules, Service, bind, new_token};
use fathom_store::{Options, Store};
use fathom_worker::{Echo, Handlers, Meters, Source};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A running service.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    runtime: Runtime,
    _folder: tempfile::TempDir,
    _stop: watch::Sender<bool>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the problem that it is.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        assert_eq!(
            (&problem["error"], &problem["message"]),
            (&problem["code"], &problem["detail"])
        );
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Site {
    pub(crate) fn new(rules: Rules) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let address = folder.path().join("fathom.db").display().to_string();
        let (stop, stopped) = watch::channel(false);
        let (address, store) = runtime.block_on(async {
            let store = Store::open(&address, &Options::default()).await.unwrap();
            let desk = Desk::new(store.clone(), None, |_, _| Ok(()));
            let mut registry = Registry::default();
            let meters = Arc::new(Meters::register(&mut registry));
            let source = Source::new(desk.clone(), None);
            let service = Service::new(desk, rules, registry, "0.1.0");
            let bound = bind(service, "127.0.0.1:0".parse().unwrap(), None).unwrap();
            let address = bound.address().unwrap();
            tokio::spawn(bound.run());
            let handlers = Handlers::default().with(Echo);
            let description = WorkerDescription {
                worker_id: "w1".to_owned(),
                version: "0.1.0".to_owned(),
                capabilities: Capabilities {
                    operations: handlers.operations(),
                    ..Capabilities::default()
                },
                configuration: Configuration {
                    pool: "default".to_owned(),
                    concurrency: 4,
                    ..Configuration::default()
                },
                ..WorkerDescription::default()
            };
            let lease = Duration::from_secs(2);
            let hold = Hold::register(store.clone(), description, lease).await.unwrap();
            let rules = fathom_worker::Rules { lease, ..fathom_worker::Rules::default() };
            tokio::spawn(fathom_worker::run(hold, handlers, rules, meters, stopped, source));
            (address, store)
        });
        Self { address, store, runtime, _folder: folder, _stop: stop }
    }

    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// A token of this role, for these namespaces.
    pub(crate) fn token(&self, role: Role, namespaces: Option<&[&str]>) -> String {
        let namespaces =
            namespaces.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let made = new_token(&self.store, "somebody", role, namespaces, None, "test");
        self.wait(made).unwrap().1.expose().to_owned()
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.ask("GET", path, token, &[], None)
    }

    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let kind = [("content-type", "application/json")];
        self.ask("POST", path, token, &kind, Some(body.to_string().as_bytes()))
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .allow_non_standard_methods(true)
                .timeout_global(Some(Duration::from_secs(30)))
                .build(),
        );
        let answer = match body {
            Some(body) => agent.run(request.body(body).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: answer.body_mut().read_to_string().unwrap(),
        }
    }
}
