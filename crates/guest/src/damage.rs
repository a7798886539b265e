//! How much damage of one database is put up with.

use std::ops::ControlFlow;

use fathom_block::Error;

/// How many things may be wrong with a database until the rest of it is given up.
const MAX_DAMAGE: usize = 64;

/// What was wrong with a database so far.
#[derive(Default)]
pub(crate) struct Damage(usize);

impl Damage {
    /// Tells what is wrong with a part of `what`. Breaks off where whoever listens does, and where it
    /// is too much, which is told too.
    pub(crate) fn tell(
        &mut self,
        error: Error,
        what: &str,
        mut listen: impl FnMut(Error) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.0 += 1;
        listen(error)?;
        if self.0 < MAX_DAMAGE {
            return ControlFlow::Continue(());
        }
        let why = format!("{MAX_DAMAGE} things were wrong with it; the rest is not read");
        let _ = listen(Error::corrupt(what, 0, why));
        ControlFlow::Break(())
    }
}
