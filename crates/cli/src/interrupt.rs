//! Ctrl-C: the command stops at the next convenient place and removes what it had half written.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Starts to watch for interruption. A second one ends the process at once.
pub(crate) fn watch() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(11);
        }
    };
    // Where no handler can be set, the signal ends the process as it always did.
    let _ = ctrlc::set_handler(handler);
}

/// Fails if the user has interrupted the command.
pub(crate) fn check() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::SeqCst) { Err(Failure::Interrupted) } else { Ok(()) }
}
