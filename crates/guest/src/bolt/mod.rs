//! Reads databases of bbolt, the key-value file that containerd and Podman keep their state in.
//!
//! A database is a tree of buckets: each holds keys in their order, and behind every key a value or
//! another bucket. A bucket is a B+tree of pages, or where it is small lies within the page of the
//! bucket above it. Two meta pages say where the topmost bucket begins; of those that are whole the
//! one of the later transaction counts. Nothing is written in place, so what it leads to is whole
//! too, however the machine stopped.
//!
//! Every page belongs to one place of one tree. So each is read once, and a link that comes back to
//! a page that was used before is damage; whoever reads a bucket asks for all that it wants of it at
//! once.
//!
//! The format: <https://github.com/etcd-io/bbolt>, which reads and writes the numbers in the order of
//! the machine. Machines that begin with the high byte are rare enough to be refused.

mod meta;
mod node;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

use self::meta::Meta;
use self::node::Page;
use crate::damage::Damage;

/// How deep the tree of one bucket may be. A thousand million keys make it five deep.
const MAX_DEPTH: usize = 16;

/// The most pages that are read of one database: a gibibyte of the usual ones.
const MAX_PAGES: usize = 1 << 18;

/// A database.
pub(crate) struct Database {
    reader: Arc<dyn ReadAt>,
    meta: Meta,
    /// The pages that have been read, each of which has one use.
    used: HashSet<u64>,
    damage: Damage,
}

/// A bucket, and where its keys are.
pub(crate) struct Bucket(Place);

enum Place {
    /// In the tree that begins at this page.
    Tree(u64),
    /// In this page, which lies within another.
    Inline(Vec<u8>),
}

/// What lies behind a key.
pub(crate) enum Entry<'a> {
    /// Bytes.
    Value(&'a [u8]),
    /// Another bucket.
    Bucket(Bucket),
}

/// Takes a key and what lies behind it, or why one or many could not be read.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(Result<(&[u8], Entry<'_>)>) -> ControlFlow<()>;

impl Database {
    /// Opens the database.
    pub(crate) fn open(reader: Arc<dyn ReadAt>) -> Result<Self> {
        let meta = meta::current(&*reader)?;
        Ok(Self { reader, meta, used: HashSet::new(), damage: Damage::default() })
    }

    /// The topmost bucket.
    pub(crate) fn root(&self) -> Bucket {
        Bucket(Place::Tree(self.meta.root))
    }

    /// Shows every key of the bucket, in their order.
    pub(crate) fn entries(&mut self, bucket: &Bucket, visit: Visit<'_>) {
        let mut todo = match &bucket.0 {
            Place::Tree(page) => vec![(*page, 0)],
            Place::Inline(bytes) => {
                if let Err(error) = Page::inline(bytes).and_then(|page| page.leaf(visit)) {
                    let _ = self.damaged(error, visit);
                }
                return;
            }
        };
        while let Some((number, depth)) = todo.pop() {
            let flow = match self.step(number, depth, visit) {
                Ok((children, flow)) => {
                    todo.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
                    flow
                }
                Err(error) => self.damaged(error, visit),
            };
            if flow.is_break() {
                return;
            }
        }
    }

    /// What lies behind those of the keys that are there.
    pub(crate) fn get<const N: usize>(
        &mut self,
        bucket: &Bucket,
        keys: [&str; N],
        tell: &mut dyn FnMut(Error),
    ) -> [Option<Found>; N] {
        let mut found = [const { None }; N];
        self.entries(bucket, &mut |entry| {
            match entry {
                Ok((key, entry)) => {
                    let at = keys.iter().position(|wanted| wanted.as_bytes() == key);
                    if let Some(place) = at.and_then(|at| found.get_mut(at)) {
                        *place = Some(match entry {
                            Entry::Value(value) => Found::Value(value.to_vec()),
                            Entry::Bucket(bucket) => Found::Bucket(bucket),
                        });
                    }
                }
                Err(error) => tell(error),
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// The buckets in the bucket, by their keys; of more than `most` the first.
    pub(crate) fn buckets(
        &mut self,
        bucket: &Bucket,
        most: usize,
        tell: &mut dyn FnMut(Error),
    ) -> Vec<(Vec<u8>, Bucket)> {
        let mut found = Vec::new();
        self.entries(bucket, &mut |entry| {
            match entry {
                Ok((_, Entry::Bucket(_))) if found.len() >= most => {
                    let why = format!("it has more than {most} keys; the rest is not read");
                    tell(Error::unsupported("bucket", why));
                    return ControlFlow::Break(());
                }
                Ok((key, Entry::Bucket(bucket))) => found.push((key.to_vec(), bucket)),
                Ok((_, Entry::Value(_))) => {}
                Err(error) => tell(error),
            }
            ControlFlow::Continue(())
        });
        found
    }

    fn damaged(&mut self, error: Error, visit: Visit<'_>) -> ControlFlow<()> {
        self.damage.tell(error, "database", |error| visit(Err(error)))
    }

    /// Shows the keys of a leaf; gives the children of a branch.
    fn step(
        &mut self,
        number: u64,
        depth: usize,
        visit: Visit<'_>,
    ) -> Result<(Vec<u64>, ControlFlow<()>)> {
        let page = Page::read(&*self.reader, &self.meta, number)?;
        if depth >= MAX_DEPTH {
            return Err(page.corrupt(format!("the tree is deeper than {MAX_DEPTH} pages")));
        }
        for part in page.numbers() {
            if !self.used.insert(part) {
                return Err(page.corrupt(format!("page {part} is linked to twice")));
            }
        }
        if self.used.len() > MAX_PAGES {
            let why = format!("it has more than {MAX_PAGES} pages; the rest is not read");
            return Err(Error::unsupported("database", why));
        }
        if page.is_branch()? {
            return Ok((page.branch()?, ControlFlow::Continue(())));
        }
        Ok((Vec::new(), page.leaf(visit)?))
    }
}

/// What lies behind a key that was asked for.
pub(crate) enum Found {
    /// Bytes.
    Value(Vec<u8>),
    /// Another bucket.
    Bucket(Bucket),
}

impl Found {
    /// The bucket, if it is one.
    pub(crate) fn bucket(self) -> Option<Bucket> {
        match self {
            Self::Bucket(bucket) => Some(bucket),
            Self::Value(_) => None,
        }
    }

    /// The bytes, unless it is a bucket.
    pub(crate) fn value(self) -> Option<Vec<u8>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Bucket(_) => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
