//! Amazon Linux: what its repositories publish of their updates (`updateinfo.xml`).
//!
//! Each repository has a document of its own; the names of updates say which release they are for, and
//! which topic of the extras: `ALAS2KERNEL-5.10-2022-011` is about Amazon Linux 2 and the kernels of the
//! topic `kernel-5.10`. Topics have other versions of what the core has too, so that what is said of
//! one holds for its packages alone (`extras:kernel-5.10`).

use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Statement, Subject, Texts, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::State;
use fathom_version::Scheme;

use crate::ecosystem::is_run;
use crate::error::Result;
use crate::known::{Known, add};
use crate::severity::severity;
use crate::tally;
use crate::xml::{Element, Handler, append, walk_all};

/// The most that is kept of a text of an update.
const TEXT: usize = 256 << 10;

/// The most packages and flaws that one update may have.
const MOST: usize = 1 << 16;

/// Adds all updates of the file, or of all documents of the archive.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut reading = Updates { writer, known: Known::default(), update: Update::default() };
    let changed = walk_all(path, &mut reading)?;
    tally::file_changed(reading.writer.about(), changed);
    Ok(())
}

/// An update, as far as it was read.
#[derive(Default)]
struct Update {
    id: String,
    title: String,
    severity: String,
    description: String,
    issued: Day,
    updated: Day,
    cves: Vec<Cve>,
    packages: Vec<Package>,
    /// Why it makes no sense, if it does not.
    wrong: Option<&'static str>,
}

struct Package {
    name: String,
    version: String,
}

struct Updates<'w> {
    writer: &'w mut Writer,
    known: Known,
    update: Update,
}

impl Handler for Updates<'_> {
    fn is_wanted(&self, _: &[&str]) -> bool {
        true
    }

    fn start(&mut self, path: &[&str], element: &Element<'_>) -> Result<()> {
        let update = &mut self.update;
        match path {
            [_, "update"] => *update = Update::default(),
            [_, "update", "issued"] => update.issued = day(element),
            [_, "update", "updated"] => update.updated = day(element),
            [_, "update", "references", "reference"] => {
                let of_list = element.attribute("type").is_some_and(|kind| kind == "cve");
                if of_list {
                    match element.attribute("id").unwrap_or_default().parse() {
                        Ok(cve) => update.cves.push(cve),
                        Err(_) => update.wrong = Some("names what is no number of the CVE list"),
                    }
                }
            }
            [_, "update", "pkglist", "collection", "package"] => match package(element) {
                Some(package) if is_run(&package.name) => update.packages.push(package),
                Some(_) => {}
                None => update.wrong = Some("has a package without a name or a version"),
            },
            _ => {}
        }
        if update.packages.len() > MOST || update.cves.len() > MOST {
            (update.packages, update.cves) = (Vec::new(), Vec::new());
            update.wrong = Some("has more packages or flaws than any");
        }
        Ok(())
    }

    fn text(&mut self, path: &[&str], text: &str) {
        let update = &mut self.update;
        let kept = match path {
            [_, "update", "id"] => &mut update.id,
            [_, "update", "title"] => &mut update.title,
            [_, "update", "severity"] => &mut update.severity,
            [_, "update", "description"] => &mut update.description,
            _ => return,
        };
        append(kept, text, TEXT);
    }

    fn end(&mut self, path: &[&str]) -> Result<()> {
        match path {
            [_, "update"] => self.add(),
            _ => Ok(()),
        }
    }
}

impl Updates<'_> {
    fn add(&mut self) -> Result<()> {
        let mut update = std::mem::take(&mut self.update);
        let id = update.id.trim().to_owned();
        if let Some(why) = update.wrong {
            tally::malformed(self.writer.about(), &id, why);
        }
        let Some((release, topic)) = of(&id) else {
            tally::malformed(self.writer.about(), &id, "does not say for which release it is");
            return Ok(());
        };
        tally::changed(self.writer.about(), update.updated.max(update.issued));
        // What is an update for other reasons than flaws says nothing here.
        if update.cves.is_empty() {
            return Ok(());
        }
        update.cves.sort_unstable();
        update.cves.dedup();
        let advisory = NewAdvisory {
            name: &id,
            cves: &update.cves,
            severity: severity(update.severity.trim()),
            published: update.issued,
            modified: update.updated,
            texts: Texts {
                summary: title(&update.title).to_owned(),
                details: update.description.trim().to_owned(),
                references: Vec::new(),
            },
            ..NewAdvisory::default()
        };
        let Some(added) = self.known.get(&advisory, self.writer)? else { return Ok(()) };
        let qualifier = topic.map(|topic| format!("extras:{topic}"));
        for package in &update.packages {
            let statement = Statement {
                namespace: &format!("Amazon Linux:{release}"),
                scheme: Scheme::Rpm,
                subject: Subject::Installed,
                name: &package.name,
                lower: None,
                upper: Some(Upper::Before(&package.version)),
                state: State::Fixed,
                severity: None,
                qualifier: qualifier.as_deref(),
            };
            add(added, &id, &statement, self.writer);
        }
        Ok(())
    }
}

fn day(element: &Element<'_>) -> Day {
    element.attribute("date").map(|date| Day::of(&date)).unwrap_or_default()
}

fn package(element: &Element<'_>) -> Option<Package> {
    let part = |name: &str| element.attribute(name).filter(|part| !part.is_empty());
    let (name, version, release) = (part("name")?, part("version")?, part("release")?);
    let epoch = part("epoch").filter(|epoch| epoch != "0");
    let epoch = epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
    Some(Package { name, version: format!("{epoch}{version}-{release}") })
}

/// The release that an update is for, and its topic if it is one of the extras.
fn of(id: &str) -> Option<(&'static str, Option<String>)> {
    // ALAS2KERNEL-5.10-2022-011: behind the topic stand a year and a number.
    let mut parts = id.rsplitn(3, '-');
    let (number, year, front) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if !is_number(number) || year.len() != 4 || !is_number(year) {
        return None;
    }
    let rest = front.strip_prefix("ALAS")?;
    let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
    let (release, topic) = rest.split_at(end);
    let release = match release {
        // Once topics of Amazon Linux 2 were named without its number.
        "" if !topic.is_empty() => "2",
        "" => "2018.03",
        "2" => "2",
        "2022" => "2022",
        "2023" => "2023",
        _ => return None,
    };
    let topic = topic.trim_start_matches('-').to_lowercase();
    Some((release, (!topic.is_empty()).then_some(topic)))
}

/// What a title says, without the release and the name of the update in front.
fn title(title: &str) -> &str {
    title.split_once(": ").map_or(title, |(_, rest)| rest).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_release_and_topic() {
        for (id, expected) in [
            ("ALAS-2014-432", Some(("2018.03", None))),
            ("ALAS2-2021-1704", Some(("2", None))),
            ("ALAS2023-2023-001", Some(("2023", None))),
            ("ALAS2DOCKER-2021-001", Some(("2", Some("docker")))),
            ("ALAS2KERNEL-5.10-2022-011", Some(("2", Some("kernel-5.10")))),
            ("ALAS2GOLANG1.19-2023-001", Some(("2", Some("golang1.19")))),
            ("ALAS2023LIVEPATCH-2023-001", Some(("2023", Some("livepatch")))),
            ("ALAS9-2021-1", None),
            ("ALASKERNEL-5.10-2022-003", Some(("2", Some("kernel-5.10")))),
            ("ALAS2-1704", None),
            ("ELSA-2021-1704", None),
            ("", None),
        ] {
            let found = of(id);
            let found = found.as_ref().map(|(release, topic)| (*release, topic.as_deref()));
            assert_eq!(found, expected, "{id}");
        }
    }
}
