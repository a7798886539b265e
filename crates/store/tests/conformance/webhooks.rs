//! What happens is told: written down with it, claimed by one, tried again, and given up in the end.

use std::collections::BTreeSet;
use std::time::Duration;

use fathom_store::{
    Completion, Delivered, DeliveryState, Due, ErrorKind, Finish, Happening, JobState, Store,
    Webhook,
};
use serde_json::Value;

use crate::jobs::{claim, end, job, rules};
use crate::place::on_both;

const LEASE: Duration = Duration::from_secs(30);

fn webhook(name: &str, events: &[&str], namespaces: &[&str]) -> Webhook {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Webhook {
        name: name.to_owned(),
        document: "{}".to_owned(),
        events: list(events),
        namespaces: list(namespaces),
    }
}

fn critical(key: &str, namespace: &str) -> Happening {
    Happening {
        event: "findings.critical".to_owned(),
        namespace: namespace.to_owned(),
        key: key.to_owned(),
        data: format!("{{\"machine\":\"{key} ünïcode \\u0000\"}}"),
    }
}

async fn due(store: &Store, names: &[&str]) -> Vec<Due> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    store.due_deliveries(&names, 100, LEASE).await.unwrap()
}

fn names(due: &[Due]) -> Vec<(String, String)> {
    let mut names: Vec<_> =
        due.iter().map(|it| (it.webhook.clone(), it.namespace.clone())).collect();
    names.sort();
    names
}

on_both! {
    async fn who_is_told_what(place) {
        let store = place.open().await;
        store.announce(&[critical("before", "default")]).await.unwrap();
        let all = [
            webhook("all", &[], &[]),
            webhook("jobs", &["job.finished"], &[]),
            webhook("north", &["findings.critical", "job.finished"], &["north"]),
        ];
        store.set_webhooks(&all).await.unwrap();
        assert_eq!(store.webhooks().await.unwrap(), all);
        store.announce(&[critical("a", "default"), critical("b", "north")]).await.unwrap();
        // The same again is told once.
        store.announce(&[critical("b", "north")]).await.unwrap();
        store.submit(&[job("one")]).await.unwrap();
        let got = claim(&store, "w", 1, LEASE).await;
        assert_eq!(store.finish(&[end(&got[0], "{}")]).await.unwrap(), [true]);
        let pair = |name: &str, of: &str| (name.to_owned(), of.to_owned());
        let told = due(&store, &["all", "jobs", "north", "none"]).await;
        assert_eq!(names(&told), [
            pair("all", "default"), pair("all", "default"), pair("all", "north"),
            pair("jobs", "default"), pair("north", "north"),
        ]);
        let ids: BTreeSet<_> = told.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), told.len());
        let of_job = told.iter().find(|it| it.webhook == "jobs").unwrap();
        let data: Value = serde_json::from_str(&of_job.data).unwrap();
        assert_eq!((&data["job_id"], &data["status"]), (&"one".into(), &"completed".into()));
        assert_eq!((&data["worker_id"], &data["attempt"]), (&"w".into(), &1.into()));
        assert_eq!((of_job.event.as_str(), of_job.attempt), ("job.finished", 1));
        // What was claimed nobody else gets.
        assert!(due(&store, &["all", "jobs", "north"]).await.is_empty());
    }

    /// However a job ends it is told, and once an end.
    async fn every_end_is_told(place) {
        let store = place.open().await;
        store.set_webhooks(&[webhook("w", &["job.finished"], &[])]).await.unwrap();
        let mut late = job("late");
        late.deadline = Some(fathom_store::Time(1));
        store.submit(&[job("failed"), job("again"), job("cancelled"), late]).await.unwrap();
        store.cancel("cancelled", "{}").await.unwrap();
        store.sweep(&rules()).await.unwrap();
        let mut got = claim(&store, "w", 10, LEASE).await;
        got.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(got.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["again", "failed"]);
        let error = Some(("BROKEN".to_owned(), "x".repeat(5000)));
        let failed = Finish::End { state: JobState::Failed, result: "{}".to_owned(), error };
        let after = Duration::from_secs(60);
        let again = Finish::Again { after, error: ("E".to_owned(), "e".to_owned()) };
        let finish = |index: usize, finish: &Finish| Completion {
            job: got[index].id.clone(), fence: got[index].fence, finish: finish.clone(),
        };
        let both = [finish(0, &again), finish(1, &failed)];
        assert_eq!(store.finish(&both).await.unwrap(), [true, true]);
        // Who has lost a job tells nothing.
        assert_eq!(store.finish(&both).await.unwrap(), [false, false]);
        let status = |due: &[Due]| {
            let mut all: Vec<(String, String)> = due.iter().map(|it| {
                let data: Value = serde_json::from_str(&it.data).unwrap();
                let text = |name: &str| data[name].as_str().unwrap().to_owned();
                (text("job_id"), text("status"))
            }).collect();
            all.sort();
            all
        };
        let pair = |job: &str, status: &str| (job.to_owned(), status.to_owned());
        let told = due(&store, &["w"]).await;
        assert_eq!(status(&told), [
            pair("cancelled", "cancelled"), pair("failed", "failed"), pair("late", "timeout"),
        ]);
        let of = told.iter().find(|it| it.data.contains("BROKEN")).unwrap();
        assert!(of.data.len() < 2000);
        // Sent again it ends again.
        assert!(store.replay("failed").await.unwrap());
        let got = claim(&store, "w", 10, LEASE).await;
        store.finish(&[end(&got[0], "{}")]).await.unwrap();
        assert_eq!(status(&due(&store, &["w"]).await), [pair("failed", "completed")]);
    }

    async fn what_is_not_taken_is_tried_again_and_given_up(place) {
        let store = place.open().await;
        store.set_webhooks(&[webhook("w", &[], &[])]).await.unwrap();
        store.announce(&[critical("a", "n")]).await.unwrap();
        let first = due(&store, &["w"]).await.remove(0);
        let again = Delivered::Again(Duration::ZERO, Some(503), "busy\0".to_owned());
        assert!(store.delivered(&first.id, first.fence, &again).await.unwrap());
        // What was said once counts, and no more.
        assert!(!store.delivered(&first.id, first.fence, &Delivered::Yes(200)).await.unwrap());
        let shown = store.deliveries("w", 10).await.unwrap().remove(0);
        assert_eq!((shown.state, shown.attempts), (DeliveryState::Waiting, 1));
        assert_eq!((shown.status, shown.error.as_deref()), (Some(503), Some("busy ")));
        let second = due(&store, &["w"]).await.remove(0);
        assert_eq!((second.id.as_str(), second.attempt), (first.id.as_str(), 2));
        assert_eq!(second.data, first.data);
        let never = Delivered::Never(None, "no".to_owned());
        assert!(store.delivered(&second.id, second.fence, &never).await.unwrap());
        let shown = store.deliveries("w", 10).await.unwrap().remove(0);
        assert_eq!(shown.state, DeliveryState::Dead);
        assert!(shown.ended_at.is_some() && shown.status.is_none());
        assert!(due(&store, &["w"]).await.is_empty());
        assert_eq!(store.forget_deliveries(Duration::from_secs(60), 10).await.unwrap(), 0);
        // The clock of SQLite counts milliseconds, and only what lies behind is forgotten.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(store.forget_deliveries(Duration::ZERO, 10).await.unwrap(), 1);
    }

    /// Whoever dies with a delivery leaves it for others.
    async fn what_was_claimed_and_not_said_anything_about_is_due_again(place) {
        let store = place.open().await;
        store.set_webhooks(&[webhook("w", &[], &[])]).await.unwrap();
        store.announce(&[critical("a", "n")]).await.unwrap();
        let names = ["w".to_owned()];
        let lost = store.due_deliveries(&names, 1, Duration::ZERO).await.unwrap().remove(0);
        let found = due(&store, &["w"]).await.remove(0);
        assert_eq!(found.id, lost.id);
        assert!(!store.delivered(&lost.id, lost.fence, &Delivered::Yes(200)).await.unwrap());
        assert!(store.delivered(&found.id, found.fence, &Delivered::Yes(200)).await.unwrap());
    }

    async fn many_who_deliver_share_it(place) {
        let store = place.open().await;
        store.set_webhooks(&[webhook("w", &[], &[])]).await.unwrap();
        let all: Vec<_> = (0..60).map(|number| critical(&number.to_string(), "n")).collect();
        store.announce(&all).await.unwrap();
        let claims = (0..6).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut got = Vec::new();
                loop {
                    let some = store.due_deliveries(&["w".to_owned()], 4, LEASE).await.unwrap();
                    if some.is_empty() {
                        return got;
                    }
                    got.extend(some.into_iter().map(|it| it.id));
                }
            })
        });
        let mut got = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            got.extend(claim.await.unwrap());
        }
        assert_eq!((got.len(), got.iter().collect::<BTreeSet<_>>().len()), (60, 60));
    }

    async fn what_waits_for_nobody_is_dead(place) {
        let store = place.open().await;
        store.set_webhooks(&[webhook("a", &[], &[]), webhook("b", &[], &[])]).await.unwrap();
        store.announce(&[critical("x", "n")]).await.unwrap();
        store.set_webhooks(&[webhook("b", &["job.finished"], &[])]).await.unwrap();
        let of = |name: &'static str| {
            let store = store.clone();
            async move { store.deliveries(name, 10).await.unwrap().remove(0) }
        };
        assert_eq!(of("a").await.state, DeliveryState::Dead);
        assert!(of("a").await.error.unwrap().contains("no such webhook"));
        assert_eq!(of("b").await.state, DeliveryState::Waiting);
        assert_eq!(store.webhooks().await.unwrap(), [webhook("b", &["job.finished"], &[])]);
        let large = Happening { data: "x".repeat(100_000), ..critical("x", "n") };
        let refused = store.announce(&[large]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
}
