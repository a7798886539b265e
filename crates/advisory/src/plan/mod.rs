//! What to do about findings: the fewest upgrades that mend all that can be mended.
//!
//! What was built from one source moves together, to the highest of the versions that are needed,
//! wherever that comes from: the higher mends what the lower does. Packages that are numbered each by
//! themselves have each a version of their own. What only the distribution has that
//! this one is rebuilt from can be had nowhere, so that it asks for nothing; a version of the rebuild's
//! own that is as high mends it. Each step mends what no other does, so that the order is simply by how
//! much risk each takes away.

mod command;
mod restart;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use fathom_report::finding::{Finding, Findings, Scanned, State, UPSTREAM};
use fathom_report::{PLAN_SCHEMA, PackageKind, Plan, Remaining, Step, Upgrade};

use crate::matching::scheme;
use crate::risk::{Mounting, of_machine};

/// What moves together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'f> {
    system: Option<&'f str>,
    kind: PackageKind,
    source: &'f str,
    /// Of what lies in no database of the system, each place by itself.
    location: Option<&'f str>,
    /// Of a Windows, each update by itself.
    update: Option<&'f str>,
}

/// Findings that move together.
struct Group<'f> {
    key: Key<'f>,
    /// To where, by what is installed: packages of one source may be numbered each by itself.
    targets: BTreeMap<&'f str, Target<'f>>,
    findings: Vec<&'f Finding>,
    risk: f64,
}

/// A version to move to.
struct Target<'f> {
    /// It mends all that can be mended.
    to: &'f str,
    /// From where that comes, where not everybody gets it.
    channel: Option<&'f str>,
    /// The highest that everybody gets, where that is another.
    common: Option<&'f str>,
}

impl<'f> Target<'f> {
    /// The target of what is of one version; nothing where no version can be had.
    fn of(findings: &[&'f Finding]) -> Option<Self> {
        let all = || findings.iter().copied();
        let best = highest(all().filter(|it| !is_upstream(it)))?;
        let channel = best.fixed_in.as_deref();
        let common = highest(all().filter(|it| it.fixed_in.is_none()));
        let common =
            common.and_then(|it| it.fixed_version.as_deref()).filter(|_| channel.is_some());
        Some(Self { to: best.fixed_version.as_deref()?, channel, common })
    }

    fn mends(&self, finding: &Finding, kind: PackageKind) -> bool {
        let fixed = finding.fixed_version.as_deref().filter(|_| is_upstream(finding));
        !fixed.is_some_and(|fixed| is_higher(kind, fixed, self.to))
    }
}

/// What to do about the findings of a machine.
pub fn plan(findings: &Findings) -> Plan {
    let mut by_key: BTreeMap<Key<'_>, Vec<&Finding>> = BTreeMap::new();
    let mut rest: Vec<&Finding> = Vec::new();
    for finding in &findings.vulnerabilities {
        match key(finding) {
            Some(key) => by_key.entry(key).or_default().push(finding),
            None => rest.push(finding),
        }
    }
    let mut groups: Vec<_> =
        by_key.into_iter().filter_map(|(key, of_key)| group(key, of_key, &mut rest)).collect();
    // Equal ones stay in the order of their names.
    groups.sort_by(|one, other| other.risk.total_cmp(&one.risk));
    let steps = steps(&groups, &rest, &findings.systems);
    let after = of_machine(rest.iter().copied());
    Plan {
        schema: PLAN_SCHEMA.to_owned(),
        generator: findings.generator.clone(),
        subject: findings.subject.clone(),
        notes: findings.notes.clone(),
        risk_before: steps.first().map_or(after, |step| step.risk_before),
        risk_after: after,
        steps,
        remaining: remaining(&rest),
    }
}

/// What a finding moves with; nothing where no version is known to mend it that can be compared.
fn key(finding: &Finding) -> Option<Key<'_>> {
    let fixed = finding.fixed_version.as_deref().filter(|_| finding.state == State::Fixed)?;
    let is_update = finding.package_kind == PackageKind::Hotfix;
    if !is_update {
        scheme(finding.package_kind)?.key(fixed)?;
    }
    Some(Key {
        system: finding.system.as_deref(),
        kind: finding.package_kind,
        source: finding.source_package.as_deref().unwrap_or(&finding.package),
        location: finding.location.as_deref(),
        update: is_update.then_some(fixed),
    })
}

fn is_upstream(finding: &Finding) -> bool {
    finding.fixed_in.as_deref() == Some(UPSTREAM)
}

fn is_higher(kind: PackageKind, one: &str, other: &str) -> bool {
    scheme(kind).and_then(|it| it.compare(one, other)) == Some(Ordering::Greater)
}

/// The highest of the versions that these need.
fn highest<'f>(findings: impl Iterator<Item = &'f Finding>) -> Option<&'f Finding> {
    findings.filter(|it| it.fixed_version.is_some()).reduce(|best, it| {
        match (&it.fixed_version, &best.fixed_version) {
            (Some(one), Some(other)) if is_higher(it.package_kind, one, other) => it,
            // Of the same version it is that which everybody gets.
            (one, other) if one == other && it.fixed_in.is_none() => it,
            _ => best,
        }
    })
}

/// What moves together, and to where. What that does not mend remains.
fn group<'f>(
    key: Key<'f>,
    of_key: Vec<&'f Finding>,
    rest: &mut Vec<&'f Finding>,
) -> Option<Group<'f>> {
    let mut by_version: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &of_key {
        by_version.entry(&finding.installed_version).or_default().push(finding);
    }
    let target =
        |(version, findings): (&'f str, Vec<&'f Finding>)| Some((version, Target::of(&findings)?));
    let targets: BTreeMap<_, _> = by_version.into_iter().filter_map(target).collect();
    let (findings, beyond): (Vec<_>, Vec<_>) = of_key.into_iter().partition(|it| {
        targets.get(it.installed_version.as_str()).is_some_and(|target| target.mends(it, key.kind))
    });
    rest.extend(beyond);
    let risk = of_machine(findings.iter().copied());
    (!findings.is_empty()).then_some(Group { key, targets, findings, risk })
}

fn steps(groups: &[Group<'_>], rest: &[&Finding], systems: &[Scanned]) -> Vec<Step> {
    // From the end, since to add what is at stake is exact, and to take it away is not.
    let mut mounting = Mounting::default();
    rest.iter().for_each(|finding| mounting.add(finding));
    let mut steps = Vec::with_capacity(groups.len());
    for group in groups.iter().rev() {
        let risk_after = mounting.risk();
        group.findings.iter().for_each(|finding| mounting.add(finding));
        steps.push(step(group, systems, mounting.risk(), risk_after));
    }
    steps.reverse();
    steps
}

fn step(group: &Group<'_>, systems: &[Scanned], risk_before: f64, risk_after: f64) -> Step {
    let Group { key, findings, targets, .. } = group;
    let packages = upgrades(findings, targets);
    let channel = targets.values().find_map(|target| target.channel);
    let system = match (key.system, systems) {
        (Some(root), _) => systems.iter().find(|it| it.root == root),
        (None, [one]) => Some(one),
        (None, _) => None,
    };
    let named = |is_meant: &dyn Fn(&Finding) -> bool| {
        let names = findings.iter().filter(|it| is_meant(it)).map(|it| it.cve_id.clone());
        names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let mut advice = command::advice(key.kind, channel, &packages);
    if let Some(common) = targets.values().find_map(|target| target.common) {
        advice = format!("{advice}; without that, to {common} or later");
    }
    Step {
        system: key.system.map(str::to_owned),
        source: key.source.to_owned(),
        package_kind: key.kind,
        channel: channel.map(str::to_owned),
        flaws: named(&|_| true),
        exploited: named(&|it| it.exploitability.exploited_since.is_some()),
        risk_before,
        risk_after,
        restart: restart::needed(key.kind, key.source, &packages),
        command: command::of(key.kind, system, &packages),
        advice,
        packages,
    }
}

/// Each package once.
fn upgrades(of_group: &[&Finding], targets: &BTreeMap<&str, Target<'_>>) -> Vec<Upgrade> {
    let upgrade = |finding: &&Finding| {
        Some(Upgrade {
            package: finding.package.clone(),
            architecture: finding.architecture.clone(),
            location: finding.location.clone(),
            from: finding.installed_version.clone(),
            to: targets.get(finding.installed_version.as_str())?.to.to_owned(),
        })
    };
    let mut upgrades: Vec<Upgrade> = of_group.iter().filter_map(upgrade).collect();
    let order = |it: &Upgrade| (it.package.clone(), it.architecture.clone(), it.from.clone());
    upgrades.sort_by_cached_key(order);
    upgrades.dedup();
    upgrades
}

fn remaining(rest: &[&Finding]) -> Vec<Remaining> {
    let mut by_reason: HashMap<(State, &str), Vec<&Finding>> = HashMap::new();
    for finding in rest {
        let reason = reason(finding);
        by_reason.entry((finding.state, reason)).or_default().push(finding);
    }
    let mut remaining: Vec<_> = by_reason
        .into_iter()
        .map(|((state, reason), findings)| {
            let all = |text: fn(&Finding) -> &String| {
                let texts: BTreeSet<_> = findings.iter().map(|it| text(it).clone()).collect();
                texts.into_iter().collect()
            };
            Remaining {
                state,
                reason: reason.to_owned(),
                flaws: all(|it| &it.cve_id),
                packages: all(|it| &it.package),
                risk: of_machine(findings.iter().copied()),
            }
        })
        .collect();
    remaining.sort_by(|one, other| {
        let names = |it: &Remaining| (it.state, it.reason.clone());
        other.risk.total_cmp(&one.risk).then_with(|| names(one).cmp(&names(other)))
    });
    remaining
}

fn reason(finding: &Finding) -> &'static str {
    match finding.state {
        State::Fixed if is_upstream(finding) => {
            "mended in a version of Red Hat's, and in none of what is rebuilt from it"
        }
        State::Fixed => "mended in a version that is not known, or cannot be compared",
        State::Affected => "nothing mends it yet",
        State::WillNotFix => "whoever maintains it will not mend it",
        State::Deferred => "it will be mended some day",
        State::UnderInvestigation => "it is not clear yet whether it is affected",
        State::NotAffected => "it is not affected",
        State::EndOfLife => "nobody maintains it any more",
    }
}
