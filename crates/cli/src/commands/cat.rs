//! `fathom cat`.

use crate::args::Paths;
use crate::exit::{Failure, Verdict};
use crate::hash::for_each_chunk;
use crate::machine::{Machine, guest_path};
use crate::output::Out;

pub(crate) fn run(options: &Paths) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.source)?;
    let tree = machine.tree(&options.on)?;
    let mut out = Out::new();
    for path in &options.paths {
        let file = tree.open(guest_path(path))?;
        for_each_chunk(&*file, &mut |bytes| out.bytes(bytes))?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}
