//! Sends spans on, from a thread of its own. Whoever ends a span never waits for it: what does not fit
//! into the queue is dropped and counted.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tracing::{info, warn};

use crate::otlp::{Resource, request};
use crate::span::Span;

/// The most spans that wait.
const WAITING: usize = 8192;
/// The most spans that are sent at once.
const BATCH: usize = 512;
/// How long spans gather.
const PAUSE: Duration = Duration::from_secs(1);
/// How long to wait at most before who collects them is asked again.
const LONGEST: Duration = Duration::from_secs(30);

/// How sending went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// They were taken.
    Taken,
    /// They were not, and never will be.
    Refused(String),
    /// Nobody took them; somebody may later.
    Away(String),
}

/// Sends a request to who collects spans.
pub type Post = dyn FnMut(&[u8]) -> Sending + Send;

/// Sends spans on.
#[derive(Debug)]
pub struct Exporter {
    queue: Arc<Queue>,
    ended: Mutex<mpsc::Receiver<()>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
    spans: Family<Became, Counter>,
}

#[derive(Debug, Default)]
struct Waiting {
    spans: VecDeque<Span>,
    ending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Became {
    status: &'static str,
}

impl Exporter {
    /// Sends by `post`, until it is ended. What becomes of spans `registry` tells.
    pub fn start(
        resource: Resource,
        mut post: Box<Post>,
        registry: &mut Registry,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        queue.count("sent", 0);
        queue.count("dropped", 0);
        registry.register(
            "fathom_traces_spans",
            "Spans that ended, by whether they could be sent on",
            queue.spans.clone(),
        );
        let (end, ended) = mpsc::channel();
        let worked = Arc::clone(&queue);
        std::thread::Builder::new().name("traces".to_owned()).spawn(move || {
            worked.work(&resource, &mut *post);
            // Nobody may wait for it any more.
            let _ = end.send(());
        })?;
        Ok(Self { queue, ended: Mutex::new(ended) })
    }

    pub(crate) fn take(&self, span: Span) {
        let mut waiting = self.queue.lock();
        if waiting.ending || waiting.spans.len() >= WAITING {
            drop(waiting);
            self.queue.count("dropped", 1);
            return;
        }
        waiting.spans.push_back(span);
        if waiting.spans.len() == BATCH {
            self.queue.bell.notify_one();
        }
    }

    /// Sends what is left, for so long at most, and takes nothing more.
    pub fn end(&self, patience: Duration) {
        self.queue.lock().ending = true;
        self.queue.bell.notify_one();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // What is not sent by then is lost with the process.
        let _ = ended.recv_timeout(patience);
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, status: &'static str, spans: usize) {
        self.spans.get_or_create(&Became { status }).inc_by(spans as u64);
    }

    /// Waits for so long, or until `enough`.
    fn wait(&self, pause: Duration, enough: impl Fn(&Waiting) -> bool) -> MutexGuard<'_, Waiting> {
        let waiting = self.lock();
        let waited = self.bell.wait_timeout_while(waiting, pause, |waiting| !enough(waiting));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn work(&self, resource: &Resource, post: &mut Post) {
        let mut well = true;
        loop {
            let (batch, ending) = {
                let mut waiting = self.wait(PAUSE, |it| it.ending || it.spans.len() >= BATCH);
                let most = waiting.spans.len().min(BATCH);
                (waiting.spans.drain(..most).collect::<Vec<_>>(), waiting.ending)
            };
            if batch.is_empty() {
                if ending {
                    return;
                }
                continue;
            }
            if !self.send(&request(resource, &batch), batch.len(), post, &mut well) {
                let mut waiting = self.lock();
                self.count("dropped", waiting.spans.len());
                waiting.spans.clear();
                return;
            }
        }
    }

    /// Sends a batch, as often as it takes. False where that is for nothing, and it ends.
    fn send(&self, request: &[u8], spans: usize, post: &mut Post, well: &mut bool) -> bool {
        let mut pause = PAUSE;
        loop {
            match post(request) {
                Sending::Taken => {
                    self.count("sent", spans);
                    if !*well {
                        *well = true;
                        info!("traces are sent again");
                    }
                    return true;
                }
                Sending::Refused(why) => {
                    self.count("dropped", spans);
                    warn!(why, "traces were refused");
                    return true;
                }
                Sending::Away(why) => {
                    if *well {
                        *well = false;
                        warn!(why, "traces cannot be sent, and are tried again");
                    }
                    if self.wait(pause, |it| it.ending).ending {
                        self.count("dropped", spans);
                        return false;
                    }
                    pause = (pause * 2).min(LONGEST);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::field::Fields;
    use crate::span::Open;

    fn resource() -> Resource {
        Resource { service: "test".to_owned(), version: "1", instance: "here".to_owned() }
    }

    fn span() -> Span {
        Open::begin(None, Fields::default(), 1.0).end("span")
    }

    fn count(exporter: &Exporter, status: &'static str) -> u64 {
        exporter.queue.spans.get_or_create(&Became { status }).get()
    }

    #[test]
    fn what_is_left_is_sent_at_the_end() {
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&requests);
        let post = move |_: &[u8]| {
            seen.fetch_add(1, Ordering::SeqCst);
            Sending::Taken
        };
        let exporter =
            Exporter::start(resource(), Box::new(post), &mut Registry::default()).unwrap();
        (0..1000).for_each(|_| exporter.take(span()));
        exporter.end(Duration::from_secs(20));
        assert_eq!((count(&exporter, "sent"), count(&exporter, "dropped")), (1000, 0));
        assert!(requests.load(Ordering::SeqCst) >= 2);
        exporter.take(span());
        assert_eq!(count(&exporter, "dropped"), 1);
    }

    #[test]
    fn who_is_away_holds_nobody_up() {
        let post = |_: &[u8]| Sending::Away("nobody is there".to_owned());
        let exporter =
            Exporter::start(resource(), Box::new(post), &mut Registry::default()).unwrap();
        let began = Instant::now();
        let all = WAITING + 3000;
        (0..all).for_each(|_| exporter.take(span()));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert!(count(&exporter, "dropped") >= 3000 - BATCH as u64);
        exporter.end(Duration::from_secs(20));
        assert_eq!((count(&exporter, "sent"), count(&exporter, "dropped")), (0, all as u64));
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn who_hangs_is_left_at_the_end() {
        let post = |_: &[u8]| {
            std::thread::sleep(Duration::from_secs(30));
            Sending::Taken
        };
        let exporter =
            Exporter::start(resource(), Box::new(post), &mut Registry::default()).unwrap();
        exporter.take(span());
        let began = Instant::now();
        exporter.end(Duration::from_secs(1));
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn what_is_refused_is_not_sent_again() {
        let mut first = true;
        let post = move |_: &[u8]| match std::mem::take(&mut first) {
            true => Sending::Refused("400".to_owned()),
            false => Sending::Taken,
        };
        let exporter =
            Exporter::start(resource(), Box::new(post), &mut Registry::default()).unwrap();
        exporter.take(span());
        while count(&exporter, "dropped") == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        exporter.take(span());
        exporter.end(Duration::from_secs(20));
        assert_eq!((count(&exporter, "sent"), count(&exporter, "dropped")), (1, 1));
    }
}
