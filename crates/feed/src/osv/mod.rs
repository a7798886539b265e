//! OSV: what most providers publish in, or are published in by others.

mod range;
mod record;

use std::collections::BTreeSet;
use std::path::Path;

use fathom_advisory::segment::{
    AdvisoryId, NewAdvisory, NewVector, Statement, Subject, Texts, Upper, Writer,
};
use fathom_advisory::{Cve, Day, is_module_build, normalised};
use fathom_report::finding::{Severity, State};

use self::range::Interval;
use self::record::{Affected, OfAffected, OfEcosystem, Record};
use crate::ecosystem::{Ecosystem, ecosystem, is_language, is_run};
use crate::error::Result;
use crate::source::{Item, records};
use crate::{cvss, tally};

/// The most scores of a record that are kept.
const SCORES: usize = 16;

/// The most streams of modules of a record that are kept; there are two, where there are several.
const STREAMS: usize = 4;

/// Adds all records of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    records(path, &mut |item| one(&item, writer))
}

fn one(item: &Item<'_>, writer: &mut Writer) -> Result<()> {
    let record: Record<'_> = match item.parse() {
        Ok(record) => record,
        Err(why) => {
            tally::malformed(writer.about(), item.name, why);
            return Ok(());
        }
    };
    if record.withdrawn.is_some() {
        return Ok(());
    }
    let statements = statements(&record, writer);
    if statements.is_empty() {
        return Ok(());
    }
    let Some(id) = add(&record, writer)? else { return Ok(()) };
    for statement in statements {
        if let Err(refused) = writer.statement(id, &statement.borrowed()) {
            tally::malformed(writer.about(), &record.id, refused.0);
        }
    }
    Ok(())
}

fn add(record: &Record<'_>, writer: &mut Writer) -> Result<Option<AdvisoryId>> {
    let of_packages = record.affected.iter().flat_map(|it| &it.severity);
    let scores: Vec<_> = match record.severity.is_empty() {
        true => of_packages.take(SCORES).collect(),
        false => record.severity.iter().take(SCORES).collect(),
    };
    let vectors: Vec<NewVector> = scores
        .into_iter()
        .filter(|score| score.kind.starts_with("CVSS_"))
        .filter_map(|score| cvss::vector(&score.score, true))
        .collect();
    let (cves, aliases) = names(record);
    let advisory = NewAdvisory {
        name: &record.id,
        cves: &cves,
        weaknesses: &weaknesses(record),
        aliases: &aliases,
        vectors: &vectors,
        severity: severity(record),
        published: Day::of(&record.published),
        modified: Day::of(&record.modified),
        has_exploit: false,
        texts: Texts {
            summary: record.summary.clone().into_owned(),
            details: record.details.clone().into_owned(),
            references: record.references.iter().map(|it| it.url.clone().into_owned()).collect(),
        },
    };
    // Not every provider says when a record was changed; then the day it came counts.
    tally::changed(writer.about(), advisory.modified.max(advisory.published));
    match writer.advisory(&advisory)? {
        Ok(id) => Ok(Some(id)),
        Err(refused) => {
            tally::malformed(writer.about(), &record.id, refused.0);
            Ok(None)
        }
    }
}

/// The flaws that a record is about, and its other names. Advisories of distributions name their
/// flaws as what they are related to, where the schema had no better place for them yet, and with
/// languages that are other flaws; Chainguard names those that have no number of the CVE list as what is
/// upstream of its own.
fn names(record: &Record<'_>) -> (Vec<Cve>, Vec<String>) {
    let own = std::iter::once(&record.id).chain(&record.aliases).chain(&record.upstream);
    let mut cves: BTreeSet<Cve> = own.filter_map(|name| name.parse().ok()).collect();
    let ecosystems = record.affected.iter().filter_map(|it| it.package.as_ref());
    let is_of_language = ecosystems.into_iter().any(|it| is_language(&it.ecosystem));
    if cves.is_empty() && !is_of_language {
        cves = record.related.iter().filter_map(|name| name.parse().ok()).collect();
    }
    let mut others = Vec::new();
    for name in record.aliases.iter().chain(&record.upstream) {
        let is_other = name.parse::<Cve>().is_err() && *name != record.id;
        if is_other && others.len() < u8::MAX.into() && !others.iter().any(|it| it == name) {
            others.push(name.clone().into_owned());
        }
    }
    (cves.into_iter().collect(), others)
}

fn weaknesses(record: &Record<'_>) -> Vec<u16> {
    let listed = record.database_specific.iter().flat_map(|it| &it.cwe_ids);
    listed.filter_map(|name| name.strip_prefix("CWE-")?.parse().ok()).collect()
}

/// How bad whoever wrote the record says it is.
fn severity(record: &Record<'_>) -> Option<Severity> {
    let of_ubuntu = record.severity.iter().find(|score| score.kind == "Ubuntu");
    let said = of_ubuntu.map(|score| &*score.score);
    let said = said.or(record.database_specific.as_ref().and_then(|it| it.severity.as_deref()));
    // `Important: firefox security update`, of Red Hat and its kin.
    said.or(record.summary.split_once(':').map(|(word, _)| word))
        .and_then(crate::severity::severity)
        .or(is_malicious(record).then_some(Severity::Critical))
}

/// Whether the record tells of a package that was made to do harm, as `MAL-2024-1234`.
fn is_malicious(record: &Record<'_>) -> bool {
    record.id.starts_with("MAL-")
}

/// A statement, with texts of its own.
struct Said<'r> {
    namespace: &'r str,
    ecosystem: Ecosystem,
    name: String,
    interval: Interval<'r>,
    state: State,
    severity: Option<Severity>,
    qualifier: Option<&'r str>,
}

impl Said<'_> {
    fn borrowed(&self) -> Statement<'_> {
        let Interval { lower, upper, is_inclusive, .. } = self.interval;
        Statement {
            namespace: self.namespace,
            scheme: self.ecosystem.scheme,
            subject: self.ecosystem.subject,
            name: &self.name,
            lower,
            upper: upper.map(|it| if is_inclusive { Upper::With(it) } else { Upper::Before(it) }),
            state: self.state,
            severity: self.severity,
            qualifier: self.qualifier,
        }
    }
}

fn statements<'r>(record: &'r Record<'_>, writer: &mut Writer) -> Vec<Said<'r>> {
    let mut said = Vec::new();
    for affected in &record.affected {
        let Some(package) = &affected.package else { continue };
        let Some(ecosystem) = ecosystem(&package.ecosystem) else { continue };
        if affected.database_specific.as_ref().is_some_and(OfAffected::is_no_flaw) {
            continue;
        }
        for why in of_package(record, affected, ecosystem, &mut said) {
            let named = format!("{}, {}", record.id, package.name);
            tally::malformed(writer.about(), &named, why);
        }
    }
    said
}

/// Adds what is said of a package, and tells what of it makes no sense.
fn of_package<'r>(
    record: &'r Record<'_>,
    affected: &'r Affected<'_>,
    ecosystem: Ecosystem,
    said: &mut Vec<Said<'r>>,
) -> Vec<String> {
    let Some(package) = &affected.package else { return Vec::new() };
    let specific = affected.ecosystem_specific.as_ref();
    let namespace = &*package.ecosystem;
    let streams = streams(record, namespace);
    let mut add = |name: String, interval: Interval<'r>| {
        let one = |name: String, qualifier: Option<&'r str>| Said {
            namespace,
            ecosystem,
            name,
            state: state(specific, interval),
            severity: specific.and_then(|it| crate::severity::severity(&it.urgency)),
            interval,
            qualifier,
        };
        match streams.as_slice() {
            [] => said.push(one(name, None)),
            streams => said.extend(streams.iter().map(|it| one(name.clone(), Some(*it)))),
        }
    };
    // SUSE names what was built, each with its version; the range is that of the source.
    if ecosystem.subject == Subject::Installed
        && let Some(binaries) = specific.map(|it| &it.binaries).filter(|it| !it.is_empty())
    {
        let mut wrong = Vec::new();
        for (name, version) in binaries.iter().flatten().filter(|(name, _)| is_run(name)) {
            let Some(upper) = version.as_str() else {
                wrong.push("a package has no version".to_owned());
                continue;
            };
            let interval = Interval { upper: Some(upper), is_mended: true, ..Interval::ALL };
            add(name.clone().into_owned(), interval);
        }
        return wrong;
    }
    if !is_run(&package.name) {
        return Vec::new();
    }
    let (mut intervals, wrong) = range::intervals(affected, ecosystem.scheme);
    // Of what does harm by itself, no version is better than another.
    if intervals.is_empty() && is_malicious(record) {
        intervals.push(Interval::ALL);
    }
    for interval in intervals {
        add(normalised(namespace, &package.name), interval);
    }
    wrong
}

/// The streams of modules that an advisory of Red Hat is about, as its title says:
/// `Red Hat Security Advisory: idm:DL1 and idm:client security update`. Which package is of which of them
/// is not said, and some are of each. A title may name versions alike that are of no module
/// (`pam:1.5.1 security update`), which what is mended tells.
fn streams<'r>(record: &'r Record<'_>, namespace: &str) -> Vec<&'r str> {
    let kin = ["Red Hat:", "AlmaLinux:", "Rocky Linux:"];
    let title = record.summary.split_once(": ").map(|(_, title)| title);
    let Some(title) = title.filter(|_| kin.iter().any(|name| namespace.starts_with(name))) else {
        return Vec::new();
    };
    let ends = record.affected.iter().flat_map(|it| &it.ranges).flat_map(|it| &it.events);
    if !ends.filter_map(|event| event.fixed.as_deref()).any(is_module_build) {
        return Vec::new();
    }
    let words = title.split([' ', ',']).filter(|word| !word.is_empty() && *word != "and");
    // `httpd:2.4/mod_http2` is a package of a stream.
    let words = words.map(|word| word.split('/').next().unwrap_or_default());
    words.take_while(|word| is_stream(word)).take(STREAMS).collect()
}

/// Whether the word is that of a stream of a module: `nodejs:16`. Some are misspelt, `pki-deps:10:6`, and
/// Rocky Linux has put its own name into `go-toolset:rhel8`; of which these are, others say.
fn is_stream(word: &str) -> bool {
    let parts = word.split_once(':');
    parts.is_some_and(|(name, stream)| {
        !name.is_empty() && !stream.is_empty() && !stream.contains(':') && stream != "Rocky"
    })
}

fn state(specific: Option<&OfEcosystem<'_>>, interval: Interval<'_>) -> State {
    if interval.is_mended {
        return State::Fixed;
    }
    let Some(specific) = specific else { return State::Affected };
    match (&*specific.tracker_status, &*specific.urgency) {
        (_, "end-of-life") => State::EndOfLife,
        ("ignored", _) => State::WillNotFix,
        ("deferred", _) => State::Deferred,
        ("needs-triage", _) => State::UnderInvestigation,
        _ => State::Affected,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(title: &str, namespace: &str, expected: &[&str]) {
        let record = Record { summary: title.into(), ..empty() };
        assert_eq!(streams(&record, namespace), expected, "{title}");
    }

    fn empty() -> Record<'static> {
        mended("1-2.module+el8.9.0+1+abc")
    }

    /// A record of a package that was mended in this version.
    fn mended(version: &'static str) -> Record<'static> {
        let mut record: Record<'_> = serde_json::from_str(
            r#"{"id":"RHSA-1","affected":[{"ranges":[{"type":"ECOSYSTEM","events":[{"fixed":"1"}]}]}]}"#,
        )
        .unwrap();
        record.affected[0].ranges[0].events[0].fixed = Some(version.into());
        record
    }

    #[test]
    fn titles_name_versions_too() {
        let summary = || "Important: pam:1.5.1 security update".into();
        let record = Record { summary: summary(), ..mended("1.5.1-22.el9_5") };
        assert_eq!(streams(&record, "AlmaLinux:9"), [""; 0]);
        let record = Record { summary: summary(), ..empty() };
        assert_eq!(streams(&record, "AlmaLinux:9"), ["pam:1.5.1"]);
    }

    #[test]
    fn titles_name_streams() {
        for (title, expected) in [
            ("nodejs:16 security update", &["nodejs:16"][..]),
            ("idm:DL1 and idm:client security update", &["idm:DL1", "idm:client"]),
            (
                "pki-core:10.6 and pki-deps:10.6 security, bug fix, and enhancement update",
                &["pki-core:10.6", "pki-deps:10.6"],
            ),
            ("virt:av and virt-devel:av qemu-kvm security update", &["virt:av", "virt-devel:av"]),
            (
                "mariadb:10.3, and mariadb-devel:10.3 update",
                &["mariadb:10.3", "mariadb-devel:10.3"],
            ),
            ("httpd:2.4/mod_http2 security update", &["httpd:2.4"]),
            ("nodejs : security update", &[]),
            ("go-toolset:Rocky Linux8 security and bug fix update", &[]),
            ("pki-core:10.6 and pki-deps:10:6 bug fix update", &["pki-core:10.6"]),
            ("kernel security and bug fix update", &[]),
        ] {
            let red_hat = format!("Red Hat Security Advisory: {title}");
            check(&red_hat, "Red Hat:enterprise_linux:8::appstream", expected);
            check(&format!("Important: {title}"), "AlmaLinux:8", expected);
        }
        check("openssl: a:1 and b:2", "Debian:12", &[]);
        check("nodejs:16 security update", "Rocky Linux:8", &[]);
    }
}
