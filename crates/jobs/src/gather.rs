//! Many who each want one thing written, written together.
//!
//! A commit costs as much for a hundred as for one. While one batch is being written the next
//! gathers; nobody waits for others to come.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};

/// The door to what writes in batches. Cheap to clone; ends with its last clone.
pub struct Gather<T, R> {
    door: mpsc::Sender<(T, oneshot::Sender<R>)>,
}

impl<T, R> Clone for Gather<T, R> {
    fn clone(&self) -> Self {
        Self { door: self.door.clone() }
    }
}

impl<T: Send + 'static, R: Send + 'static> Gather<T, R> {
    /// Gathers up to `most` at a time for `write`, which answers each of them in order.
    pub fn new<F, W>(most: usize, mut write: W) -> Self
    where
        F: Future<Output = Vec<R>> + Send,
        W: FnMut(Vec<T>) -> F + Send + 'static,
    {
        let (door, mut waiting) = mpsc::channel::<(T, oneshot::Sender<R>)>(most.max(1) * 2);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(most);
            while waiting.recv_many(&mut batch, most.max(1)).await > 0 {
                let (things, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
                for (done, answer) in write(things).await.into_iter().zip(answers) {
                    // Whoever does not wait any more is not told.
                    let _ = answer.send(done);
                }
            }
        });
        Self { door }
    }

    /// Has it written, and says what came of it; nothing where the writer is gone.
    pub async fn ask(&self, thing: T) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        self.door.send((thing, answer)).await.ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::Gather;

    #[tokio::test]
    async fn many_are_written_in_few_batches_each_with_its_own_answer() {
        let batches = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&batches);
        let gather = Gather::new(64, move |numbers: Vec<u32>| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                numbers.into_iter().map(|number| number * 2).collect()
            }
        });
        let asked = (0..200_u32).map(|number| {
            let gather = gather.clone();
            tokio::spawn(async move { (number, gather.ask(number).await) })
        });
        for one in asked.collect::<Vec<_>>() {
            let (number, answer) = one.await.unwrap();
            assert_eq!(answer, Some(number * 2));
        }
        assert!(batches.load(Ordering::Relaxed) < 20, "{batches:?}");
    }
}
