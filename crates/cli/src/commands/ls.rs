//! `fathom ls`.

use fathom_block::Error;
use fathom_filesystem::{FileType, Found, Metadata, Step, Tree};

use super::entry::{Entry, LONG_RIGHT, as_directory, long_cells, unknown_cells};
use crate::args::Ls;
use crate::exit::{Each, Failure, Verdict, warn};
use crate::interrupt;
use crate::machine::{Machine, guest_path};
use crate::output::{Columns, Out};
use crate::text;

/// What is printed of one directory, or of the files that were named.
struct Listing {
    title: Option<String>,
    rows: Vec<Row>,
}

/// One line of a listing. What cannot be looked at is listed all the same: it is there.
struct Row {
    name: Vec<u8>,
    path: Vec<u8>,
    found: Found,
    metadata: Result<Metadata, Error>,
}

pub(crate) fn run(options: &Ls) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.source)?;
    let tree = machine.tree(&options.on)?;
    let mut partial = false;
    let mut files = Listing { title: None, rows: Vec::new() };
    let mut listings = Vec::new();
    let many = options.paths.len() > 1 || options.recursive;
    let mut each = Each::of(options.paths.len());
    let mut one = |path: &[u8]| {
        // As in ls, a link that is named leads to what it names, except where it is looked at.
        let found = tree.resolve(path, !options.long && !options.directory);
        let found = found.or_else(|_| tree.resolve(path, false))?;
        let metadata = found.metadata()?;
        if metadata.file_type == FileType::Directory && !options.directory {
            list(&tree, path, options.recursive, many, &mut listings, &mut partial)?;
        } else {
            files.rows.push(Row {
                name: path.to_vec(),
                path: path.to_vec(),
                found,
                metadata: Ok(metadata),
            });
        }
        Ok(())
    };
    for path in &options.paths {
        each.note(one(guest_path(path)))?;
    }
    if !files.rows.is_empty() {
        listings.insert(0, files);
    }
    let mut out = Out::new();
    if options.output.is_json() {
        let entries: Vec<_> = listings
            .iter()
            .flat_map(|listing| &listing.rows)
            .map(|row| match &row.metadata {
                Ok(metadata) => Entry::new(&row.path, &row.found, metadata),
                Err(error) => Entry::failed(&row.path, error),
            })
            .collect();
        out.json(&entries)?;
    } else {
        print(&listings, options.long, &mut out)?;
    }
    out.finish()?;
    each.verdict(partial)
}

/// Lists a directory, and what is beneath it if that is asked for.
fn list(
    tree: &Tree,
    path: &[u8],
    recursive: bool,
    titled: bool,
    listings: &mut Vec<Listing>,
    partial: &mut bool,
) -> Result<(), Failure> {
    interrupt::check()?;
    let mut listing = Listing { title: titled.then(|| text::name(path)), rows: Vec::new() };
    if recursive {
        return list_beneath(tree, &as_directory(tree, path)?, listings, partial);
    }
    let mut note = |error: &Error| {
        warn(error);
        *partial = true;
    };
    let (children, problem) = tree.children(path)?;
    if let Some(problem) = problem {
        note(&problem);
    }
    for (name, found) in children {
        let full = join(path, &name);
        let metadata = found.metadata().map_err(|error| error.within(text::name(&full)));
        if let Err(error) = &metadata {
            note(error);
        }
        listing.rows.push(Row { name, path: full, found, metadata });
    }
    listings.push(listing);
    Ok(())
}

/// The recursive form: a walk, cut into one listing a directory.
fn list_beneath(
    tree: &Tree,
    path: &[u8],
    listings: &mut Vec<Listing>,
    partial: &mut bool,
) -> Result<(), Failure> {
    let mut by_directory: std::collections::BTreeMap<Vec<u8>, Listing> = Default::default();
    for step in tree.walk(path)? {
        interrupt::check()?;
        if let Some(problem) = &step.problem {
            warn(problem);
            *partial = true;
        }
        if let Err(error) = &step.metadata {
            warn(error);
            *partial = true;
        }
        let directory = |path: &[u8]| Listing { title: Some(text::name(path)), rows: Vec::new() };
        let is_directory =
            step.metadata.as_ref().is_ok_and(|it| it.file_type == FileType::Directory);
        if is_directory {
            by_directory.entry(step.path.clone()).or_insert_with(|| directory(&step.path));
        }
        if step.path.len() > path.len() {
            let cut = step.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            let parent = if cut == 0 { b"/".to_vec() } else { step.path[..cut].to_vec() };
            let parent = if parent.len() < path.len() { path.to_vec() } else { parent };
            let name = step.path[cut + 1..].to_vec();
            let listing = by_directory.entry(parent.clone()).or_insert_with(|| directory(&parent));
            let Step { path, found, metadata, .. } = step;
            listing.rows.push(Row { name, path, found, metadata });
        }
    }
    listings.extend(by_directory.into_values());
    Ok(())
}

fn print(listings: &[Listing], long: bool, out: &mut Out) -> Result<(), Failure> {
    for (index, listing) in listings.iter().enumerate() {
        if index > 0 {
            out.line("")?;
        }
        if let Some(title) = &listing.title {
            out.line(format!("{title}:"))?;
        }
        if long {
            let mut columns = Columns::new(LONG_RIGHT);
            for row in &listing.rows {
                let name = text::name(&row.name);
                columns.row(match &row.metadata {
                    Ok(metadata) => long_cells(name, &row.found, metadata),
                    Err(_) => unknown_cells(name),
                });
            }
            columns.write(out)?;
        } else {
            for row in &listing.rows {
                out.line(text::name(&row.name))?;
            }
        }
    }
    Ok(())
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = directory.to_vec();
    if !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}
