//! Who works is known, and who is silent is not counted on.

use std::time::Duration;

use fathom_store::{Time, Worker, WorkerState};

use crate::place::on_both;

fn worker(id: &str) -> Worker {
    Worker {
        id: id.to_owned(),
        pool: "default".to_owned(),
        version: "0.1.0".to_owned(),
        document: "{\"operations\":[\"echo\"]}".to_owned(),
        state: WorkerState::Ready,
        current_jobs: 0,
        registered_at: Time(0),
        heartbeat_at: Time(0),
    }
}

on_both! {
    async fn a_worker_registers_lives_and_falls_silent(place) {
        let store = place.open().await;
        assert!(!store.greet("one", WorkerState::Ready, 0).await.unwrap(), "it is not registered");
        store.register(&worker("one")).await.unwrap();
        store.register(&worker("two")).await.unwrap();
        assert!(store.greet("one", WorkerState::Busy, 3).await.unwrap());
        let silence = Duration::from_secs(2);
        let workers = store.workers(silence).await.unwrap();
        let told: Vec<_> =
            workers.iter().map(|it| (it.id.as_str(), it.state, it.current_jobs)).collect();
        assert_eq!(told, [("one", WorkerState::Busy, 3), ("two", WorkerState::Ready, 0)]);
        assert!(workers[0].registered_at.0 > 1_600_000_000_000_000, "{workers:?}");
        tokio::time::sleep(Duration::from_millis(2300)).await;
        store.greet("two", WorkerState::Ready, 0).await.unwrap();
        let workers = store.workers(silence).await.unwrap();
        assert_eq!(workers[0].state, WorkerState::Offline);
        assert_eq!(workers[1].state, WorkerState::Ready);
        assert_eq!(store.forget_workers(silence).await.unwrap(), 1);
        assert_eq!(store.workers(silence).await.unwrap().len(), 1);
    }
}
