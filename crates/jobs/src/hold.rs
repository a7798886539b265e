//! A worker's hold on its jobs: it claims them, says that they are worked at, and ends them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use fathom_store::{
    Beat, Beaten, Claim, Claimed, Completion, Error, Finish, Store, Time, Worker, WorkerState,
};
use tokio::sync::watch;

use crate::gather::Gather;
use crate::requirement::Requirement;
use crate::worker::WorkerDescription;

/// How many jobs are ended in one transaction at most.
const BATCH: usize = 256;
/// How long what jobs ask for may go unread: others may have written it in another order than its
/// numbers.
const RELOAD: Duration = Duration::from_secs(10);

/// What whoever works at a job should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Go on.
    Held,
    /// Stop: it was called off.
    Cancelled,
    /// Stop: the job is somebody else's, and nothing that is said about it counts any more.
    Lost,
}

/// A job that was got.
#[derive(Debug)]
pub struct Taken {
    /// The job.
    pub job: Claimed,
    /// What is heard of it meanwhile.
    pub holding: watch::Receiver<Holding>,
    /// When the store was asked for it, and when it answered, by the clock of this machine.
    pub asked: (SystemTime, SystemTime),
}

/// A worker's hold on its jobs. Cheap to clone.
#[derive(Clone)]
pub struct Hold {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    description: WorkerDescription,
    lease: Duration,
    held: Mutex<HashMap<String, Held>>,
    met: Mutex<Met>,
    finish: Gather<Completion, Result<bool, String>>,
}

struct Held {
    fence: i64,
    signal: watch::Sender<Holding>,
    /// When the store last said that it is ours.
    sure: Instant,
}

/// Which requirements this worker meets, as far as they were read.
struct Met {
    numbers: Vec<i64>,
    read_to: i64,
    read_at: Option<Instant>,
}

impl Hold {
    /// Registers the worker. Needs a runtime of tokio around it.
    pub async fn register(
        store: Store,
        description: WorkerDescription,
        lease: Duration,
    ) -> Result<Self, Error> {
        let writer = store.clone();
        let finish = Gather::new(BATCH, move |completions: Vec<Completion>| {
            let store = writer.clone();
            async move {
                match store.finish(&completions).await {
                    Ok(accepted) => accepted.into_iter().map(Ok).collect(),
                    Err(error) => completions.iter().map(|_| Err(error.to_string())).collect(),
                }
            }
        });
        let hold = Self {
            inner: Arc::new(Inner {
                store,
                description,
                lease,
                held: Mutex::default(),
                met: Mutex::new(Met { numbers: Vec::new(), read_to: 0, read_at: None }),
                finish,
            }),
        };
        hold.announce(WorkerState::Ready).await?;
        Ok(hold)
    }

    /// What the worker says of itself.
    pub fn description(&self) -> &WorkerDescription {
        &self.inner.description
    }

    /// How many jobs it has.
    pub fn count(&self) -> usize {
        self.held().len()
    }

    /// Takes jobs on, the most urgent first; of `only` those where a broker has told of them.
    pub async fn claim(&self, most: u32, only: Option<&[String]>) -> Result<Vec<Taken>, Error> {
        let Inner { store, description, lease, .. } = &*self.inner;
        let meets = self.meets().await?;
        let claim =
            Claim { worker: &description.worker_id, meets: &meets, most, lease: *lease, only };
        // Of what is got the lease runs from before it was asked for.
        let (sure, asked) = (Instant::now(), SystemTime::now());
        let claimed = store.claim(&claim).await?;
        let asked = (asked, SystemTime::now());
        let mut held = self.held();
        Ok(claimed
            .into_iter()
            .map(|job| {
                let (signal, holding) = watch::channel(Holding::Held);
                held.insert(job.id.clone(), Held { fence: job.fence, signal, sure });
                Taken { job, holding, asked }
            })
            .collect())
    }

    /// Ends a try. False where it does not count, since the job is not ours any more. Goes on trying
    /// while the store cannot be asked and the job is still ours.
    pub async fn finish(&self, job: &Claimed, finish: Finish) -> bool {
        let completion = Completion { job: job.id.clone(), fence: job.fence, finish };
        let mut pause = Duration::from_millis(50);
        let accepted = loop {
            match self.inner.finish.ask(completion.clone()).await {
                Some(Ok(accepted)) => break accepted,
                None => break false,
                Some(Err(_)) if self.is_over(job) => break false,
                Some(Err(_)) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        };
        self.let_go(job);
        accepted
    }

    /// Whether the store has a job as ours, by this fence, and not as called off.
    pub async fn is_held(&self, job: &str, fence: i64) -> Result<bool, Error> {
        self.inner.store.is_held(job, fence).await
    }

    /// Forgets a job that is somebody else's by now.
    pub fn let_go(&self, job: &Claimed) {
        let mut held = self.held();
        if held.get(&job.id).is_some_and(|it| it.fence == job.fence) {
            held.remove(&job.id);
        }
    }

    /// Says that the worker lives and which jobs it works at, and passes on what the store says of
    /// them. To be called several times a lease.
    pub async fn beat(&self, draining: bool) -> Result<(), Error> {
        let beats: Vec<Beat> = self
            .held()
            .iter()
            .map(|(job, held)| Beat { job: job.clone(), fence: held.fence })
            .collect();
        let asked = Instant::now();
        let beaten = self.inner.store.beat(&beats, self.inner.lease).await;
        self.note(&beats, &beaten, asked);
        beaten?;
        let busy = beats.len() >= self.inner.description.configuration.concurrency as usize;
        let state = match (draining, busy) {
            (true, _) => WorkerState::Draining,
            (false, true) => WorkerState::Busy,
            (false, false) => WorkerState::Ready,
        };
        let id = &self.inner.description.worker_id;
        let count = i64::try_from(beats.len()).unwrap_or(i64::MAX);
        if !self.inner.store.greet(id, state, count).await? {
            self.announce(state).await?;
        }
        Ok(())
    }

    /// Says goodbye: what it still has is given back for others.
    pub async fn leave(&self) -> Result<(), Error> {
        let completions: Vec<Completion> = self
            .held()
            .drain()
            .map(|(job, held)| Completion {
                job,
                fence: held.fence,
                finish: Finish::GiveBack { after: Duration::ZERO },
            })
            .collect();
        self.inner.store.finish(&completions).await?;
        self.inner.store.greet(&self.inner.description.worker_id, WorkerState::Offline, 0).await?;
        Ok(())
    }

    /// Records how far jobs have come.
    pub async fn tell(&self, events: &[(String, i64, String)]) -> Result<(), Error> {
        self.inner.store.tell(events).await
    }

    fn note(&self, beats: &[Beat], beaten: &Result<Vec<Beaten>, Error>, asked: Instant) {
        let mut held = self.held();
        match beaten {
            Ok(beaten) => {
                for (beat, beaten) in beats.iter().zip(beaten) {
                    // It may have ended, and even come again, meanwhile.
                    let Some(it) = held.get_mut(&beat.job).filter(|it| it.fence == beat.fence)
                    else {
                        continue;
                    };
                    match beaten {
                        Beaten::Held => it.sure = asked,
                        Beaten::Cancel => {
                            it.sure = asked;
                            it.signal.send_replace(Holding::Cancelled);
                        }
                        Beaten::Lost => {
                            it.signal.send_replace(Holding::Lost);
                        }
                    }
                }
            }
            // Whoever cannot say that it lives is taken for dead when the lease is over.
            Err(_) => {
                for it in held.values_mut().filter(|it| it.sure.elapsed() > self.inner.lease) {
                    it.signal.send_replace(Holding::Lost);
                }
            }
        }
    }

    fn is_over(&self, job: &Claimed) -> bool {
        self.held()
            .get(&job.id)
            .is_none_or(|it| it.fence != job.fence || it.sure.elapsed() > self.inner.lease)
    }

    /// The requirements that this worker meets.
    async fn meets(&self) -> Result<Vec<i64>, Error> {
        let after = {
            let met = self.met();
            let stale = met.read_at.is_none_or(|at| at.elapsed() > RELOAD);
            if stale { 0 } else { met.read_to }
        };
        let asked = self.inner.store.requirements(after).await?;
        let mut met = self.met();
        if after == 0 {
            met.numbers.clear();
            met.read_at = Some(Instant::now());
        }
        for one in asked {
            met.read_to = met.read_to.max(one.number);
            let meets = Requirement::parse(&one.document)
                .is_some_and(|it| it.unmet(&self.inner.description).is_empty());
            if meets && !met.numbers.contains(&one.number) {
                met.numbers.push(one.number);
            }
        }
        Ok(met.numbers.clone())
    }

    async fn announce(&self, state: WorkerState) -> Result<(), Error> {
        let description = &self.inner.description;
        let worker = Worker {
            id: description.worker_id.clone(),
            pool: description.configuration.pool.clone(),
            version: description.version.clone(),
            document: serde_json::to_string(description).unwrap_or_default(),
            state,
            current_jobs: i64::try_from(self.count()).unwrap_or(i64::MAX),
            registered_at: Time(0),
            heartbeat_at: Time(0),
        };
        self.inner.store.register(&worker).await
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<String, Held>> {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn met(&self) -> std::sync::MutexGuard<'_, Met> {
        self.inner.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
