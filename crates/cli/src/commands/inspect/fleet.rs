//! Many machines, several at once; what they give is taken in their order, whatever the order in which
//! they are done.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::exit::Failure;

/// How many outcomes may wait for one that takes long, for each worker: reports are not small.
const WAITING: usize = 4;

/// Lets `jobs` workers `look` at the numbers up to `count`, and hands what they give to `take`, in
/// order. The first failure of `take` stops all.
pub(in crate::commands) fn in_order<T: Send>(
    count: usize,
    jobs: usize,
    look: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let jobs = jobs.clamp(1, count.max(1));
    if jobs == 1 {
        return (0..count).try_for_each(|index| take(index, look(index)));
    }
    let fleet = Fleet::new(count, jobs * WAITING);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(index) = fleet.next() {
                    fleet.done(index, look(index));
                }
            });
        }
        for index in 0..count {
            if let Err(failure) = take(index, fleet.take(index)) {
                fleet.stop();
                return Err(failure);
            }
        }
        Ok(())
    })
}

/// Who looks at what, and what came of it.
struct Fleet<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// How far ahead of what has been taken a worker may be.
    window: usize,
}

struct State<T> {
    next: usize,
    count: usize,
    taken: usize,
    done: BTreeMap<usize, T>,
}

impl<T> Fleet<T> {
    fn new(count: usize, window: usize) -> Self {
        let state = State { next: 0, count, taken: 0, done: BTreeMap::new() };
        Self { state: Mutex::new(state), changed: Condvar::new(), window }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next number to look at.
    fn next(&self) -> Option<usize> {
        let mut state = self.state();
        while state.next < state.count && state.next >= state.taken + self.window {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (state.next < state.count).then(|| {
            state.next += 1;
            state.next - 1
        })
    }

    fn done(&self, index: usize, outcome: T) {
        self.state().done.insert(index, outcome);
        self.changed.notify_all();
    }

    /// Waits for the outcome of this number. It has been handed to a worker, or will be: all before it
    /// have been taken.
    fn take(&self, index: usize) -> T {
        let mut state = self.state();
        loop {
            if let Some(outcome) = state.done.remove(&index) {
                state.taken = index + 1;
                self.changed.notify_all();
                return outcome;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing further is looked at.
    fn stop(&self) {
        self.state().count = 0;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn outcomes_come_in_order_and_none_runs_far_ahead() {
        let (taken, ahead) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let look = |index: usize| {
            ahead.fetch_max(index - taken.load(Ordering::SeqCst).min(index), Ordering::SeqCst);
            // The first takes long.
            std::thread::sleep(Duration::from_millis(if index == 0 { 100 } else { 0 }));
            index * 2
        };
        let mut seen = Vec::new();
        let take = |index: usize, outcome: usize| {
            seen.push((index, outcome));
            taken.store(index + 1, Ordering::SeqCst);
            Ok(())
        };
        in_order(100, 3, look, take).unwrap();
        assert!(seen.iter().enumerate().all(|(n, it)| *it == (n, n * 2)) && seen.len() == 100);
        assert!(ahead.load(Ordering::SeqCst) <= 3 * WAITING);
    }

    #[test]
    fn a_failure_to_take_stops_all() {
        let looked = AtomicUsize::new(0);
        let look = |_| looked.fetch_add(1, Ordering::SeqCst);
        let take = |index, _| if index == 2 { Err(Failure::Interrupted) } else { Ok(()) };
        assert!(in_order(1_000, 2, look, take).is_err());
        assert!(looked.load(Ordering::SeqCst) < 100);
        in_order(0, 4, |_| (), |_, ()| Ok(())).unwrap();
    }
}
