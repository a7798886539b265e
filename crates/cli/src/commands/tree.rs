//! `fathom tree`.

use fathom_filesystem::{FileType, Found, Tree};

use super::entry::Entry;
use crate::args::TreeOptions;
use crate::exit::{Failure, Verdict, warn};
use crate::interrupt;
use crate::machine::{Machine, guest_path};
use crate::output::Out;
use crate::text;

/// How deep a drawing goes; nobody reads further, and an image may nest without end.
const MAX_DEPTH: usize = 256;

pub(crate) fn run(options: &TreeOptions) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.source)?;
    let tree = machine.tree(&options.on)?;
    let mut out = Out::new();
    let mut partial = false;
    if options.output.is_json() {
        let mut entries = Vec::new();
        for path in &options.paths {
            let start = guest_path(path);
            for step in tree.walk(start)? {
                interrupt::check()?;
                partial |= step.problem.is_some() || step.metadata.is_err();
                let depth = depth(start, &step.path);
                if options.depth.is_none_or(|limit| depth <= limit) {
                    entries.push(Entry::of_step(&step));
                }
            }
        }
        out.json(&entries)?;
    } else {
        let limit = options.depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH);
        let mut drawing = Drawing { tree: &tree, out: &mut out, partial: false, limit };
        for path in &options.paths {
            let path = guest_path(path);
            drawing.out.line(text::name(path))?;
            drawing.draw(&tree.resolve(path, true)?, "", 0)?;
        }
        partial = drawing.partial;
    }
    out.finish()?;
    Ok(if partial { Verdict::Partial } else { Verdict::Done })
}

fn depth(start: &[u8], path: &[u8]) -> usize {
    let slashes = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count();
    let base = if start.ends_with(b"/") { slashes(start) - 1 } else { slashes(start) };
    if path == start { 0 } else { slashes(path).saturating_sub(base) }
}

struct Drawing<'a> {
    tree: &'a Tree,
    out: &'a mut Out,
    partial: bool,
    limit: usize,
}

impl Drawing<'_> {
    fn draw(&mut self, directory: &Found, indent: &str, level: usize) -> Result<(), Failure> {
        interrupt::check()?;
        if level >= self.limit {
            return Ok(());
        }
        let (children, problem) = self.tree.children_of(directory);
        if let Some(problem) = problem {
            warn(&problem);
            self.partial = true;
        }
        for (index, (name, found)) in children.iter().enumerate() {
            let last = index + 1 == children.len();
            let (knee, next) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let shown = text::name(name);
            match found.metadata() {
                Ok(metadata) if metadata.file_type == FileType::Directory => {
                    self.out.line(format!("{indent}{knee}{shown}/"))?;
                    self.draw(found, &format!("{indent}{next}"), level + 1)?;
                }
                Ok(metadata) if metadata.file_type == FileType::Symlink => {
                    let target = found.read_link().unwrap_or_else(|_| b"?".to_vec());
                    self.out.line(format!("{indent}{knee}{shown} -> {}", text::name(&target)))?;
                }
                Ok(_) => self.out.line(format!("{indent}{knee}{shown}"))?,
                Err(error) => {
                    warn(&error.within(&shown));
                    self.partial = true;
                    self.out.line(format!("{indent}{knee}{shown} [cannot be read]"))?;
                }
            }
        }
        Ok(())
    }
}
