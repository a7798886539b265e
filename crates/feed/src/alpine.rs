//! secdb: which revisions of Alpine's packages mended what. Nothing in it has a date; the files have.

use std::collections::BTreeMap;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Statement, Subject, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::State;
use fathom_version::Scheme;
use serde::Deserialize;

use crate::error::Result;
use crate::source::records;
use crate::tally;

#[derive(Deserialize)]
struct Repository {
    distroversion: String,
    #[serde(default)]
    packages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// Flaws by the versions that mend them.
    #[serde(default)]
    secfixes: BTreeMap<String, Option<Vec<String>>>,
}

/// What a version of a package mends.
struct Fix {
    namespace: String,
    package: String,
    version: String,
}

/// Adds all repositories of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut fixes: BTreeMap<String, Vec<Fix>> = BTreeMap::new();
    let mut changed = Day::default();
    records(path, &mut |item| {
        changed = changed.max(item.modified);
        match item.parse() {
            Ok(repository) => collect(repository, &mut fixes),
            Err(why) => tally::malformed(writer.about(), item.name, why),
        }
        Ok(())
    })?;
    tally::file_changed(writer.about(), changed);
    for (flaw, fixes) in fixes {
        let cve: Option<Cve> = flaw.parse().ok();
        let advisory = NewAdvisory { name: &flaw, cves: cve.as_slice(), ..Default::default() };
        let id = match writer.advisory(&advisory)? {
            Ok(id) => id,
            Err(refused) => {
                tally::malformed(writer.about(), &flaw, refused.0);
                continue;
            }
        };
        for fix in fixes {
            // Mended in version 0: no version of the package ever had the flaw.
            let is_affected = fix.version != "0";
            let statement = Statement {
                namespace: &fix.namespace,
                scheme: Scheme::Apk,
                subject: Subject::Source,
                name: &fix.package,
                lower: None,
                upper: is_affected.then_some(Upper::Before(&fix.version)),
                state: if is_affected { State::Fixed } else { State::NotAffected },
                severity: None,
                qualifier: None,
            };
            if let Err(refused) = writer.statement(id, &statement) {
                let named = format!("{flaw}, {}", fix.package);
                tally::malformed(writer.about(), &named, refused.0);
            }
        }
    }
    Ok(())
}

fn collect(repository: Repository, fixes: &mut BTreeMap<String, Vec<Fix>>) {
    let namespace = format!("Alpine:{}", repository.distroversion);
    for Entry { pkg } in repository.packages {
        for (version, flaws) in &pkg.secfixes {
            // `CVE-2017-2616 (+ regression fix)`, `CVE-2019-1 GHSA-…`: the names of flaws are words.
            let words = flaws.iter().flatten().flat_map(|it| it.split_whitespace());
            for flaw in words.filter_map(flaw) {
                fixes.entry(flaw).or_default().push(Fix {
                    namespace: namespace.clone(),
                    package: pkg.name.clone(),
                    version: version.clone(),
                });
            }
        }
    }
}

/// The flaw that a word names: letters, and numbers behind a dash. Some numbers of the CVE list have
/// something behind them, as `CVE-2017-17434-1`, or another stroke in between.
fn flaw(word: &str) -> Option<String> {
    let word = word.trim_end_matches([',', ';']);
    let is_digit = |it: char| it.is_ascii_digit();
    if let Some((year, rest)) =
        word.strip_prefix("CVE").and_then(|it| it.trim_start_matches(['-', '_']).split_once('-'))
    {
        let number = &rest[..rest.find(|it| !is_digit(it)).unwrap_or(rest.len())];
        let is_number = year.len() == 4 && year.chars().all(is_digit) && !number.is_empty();
        return is_number.then(|| format!("CVE-{year}-{number}"));
    }
    let (letters, rest) = word.split_once('-')?;
    let is_name = !letters.is_empty()
        && letters.bytes().all(|it| it.is_ascii_uppercase())
        && rest.bytes().next().is_some_and(|it| it.is_ascii_alphanumeric());
    is_name.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_flaws() {
        for (word, expected) in [
            ("CVE-2017-2616", Some("CVE-2017-2616")),
            ("CVE-2017-17434-1", Some("CVE-2017-17434")),
            ("CVE-2021-35940.patch", Some("CVE-2021-35940")),
            ("CVE_2019-2426", Some("CVE-2019-2426")),
            ("CVE-2019-1,", Some("CVE-2019-1")),
            ("GHSA-x4m5", Some("GHSA-x4m5")),
            ("XSA-123", Some("XSA-123")),
            ("CVE-", None),
            ("CVE-20-1", None),
            ("(+", None),
            ("regression", None),
            ("fix)", None),
        ] {
            assert_eq!(flaw(word).as_deref(), expected, "{word}");
        }
    }
}
