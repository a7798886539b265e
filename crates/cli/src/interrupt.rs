//! Ctrl-C: a command that has something half written stops at the next convenient place and removes
//! it; any other ends at once, even while it waits for a server or derives a key.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::exit::Failure;

/// The exit code of an interrupted command.
pub(crate) const CODE: u8 = 11;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static HALF_WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// Starts to watch for interruption. A second one ends the process at once.
pub(crate) fn watch() {
    let handler = || {
        let again = INTERRUPTED.swap(true, Ordering::SeqCst);
        if again || HALF_WRITTEN.load(Ordering::SeqCst) == 0 {
            // It stays locked: nobody else changes what is removed.
            let leftovers = LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(remove) = &*leftovers {
                remove();
            }
            crate::exit::tell("interrupted");
            std::process::exit(CODE.into());
        }
    };
    // Where no handler can be set, the signal ends the process as it always did.
    let _ = ctrlc::set_handler(handler);
}

/// Fails if the user has interrupted the command.
pub(crate) fn check() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::SeqCst) { Err(Failure::Interrupted) } else { Ok(()) }
}

/// How what is half written is removed by whoever interrupts.
type Remove = dyn Fn() + Send;

static LEFTOVERS: Mutex<Option<Box<Remove>>> = Mutex::new(None);

/// While this lives, something half written is removed when the process is interrupted, which then
/// ends at once: for work that has no place at which it could look whether it is.
pub(crate) struct Leftovers(());

impl Leftovers {
    /// Says how to remove what is about to be written.
    pub(crate) fn of(remove: impl Fn() + Send + 'static) -> Self {
        *LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(remove));
        Self(())
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        *LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// While this lives, something half written must be removed before the process ends.
pub(crate) struct HalfWritten(());

impl HalfWritten {
    /// Says that something is about to be written.
    pub(crate) fn begin() -> Self {
        HALF_WRITTEN.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for HalfWritten {
    fn drop(&mut self) {
        HALF_WRITTEN.fetch_sub(1, Ordering::SeqCst);
    }
}
