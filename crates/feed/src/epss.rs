//! EPSS: how likely each CVE is exploited within a month, as FIRST estimates it every day.

use std::io::BufRead as _;
use std::path::Path;

use fathom_advisory::Cve;
use fathom_advisory::segment::Writer;

use crate::error::{Error, Result};
use crate::source::document;
use crate::tally;

/// The longest line there can be.
const LINE: u64 = 1 << 16;

/// Adds all estimates of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let shown = path.display().to_string();
    let mut file = document(path)?;
    let mut line = String::new();
    let mut has_columns = false;
    for number in 1_u64.. {
        line.clear();
        let mut bounded = std::io::Read::take(&mut file, LINE);
        if bounded.read_line(&mut line).map_err(Error::reading(&shown))? == 0 {
            break;
        }
        let line = line.trim_end();
        if let Some(said) = line.strip_prefix('#') {
            // #model_version:v2025.03.14,score_date:2026-08-16T00:00:00+0000
            let date = said.split_once("score_date:").and_then(|(_, it)| it.get(..10));
            writer.about().as_of = date.unwrap_or_default().to_owned();
        } else if line == "cve,epss,percentile" {
            has_columns = true;
        } else if !has_columns {
            let why = "does not begin with the columns cve, epss and percentile";
            return Err(Error::Malformed(shown, why.to_owned()));
        } else if let Some((cve, likelihood, percentile)) = fields(line) {
            writer.score(cve, likelihood, percentile);
        } else {
            tally::malformed(writer.about(), &format!("line {number}"), "is no estimate");
        }
    }
    match has_columns {
        true => Ok(()),
        false => Err(Error::Malformed(shown, "is empty".to_owned())),
    }
}

fn fields(line: &str) -> Option<(Cve, f64, f64)> {
    let mut fields = line.split(',');
    let cve = fields.next()?.parse().ok()?;
    let mut share = || -> Option<f64> {
        let share: f64 = fields.next()?.parse().ok()?;
        (0.0..=1.0).contains(&share).then_some(share)
    };
    Some((cve, share()?, share()?))
}
