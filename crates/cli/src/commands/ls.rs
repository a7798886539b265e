//! `fathom ls`.
//!
//! Everything is printed as it is found: a directory may hold millions of names, and a tree many
//! such directories.

use fathom_block::Error;
use fathom_filesystem::{Entered, FileType, Found, Tree, join};

use super::entry::{Entry, LONG_RIGHT, Look};
use crate::args::Ls;
use crate::exit::{Each, Failure, Verdict, warn};
use crate::interrupt;
use crate::machine::{Machine, guest_path};
use crate::output::{Columns, JsonArray, Out};
use crate::text;

/// How many rows of a long listing are aligned with each other.
const ALIGNED: usize = 4096;

/// How deep directories are followed.
const MAX_DEPTH: usize = 2048;

/// One row: the name to show, the full path, and what is there. What cannot be looked at is listed
/// all the same: it is there.
struct Row {
    name: Vec<u8>,
    path: Vec<u8>,
    found: Found,
}

pub(crate) fn run(options: &Ls) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.guest.source)?;
    let tree = machine.files(&options.guest.on)?;
    let mut files = Vec::new();
    let mut directories = Vec::new();
    let mut each = Each::of(options.paths.len());
    let mut one = |path: &[u8]| {
        // As in ls, a link that is named leads to what it names, except where it is looked at.
        let found = tree.resolve(path, !options.long && !options.directory);
        let found = found.or_else(|_| tree.resolve(path, false))?;
        let is_directory = found.metadata()?.file_type == FileType::Directory;
        if is_directory && !options.directory {
            directories.push((path.to_vec(), found));
        } else {
            files.push(Row { name: path.to_vec(), path: path.to_vec(), found });
        }
        Ok(())
    };
    for path in &options.paths {
        each.note(one(guest_path(path)))?;
    }
    let titled = options.paths.len() > 1 || options.recursive;
    let mut listing = Listing {
        options,
        out: Out::new(),
        array: JsonArray::default(),
        any: false,
        partial: false,
        beneath: Vec::new(),
    };
    if !files.is_empty() {
        listing.rows(None, files)?;
    }
    for (path, found) in directories {
        listing.partial |= match options.recursive {
            true => tree.lacks_beneath(&path),
            false => tree.lacks_in(&path),
        };
        match options.recursive {
            true => listing.beneath(&tree, path, found)?,
            false => listing.directory(&tree, &path, &found, titled)?,
        }
    }
    let Listing { mut out, array, partial, .. } = listing;
    if options.guest.output.is_json() {
        array.finish(&mut out)?;
    }
    out.finish()?;
    each.verdict(partial)
}

/// What is being printed.
struct Listing<'a> {
    options: &'a Ls,
    out: Out,
    array: JsonArray,
    /// Something was printed, from which the next directory is set apart.
    any: bool,
    partial: bool,
    /// The directories in the one that was just listed, if they are to be listed too.
    beneath: Vec<Row>,
}

impl Listing<'_> {
    /// Lists one directory.
    fn directory(
        &mut self,
        tree: &Tree,
        path: &[u8],
        found: &Found,
        titled: bool,
    ) -> Result<(), Failure> {
        let (children, problem) = tree.children_of(found);
        if let Some(problem) = problem {
            self.note(&problem.within(text::name(path)));
        }
        let rows = children.into_iter().map(|(name, found)| {
            let path = join(path, &name);
            Row { name, path, found }
        });
        self.rows(titled.then(|| text::name(path)), rows)
    }

    /// Lists a directory and all that are beneath it.
    fn beneath(&mut self, tree: &Tree, path: Vec<u8>, found: Found) -> Result<(), Failure> {
        let mut entered = Entered::to_depth(MAX_DEPTH);
        let mut todo = vec![(path, found, 0)];
        while let Some((path, found, depth)) = todo.pop() {
            if let Err(error) = entered.enter(&found, depth) {
                self.note(&error.within(text::name(&path)));
                continue;
            }
            self.directory(tree, &path, &found, true)?;
            let beneath = std::mem::take(&mut self.beneath).into_iter().rev();
            todo.extend(beneath.map(|row| (row.path, row.found, depth + 1)));
        }
        Ok(())
    }

    /// Prints what one directory holds, or the files that were named.
    fn rows(
        &mut self,
        title: Option<String>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<(), Failure> {
        let json = self.options.guest.output.is_json();
        if !json {
            if std::mem::replace(&mut self.any, true) {
                self.out.line("")?;
            }
            if let Some(title) = title {
                self.out.line(format!("{title}:"))?;
            }
        }
        let mut columns = Columns::new(LONG_RIGHT);
        for row in rows {
            interrupt::check()?;
            // A name alone needs no look at what it names, unless that is what another filesystem
            // shows: then there must be something to show.
            let elsewhere = row.found.node == row.found.filesystem.root();
            if !json && !self.options.long && !self.options.recursive && !elsewhere {
                self.out.line(text::name(&row.name))?;
                continue;
            }
            let shows_target = json || self.options.long;
            let (is_directory, problem) = if shows_target {
                let look = Look::at(&row.path, &row.found);
                self.row(&row, &look, &mut columns)?;
                (look.is_directory(), look.problem)
            } else {
                self.out.line(text::name(&row.name))?;
                match row.found.metadata() {
                    Ok(metadata) => (metadata.file_type == FileType::Directory, None),
                    Err(error) => (false, Some(error.within(text::name(&row.path)))),
                }
            };
            if let Some(problem) = &problem {
                self.note(problem);
            }
            if self.options.recursive && is_directory {
                self.beneath.push(row);
            }
        }
        columns.write(&mut self.out)
    }

    fn row(&mut self, row: &Row, look: &Look<'_>, columns: &mut Columns) -> Result<(), Failure> {
        if self.options.guest.output.is_json() {
            return self.array.item(&mut self.out, &Entry::new(&row.path, look));
        }
        columns.row(look.long_cells(text::name(&row.name)));
        if columns.len() >= ALIGNED {
            columns.write(&mut self.out)?;
            *columns = Columns::new(LONG_RIGHT);
        }
        Ok(())
    }

    /// Something that kept a part from being listed.
    fn note(&mut self, problem: &Error) {
        warn(problem);
        self.partial = true;
    }
}
