//! The end of what a child says on standard error.

use std::collections::VecDeque;
use std::io::Read;
use std::process::ChildStderr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How many bytes are kept.
const KEPT: usize = 4 << 10;

/// How long a pipe is waited for whose other end should be closed.
const PATIENCE: Duration = Duration::from_millis(500);

/// Reads all of it, however much it is, and keeps the end.
#[derive(Debug)]
pub(crate) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    ended: Receiver<()>,
}

impl Tail {
    pub(crate) fn of(mut stderr: ChildStderr) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::with_capacity(KEPT)));
        let (end, ended) = channel();
        let into = Arc::clone(&kept);
        thread::spawn(move || {
            let mut buffer = [0; KEPT];
            while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&buffer[..count]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
            let _ = end.send(());
        });
        Self { kept, ended }
    }

    /// What was kept, as text that no terminal obeys. The child should have ended.
    pub(crate) fn text(&self) -> String {
        let _ = self.ended.recv_timeout(PATIENCE);
        let bytes: Vec<u8> =
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let plain = |c: char| match c {
            '\n' => '\n',
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                '\u{fffd}'
            }
            c => c,
        };
        String::from_utf8_lossy(&bytes).trim().chars().map(plain).collect()
    }
}
