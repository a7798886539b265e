//! What differs between two lists of findings.
//!
//! A finding is a flaw in a package; the same package may be there in several versions, of which those
//! that are equal are taken for the same. Why it differs is told as far as the two lists tell it: a
//! package of another version changed on the machine, one of the same version did not, so that more is
//! known of it. Of packages without flaws a list keeps numbers alone, and one that an older version made
//! nothing: then it is only known where the database is the same in both.

use std::collections::BTreeMap;

use fathom_report::finding::{Exemption, Finding, Findings};
use fathom_report::finding_difference::{
    Cause, Change, ChangeKind, Difference, Doubt, SCHEMA, Side, Summary, WhichSide,
};
use fathom_report::{FieldChange, inventory};

/// How much EPSS must have changed to be worth a word.
const JUMP: f64 = 0.1;

/// A finding, and what somebody has decided about it.
type Standing<'f> = (&'f Finding, Option<&'f Exemption>);

/// What a package is the same by in two lists.
type Place<'f> = (Option<&'f str>, &'static str, &'f str, Option<&'f str>, Option<&'f str>);

/// What differs between `before` and `after`.
pub fn compare(before: &Findings, after: &Findings, generator: &str) -> Difference {
    let context = Context::of(before, after);
    let mut flaws: BTreeMap<(Place<'_>, &str), [Vec<Standing<'_>>; 2]> = BTreeMap::new();
    for (side, findings) in [before, after].into_iter().enumerate() {
        for standing in standings(findings) {
            let key = (context.place(standing.0), standing.0.cve_id.as_str());
            flaws.entry(key).or_default()[side].push(standing);
        }
    }
    let (mut changes, mut summary) = (Vec::new(), Summary::default());
    for [old, mut new] in flaws.into_values() {
        let mut moved = Vec::new();
        for one in old {
            match new.iter().position(|it| it.0.installed_version == one.0.installed_version) {
                Some(at) => match context.changed(one, new.swap_remove(at)) {
                    Some(change) => changes.push(change),
                    None => summary.same += 1,
                },
                None => moved.push(one),
            }
        }
        for one in moved {
            match new.is_empty() {
                false => changes.extend(context.changed(one, new.remove(0))),
                true if one.1.is_some() => summary.same += 1,
                true => changes.push(context.gone(one.0)),
            }
        }
        for (finding, exemption) in new {
            // What was decided about is no news to whoever decided.
            match exemption {
                Some(_) => summary.same += 1,
                None => changes.push(context.added(finding)),
            }
        }
    }
    for change in &changes {
        *match change.kind {
            ChangeKind::New => &mut summary.new,
            ChangeKind::Changed => &mut summary.changed,
            ChangeKind::Gone => &mut summary.gone,
        } += 1;
    }
    changes.sort_by(|one, other| {
        let severity = other.severity.cmp(&one.severity);
        let name =
            |it: &Change| (it.package.clone(), it.cve_id.clone(), it.installed_version.clone());
        one.kind.cmp(&other.kind).then(severity).then_with(|| name(one).cmp(&name(other)))
    });
    let Context { same_database, same_packages, doubts, .. } = context;
    Difference {
        schema: SCHEMA.to_owned(),
        generator: generator.to_owned(),
        before: side(before),
        after: side(after),
        same_database,
        same_packages,
        summary,
        changes,
        doubts,
    }
}

fn side(findings: &Findings) -> Side {
    Side {
        subject: findings.subject.clone(),
        database: findings.database.clone(),
        total_packages: findings.summary.total_packages,
        findings: findings.vulnerabilities.len(),
    }
}

fn standings(findings: &Findings) -> impl Iterator<Item = Standing<'_>> {
    let open = findings.vulnerabilities.iter().map(|it| (it, None));
    open.chain(findings.excepted.iter().map(|it| (&it.finding, Some(&it.exemption))))
}

/// What is known of both lists as a whole.
struct Context<'f> {
    same_database: bool,
    same_packages: Option<bool>,
    /// Whether there are several systems, whose roots then tell them apart.
    several: bool,
    /// Numbers of what is installed, by the list.
    inventories: [Vec<&'f str>; 2],
    /// The versions of packages that have a flaw, by the list.
    versions: [BTreeMap<Place<'f>, Vec<&'f str>>; 2],
    doubts: Vec<Doubt>,
}

impl<'f> Context<'f> {
    fn of(before: &'f Findings, after: &'f Findings) -> Self {
        let mut context = Self {
            same_database: before.database == after.database && !before.database.is_empty(),
            same_packages: same_packages(before, after),
            several: before.systems.len() > 1 && after.systems.len() > 1,
            inventories: [before, after].map(|findings| {
                findings.systems.iter().filter_map(|it| it.inventory.as_deref()).collect()
            }),
            versions: Default::default(),
            doubts: Vec::new(),
        };
        for (side, findings) in [before, after].into_iter().enumerate() {
            for (finding, _) in standings(findings) {
                let place = context.place(finding);
                context.versions[side].entry(place).or_default().push(&finding.installed_version);
            }
        }
        for (side, findings) in [(WhichSide::Before, before), (WhichSide::After, after)] {
            let notes = findings.notes.iter().filter(|it| it.kind.is_failure());
            context.doubts.extend(notes.map(|note| Doubt { side, note: note.clone() }));
        }
        context
    }

    fn place(&self, finding: &'f Finding) -> Place<'f> {
        (
            finding.system.as_deref().filter(|_| self.several),
            finding.package_kind.name(),
            &finding.package,
            finding.architecture.as_deref(),
            finding.location.as_deref(),
        )
    }

    fn is_doubtful(&self, side: WhichSide) -> bool {
        self.doubts.iter().any(|doubt| doubt.side == side)
    }

    fn added(&self, finding: &'f Finding) -> Change {
        // What the first list could not see may have been there all along.
        let cause = match self.is_doubtful(WhichSide::Before) {
            true => Cause::Unknown,
            false => self.cause(finding, 0),
        };
        change(ChangeKind::New, cause, finding, Vec::new())
    }

    fn gone(&self, finding: &'f Finding) -> Change {
        let cause = match self.is_doubtful(WhichSide::After) {
            true => Cause::Unknown,
            false => self.cause(finding, 1),
        };
        change(ChangeKind::Gone, cause, finding, Vec::new())
    }

    /// Why one list has a finding that the other has not: `other` is the one that has not.
    fn cause(&self, finding: &'f Finding, other: usize) -> Cause {
        if self.same_database {
            return Cause::Machine;
        }
        if self.same_packages == Some(true) {
            return Cause::Database;
        }
        // Where the list knows the package, whether the other one does decides.
        let is_in =
            |side: usize| self.inventories[side].iter().any(|it| inventory::has(it, finding));
        if self.same_packages.is_some() && is_in(1 - other) {
            return if is_in(other) { Cause::Database } else { Cause::Machine };
        }
        match self.versions[other].get(&self.place(finding)) {
            Some(versions) => match versions.contains(&finding.installed_version.as_str()) {
                true => Cause::Database,
                // What is known may have changed too, but the package did for sure.
                false => Cause::Machine,
            },
            None => Cause::Unknown,
        }
    }

    /// What changed of a finding that both lists have.
    fn changed(&self, before: Standing<'f>, after: Standing<'f>) -> Option<Change> {
        let fields = fields(before, after);
        if fields.is_empty() {
            return None;
        }
        let is = |name: &str| fields.iter().any(|field| field.name == name);
        let cause = match () {
            () if is("installed_version") => Cause::Machine,
            () if fields.len() == 1 && is("decision") => Cause::Decision,
            () if self.same_database => Cause::Machine,
            () => Cause::Database,
        };
        Some(change(ChangeKind::Changed, cause, after.0, fields))
    }
}

/// Whether the same is installed; nothing where one of the lists does not say it.
fn same_packages(before: &Findings, after: &Findings) -> Option<bool> {
    let numbers = |findings: &Findings| -> Option<Vec<String>> {
        let mut all: Vec<String> =
            findings.systems.iter().map(|it| it.inventory.clone()).collect::<Option<_>>()?;
        all.sort_unstable();
        (!all.is_empty()).then_some(all)
    };
    Some(numbers(before)? == numbers(after)?)
}

fn fields((before, was): Standing<'_>, (after, is): Standing<'_>) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    let mut add = |name: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            fields.push(FieldChange { name: name.to_owned(), before, after });
        }
    };
    let text = |text: &str| Some(text.to_owned());
    add("installed_version", text(&before.installed_version), text(&after.installed_version));
    add("state", text(before.state.name()), text(after.state.name()));
    add("fixed_version", before.fixed_version.clone(), after.fixed_version.clone());
    add("fixed_in", before.fixed_in.clone(), after.fixed_in.clone());
    let severity = |it: &Finding| it.severity.map(|it| it.name().to_owned());
    add("severity", severity(before), severity(after));
    let score = |it: &Finding| it.cvss_score.map(|it| format!("{it:.1}"));
    add("cvss_score", score(before), score(after));
    let (old, new) = (&before.exploitability, &after.exploitability);
    add("exploited_since", old.exploited_since.clone(), new.exploited_since.clone());
    let yes = |it: bool| it.then(|| "yes".to_owned());
    add("ransomware", yes(old.ransomware), yes(new.ransomware));
    let is_jump = (old.epss.unwrap_or(0.0) - new.epss.unwrap_or(0.0)).abs() >= JUMP;
    if is_jump {
        let epss = |it: Option<f64>| it.map(|it| format!("{it:.2}"));
        add("epss", epss(old.epss), epss(new.epss));
    }
    let decision = |it: Option<&Exemption>| it.map(|it| it.reason.clone());
    add("decision", decision(was), decision(is));
    fields
}

fn change(kind: ChangeKind, cause: Cause, finding: &Finding, fields: Vec<FieldChange>) -> Change {
    Change {
        kind,
        cause,
        cve_id: finding.cve_id.clone(),
        system: finding.system.clone(),
        package: finding.package.clone(),
        package_kind: finding.package_kind,
        architecture: finding.architecture.clone(),
        location: finding.location.clone(),
        installed_version: finding.installed_version.clone(),
        state: finding.state,
        fixed_version: finding.fixed_version.clone(),
        severity: finding.severity,
        fields,
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::finding::{Note, NoteKind};
    use serde_json::{Value, json};

    use super::*;

    fn finding(cve: &str, package: &str, version: &str) -> Value {
        json!({"cve_id": cve, "package": package, "package_kind": "deb", "installed_version": version,
            "state": "affected", "remediation": "", "exploitability": {}, "because": [], "evidence": "",
            "risk": {"score": 1.0, "severity": 0.5, "likelihood": 0.1, "context": 0.8}})
    }

    /// Findings of a database of this day, over these packages.
    fn list(day: &str, inventory: &str, vulnerabilities: Vec<Value>) -> Findings {
        let summary = json!({"total_packages": 2, "vulnerable_packages": 1, "vulnerabilities": 1,
            "critical": 0, "high": 0, "medium": 0, "low": 0, "negligible": 0, "unknown": 1,
            "fixable": 0, "exploited": 0, "excepted": 0, "risk": 1.0});
        serde_json::from_value(
            json!({"schema": "fathom.findings/v1", "generator": "", "subject": "s",
            "systems": [{"root": "/dev/sda1", "inventory": inventory}],
            "database": [{"provider": "debian", "as_of": day, "built": day}], "notes": [],
            "summary": summary, "vulnerabilities": vulnerabilities, "unscanned": []}),
        )
        .unwrap()
    }

    /// The changes as `kind cause flaw fields`.
    #[track_caller]
    fn check(before: &Findings, after: &Findings, expected: &[&str]) -> Difference {
        let difference = compare(before, after, "a test");
        let shown: Vec<String> = difference
            .changes
            .iter()
            .map(|it| {
                let kind = serde_json::to_value(it.kind).unwrap();
                let cause = serde_json::to_value(it.cause).unwrap();
                let fields: Vec<&str> = it.fields.iter().map(|it| it.name.as_str()).collect();
                let (kind, cause) = (kind.as_str().unwrap(), cause.as_str().unwrap());
                format!("{kind} {cause} {} {}", it.cve_id, fields.join(",")).trim_end().to_owned()
            })
            .collect();
        assert_eq!(shown, expected);
        let counted = difference.summary;
        assert_eq!(counted.new + counted.gone + counted.changed, difference.changes.len());
        difference
    }

    #[test]
    fn nothing_differs_from_itself() {
        let one = list("1", "a", vec![finding("CVE-1", "x", "1"), finding("CVE-1", "x", "2")]);
        assert_eq!(check(&one, &one, &[]).summary.same, 2);
    }

    #[test]
    fn a_change_comes_of_the_machine_or_of_what_is_known() {
        let one = || finding("CVE-1", "x", "1");
        let two = || finding("CVE-2", "y", "1");
        let before = list("1", "a", vec![one()]);
        // The same database: another machine.
        check(&before, &list("1", "b", vec![one(), two()]), &["new machine CVE-2"]);
        check(&before, &list("1", "b", vec![]), &["gone machine CVE-1"]);
        // The same machine: another database.
        check(&before, &list("2", "a", vec![one(), two()]), &["new database CVE-2"]);
        check(&before, &list("2", "a", vec![]), &["gone database CVE-1"]);
        // Both: it is known of a package whose version both lists tell.
        let again = list("2", "b", vec![one(), finding("CVE-3", "x", "1")]);
        check(&before, &again, &["new database CVE-3"]);
        let upgraded = list("2", "b", vec![finding("CVE-3", "x", "2")]);
        check(&before, &upgraded, &["new machine CVE-3", "gone machine CVE-1"]);
        check(&before, &list("2", "b", vec![one(), two()]), &["new unknown CVE-2"]);
    }

    #[test]
    fn what_is_installed_tells_why_where_both_changed() {
        use fathom_report::{Package, PackageKind};
        let of = |packages: &[(&str, &str)]| {
            let packages: Vec<_> = packages
                .iter()
                .map(|(name, version)| Package::bare(PackageKind::Deb, *name, *version, "db"))
                .collect();
            inventory::of_packages(&packages)
        };
        let (old, upgraded) = (of(&[("x", "1"), ("y", "1")]), of(&[("x", "2"), ("y", "1")]));
        let before = list("1", &old, vec![finding("CVE-1", "x", "1")]);
        check(&before, &list("2", &upgraded, vec![]), &["gone machine CVE-1"]);
        let known = list("2", &upgraded, vec![finding("CVE-2", "y", "1")]);
        check(&before, &known, &["new database CVE-2", "gone machine CVE-1"]);
        let other = list("1", &old, vec![finding("CVE-2", "y", "1")]);
        check(&other, &list("2", &upgraded, vec![]), &["gone database CVE-2"]);
    }

    #[test]
    fn what_changed_of_a_finding_is_named() {
        let before = list("1", "a", vec![finding("CVE-1", "x", "1")]);
        let mut fixed = finding("CVE-1", "x", "1");
        fixed["state"] = "fixed".into();
        fixed["fixed_version"] = "2".into();
        fixed["severity"] = "high".into();
        fixed["exploitability"] = json!({"epss": 0.05, "exploited_since": "2026-01-01"});
        let after = list("2", "a", vec![fixed.clone()]);
        let names = "changed database CVE-1 state,fixed_version,severity,exploited_since";
        check(&before, &after, &[names]);
        fixed["exploitability"]["epss"] = 0.6.into();
        check(&after, &list("3", "a", vec![fixed]), &["changed database CVE-1 epss"]);
        let moved = list("2", "b", vec![finding("CVE-1", "x", "2")]);
        check(&before, &moved, &["changed machine CVE-1 installed_version"]);
    }

    #[test]
    fn what_was_decided_is_no_news() {
        let before = list("1", "a", vec![finding("CVE-1", "x", "1")]);
        let mut after = list("1", "a", vec![]);
        let excepted = json!({"finding": finding("CVE-1", "x", "1"),
            "exemption": {"kind": "deferred", "reason": "later"}});
        after.excepted.push(serde_json::from_value(excepted).unwrap());
        check(&before, &after, &["changed decision CVE-1 decision"]);
        check(&list("1", "b", vec![]), &after, &[]);
        check(&after, &list("1", "b", vec![]), &[]);
    }

    #[test]
    fn what_one_list_could_not_see_is_not_gone_for_a_reason() {
        let before = list("1", "a", vec![finding("CVE-1", "x", "1")]);
        let mut after = list("1", "a", vec![]);
        let message = "half of it".to_owned();
        after.notes.push(Note { kind: NoteKind::MissingScanData, message });
        let difference = check(&before, &after, &["gone unknown CVE-1"]);
        assert_eq!(difference.doubts.len(), 1);
        let difference = check(&after, &before, &["new unknown CVE-1"]);
        assert_eq!(difference.doubts[0].side, WhichSide::Before);
    }
}
