//! `fathom db status`.

use serde::Serialize;

use super::{failed, open};
use crate::args::DatabaseStatus;
use crate::exit::{Failure, Verdict};
use crate::output::{Columns, Out};
use crate::text::harmless;

#[derive(Serialize)]
struct Status<'d> {
    folder: String,
    providers: Vec<File<'d>>,
}

#[derive(Serialize)]
struct File<'d> {
    #[serde(flatten)]
    about: &'d fathom_advisory::segment::About,
    /// How many bytes are looked at to find things.
    hot_bytes: u64,
    /// How many bytes are looked at only to show texts.
    cold_bytes: u64,
}

pub(super) fn run(options: &DatabaseStatus) -> Result<Verdict, Failure> {
    let database = open(&options.database)?;
    let mut out = Out::new();
    let segments = database.segments();
    for segment in segments {
        segment.check().map_err(failed)?;
    }
    if options.output.is_json() {
        let providers = segments
            .iter()
            .map(|segment| {
                let (hot_bytes, cold_bytes) = segment.sizes();
                File { about: segment.about(), hot_bytes, cold_bytes }
            })
            .collect();
        let folder = database.folder().display().to_string();
        out.json(&Status { folder, providers })?;
        out.finish()?;
        return Ok(Verdict::Done);
    }
    out.line(database.folder().display().to_string())?;
    let mut columns = Columns::new(&[2, 3, 4]);
    let heads = ["provider", "as of", "advisories", "statements", "size", "licence"];
    columns.row(heads.map(str::to_owned).to_vec());
    for segment in segments {
        let about = segment.about();
        let (hot, cold) = segment.sizes();
        columns.row(vec![
            harmless(&about.provider),
            harmless(&about.as_of),
            about.advisories.to_string(),
            about.statements.to_string(),
            crate::text::size(hot + cold),
            harmless(&about.licence),
        ]);
    }
    columns.write(&mut out)?;
    out.finish()?;
    Ok(Verdict::Done)
}
