//! A progress bar on a terminal, nothing elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar that is on the terminal, so that messages can be written beside it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How far long work has come. It is shown on standard error, if that is a terminal, once the work
/// has taken a moment.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Work on `total` bytes of `what`; on nobody knows how many, if that is `None`.
    pub(crate) fn new(what: &str, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{msg} {bytes}, {bytes_per_sec}",
        };
        Self::shown_as(what, total, template)
    }

    fn shown_as(what: &str, total: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(crate::text::harmless(what));
        bar.enable_steady_tick(Duration::from_millis(500));
        *shown() = Some(bar.clone());
        Self(bar)
    }

    /// Work on `total` pieces, `what`.
    pub(crate) fn counting(what: &str, total: usize) -> Self {
        let total = Some(total as u64);
        Self::shown_as(what, total, "[{bar:30}] {pos} of {len} {msg}, {eta} left")
    }

    /// Work of which so many of 100 parts are done.
    pub(crate) fn percent(what: &str) -> Self {
        Self::shown_as(what, Some(100), "{msg} [{bar:30}] {pos} %")
    }

    /// What is being done now.
    pub(crate) fn call(&self, what: &str) {
        self.0.set_message(crate::text::harmless(what));
    }

    /// So many more bytes or pieces are done.
    pub(crate) fn add(&self, count: u64) {
        self.0.inc(count);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *shown() = None;
        self.0.finish_and_clear();
    }
}

/// Writes on the terminal without tearing the bar.
pub(crate) fn beside(write: impl FnOnce()) {
    let bar = shown().clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn shown() -> std::sync::MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
