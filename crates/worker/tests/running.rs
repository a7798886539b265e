//! Workers over a store: jobs are done once, tried again, called off, timed and given back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use fathom_jobs::{
    Backoff, Capabilities, Configuration, Desk, Hold, Operation, RefusalCode, ResultDocument,
    Status, Submitter, WorkerDescription,
};
use fathom_store::{JobFilter, Options, Store};
use fathom_worker::{Done, Echo, Handler, Handlers, Meters, Rules, Running, Source, Task};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

struct Site {
    _folder: tempfile::TempDir,
    desk: Desk,
    by: Submitter,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = folder.path().join("fathom.db").display().to_string();
        let store = Store::open(&address, &Options::default()).await.unwrap();
        let desk = Desk::new(store, None, |_, _| Ok(()));
        Self { _folder: folder, desk, by: Submitter::everywhere("test") }
    }

    async fn send(&self, job: Value) -> String {
        self.desk.submit(job.to_string().as_bytes(), &self.by).await.unwrap().job_id
    }

    async fn worker(&self, id: &str, handlers: Handlers, rules: Rules) -> Worker {
        let description = WorkerDescription {
            worker_id: id.to_owned(),
            version: "0.1.0".to_owned(),
            capabilities: Capabilities {
                operations: handlers.operations(),
                ..Capabilities::default()
            },
            configuration: Configuration {
                pool: "default".to_owned(),
                concurrency: u32::try_from(rules.concurrency).unwrap(),
                ..Configuration::default()
            },
            ..WorkerDescription::default()
        };
        let store = self.desk.store().clone();
        let hold = Hold::register(store, description, rules.lease).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let meters = Arc::new(Meters::register(&mut Registry::default()));
        let source = Source::new(self.desk.clone(), None);
        let task = tokio::spawn(fathom_worker::run(hold, handlers, rules, meters, stopped, source));
        Worker { stop, task }
    }

    async fn result(&self, id: &str) -> ResultDocument {
        let started = Instant::now();
        loop {
            if let Some(text) = self.desk.result(id, &self.by).await.unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{id} does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn status(&self, id: &str) -> Status {
        self.desk.view(id, &self.by).await.unwrap().status
    }

    async fn until(&self, id: &str, status: Status) {
        let started = Instant::now();
        while self.status(id).await != status {
            assert!(started.elapsed() < Duration::from_secs(20), "{id} does not become {status:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sweeps like a service does, until the runtime ends.
    fn sweep(&self) -> JoinHandle<()> {
        let desk = self.desk.clone();
        tokio::spawn(async move {
            loop {
                desk.sweep(Duration::from_secs(30)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
    }
}

struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Worker {
    async fn leave(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

fn quick() -> Rules {
    Rules {
        lease: Duration::from_secs(2),
        drain: Duration::from_secs(5),
        backoff: Backoff { first: Duration::from_millis(50), longest: Duration::from_millis(200) },
        ..Rules::default()
    }
}

fn echo() -> Handlers {
    Handlers::default().with(Echo)
}

fn slow(seconds: f64) -> Value {
    json!({ "operation": "system.echo", "payload": { "delay_seconds": seconds } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_done_and_say_how_it_went() {
    let site = Site::new().await;
    let worker = site.worker("w1", echo(), quick()).await;
    let id = site
        .send(json!({ "operation": "guestkit.echo", "payload": { "hello": "world" },
            "execution": { "idempotency_key": "k" },
            "observability": { "correlation_id": "c", "own": 1 } }))
        .await;
    let result = site.result(&id).await;
    assert_eq!((result.status, result.worker_id.as_deref()), (Status::Completed, Some("w1")));
    assert_eq!(result.data, json!({ "echo": { "hello": "world" } }));
    assert_eq!(result.observability, Some(json!({ "correlation_id": "c", "own": 1 })));
    let summary = result.execution_summary.unwrap();
    assert_eq!((summary.attempt, summary.idempotency_key.as_deref()), (1, Some("k")));
    // The same again is the same job with the same result.
    let again = site
        .desk
        .submit(
            json!({ "operation": "fathom.echo", "payload": { "hello": "world" },
                "execution": { "idempotency_key": "k" } })
            .to_string()
            .as_bytes(),
            &site.by,
        )
        .await
        .unwrap();
    assert_eq!((again.job_id, again.status), (id, Status::Completed));
    let other = json!({ "operation": "fathom.echo", "payload": { "hello": "you" },
        "execution": { "idempotency_key": "k" } });
    let refusal = site.desk.submit(other.to_string().as_bytes(), &site.by).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Conflict);
    worker.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_jobs_are_each_done_once() {
    let site = Site::new().await;
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(
            site.send(json!({ "operation": "fathom.echo", "payload": { "n": number } })).await,
        );
    }
    let one = site.worker("w1", echo(), quick()).await;
    let two = site.worker("w2", echo(), quick()).await;
    for (number, id) in ids.iter().enumerate() {
        let result = site.result(id).await;
        assert_eq!(result.data["echo"]["n"], json!(number));
    }
    one.leave().await;
    two.leave().await;
    let filter = JobFilter { most: 1000, ..JobFilter::default() };
    let (jobs, next) = site.desk.list(filter, &site.by).await.unwrap();
    assert_eq!((jobs.len(), next), (300, None));
    assert!(jobs.iter().all(|job| job.status == Status::Completed && job.attempt == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_as_often_as_it_may_be() {
    let site = Site::new().await;
    let _sweeper = site.sweep();
    let worker = site.worker("w1", echo(), quick()).await;
    let id = site
        .send(json!({ "operation": "fathom.echo", "payload": { "fail": "ODD" },
            "execution": { "max_attempts": 3 } }))
        .await;
    let result = site.result(&id).await;
    assert_eq!(result.status, Status::Failed);
    assert_eq!(result.execution_summary.unwrap().attempt, 3);
    let error = result.error.unwrap();
    assert_eq!((error.code.as_str(), error.retry_recommended), ("ODD", true));
    worker.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_takes_too_long_is_ended() {
    let site = Site::new().await;
    let _sweeper = site.sweep();
    let worker = site.worker("w1", echo(), quick()).await;
    let mut job = slow(60.0);
    job["execution"] = json!({ "timeout_seconds": 1 });
    let started = Instant::now();
    let id = site.send(job).await;
    let result = site.result(&id).await;
    assert_eq!(result.status, Status::Timeout);
    assert_eq!(result.error.unwrap().code, "TIMEOUT");
    assert!(started.elapsed() < Duration::from_secs(10));
    worker.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_ends_what_runs_and_what_waits() {
    let site = Site::new().await;
    let _sweeper = site.sweep();
    let rules = Rules { concurrency: 1, ..quick() };
    let worker = site.worker("w1", echo(), rules).await;
    let soon =
        fathom_jobs::rfc3339(site.desk.store().now().await.unwrap().after(Duration::from_secs(1)));
    let mut job = slow(60.0);
    job["execution"] = json!({ "deadline": soon, "max_attempts": 5 });
    let (running, waiting) = (site.send(job.clone()).await, site.send(job).await);
    for id in [running, waiting] {
        let result = site.result(&id).await;
        assert_eq!(result.status, Status::Timeout);
        assert_eq!(result.error.unwrap().code, "DEADLINE_EXCEEDED");
    }
    worker.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_is_called_off() {
    let site = Site::new().await;
    let worker = site.worker("w1", echo(), quick()).await;
    let id = site.send(slow(60.0)).await;
    site.until(&id, Status::Running).await;
    let view = site.desk.cancel(&id, &site.by).await.unwrap();
    assert!(view.cancel_requested);
    let result = site.result(&id).await;
    assert_eq!(result.status, Status::Cancelled);
    let view = site.desk.cancel(&id, &site.by).await.unwrap();
    assert_eq!(view.status, Status::Cancelled, "once more changes nothing");
    worker.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_ends_what_it_has_or_gives_it_back() {
    let site = Site::new().await;
    let _sweeper = site.sweep();
    let rules = Rules { drain: Duration::from_secs(4), concurrency: 2, ..quick() };
    let worker = site.worker("w1", echo(), rules).await;
    let (short, long) = (site.send(slow(2.5)).await, site.send(slow(60.0)).await);
    site.until(&long, Status::Running).await;
    site.until(&short, Status::Running).await;
    worker.leave().await;
    assert_eq!(site.status(&short).await, Status::Completed);
    site.until(&long, Status::Queued).await;
    let view = site.desk.view(&long, &site.by).await.unwrap();
    assert_eq!((view.attempt, view.worker_id), (1, None));
    assert_eq!(site.desk.workers().await.unwrap()[0].state.as_str(), "offline");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_lost_a_job_lets_go_of_it() {
    let site = Site::new().await;
    let _sweeper = site.sweep();
    let worker = site.worker("w1", echo(), quick()).await;
    let id = site.send(slow(4.0)).await;
    site.until(&id, Status::Running).await;
    // Somebody else says so with the number of the first claim: from here on it is not ours.
    let gone = fathom_store::Completion {
        job: id.clone(),
        fence: 1,
        finish: fathom_store::Finish::GiveBack { after: Duration::from_millis(300) },
    };
    assert_eq!(site.desk.store().finish(&[gone]).await.unwrap(), [true]);
    assert_eq!(site.result(&id).await.status, Status::Completed);
    let started = Instant::now();
    while site.desk.workers().await.unwrap()[0].current_jobs != 0 {
        assert!(started.elapsed() < Duration::from_secs(5), "it still holds what is not its own");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    worker.leave().await;
}

/// Goes on although it is asked to stop, and says that it is done.
struct Stubborn;

impl Handler for Stubborn {
    fn operation(&self) -> Operation {
        Operation::Checksum
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(async move {
            task.stopped().await;
            Ok(Done { data: json!("too late"), ..Done::default() })
        })
    }
}

/// Breaks.
struct Broken;

impl Handler for Broken {
    fn operation(&self) -> Operation {
        Operation::Diff
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(async move {
            assert!(task.job.is_empty(), "this is what it is for");
            Ok(Done::default())
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_too_late_does_not_count_and_a_bug_ends_one_job_alone() {
    let site = Site::new().await;
    let worker = site.worker("w1", echo().with(Stubborn).with(Broken), quick()).await;
    let late = site
        .send(json!({ "operation": "fathom.checksum", "execution": { "timeout_seconds": 1 } }))
        .await;
    let broken = site.send(json!({ "operation": "fathom.diff" })).await;
    assert_eq!(site.result(&broken).await.error.unwrap().code, "INTERNAL_ERROR");
    let result = site.result(&late).await;
    assert_eq!((result.status, result.data), (Status::Timeout, Value::Null));
    let fine = site.send(json!({ "operation": "fathom.echo" })).await;
    assert_eq!(site.result(&fine).await.status, Status::Completed);
    worker.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_may_do_it_each_says_why() {
    let site = Site::new().await;
    let id = site
        .send(
            json!({ "operation": "fathom.echo", "constraints": { "required_features": ["gpu"] } }),
        )
        .await;
    assert_eq!(site.desk.view(&id, &site.by).await.unwrap().unplaced, ["there is no worker"]);
    let worker = site.worker("w1", echo(), quick()).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let view = site.desk.view(&id, &site.by).await.unwrap();
    assert_eq!(view.status, Status::Queued);
    assert_eq!(view.unplaced, ["w1: it lacks the feature gpu"]);
    worker.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_told_while_it_runs() {
    let site = Site::new().await;
    let worker = site.worker("w1", echo(), quick()).await;
    let id = site.send(slow(4.0)).await;
    site.until(&id, Status::Running).await;
    let started = Instant::now();
    let progress = loop {
        if let Some(progress) = site.desk.view(&id, &site.by).await.unwrap().progress {
            break progress;
        }
        assert!(started.elapsed() < Duration::from_secs(3), "nothing is told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((progress.phase.as_str(), progress.progress_percent), ("waiting", Some(0)));
    site.result(&id).await;
    let (events, status) = site.desk.events(&id, 0, &site.by).await.unwrap();
    assert_eq!((events.len(), status), (1, Status::Completed));
    worker.leave().await;
}

#[tokio::test]
async fn namespaces_are_kept_apart() {
    let site = Site::new().await;
    let of = |name: &str| Submitter {
        name: name.to_owned(),
        namespace: name.to_owned(),
        namespaces: Some(vec![name.to_owned()]),
    };
    let (north, south) = (of("north"), of("south"));
    let job = json!({ "operation": "fathom.echo", "job_id": "job-of-north" }).to_string();
    site.desk.submit(job.as_bytes(), &north).await.unwrap();
    assert_eq!(
        site.desk.view("job-of-north", &south).await.unwrap_err().code,
        RefusalCode::NotFound
    );
    for code in [
        site.desk.cancel("job-of-north", &south).await.unwrap_err().code,
        site.desk.result("job-of-north", &south).await.unwrap_err().code,
        site.desk.events("job-of-north", 0, &south).await.unwrap_err().code,
        site.desk.replay("job-of-north", &south).await.unwrap_err().code,
    ] {
        assert_eq!(code, RefusalCode::NotFound);
    }
    // The name is in use, and nothing more is said.
    assert_eq!(
        site.desk.submit(job.as_bytes(), &south).await.unwrap_err().code,
        RefusalCode::Conflict
    );
    let forged = json!({ "operation": "fathom.echo", "metadata": { "namespace": "north" } });
    let refusal = site.desk.submit(forged.to_string().as_bytes(), &south).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Forbidden);
    let page =
        |namespaces: Option<Vec<String>>| JobFilter { namespaces, most: 9, ..JobFilter::default() };
    assert!(site.desk.list(page(None), &south).await.unwrap().0.is_empty());
    let asked = page(Some(vec!["north".to_owned()]));
    assert!(site.desk.list(asked, &south).await.unwrap().0.is_empty());
    assert_eq!(site.desk.list(page(None), &north).await.unwrap().0.len(), 1);
}
