//! What to do about findings: the fewest upgrades that mend all that can be mended.
//!
//! What was built from one source moves together, to the highest of the versions that are needed; what
//! comes from elsewhere than everybody gets packages from is a step of its own. Each step mends what no
//! other does, so that the order is simply by how much risk each takes away.

mod command;
mod restart;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use fathom_report::finding::{Finding, Findings, State};
use fathom_report::{PLAN_SCHEMA, PackageKind, Plan, Remaining, Step, Upgrade};

use crate::matching::scheme;
use crate::risk::{Mounting, of_machine};

/// What moves together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'f> {
    system: Option<&'f str>,
    kind: PackageKind,
    source: &'f str,
    channel: Option<&'f str>,
    /// Of what lies in no database of the system, each place by itself.
    location: Option<&'f str>,
    /// Of a Windows, each update by itself.
    update: Option<&'f str>,
}

/// What to do about the findings of a machine.
pub fn plan(findings: &Findings) -> Plan {
    let mut groups: BTreeMap<Key<'_>, Vec<&Finding>> = BTreeMap::new();
    let mut rest: Vec<&Finding> = Vec::new();
    for finding in &findings.vulnerabilities {
        match key(finding) {
            Some(key) => groups.entry(key).or_default().push(finding),
            None => rest.push(finding),
        }
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|(key, of_group)| (of_machine(of_group.iter().copied()), key, of_group))
        .collect();
    // Equal ones stay in the order of their names.
    groups.sort_by(|one, other| other.0.total_cmp(&one.0));
    let steps = steps(&groups, &rest);
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
        channel: finding.fixed_in.as_deref(),
        location: finding.location.as_deref(),
        update: is_update.then_some(fixed),
    })
}

fn steps(groups: &[(f64, Key<'_>, Vec<&Finding>)], rest: &[&Finding]) -> Vec<Step> {
    // From the end, since to add what is at stake is exact, and to take it away is not.
    let mut mounting = Mounting::default();
    rest.iter().for_each(|finding| mounting.add(finding));
    let mut steps = Vec::with_capacity(groups.len());
    for (_, key, of_group) in groups.iter().rev() {
        let risk_after = mounting.risk();
        of_group.iter().for_each(|finding| mounting.add(finding));
        steps.push(step(key, of_group, mounting.risk(), risk_after));
    }
    steps.reverse();
    steps
}

fn step(key: &Key<'_>, of_group: &[&Finding], risk_before: f64, risk_after: f64) -> Step {
    let packages = upgrades(of_group);
    let named = |is_meant: &dyn Fn(&Finding) -> bool| {
        let names = of_group.iter().filter(|it| is_meant(it)).map(|it| it.cve_id.clone());
        names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    Step {
        system: key.system.map(str::to_owned),
        source: key.source.to_owned(),
        package_kind: key.kind,
        channel: key.channel.map(str::to_owned),
        flaws: named(&|_| true),
        exploited: named(&|it| it.exploitability.exploited_since.is_some()),
        risk_before,
        risk_after,
        restart: restart::needed(key.kind, key.source, &packages),
        command: command::of(key.kind, key.source, &packages),
        advice: command::advice(key.kind, key.channel, &packages),
        packages,
    }
}

/// Each package once, to the highest version that any of its source needs.
fn upgrades(of_group: &[&Finding]) -> Vec<Upgrade> {
    let mut to: Option<&str> = None;
    for finding in of_group {
        let Some(fixed) = finding.fixed_version.as_deref() else { continue };
        let is_higher = to.is_none_or(|to| {
            let order = scheme(finding.package_kind).and_then(|it| it.compare(fixed, to));
            order == Some(Ordering::Greater)
        });
        if is_higher {
            to = Some(fixed);
        }
    }
    let mut upgrades: Vec<Upgrade> = of_group
        .iter()
        .map(|finding| Upgrade {
            package: finding.package.clone(),
            architecture: finding.architecture.clone(),
            location: finding.location.clone(),
            from: finding.installed_version.clone(),
            to: to.unwrap_or_default().to_owned(),
        })
        .collect();
    let order = |it: &Upgrade| (it.package.clone(), it.architecture.clone(), it.from.clone());
    upgrades.sort_by_cached_key(order);
    upgrades.dedup();
    upgrades
}

fn remaining(rest: &[&Finding]) -> Vec<Remaining> {
    let mut by_state: HashMap<State, Vec<&Finding>> = HashMap::new();
    for finding in rest {
        by_state.entry(finding.state).or_default().push(finding);
    }
    let mut remaining: Vec<_> = by_state
        .into_iter()
        .map(|(state, findings)| {
            let all = |text: fn(&Finding) -> &String| {
                let texts: BTreeSet<_> = findings.iter().map(|it| text(it).clone()).collect();
                texts.into_iter().collect()
            };
            Remaining {
                state,
                reason: reason(state).to_owned(),
                flaws: all(|it| &it.cve_id),
                packages: all(|it| &it.package),
                risk: of_machine(findings.iter().copied()),
            }
        })
        .collect();
    remaining.sort_by(|one, other| {
        other.risk.total_cmp(&one.risk).then_with(|| one.state.cmp(&other.state))
    });
    remaining
}

fn reason(state: State) -> &'static str {
    match state {
        State::Fixed => "mended in a version that is not known, or cannot be compared",
        State::Affected => "nothing mends it yet",
        State::WillNotFix => "whoever maintains it will not mend it",
        State::Deferred => "it will be mended some day",
        State::UnderInvestigation => "it is not clear yet whether it is affected",
        State::NotAffected => "it is not affected",
        State::EndOfLife => "nobody maintains it any more",
    }
}
