//! `fathom tree`.

use std::collections::HashSet;
use std::sync::Arc;

use fathom_block::Error;
use fathom_filesystem::{FileType, Found, NodeId, Tree};

use super::entry::Entry;
use crate::args::TreeOptions;
use crate::exit::{Failure, Verdict, warn};
use crate::interrupt;
use crate::machine::{Machine, guest_path};
use crate::output::{JsonArray, Out};
use crate::text;

/// How deep a drawing goes; nobody reads further, and an image may nest without end.
const MAX_DEPTH: usize = 256;

pub(crate) fn run(options: &TreeOptions) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.source)?;
    let tree = machine.tree(&options.on)?;
    let mut out = Out::new();
    let mut partial = false;
    if options.output.is_json() {
        let mut array = JsonArray::default();
        for path in &options.paths {
            let start = guest_path(path);
            let mut walk = tree.walk(start)?;
            if let Some(depth) = options.depth {
                walk = walk.max_depth(depth);
            }
            for step in walk {
                interrupt::check()?;
                if let Some(problem) = step.metadata.as_ref().err().or(step.problem.as_ref()) {
                    warn(problem);
                    partial = true;
                }
                array.item(&mut out, &Entry::of_step(&step))?;
            }
        }
        array.finish(&mut out)?;
    } else {
        let entered = HashSet::new();
        let limit = options.depth;
        let mut drawing = Drawing { tree: &tree, out: &mut out, partial: false, limit, entered };
        for path in &options.paths {
            let path = guest_path(path);
            drawing.out.line(text::name(path))?;
            drawing.entered.clear();
            drawing.draw(path, &tree.resolve(path, true)?, "", 0)?;
        }
        partial = drawing.partial;
    }
    out.finish()?;
    Ok(if partial { Verdict::Partial } else { Verdict::Done })
}

struct Drawing<'a> {
    tree: &'a Tree,
    out: &'a mut Out,
    partial: bool,
    limit: Option<usize>,
    /// The directories that were drawn, by filesystem and node.
    entered: HashSet<(usize, NodeId)>,
}

impl Drawing<'_> {
    fn draw(
        &mut self,
        path: &[u8],
        directory: &Found,
        indent: &str,
        level: usize,
    ) -> Result<(), Failure> {
        interrupt::check()?;
        if self.limit.is_some_and(|limit| level >= limit) {
            return Ok(());
        }
        if level >= MAX_DEPTH {
            let why = format!("directories nested deeper than {MAX_DEPTH} are not drawn");
            self.note(&Error::unsupported(text::name(path), why));
            return Ok(());
        }
        // A directory has one place; one in several would make a drawing without end.
        let identity = (Arc::as_ptr(&directory.filesystem).cast::<()>() as usize, directory.node);
        if !self.entered.insert(identity) {
            let why = "the directory contains itself, or is in two places";
            self.note(&Error::corrupt(text::name(path), 0, why));
            return Ok(());
        }
        let (children, problem) = self.tree.children_of(directory);
        if let Some(problem) = problem {
            self.note(&problem.within(text::name(path)));
        }
        for (index, (name, found)) in children.iter().enumerate() {
            let last = index + 1 == children.len();
            let (knee, next) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let shown = text::name(name);
            match found.metadata() {
                Ok(metadata) if metadata.file_type == FileType::Directory => {
                    self.out.line(format!("{indent}{knee}{shown}/"))?;
                    let path = [path.strip_suffix(b"/").unwrap_or(path), b"/", name].concat();
                    self.draw(&path, found, &format!("{indent}{next}"), level + 1)?;
                }
                Ok(metadata) if metadata.file_type == FileType::Symlink => {
                    let target = found.read_link().unwrap_or_else(|_| b"?".to_vec());
                    self.out.line(format!("{indent}{knee}{shown} -> {}", text::name(&target)))?;
                }
                Ok(_) => self.out.line(format!("{indent}{knee}{shown}"))?,
                Err(error) => {
                    self.note(&error.within(&shown));
                    self.out.line(format!("{indent}{knee}{shown} [cannot be read]"))?;
                }
            }
        }
        Ok(())
    }

    /// What kept a part from being drawn.
    fn note(&mut self, problem: &Error) {
        warn(problem);
        self.partial = true;
    }
}
