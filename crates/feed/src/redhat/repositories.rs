//! Which products the packages of each repository are of: Red Hat's map of repositories to CPEs.
//!
//! A repository is a name, and its products stand where other names have what they hold for alone. All of
//! it is one record, which is about no flaw.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Writer};
use fathom_advisory::{Day, REPOSITORIES};
use serde::Deserialize;

use super::{entry, product};
use crate::error::Result;
use crate::list::List;
use crate::source::{Item, records};
use crate::tally;

/// The most bytes of a map that is read. The real one has three million.
const LARGEST: usize = 16 << 20;

type Text<'r> = Cow<'r, str>;

#[derive(Deserialize)]
struct Map<'r> {
    #[serde(borrow)]
    data: BTreeMap<Text<'r>, Repository<'r>>,
}

#[derive(Deserialize)]
struct Repository<'r> {
    #[serde(borrow, default)]
    cpes: List<Text<'r>>,
}

/// Adds the map that the file holds.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut changed = Day::default();
    records(path, &mut |item| {
        changed = changed.max(item.modified);
        one(&item, writer)
    })?;
    tally::file_changed(writer.about(), changed);
    Ok(())
}

fn one(item: &Item<'_>, writer: &mut Writer) -> Result<()> {
    let map: Map<'_> = match item.parse_within(LARGEST) {
        Ok(map) => map,
        Err(why) => {
            tally::malformed(writer.about(), item.name, why);
            return Ok(());
        }
    };
    if map.data.is_empty() {
        return Ok(());
    }
    let advisory = NewAdvisory { name: "repository-to-cpe", ..NewAdvisory::default() };
    let id = match writer.advisory(&advisory)? {
        Ok(id) => id,
        Err(refused) => {
            tally::malformed(writer.about(), item.name, refused.0);
            return Ok(());
        }
    };
    for (name, repository) in &map.data {
        for cpe in &repository.cpes {
            let Some(product) = product(cpe) else {
                tally::malformed(writer.about(), name, format!("{cpe:?} is no product of Red Hat"));
                continue;
            };
            let statement = entry(REPOSITORIES, name, product);
            if let Err(refused) = writer.statement(id, &statement) {
                tally::malformed(writer.about(), name, refused.0);
            }
        }
    }
    Ok(())
}
