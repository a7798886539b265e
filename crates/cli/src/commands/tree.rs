//! `fathom tree`.

use fathom_block::Error;
use fathom_filesystem::{Entered, FileType, Found};

use super::entry::{Entry, Look, as_directory};
use crate::args::TreeOptions;
use crate::exit::{Each, Failure, Verdict, warn};
use crate::files::Files;
use crate::interrupt;
use crate::machine::{Machine, guest_path};
use crate::output::{JsonArray, Out};
use crate::text;

/// How deep a drawing goes; nobody reads further, and an image may nest without end.
const MAX_DEPTH: usize = 256;

pub(crate) fn run(options: &TreeOptions) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.guest.source)?;
    let tree = machine.files(&options.guest.on)?;
    let mut out = Out::new();
    let mut partial = false;
    let mut each = Each::of(options.paths.len());
    let depth = options.depth.unwrap_or(usize::MAX);
    if options.guest.output.is_json() {
        let mut array = JsonArray::default();
        let mut one = |path: &[u8]| {
            partial |= tree.lacks_beneath(path);
            for step in tree.walk(&as_directory(&tree, path)?)?.max_depth(depth) {
                interrupt::check()?;
                let look = Look::of_step(&step);
                if let Some(problem) = &look.problem {
                    warn(problem);
                    partial = true;
                }
                array.item(&mut out, &Entry::new(&step.path, &look))?;
            }
            Ok(())
        };
        for path in &options.paths {
            each.note(one(guest_path(path)))?;
        }
        array.finish(&mut out)?;
    } else {
        let mut drawing = Drawing {
            tree: &tree,
            out: &mut out,
            partial: false,
            limit: depth,
            entered: Entered::to_depth(MAX_DEPTH),
        };
        for path in &options.paths {
            each.note(drawing.start(guest_path(path)))?;
        }
        partial = drawing.partial;
    }
    out.finish()?;
    each.verdict(partial)
}

struct Drawing<'a> {
    tree: &'a Files,
    out: &'a mut Out,
    partial: bool,
    limit: usize,
    /// The directories that were drawn.
    entered: Entered,
}

impl Drawing<'_> {
    fn start(&mut self, path: &[u8]) -> Result<(), Failure> {
        let found = self.tree.resolve(path, true)?;
        let is_directory = found.metadata()?.file_type == FileType::Directory;
        self.out.line(text::name(path))?;
        self.entered = Entered::to_depth(MAX_DEPTH);
        self.partial |= is_directory && self.tree.lacks_beneath(path);
        if is_directory { self.draw(path, &found, "", 0) } else { Ok(()) }
    }

    fn draw(
        &mut self,
        path: &[u8],
        directory: &Found,
        indent: &str,
        level: usize,
    ) -> Result<(), Failure> {
        interrupt::check()?;
        if level >= self.limit {
            return Ok(());
        }
        if let Err(error) = self.entered.enter(directory, level) {
            self.note(&error.within(text::name(path)));
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
                    let target = found.read_link().unwrap_or_else(|error| {
                        self.note(&error.within(&shown));
                        b"(cannot be read)".to_vec()
                    });
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
