//! Work that is done by several threads, with an outcome in order.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// No more threads than this: what they share is one disk.
const MAX_THREADS: usize = 16;

/// What `work` makes of each item, in the order of the items. It is given the place of the item too.
pub(crate) fn in_parallel<I: Sync, O: Send>(
    items: &[I],
    work: impl Fn(usize, &I) -> O + Sync,
) -> Vec<O> {
    let threads = std::thread::available_parallelism().map_or(2, NonZero::get);
    with_threads(threads.clamp(2, MAX_THREADS), items, &work)
}

fn with_threads<I: Sync, O: Send>(
    threads: usize,
    items: &[I],
    work: &(impl Fn(usize, &I) -> O + Sync),
) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(index, item)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others = threads.min(items.len()).saturating_sub(1);
        let others: Vec<_> = (0..others).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            match other.join() {
                Ok(theirs) => done.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [1, 2, 7] {
            let outcome = with_threads(threads, &items, &|index, item| {
                assert_eq!(index, *item);
                item * 2
            });
            assert_eq!(outcome, (0..1000).map(|item| item * 2).collect::<Vec<_>>());
            assert!(with_threads(threads, &[], &|_, item: &u8| *item).is_empty());
        }
    }
}
