//! Jobs are taken once, held by a lease, ended once, and never lost.

use std::collections::BTreeSet;
use std::time::Duration;

use fathom_store::{
    Beat, Beaten, Cancelled, Claim, Completion, ErrorKind, Finish, JobFilter, JobState, NewJob,
    NewLetter, Store, Submitted, SweepRules, Time,
};

use crate::place::on_both;

const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn job(id: &str) -> NewJob {
    NewJob {
        id: id.to_owned(),
        namespace: "default".to_owned(),
        operation: "echo".to_owned(),
        pool: "default".to_owned(),
        priority: 5,
        requirement: ("any".to_owned(), "{}".to_owned()),
        idempotency_key: None,
        fingerprint: format!("of {id}"),
        envelope: format!("{{\"job_id\":\"{id}\",\"text\":\"quotes \\\" and ünïcode\"}}"),
        submitted_by: "test".to_owned(),
        attempt: 1,
        max_attempts: 3,
        timeout: Duration::from_secs(60),
        deadline: None,
        cancellable: true,
    }
}

async fn meets(store: &Store) -> Vec<i64> {
    store.requirements(0).await.unwrap().into_iter().map(|it| it.number).collect()
}

pub(crate) async fn claim(
    store: &Store,
    worker: &str,
    most: u32,
    lease: Duration,
) -> Vec<fathom_store::Claimed> {
    let meets = meets(store).await;
    let claim = Claim { worker, meets: &meets, most, lease, only: None };
    store.claim(&claim).await.unwrap()
}

pub(crate) fn end(job: &fathom_store::Claimed, result: &str) -> Completion {
    Completion {
        job: job.id.clone(),
        fence: job.fence,
        finish: Finish::End { state: JobState::Completed, result: result.to_owned(), error: None },
    }
}

pub(crate) fn rules() -> SweepRules {
    SweepRules {
        deliveries: 3,
        announce_after: Duration::from_secs(30),
        announce_most: 1000,
        result: |job, state, code, message| format!("{job} {state} {code} {message}"),
    }
}

on_both! {
    async fn a_job_goes_its_way(place) {
        let store = place.open().await;
        let sent = store.submit(&[job("one")]).await.unwrap();
        assert!(matches!(sent[0], Submitted::New { at } if at.0 > 0));
        let found = store.job("one").await.unwrap().unwrap();
        assert_eq!((found.state, found.deliveries, found.attempt), (JobState::Queued, 0, 1));
        let got = claim(&store, "w", 5, LEASE).await;
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].envelope, job("one").envelope);
        assert_eq!((got[0].fence, got[0].deliveries, got[0].max_attempts), (1, 1, 3));
        assert_eq!(got[0].timeout, Duration::from_secs(60));
        assert_eq!(store.job("one").await.unwrap().unwrap().state, JobState::Assigned);
        assert!(claim(&store, "other", 5, LEASE).await.is_empty());
        let beat = Beat { job: "one".to_owned(), fence: 1 };
        assert_eq!(store.beat(&[beat], LEASE).await.unwrap(), [Beaten::Held]);
        let found = store.job("one").await.unwrap().unwrap();
        assert_eq!((found.state, found.worker.as_deref()), (JobState::Running, Some("w")));
        assert_eq!(store.result("one").await.unwrap(), None);
        assert_eq!(store.finish(&[end(&got[0], "{\"data\":1}")]).await.unwrap(), [true]);
        assert_eq!(store.result("one").await.unwrap().as_deref(), Some("{\"data\":1}"));
        let found = store.job("one").await.unwrap().unwrap();
        assert_eq!(found.state, JobState::Completed);
        assert!(found.finished_at.unwrap() >= found.started_at.unwrap());
        // A second word about it is one too many.
        assert_eq!(store.finish(&[end(&got[0], "late")]).await.unwrap(), [false]);
        assert_eq!(store.result("one").await.unwrap().as_deref(), Some("{\"data\":1}"));
    }

    async fn the_urgent_come_first_and_then_the_old(place) {
        let store = place.open().await;
        for (id, priority) in [("a", 5), ("b", 1), ("c", 10), ("d", 5), ("e", 10)] {
            store.submit(&[NewJob { priority, ..job(id) }]).await.unwrap();
        }
        let mut order = Vec::new();
        while let Some(got) = claim(&store, "w", 1, LEASE).await.pop() {
            order.push(got.id);
        }
        assert_eq!(order, ["c", "e", "a", "d", "b"]);
    }

    async fn what_is_sent_twice_is_done_once(place) {
        let store = place.open().await;
        let keyed = |id: &str, fingerprint: &str| NewJob {
            idempotency_key: Some("key".to_owned()),
            fingerprint: fingerprint.to_owned(),
            ..job(id)
        };
        let sent = store
            .submit(&[keyed("one", "same"), keyed("two", "same"), keyed("three", "other")])
            .await
            .unwrap();
        assert!(matches!(sent[0], Submitted::New { .. }));
        assert!(matches!(&sent[1], Submitted::Known { id, same: true, .. } if id == "one"));
        assert!(matches!(&sent[2], Submitted::Known { id, same: false, .. } if id == "one"));
        // The same id again, and the same twice in one batch.
        let sent = store.submit(&[job("four"), job("four"), job("one")]).await.unwrap();
        assert!(matches!(sent[0], Submitted::New { .. }));
        assert!(matches!(&sent[1], Submitted::Known { id, same: true, .. } if id == "four"));
        assert!(matches!(&sent[2], Submitted::Known { id, same: false, .. } if id == "one"));
        // In another namespace a key means something else, and a name is taken.
        let other = NewJob { namespace: "other".to_owned(), ..keyed("five", "same") };
        assert!(matches!(store.submit(&[other]).await.unwrap()[0], Submitted::New { .. }));
        let taken = NewJob { namespace: "other".to_owned(), ..job("one") };
        assert_eq!(store.submit(&[taken]).await.unwrap(), [Submitted::Taken]);
        assert_eq!(store.jobs(&JobFilter { most: 100, ..JobFilter::default() }).await.unwrap().len(), 3);
    }

    async fn many_send_the_same_at_once(place) {
        let store = place.open().await;
        let sends = (0..20).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let sent = NewJob {
                    idempotency_key: Some("key".to_owned()),
                    fingerprint: "same".to_owned(),
                    ..job(&format!("job-{number}"))
                };
                store.submit(&[sent]).await.unwrap().remove(0)
            })
        });
        let mut new = 0;
        let mut known = BTreeSet::new();
        for send in sends.collect::<Vec<_>>() {
            match send.await.unwrap() {
                Submitted::New { .. } => new += 1,
                Submitted::Taken => panic!("nobody else has it"),
                Submitted::Known { id, same, .. } => {
                    assert!(same);
                    known.insert(id);
                }
            }
        }
        assert_eq!((new, known.len()), (1, 1));
    }

    async fn who_was_lost_is_relieved_and_can_do_no_harm(place) {
        let store = place.open().await;
        store.submit(&[job("one")]).await.unwrap();
        let lost = claim(&store, "lost", 1, Duration::from_secs(1)).await.remove(0);
        assert!(store.sweep(&rules()).await.unwrap().ready.is_empty(), "its lease is not over");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let swept = store.sweep(&rules()).await.unwrap();
        assert_eq!((swept.rescued, swept.ready.len(), swept.dead), (1, 1, 0));
        // The late result of the one that was taken for dead, before and after somebody has it.
        assert_eq!(store.finish(&[end(&lost, "late")]).await.unwrap(), [false]);
        let got = claim(&store, "w", 1, LEASE).await.remove(0);
        assert_eq!((got.deliveries, got.attempt), (2, 1), "who was lost has not tried");
        assert_eq!(store.finish(&[end(&lost, "late")]).await.unwrap(), [false]);
        let beats = [
            Beat { job: "one".to_owned(), fence: lost.fence },
        ];
        assert_eq!(store.beat(&beats, LEASE).await.unwrap(), [Beaten::Lost]);
        store.tell(&[("one".to_owned(), lost.fence, "late".to_owned())]).await.unwrap();
        assert!(store.events("one", 0, 10).await.unwrap().is_empty());
        assert_eq!(store.finish(&[end(&got, "good")]).await.unwrap(), [true]);
        assert_eq!(store.result("one").await.unwrap().as_deref(), Some("good"));
    }

    async fn a_beat_holds_a_job(place) {
        let store = place.open().await;
        store.submit(&[job("one")]).await.unwrap();
        let got = claim(&store, "w", 1, Duration::from_millis(1500)).await.remove(0);
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let beat = Beat { job: "one".to_owned(), fence: got.fence };
            let beaten = store.beat(&[beat], Duration::from_millis(1500)).await.unwrap();
            assert_eq!(beaten, [Beaten::Held]);
            assert_eq!(store.sweep(&rules()).await.unwrap().rescued, 0);
        }
    }

    async fn poison_is_set_aside_with_its_reason_and_may_be_tried_again(place) {
        let store = place.open().await;
        store.submit(&[job("bad")]).await.unwrap();
        for round in 1..=3 {
            let got = claim(&store, "w", 1, Duration::from_millis(10)).await;
            assert_eq!(got.len(), 1, "round {round}");
            tokio::time::sleep(Duration::from_millis(60)).await;
            store.sweep(&rules()).await.unwrap();
        }
        let found = store.job("bad").await.unwrap().unwrap();
        assert_eq!(found.state, JobState::Dead);
        assert_eq!(found.error.unwrap().0, "POISON");
        let result = store.result("bad").await.unwrap().unwrap();
        assert!(result.starts_with("bad dead POISON 3 times"), "{result}");
        assert!(claim(&store, "w", 1, LEASE).await.is_empty());
        assert!(store.replay("bad").await.unwrap());
        assert!(!store.replay("bad").await.unwrap(), "it is in the queue");
        assert_eq!(store.result("bad").await.unwrap(), None);
        let got = claim(&store, "w", 1, LEASE).await.remove(0);
        assert_eq!(store.finish(&[end(&got, "good")]).await.unwrap(), [true]);
    }

    async fn what_failed_is_tried_again_later(place) {
        let store = place.open().await;
        store.submit(&[job("one")]).await.unwrap();
        let got = claim(&store, "w", 1, LEASE).await.remove(0);
        let again = Completion {
            job: "one".to_owned(),
            fence: got.fence,
            finish: Finish::Again {
                after: Duration::from_secs(1),
                error: ("IO".to_owned(), "the disk hums".to_owned()),
            },
        };
        assert_eq!(store.finish(&[again]).await.unwrap(), [true]);
        let found = store.job("one").await.unwrap().unwrap();
        assert_eq!((found.state, found.attempt, found.deliveries), (JobState::Pending, 2, 0));
        assert_eq!(found.error, Some(("IO".to_owned(), "the disk hums".to_owned())));
        assert_eq!(store.result("one").await.unwrap(), None);
        store.sweep(&rules()).await.unwrap();
        assert!(claim(&store, "w", 1, LEASE).await.is_empty(), "its time has not come");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(store.sweep(&rules()).await.unwrap().ready.len(), 1);
        let got = claim(&store, "w", 1, LEASE).await.remove(0);
        assert_eq!((got.attempt, got.deliveries), (2, 1));
        let back = Completion {
            job: "one".to_owned(),
            fence: got.fence,
            finish: Finish::GiveBack { after: Duration::ZERO },
        };
        assert_eq!(store.finish(&[back]).await.unwrap(), [true]);
        store.sweep(&rules()).await.unwrap();
        let got = claim(&store, "w", 1, LEASE).await.remove(0);
        assert_eq!((got.attempt, got.deliveries), (2, 2));
    }

    async fn jobs_are_called_off(place) {
        let store = place.open().await;
        let fixed = NewJob { cancellable: false, ..job("fixed") };
        store.submit(&[job("waiting"), job("running"), fixed]).await.unwrap();
        let only = ["running".to_owned()];
        let meets = meets(&store).await;
        let wanted = Claim { worker: "w", meets: &meets, most: 9, lease: LEASE, only: Some(&only) };
        let got = store.claim(&wanted).await.unwrap();
        assert_eq!(got.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["running"]);
        assert_eq!(store.cancel("waiting", "off").await.unwrap(), Cancelled::AtOnce);
        assert_eq!(store.result("waiting").await.unwrap().as_deref(), Some("off"));
        assert_eq!(
            store.cancel("waiting", "off").await.unwrap(),
            Cancelled::Ended(JobState::Cancelled)
        );
        assert_eq!(store.cancel("running", "off").await.unwrap(), Cancelled::Asked);
        assert_eq!(store.cancel("fixed", "off").await.unwrap(), Cancelled::Refused);
        assert_eq!(store.cancel("none", "off").await.unwrap_err().kind(), ErrorKind::NotFound);
        let beat = Beat { job: "running".to_owned(), fence: got[0].fence };
        assert_eq!(store.beat(&[beat], LEASE).await.unwrap(), [Beaten::Cancel]);
        // Whoever was asked to stop and is lost does not bring it back.
        store.submit(&[job("lost")]).await.unwrap();
        let only = ["lost".to_owned()];
        let lease = Duration::from_millis(10);
        store
            .claim(&Claim { worker: "w", meets: &meets, most: 9, lease, only: Some(&only) })
            .await
            .unwrap();
        store.cancel("lost", "off").await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        store.sweep(&rules()).await.unwrap();
        assert_eq!(store.job("lost").await.unwrap().unwrap().state, JobState::Cancelled);
    }

    async fn a_deadline_is_kept(place) {
        let store = place.open().await;
        let now = store.now().await.unwrap();
        let late = NewJob { deadline: Some(Time(now.0 - 1)), ..job("late") };
        let soon = NewJob { deadline: Some(now.after(Duration::from_secs(60))), ..job("soon") };
        store.submit(&[late, soon]).await.unwrap();
        assert_eq!(store.sweep(&rules()).await.unwrap().late, 1);
        let found = store.job("late").await.unwrap().unwrap();
        assert_eq!(found.state, JobState::TimedOut);
        let got = claim(&store, "w", 9, LEASE).await;
        assert_eq!(got.len(), 1);
        let left = got[0].left.unwrap();
        assert!(left > Duration::from_secs(50) && left < Duration::from_secs(61), "{left:?}");
    }

    async fn each_gets_only_what_it_can_do(place) {
        let store = place.open().await;
        let windows = NewJob {
            requirement: ("windows".to_owned(), "{\"feature\":\"windows\"}".to_owned()),
            ..job("windows")
        };
        store.submit(&[job("plain"), windows]).await.unwrap();
        let asked = store.requirements(0).await.unwrap();
        assert_eq!(asked.len(), 2);
        let plain = asked.iter().find(|it| it.document == "{}").unwrap().number;
        let wanted = Claim { worker: "w", meets: &[plain], most: 9, lease: LEASE, only: None };
        let got = store.claim(&wanted).await.unwrap();
        assert_eq!(got.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["plain"]);
        // What nobody asks any more is not told.
        store.finish(&[end(&got[0], "done")]).await.unwrap();
        assert_eq!(store.requirements(0).await.unwrap().len(), 1);
    }

    async fn what_nobody_took_is_told_again(place) {
        let store = place.open().await;
        store.submit(&[NewJob { pool: "far".to_owned(), priority: 7, ..job("one") }]).await.unwrap();
        let soon = SweepRules { announce_after: Duration::from_secs(1), ..rules() };
        assert!(store.sweep(&soon).await.unwrap().forgotten.is_empty());
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let forgotten = store.sweep(&soon).await.unwrap().forgotten;
        assert_eq!(forgotten.len(), 1);
        assert_eq!((forgotten[0].pool.as_str(), forgotten[0].priority), ("far", 7));
        assert!(store.sweep(&soon).await.unwrap().forgotten.is_empty());
        assert_eq!(store.waiting().await.unwrap(), [("far".to_owned(), 1)]);
    }

    async fn many_workers_do_many_jobs_once_each(place) {
        let store = place.open().await;
        let jobs: Vec<_> = (0..600).map(|number| job(&format!("job-{number}"))).collect();
        for batch in jobs.chunks(100) {
            store.submit(batch).await.unwrap();
        }
        let workers = (0..4).map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let worker = format!("w{number}");
                let mut done = Vec::new();
                loop {
                    let got = claim(&store, &worker, 17, LEASE).await;
                    if got.is_empty() {
                        return done;
                    }
                    let ends: Vec<_> = got.iter().map(|job| end(job, &job.id)).collect();
                    assert!(store.finish(&ends).await.unwrap().into_iter().all(|it| it));
                    done.extend(got.into_iter().map(|job| job.id));
                }
            })
        });
        let mut done = Vec::new();
        for worker in workers.collect::<Vec<_>>() {
            done.extend(worker.await.unwrap());
        }
        assert_eq!(done.len(), 600);
        assert_eq!(done.iter().collect::<BTreeSet<_>>().len(), 600);
        let census = store.census().await.unwrap();
        assert_eq!(census, [("default".to_owned(), JobState::Completed, 600)]);
    }

    async fn long_results_read_back_as_they_were(place) {
        let store = place.open().await;
        store.submit(&[job("long"), job("short")]).await.unwrap();
        let got = claim(&store, "w", 2, LEASE).await;
        let long = "ünïcode \u{1F980} \"quotes\" \\ ".repeat(40_000);
        let results = [long.as_str(), "{\"a\":\"\\u0000 is written so\"}"];
        let ends: Vec<_> = got.iter().zip(results).map(|(job, text)| end(job, text)).collect();
        store.finish(&ends).await.unwrap();
        for (job, result) in got.iter().zip(results) {
            assert_eq!(store.result(&job.id).await.unwrap().as_deref(), Some(result));
        }
    }

    async fn events_follow_one_another(place) {
        let store = place.open().await;
        store.submit(&[job("one"), job("two")]).await.unwrap();
        let got = claim(&store, "w", 2, LEASE).await;
        let tell = |index: usize, text: &str| (got[index].id.clone(), got[index].fence, text.to_owned());
        store.tell(&[tell(0, "a"), tell(1, "x"), tell(0, "b")]).await.unwrap();
        store.tell(&[tell(0, "c")]).await.unwrap();
        let told = store.events(&got[0].id, 0, 10).await.unwrap();
        let told: Vec<_> = told.iter().map(|it| (it.sequence, it.document.as_str())).collect();
        assert_eq!(told, [(1, "a"), (2, "b"), (3, "c")]);
        assert_eq!(store.events(&got[0].id, 2, 10).await.unwrap().len(), 1);
        assert_eq!(store.events(&got[1].id, 0, 10).await.unwrap().len(), 1);
    }

    async fn pages_go_on_where_they_ended(place) {
        let store = place.open().await;
        for number in 0..25 {
            let namespace = if number % 5 == 0 { "odd" } else { "default" };
            let sent = NewJob { namespace: namespace.to_owned(), ..job(&format!("job-{number}")) };
            store.submit(&[sent]).await.unwrap();
        }
        let mut filter = JobFilter {
            namespaces: Some(vec!["default".to_owned()]),
            most: 8,
            ..JobFilter::default()
        };
        let mut found = Vec::new();
        loop {
            let page = store.jobs(&filter).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.before = Some(last.number);
            found.extend(page.into_iter().map(|job| job.id));
        }
        assert_eq!((found.len(), found[0].as_str(), found[19].as_str()), (20, "job-24", "job-1"));
        let none = JobFilter { namespaces: Some(vec![]), most: 8, ..JobFilter::default() };
        assert!(store.jobs(&none).await.unwrap().is_empty(), "no namespace is none, not all");
        let states = Some(vec![JobState::Completed]);
        let none = JobFilter { states, most: 8, ..JobFilter::default() };
        assert!(store.jobs(&none).await.unwrap().is_empty());
    }

    async fn what_is_over_is_forgotten_with_all_that_hangs_on_it(place) {
        let store = place.open().await;
        store.submit(&[job("old"), job("waiting")]).await.unwrap();
        let got = claim(&store, "w", 1, LEASE).await;
        store.finish(&[end(&got[0], "done")]).await.unwrap();
        assert_eq!(store.forget_jobs(Duration::from_secs(60), 10).await.unwrap(), 0);
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(store.forget_jobs(Duration::from_millis(5), 10).await.unwrap(), 1);
        assert!(store.job("old").await.unwrap().is_none());
        assert!(store.result("old").await.unwrap().is_none());
        assert!(store.job("waiting").await.unwrap().is_some());
    }

    async fn what_is_no_job_is_kept_with_its_reason(place) {
        let store = place.open().await;
        let letter = NewLetter {
            source: "redis".to_owned(),
            reason: "it is no JSON".to_owned(),
            body: vec![0, 159, 146, 150],
        };
        let number = store.bury(&letter).await.unwrap();
        let letters = store.letters(0, 10).await.unwrap();
        assert_eq!((letters.len(), &letters[0].letter), (1, &letter));
        assert!(store.discard_letter(number).await.unwrap());
        assert!(!store.discard_letter(number).await.unwrap());
    }

    async fn a_nul_is_refused(place) {
        let store = place.open().await;
        let refused = store.submit(&[NewJob { envelope: "\0".to_owned(), ..job("one") }]).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
}
