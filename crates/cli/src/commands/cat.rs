//! `fathom cat`.

use crate::args::Paths;
use crate::exit::{Each, Failure, Verdict};
use crate::hash::for_each_chunk;
use crate::machine::{Machine, guest_path};
use crate::output::Out;

pub(crate) fn run(options: &Paths) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.source)?;
    let tree = machine.files(&options.on)?;
    let mut out = Out::new();
    let mut each = Each::of(options.paths.len());
    for path in &options.paths {
        let outcome = tree.open(guest_path(path)).map_err(Failure::from);
        each.note(outcome.and_then(|file| for_each_chunk(&*file, &mut |bytes| out.bytes(bytes))))?;
    }
    out.finish()?;
    each.verdict(false)
}
