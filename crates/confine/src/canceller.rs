//! Ending a child from another thread.

use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Ends what was started with it, from any thread, at once and for good. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Canceller(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    children: Mutex<Vec<Weak<Mutex<Child>>>>,
}

impl Canceller {
    /// One that has not been used.
    pub fn new() -> Self {
        Self::default()
    }

    /// Kills the children that were started with it; those that will be are not started at all.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        let children = self.0.children.lock().unwrap_or_else(PoisonError::into_inner);
        for child in children.iter().filter_map(Weak::upgrade) {
            kill(&child);
        }
    }

    /// Whether it has been used.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Takes a child in charge.
    pub(crate) fn watch(&self, child: &Arc<Mutex<Child>>) {
        let mut children = self.0.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(child));
        drop(children);
        // It may have been used in between.
        if self.is_cancelled() {
            kill(child);
        }
    }
}

/// Kills a child that has not been reaped; of one that has, nothing is left to kill.
pub(crate) fn kill(child: &Mutex<Child>) {
    let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
}
