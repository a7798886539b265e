//! `fathom tree`.

use fathom_filesystem::{FileType, Found, Tree};

use super::entry::{Entry, as_directory};
use crate::args::TreeOptions;
use crate::exit::{Each, Failure, Verdict, say, warn};
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
    let mut each = Each::of(options.paths.len());
    let depth = options.depth.unwrap_or(usize::MAX);
    if options.output.is_json() {
        let mut entries = Vec::new();
        let mut one = |path: &[u8]| {
            for step in tree.walk(&as_directory(&tree, path)?)?.max_depth(depth) {
                interrupt::check()?;
                partial |= step.problem.is_some() || step.metadata.is_err();
                entries.push(Entry::of_step(&step));
            }
            Ok(())
        };
        for path in &options.paths {
            each.note(one(guest_path(path)))?;
        }
        out.json(&entries)?;
    } else {
        let mut drawing = Drawing { tree: &tree, out: &mut out, partial: false, limit: depth };
        for path in &options.paths {
            each.note(drawing.start(guest_path(path)))?;
        }
        partial = drawing.partial;
    }
    out.finish()?;
    each.verdict(partial)
}

struct Drawing<'a> {
    tree: &'a Tree,
    out: &'a mut Out,
    partial: bool,
    limit: usize,
}

impl Drawing<'_> {
    fn start(&mut self, path: &[u8]) -> Result<(), Failure> {
        let found = self.tree.resolve(path, true)?;
        let is_directory = found.metadata()?.file_type == FileType::Directory;
        self.out.line(text::name(path))?;
        if is_directory { self.draw(&found, "", 0) } else { Ok(()) }
    }

    fn draw(&mut self, directory: &Found, indent: &str, level: usize) -> Result<(), Failure> {
        interrupt::check()?;
        if level >= self.limit {
            return Ok(());
        }
        if level >= MAX_DEPTH {
            say(&format!("warning: what is nested deeper than {MAX_DEPTH} levels is not drawn"));
            self.partial = true;
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
