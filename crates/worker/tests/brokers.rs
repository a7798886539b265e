//! Workers that a broker tells of jobs: whichever it is, each job is done once, whoever published it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use fathom_jobs::{
    Capabilities, Configuration, Desk, Hold, ResultDocument, Status, Submitter, WorkerDescription,
};
use fathom_queue::{Settings, Transport, Type};
use fathom_store::{JobFilter, Options, Store};
use fathom_worker::{Echo, Handlers, Meters, Rules, Source};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const LEASE: Duration = Duration::from_secs(2);

struct Site {
    folder: tempfile::TempDir,
    settings: Settings,
    desk: Desk,
    by: Submitter,
    stop: watch::Sender<bool>,
}

/// The settings of a broker that the tests have, with names of this case's own.
fn settings(kind: Type, folder: &std::path::Path, case: &str) -> Option<Settings> {
    let mut settings = Settings::new(kind);
    let variable = match kind {
        Type::Folder => {
            settings.folder = folder.join("jobs");
            std::fs::create_dir(&settings.folder).unwrap();
            return Some(settings);
        }
        Type::Redis => "FATHOM_TEST_REDIS",
        Type::Amqp => "FATHOM_TEST_AMQP",
        _ => "FATHOM_TEST_KAFKA",
    };
    match std::env::var(variable) {
        Ok(url) => {
            let name = format!("worker-{case}-{}", std::process::id());
            settings.urls = vec![url];
            settings.queue.clone_from(&name);
            settings.exchange = format!("{name}-exchange");
            settings.group = name;
            Some(settings)
        }
        Err(_) => {
            println!("skipped: {variable} is not set; cargo xtask test sets it");
            // What is left out by name is excused, and nothing else where all are asked for.
            let required = std::env::var_os("FATHOM_TEST_REQUIRED").is_some();
            let without = std::env::var("FATHOM_TEST_WITHOUT").unwrap_or_default();
            let excused = without.split(',').any(|name| variable.ends_with(&name.to_uppercase()));
            assert!(!required || (excused && !without.is_empty()), "{variable} is not set");
            None
        }
    }
}

impl Site {
    async fn new(kind: Type, case: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(kind, folder.path(), case)?;
        let address = folder.path().join("fathom.db").display().to_string();
        let store = Store::open(&address, &Options::default()).await.unwrap();
        let transport = open(&settings, "desk").await;
        let desk = Desk::new(store, Some(transport), |_, _| Ok(()));
        let sweeping = desk.clone();
        tokio::spawn(async move {
            loop {
                sweeping.sweep(Duration::from_secs(3)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        let (stop, _) = watch::channel(false);
        Some(Self { folder, settings, desk, by: Submitter::everywhere("test"), stop })
    }

    async fn worker(&self, id: &str) -> JoinHandle<()> {
        let handlers = Handlers::default().with(Echo);
        let description = WorkerDescription {
            worker_id: id.to_owned(),
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
        let rules = Rules { concurrency: 4, lease: LEASE, ..Rules::default() };
        let hold = Hold::register(self.desk.store().clone(), description, LEASE).await.unwrap();
        let meters = Arc::new(Meters::register(&mut Registry::default()));
        let source = Source::new(self.desk.clone(), Some(open(&self.settings, id).await));
        let stop = self.stop.subscribe();
        tokio::spawn(fathom_worker::run(hold, handlers, rules, meters, stop, source))
    }

    async fn send(&self, job: Value) -> String {
        self.desk.submit(job.to_string().as_bytes(), &self.by).await.unwrap().job_id
    }

    async fn result(&self, id: &str) -> ResultDocument {
        let started = Instant::now();
        loop {
            if let Ok(Some(text)) = self.desk.result(id, &self.by).await {
                return serde_json::from_str(&text).unwrap();
            }
            assert!(started.elapsed() < Duration::from_secs(40), "{id} does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn open(settings: &Settings, consumer: &str) -> Arc<dyn Transport> {
    let settings = Settings { consumer: consumer.to_owned(), ..settings.clone() };
    Arc::from(fathom_queue::open(&settings).await.unwrap())
}

async fn each_job_is_done_once(kind: Type) {
    let Some(site) = Site::new(kind, "once").await else { return };
    let workers = [site.worker("w1").await, site.worker("w2").await];
    let mut ids = Vec::new();
    for number in 0..200 {
        ids.push(
            site.send(json!({ "operation": "fathom.echo", "payload": { "n": number } })).await,
        );
    }
    for (number, id) in ids.iter().enumerate() {
        let result = site.result(id).await;
        assert_eq!((result.status, &result.data["echo"]["n"]), (Status::Completed, &json!(number)));
    }
    let failing = json!({ "operation": "fathom.echo", "payload": { "fail": "ODD" },
        "execution": { "max_attempts": 2 } });
    let failed = site.send(failing).await;
    let result = site.result(&failed).await;
    assert_eq!((result.status, result.execution_summary.unwrap().attempt), (Status::Failed, 2));
    site.stop.send_replace(true);
    for worker in workers {
        worker.await.unwrap();
    }
    let filter = JobFilter { most: 1000, ..JobFilter::default() };
    let (jobs, _) = site.desk.list(filter, &site.by).await.unwrap();
    assert_eq!(jobs.len(), 201);
    assert!(jobs.iter().all(|job| job.attempt == 1 || job.job_id == failed), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_folder() {
    each_job_is_done_once(Type::Folder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_redis() {
    each_job_is_done_once(Type::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_rabbitmq() {
    each_job_is_done_once(Type::Amqp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_kafka() {
    each_job_is_done_once(Type::Kafka).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_put_into_a_folder_is_taken_in() {
    let site = Site::new(Type::Folder, "foreign").await.unwrap();
    let put = |name: &str, text: &str| {
        let hidden = site.settings.folder.join(format!(".{name}.tmp"));
        std::fs::write(&hidden, text).unwrap();
        std::fs::rename(hidden, site.settings.folder.join(name)).unwrap();
    };
    put("short.json", r#"{"operation":"guestkit.echo","job_id":"job-short","payload":{"x":1}}"#);
    let whole = json!({ "version": "1.0", "job_id": "job-whole-1", "created_at": "2026-02-03T10:00:00Z",
        "kind": "VMOperation", "operation": "system.echo",
        "payload": { "type": "system.echo.v1", "data": { "y": 2 } }, "unknown": true });
    put("whole.json", &whole.to_string());
    put("wrong.json", r#"{"operation":"guestkit.explode"}"#);
    put("broken.json", "{");
    let worker = site.worker("w1").await;
    assert_eq!(site.result("job-short").await.data, json!({ "echo": { "x": 1 } }));
    assert_eq!(site.result("job-whole-1").await.data, json!({ "echo": { "y": 2 } }));
    let view = site.desk.view("job-short", &site.by).await.unwrap();
    assert!(view.submitted_by.starts_with("folder:"), "{view:?}");
    let started = Instant::now();
    let letters = loop {
        let letters = site.desk.store().letters(0, 10).await.unwrap();
        if letters.len() == 2 {
            break letters;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{letters:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for (begins, reason) in [("{\"operation", "there is no"), ("{", "no JSON")] {
        let is = letters.iter().any(|it| {
            it.letter.body.starts_with(begins.as_bytes()) && it.letter.reason.contains(reason)
        });
        assert!(is, "{reason}: {letters:?}");
    }
    site.stop.send_replace(true);
    worker.await.unwrap();
    assert!(site.folder.path().exists());
}

/// Who was recorded and not acknowledged comes again, and is the same job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_again_is_known_again() {
    for kind in [Type::Folder, Type::Redis, Type::Amqp, Type::Kafka] {
        let Some(site) = Site::new(kind, "again").await else { continue };
        let Some(identity) = identity(&site).await else {
            println!("{kind:?} has nothing by which a message is known again");
            continue;
        };
        let job = br#"{"operation":"fathom.echo","payload":{"x":1}}"#;
        let mut ids = Vec::new();
        for _ in 0..2 {
            let read = Desk::read(job, &identity).unwrap();
            ids.push(site.desk.take_in(read, &site.by).await.unwrap().0.job_id);
        }
        assert_eq!(ids[0], ids[1]);
    }
}

/// That of a message, as it comes.
async fn identity(site: &Site) -> Option<String> {
    let transport = open(&site.settings, "first").await;
    let ticket = fathom_queue::Ticket {
        job: "job-of-test".to_owned(),
        pool: "default".to_owned(),
        priority: 5,
        key: "k".to_owned(),
    };
    transport.publish(&[ticket]).await.unwrap();
    let started = Instant::now();
    loop {
        let got = transport.receive(1, Duration::from_secs(2)).await.unwrap();
        if let Some(delivery) = got.into_iter().next() {
            let identity = delivery.identity.clone();
            transport.acknowledge(vec![delivery.receipt]).await.unwrap();
            return (!identity.is_empty()).then_some(identity);
        }
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_that_a_broker_loses_are_told_again() {
    let site = Site::new(Type::Folder, "lost").await.unwrap();
    let id = site.send(json!({ "operation": "fathom.echo" })).await;
    // Whatever the broker has is gone before anybody looks.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for entry in std::fs::read_dir(&site.settings.folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    let worker = site.worker("w1").await;
    assert_eq!(site.result(&id).await.status, Status::Completed);
    site.stop.send_replace(true);
    worker.await.unwrap();
}
