//! From a match to what is told of it.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use fathom_report::finding::{
    Cvss, Dependent, Exploitability, Finding, Reason, Risk, Severity, State, UPSTREAM,
};
use fathom_report::{Enabled, Evidence, Fact, Package, PackageKind, System, package_url};

use super::flaw::{Flaw, Flaws, chosen, rating};
use crate::database::Database;
use crate::error::Result;
use crate::matching::{Distribution, Hit, Match, Part, Role, WINDOWS, beyond};
use crate::risk::Weights;
use crate::segment::{Advisory, Subject, Texts, Unpacked, Vector, beginning};

/// How much of a long description is told where there is no short one.
const DESCRIPTION: usize = 400;

/// How many places to read more are told.
const REFERENCES: usize = 20;

/// Makes findings of matches.
pub(super) struct Teller<'d, 's> {
    flaws: Flaws<'d>,
    system: &'s System,
    weights: &'s Weights,
    /// Services that start, by the names of what they run.
    services: Vec<&'s str>,
    is_of_red_hat: bool,
    /// The package whose URL was made last, and that.
    url: Option<(usize, Option<String>)>,
    /// What was told of flaws, by what they rest on, which packages of one source share.
    told: HashMap<*const Hit<'d>, Rc<Told>>,
}

/// What is the same for all packages that have a flaw for the same reasons.
struct Told {
    aliases: Arc<[String]>,
    advisories: Arc<[String]>,
    cvss: Arc<[Cvss]>,
    weaknesses: Arc<[String]>,
    because: Arc<[Reason]>,
    published: Option<String>,
    exploitability: Exploitability,
    severity: Option<(Severity, String)>,
    /// What those say of its severity whose statements do not count.
    severity_of_others: Option<(Severity, String)>,
}

impl<'d, 's> Teller<'d, 's> {
    pub(super) fn of(database: &'d Database, system: &'s System, weights: &'s Weights) -> Self {
        let starts = |enabled: Option<&Enabled>| {
            matches!(enabled, Some(Enabled::Enabled | Enabled::Alias | Enabled::Indirect))
        };
        let services = system.services.items.iter().filter(|it| starts(it.enabled.value()));
        Self {
            flaws: Flaws::of(database),
            system,
            weights,
            services: services.map(|it| stem(&it.name)).collect(),
            is_of_red_hat: Distribution::of(&system.identity).is_some_and(|it| it.is_of_red_hat()),
            url: None,
            told: HashMap::new(),
        }
    }

    /// The package URL of one of the packages; those of one package follow each other.
    fn url(&mut self, index: Option<usize>, package: &Package) -> Option<String> {
        let Some(index) = index else { return package_url(package, &self.system.identity) };
        match &self.url {
            Some((known, url)) if *known == index => url.clone(),
            _ => {
                let url = package_url(package, &self.system.identity);
                self.url = Some((index, url.clone()));
                url
            }
        }
    }

    pub(super) fn finding(&mut self, found: &Match<'d>) -> Result<Option<Finding>> {
        let Some(first) = found.hits.first() else { return Ok(None) };
        let of_system = found.package.is_none().then(|| windows(self.system, first));
        let system = self.system;
        let listed = found.package.and_then(|index| system.packages.items.get(index));
        let Some(package) = listed.or(of_system.as_ref()) else { return Ok(None) };
        let purl = self.url(found.package, package);
        let told = self.told(found, first)?;
        let fixed = first.row.upper.filter(|_| first.row.state == State::Fixed);
        let installed = package.full_version();
        let is_of_source = package.kind == PackageKind::Deb && first.subject == Subject::Source;
        let numbering = is_of_source.then(|| own_epoch(&installed, &first.named.version));
        // What the package is built from, where the version that mends it is one of that.
        let source = (numbering == Some(None)).then_some(first.named.name.as_str());
        let mut finding = Finding {
            cve_id: found.flaw.to_string(),
            aliases: Arc::clone(&told.aliases),
            advisories: Arc::clone(&told.advisories),
            system: None,
            package: package.name.clone(),
            package_kind: package.kind,
            source_package: package.source.clone().filter(|it| *it != package.name),
            installed_version: installed.clone(),
            architecture: package.architecture.clone(),
            location: package.location.clone(),
            purl,
            fixed_version: match (fixed, first.remedy) {
                (_, Some(update)) => Some(format!("KB{update}")),
                (Some(version), _) => {
                    Some(as_installed(package.kind, numbering.flatten(), version.text))
                }
                (None, _) => None,
            },
            fixed_in: fixed.and_then(|version| channel(first, version.text, self.system)),
            state: first.row.state,
            severity: None,
            severity_source: None,
            cvss_score: told.cvss.first().map(|it| it.score),
            cvss: Arc::clone(&told.cvss),
            weaknesses: Arc::clone(&told.weaknesses),
            description: None,
            remediation: String::new(),
            published: told.published.clone(),
            exploitability: told.exploitability.clone(),
            risk: Risk::default(),
            inactive: found.part == Part::Inactive,
            vex: None,
            references: Arc::default(),
            because: Arc::clone(&told.because),
            evidence: package.evidence.clone(),
        };
        let of_others = || told.severity_of_others.clone();
        let said = match package.kind.is_of_language() {
            true => told.severity.clone().or_else(of_others),
            false => told.severity.clone(),
        };
        (finding.severity, finding.severity_source) = match said {
            Some((severity, source)) => (Some(severity), Some(source)),
            None => match finding.cvss.first() {
                Some(cvss) => (Some(rating(cvss)), Some(format!("CVSS of {}", cvss.source))),
                None => (None, None),
            },
        };
        finding.remediation = remediation(&finding, source);
        finding.risk = self.weights.risk(&finding, self.context(package, found.part));
        Ok(Some(finding))
    }

    /// What is told of a flaw wherever it is for the same reasons.
    fn told(&mut self, found: &Match<'d>, first: &Hit<'d>) -> Result<Rc<Told>> {
        let place = found.hits.as_ptr();
        if let Some(told) = self.told.get(&place) {
            return Ok(Rc::clone(told));
        }
        let flaw = self.flaws.get(&found.flaw)?;
        let advisory = first.segment.advisory(first.row.advisory)?;
        let provider = first.segment.about().provider.as_str();
        let of_all = || advisory.vectors.iter().map(|vector| (provider, *vector));
        // A vector of several flaws is that of the worst.
        let own: Vec<_> = of_all().filter(|_| advisory.cves.len() <= 1).collect();
        let mut cvss = chosen(&own, &flaw.vectors);
        let others = of_others(found)?;
        if cvss.is_empty() {
            cvss = chosen(&[], &others.vectors);
        }
        if cvss.is_empty() {
            cvss = chosen(&of_all().collect::<Vec<_>>(), &[]);
        }
        let weaknesses: BTreeSet<_> = flaw.weaknesses.iter().chain(&advisory.weaknesses).collect();
        let told = Rc::new(Told {
            aliases: aliases(&advisory, &found.flaw).into(),
            advisories: announced(found)?.into(),
            cvss: cvss.into(),
            weaknesses: weaknesses.into_iter().map(|it| format!("CWE-{it}")).collect(),
            because: found.hits.iter().map(reason).collect::<Result<_>>()?,
            published: advisory.published.is_known().then(|| advisory.published.to_string()),
            exploitability: Exploitability {
                public_exploit: flaw.exploitability.public_exploit || advisory.has_exploit,
                ..flaw.exploitability.clone()
            },
            severity: severity(first, &advisory, flaw, self.is_of_red_hat),
            severity_of_others: others.severity,
        });
        self.told.insert(place, Rc::clone(&told));
        Ok(told)
    }

    /// Adds what takes unpacking: a description, and where to read more. What is packed together is
    /// asked for together, so that each block is unpacked once, and one at a time is held; and what is
    /// there for the same reasons is described once.
    pub(super) fn describe(&mut self, told: &mut [(&Match<'d>, Finding)]) -> Result<()> {
        let mut places = HashMap::with_capacity(told.len());
        for (found, _) in told.iter() {
            let described = self.flaws.get(&found.flaw)?.described;
            let first = found.hits.first().map(|hit| (hit.segment, hit.row.advisory));
            if let Some(place) = described.or(first) {
                places.entry(found.hits.as_ptr()).or_insert((place, *found));
            }
        }
        let mut places: Vec<_> = places.into_values().collect();
        places.sort_by_key(|((segment, advisory), _)| (std::ptr::from_ref(*segment), *advisory));
        let mut unpacked = Unpacked::default();
        let mut described = HashMap::with_capacity(places.len());
        for ((segment, advisory), found) in places {
            let mut words = Words::default();
            words.add(segment.texts_by(advisory, &mut unpacked)?);
            // Where the flaw itself is described in no word, who announced it may say more.
            for hit in found.hits.iter() {
                if words.description.is_some() {
                    break;
                }
                words.add(hit.segment.texts_by(hit.row.advisory, &mut unpacked)?);
            }
            let shared: (Option<Arc<str>>, Arc<[String]>) =
                (words.description.map(Into::into), words.references.into());
            described.insert(found.hits.as_ptr(), shared);
        }
        for (found, finding) in told {
            if let Some((description, references)) = described.get(&found.hits.as_ptr()) {
                finding.description.clone_from(description);
                finding.references = Arc::clone(references);
            }
        }
        Ok(())
    }

    fn context(&self, package: &Package, part: Part) -> Dependent {
        match part {
            Part::Active => return Dependent::Kernel,
            Part::Inactive => return Dependent::InactiveKernel,
            Part::Aid => return Dependent::Documentation,
            Part::None => {}
        }
        let name = package.name.as_str();
        let aids = ["-doc", "-docs", "-dev", "-devel", "-headers", "-dbg", "-dbgsym", "-locales"];
        if aids.iter().any(|aid| name.ends_with(aid)) {
            return Dependent::Documentation;
        }
        let names = [name, name.strip_suffix("-server").unwrap_or(name)];
        let starts = self.services.iter().any(|service| {
            names.contains(service) || names.iter().any(|it| service.strip_suffix('d') == Some(it))
        });
        if starts { Dependent::Service } else { Dependent::Other }
    }
}

/// What those say of a flaw's badness whose statements do not count.
#[derive(Default)]
struct OfOthers<'d> {
    vectors: Vec<(&'d str, Vector<'d>)>,
    severity: Option<(Severity, String)>,
}

/// What others say of the flaw alone, those first who are believed first.
fn of_others<'d>(found: &Match<'d>) -> Result<OfOthers<'d>> {
    let mut others = OfOthers::default();
    for hit in found.hits.iter().skip(1) {
        let advisory = hit.segment.advisory(hit.row.advisory)?;
        let provider = hit.segment.about().provider.as_str();
        if advisory.cves.len() <= 1 {
            others.vectors.extend(advisory.vectors.into_iter().map(|vector| (provider, vector)));
            let severity = hit.row.severity.or(advisory.severity);
            let severity = severity.map(|severity| (severity, provider.to_owned()));
            others.severity = others.severity.or(severity);
        }
    }
    Ok(others)
}

/// What texts say of a flaw.
#[derive(Default)]
struct Words {
    description: Option<String>,
    references: Vec<String>,
}

impl Words {
    /// Adds what the texts say that is not told yet.
    fn add(&mut self, texts: Texts) {
        if self.description.is_none() {
            self.description = description(&texts);
        }
        for reference in texts.references {
            if self.references.len() < REFERENCES && !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
    }
}

/// A Windows as if it were a package of itself.
fn windows(system: &System, hit: &Hit<'_>) -> Package {
    let product = hit.namespace.strip_prefix(WINDOWS).unwrap_or(hit.namespace);
    let evidence = match &system.identity.build {
        Fact::Known { evidence, .. } => evidence.first().cloned().unwrap_or_default(),
        Fact::Absent { .. } | Fact::Unknown { .. } => Evidence::default(),
    };
    Package {
        architecture: system.identity.architecture.value().map(|it| it.0.clone()),
        vendor: Some("Microsoft".to_owned()),
        ..Package::bare(PackageKind::Hotfix, product, &hit.named.version, evidence)
    }
}

/// The name of a service without what it ends with: `nginx` of `nginx.service`, `getty` of
/// `getty@tty1.service`.
fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".service").or(name.strip_suffix(".socket")).unwrap_or(name);
    name.split_once('@').map_or(name, |(name, _)| name)
}

fn aliases(advisory: &Advisory<'_>, flaw: &str) -> Vec<String> {
    let is_of_one = advisory.cves.len() <= 1;
    let own = std::iter::once(advisory.name).filter(|_| is_of_one && !advisory.cves.is_empty());
    let names = own.chain(advisory.aliases.iter().copied().filter(|_| is_of_one));
    names.filter(|name| *name != flaw && !name.ends_with(flaw)).map(str::to_owned).collect()
}

/// The announcements among what a match rests on.
fn announced(found: &Match<'_>) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for hit in found.hits.iter() {
        let name = hit.segment.name(hit.row.advisory)?;
        if !name.ends_with(&*found.flaw) && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The version that mends it, in the way that the package's own versions are written: an epoch of nought
/// is none in rpm, and packages of dpkg may have one that what they were built from has not.
fn as_installed(kind: PackageKind, own_epoch: Option<&str>, fixed: &str) -> String {
    match kind {
        PackageKind::Rpm => fixed.strip_prefix("0:").unwrap_or(fixed).to_owned(),
        _ => {
            let epoch = own_epoch.filter(|_| !fixed.contains(':'));
            format!("{}{fixed}", epoch.unwrap_or_default())
        }
    }
}

/// The epoch that a package of dpkg has and its source has not, `1:` for `1:2.36.1-8` of `2.36.1-8`;
/// nothing where the package is numbered in a way of its own, and not by its source.
fn own_epoch<'v>(installed: &'v str, source: &str) -> Option<&'v str> {
    // Built once more, without a change of the source: `2.36.1-8+b1`.
    let built = installed
        .rsplit_once("+b")
        .filter(|(_, count)| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()));
    let installed = match built {
        Some((first, _)) if !source.ends_with(&installed[first.len()..]) => first,
        _ => installed,
    };
    let epoch = installed.strip_suffix(source)?;
    let is_epoch =
        epoch.strip_suffix(':').is_some_and(|it| !source.contains(':') && !it.is_empty());
    (epoch.is_empty() || is_epoch).then_some(epoch)
}

/// From where a fix comes that not everybody gets.
fn channel(hit: &Hit<'_>, fixed: &str, system: &System) -> Option<String> {
    Some(match hit.role {
        Role::Own => return None,
        Role::Paid if hit.namespace.starts_with("Ubuntu") => "Ubuntu Pro".to_owned(),
        Role::Paid if hit.namespace.starts_with("Red Hat") => {
            "Extended Life-cycle Support".to_owned()
        }
        Role::Paid => "long-term support".to_owned(),
        Role::Beyond => return beyond(fixed, system.identity.version.value()?),
        Role::Upstream => UPSTREAM.to_owned(),
        // No fix comes from there: these are findings of what nobody looks into.
        Role::Successor => return None,
    })
}

/// How bad whoever speaks of the package says it is, and who that is.
fn severity(
    hit: &Hit<'_>,
    advisory: &Advisory<'_>,
    flaw: &Flaw<'_>,
    is_of_red_hat: bool,
) -> Option<(Severity, String)> {
    let provider = || hit.segment.about().provider.clone();
    if let Some(severity) = hit.row.severity {
        return Some((severity, provider()));
    }
    let own = advisory.severity.map(|severity| (severity, provider()));
    // An announcement of several flaws is as bad as the worst of them.
    let of_all = own.clone().filter(|_| advisory.cves.len() > 1);
    let of_red_hat = flaw.of_red_hat.filter(|_| is_of_red_hat);
    let of_red_hat = of_red_hat.map(|(severity, provider)| (severity, provider.to_owned()));
    match of_all {
        Some(of_all) => of_red_hat.or_else(|| (flaw.vectors.is_empty()).then_some(of_all)),
        None => own.or(of_red_hat),
    }
}

fn reason(hit: &Hit<'_>) -> Result<Reason> {
    let version = &hit.named.version;
    let after = hit.row.lower.map(|lower| format!("{version} is not before {}", lower.text));
    let before = hit.row.upper.map(|upper| match hit.row.is_inclusive {
        true if hit.row.lower == Some(upper) => format!("{version} is {}", upper.text),
        true => format!("{version} is not after {}", upper.text),
        false => format!("{version} is before {}", upper.text),
    });
    let mut rule = match (after, before) {
        (Some(_), Some(before)) if hit.row.is_inclusive && hit.row.lower == hit.row.upper => before,
        (Some(after), Some(before)) => format!("{after}, and {before}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => match (hit.row.state, hit.row.qualifier) {
            (State::Fixed, Some(update)) => {
                format!("neither {update} nor what replaces it is installed")
            }
            _ => "every version has it".to_owned(),
        },
    };
    match hit.row.qualifier {
        Some(update) if hit.namespace.starts_with(WINDOWS) && hit.row.upper.is_some() => {
            rule = format!("{rule}, and neither {update} nor what replaces it is listed");
        }
        Some(stream) if !hit.namespace.starts_with(WINDOWS) => {
            rule = format!("{rule}, in {stream}")
        }
        _ => {}
    }
    if hit.subject == Subject::Source {
        rule = format!("built from {}: {rule}", hit.named.name);
    }
    if hit.role == Role::Successor {
        rule = format!("{rule}, in a later release; nobody looks into this one any more");
    }
    Ok(Reason {
        provider: hit.segment.about().provider.clone(),
        advisory: hit.segment.name(hit.row.advisory)?.to_owned(),
        ecosystem: hit.namespace.to_owned(),
        name: hit.named.name.clone(),
        version: version.clone(),
        rule,
        state: hit.row.state,
    })
}

/// What to do; `source` is what the package is built from where the fixed version is one of that.
fn remediation(finding: &Finding, source: Option<&str>) -> String {
    let package = &finding.package;
    match (finding.state, &finding.fixed_version) {
        (State::Fixed, Some(version)) => {
            let from = finding.fixed_in.as_deref();
            let from = from.map_or(String::new(), |it| format!(", which comes from {it}"));
            match finding.package_kind {
                PackageKind::Hotfix => format!("Install {version}{from}"),
                _ => {
                    let built =
                        source.map_or(String::new(), |it| format!("what is built from {it} "));
                    format!("Upgrade {package} to {built}{version} or later{from}")
                }
            }
        }
        (State::Fixed, None) => format!("Upgrade {package}"),
        (State::Affected, _) if is_malicious(finding) => {
            format!("Remove {package}, which was made to do harm, and change what it could read")
        }
        (State::Affected, _) => {
            format!("No version of {package} mends it yet; watch for one, or do without it")
        }
        (State::WillNotFix, _) => {
            format!("{package} will not be mended here; move to a later release, or do without it")
        }
        (State::Deferred, _) => format!("A fix of {package} has been put off; watch for one"),
        (State::UnderInvestigation, _) => {
            format!("It is being looked into whether {package} is affected; watch for the answer")
        }
        (State::EndOfLife, _) => {
            format!("{package} is not maintained any more here; move to a later release")
        }
        (State::NotAffected, _) => "Nothing".to_owned(),
    }
}

/// Whether it is no flaw but a package that was made to do harm, as `MAL-2024-1234` tells.
fn is_malicious(finding: &Finding) -> bool {
    let names = finding.advisories.iter().chain([&finding.cve_id]);
    names.into_iter().any(|name| name.starts_with("MAL-"))
}

fn description(texts: &Texts) -> Option<String> {
    let text = match texts.summary.trim() {
        "" => texts.details.trim(),
        summary => summary,
    };
    if text.len() <= DESCRIPTION {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    let cut = beginning(text, DESCRIPTION);
    let cut = cut.rsplit_once(char::is_whitespace).map_or(cut, |(cut, _)| cut);
    Some(format!("{cut} …"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_dpkg_may_be_numbered_otherwise_than_their_sources() {
        for (installed, source, expected) in [
            ("2.36.1-8", "2.36.1-8", Some("")),
            ("1:2.36.1-8", "2.36.1-8", Some("1:")),
            ("2.36.1-8+b1", "2.36.1-8", Some("")),
            ("1:2.36.1-8+b12", "2.36.1-8", Some("1:")),
            ("2.36.1-8+b1", "2.36.1-8+b1", Some("")),
            ("2:1.02.175-2.1", "2.03.11-2.1", None),
            ("1+2.06+13+deb12u1", "2.06-13+deb12u1", None),
            ("1:1.1", "2:1.1", None),
            ("4:10.2.1-1", "1.190", None),
            ("12.36.1-8", "2.36.1-8", None),
            (":1", "1", None),
        ] {
            assert_eq!(own_epoch(installed, source), expected, "{installed} of {source}");
        }
    }
}
