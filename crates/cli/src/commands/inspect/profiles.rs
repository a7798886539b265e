//! The rules that were asked for, what they make of a report, and how that is shown.

use std::collections::BTreeMap;
use std::path::Path;

use fathom_profile::{FolderError, PROFILES, Rule, apply, builtin, folder};
use fathom_report::Day;
use fathom_report::{Outcome, Profile, Report, RuleResult, Severity};

use super::table::wrap;
use crate::args::{self, Profiles};
use crate::exit::{Failure, say};
use crate::text::harmless;

/// The rules to apply, by profile, in the order in which they were asked for.
pub(crate) struct Chosen {
    profiles: Vec<(String, Vec<Rule>)>,
    fail_on: Option<Severity>,
}

/// All rules that there are, those in folders too. No two have one name.
pub(crate) fn rules(options: &args::Rules) -> Result<Vec<Rule>, Failure> {
    let mut all = builtin().map_err(|error| Failure::Usage(error.to_string()))?;
    for path in &options.folders {
        all.extend(of_folder(path)?);
    }
    unique(all)
}

/// The rules in a folder that may stand beside those that are built in.
pub(crate) fn further(path: &Path) -> Result<Vec<Rule>, Failure> {
    let mut all = builtin().map_err(|error| Failure::Usage(error.to_string()))?;
    let own = all.len();
    all.extend(of_folder(path)?);
    Ok(unique(all)?.split_off(own))
}

fn of_folder(path: &Path) -> Result<Vec<Rule>, Failure> {
    folder(path).map_err(|error| match error {
        FolderError::Read(path, error) => Failure::reading(path.display().to_string())(error),
        other => Failure::Usage(other.to_string()),
    })
}

/// The rules, if no two of them have one name.
fn unique(all: Vec<Rule>) -> Result<Vec<Rule>, Failure> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for rule in &all {
        if let Some(other) = seen.insert(&rule.id, &rule.profile) {
            let (id, profile) = (&rule.id, &rule.profile);
            let why = format!("there are two rules {id}: one in {other}, one in {profile}");
            return Err(Failure::Usage(why));
        }
    }
    Ok(all)
}

impl Chosen {
    /// What the arguments ask for; nothing, if they ask for none.
    pub(crate) fn of(options: &Profiles) -> Result<Option<Self>, Failure> {
        if options.profiles.is_empty() && options.rules.folders.is_empty() {
            return match options.fail_on {
                Some(_) => Err(Failure::Usage("--fail-on needs --profile or --rules".to_owned())),
                None => Ok(None),
            };
        }
        let mut by_profile: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for rule in rules(&options.rules)? {
            by_profile.entry(rule.profile.clone()).or_default().push(rule);
        }
        let mut wanted = options.profiles.clone();
        if wanted.is_empty() {
            // A folder's own profiles, and those that it adds to.
            let named = |name: &&String| adds_to(options, name);
            wanted = by_profile.keys().filter(named).cloned().collect();
        } else if wanted.iter().any(|name| name == "all") {
            wanted = by_profile.keys().cloned().collect();
        }
        say_left_out(options, &by_profile, &wanted);
        let mut profiles: Vec<(String, Vec<Rule>)> = Vec::new();
        for name in wanted {
            match by_profile.remove(&name) {
                Some(rules) => profiles.push((name, rules)),
                None if profiles.iter().any(|(profile, _)| *profile == name) => {}
                None => {
                    let known: Vec<_> = by_profile.keys().map(String::as_str).collect();
                    let why =
                        format!("there is no profile {name:?}; there are {}", known.join(", "));
                    return Err(Failure::Usage(why));
                }
            }
        }
        Ok(Some(Self { profiles, fail_on: options.fail_on.map(Into::into) }))
    }

    /// Applies the rules to the systems of the report.
    pub(crate) fn apply(&self, report: &mut Report, today: Day) {
        let of = |(name, rules): &(String, Vec<Rule>)| {
            let rules: Vec<_> = rules.iter().collect();
            apply(name, &rules, report, today)
        };
        report.profiles = self.profiles.iter().flat_map(of).collect();
    }

    /// Whether a rule fails that is grave enough to fail the command.
    pub(crate) fn fails(&self, report: &Report) -> bool {
        let Some(limit) = self.fail_on else { return false };
        let results = report.profiles.iter().flat_map(|profile| &profile.results);
        results.into_iter().any(|it| it.outcome == Outcome::Fail && it.severity <= limit)
    }
}

/// Says which rules of the folders are not applied, since --profile names other profiles.
fn say_left_out(options: &Profiles, all: &BTreeMap<String, Vec<Rule>>, wanted: &[String]) {
    let left_out = all.keys().filter(|name| !wanted.contains(name) && adds_to(options, name));
    let left_out: Vec<_> = left_out.map(String::as_str).collect();
    if !left_out.is_empty() {
        let names = left_out.join(",");
        say(&format!(
            "warning: the rules of --rules for {names} are not applied, since --profile does not \
             name it: add --profile {names}"
        ));
    }
}

/// Whether a folder has a rule for the profile.
fn adds_to(options: &Profiles, name: &str) -> bool {
    let is_built_in = PROFILES.iter().any(|(profile, _)| *profile == name);
    !is_built_in || options.rules.folders.iter().any(|folder| folder.join(name).is_dir())
}

/// What came of the rules, line by line: those that fail, then those that could not be told, the
/// gravest first, then how many the others are.
/// Lines that are longer than `width` go on below.
pub(crate) fn lines(report: &Report, width: Option<usize>) -> Vec<String> {
    let width = width.unwrap_or(usize::MAX);
    report.profiles.iter().flat_map(|profile| of_profile(profile, width)).collect()
}

/// Adds what stands behind the lead, and below it what does not fit.
fn add(lines: &mut Vec<String>, lead: &str, text: &str, width: usize) {
    let room = width.saturating_sub(lead.len()).max(20);
    for (number, line) in wrap(text, room).iter().enumerate() {
        let lead = if number == 0 { lead.to_owned() } else { " ".repeat(lead.len()) };
        lines.push(format!("{lead}{line}"));
    }
}

fn of_profile(profile: &Profile, width: usize) -> Vec<String> {
    let of = |outcome| -> Vec<&RuleResult> {
        let mut these: Vec<_> =
            profile.results.iter().filter(|result| result.outcome == outcome).collect();
        these.sort_by_key(|result| result.severity);
        these
    };
    let (failed, unknown) = (of(Outcome::Fail), of(Outcome::Unknown));
    let score = match profile.score {
        // The score of few rules says little, so that it never stands alone.
        Some(score) => format!(
            "score {score} of 100 by {} rules, {} could not be told",
            of(Outcome::Pass).len() + failed.len(),
            unknown.len(),
        ),
        None => "no score, as nothing could be told".to_owned(),
    };
    let mut lines = vec![String::new()];
    let head = format!("of {}: {score}", harmless(&profile.system));
    add(&mut lines, &format!("Profile {} ", harmless(&profile.name)), &head, width);
    let counts = format!(
        "{} pass, {} fail, {} unknown, {} not applicable",
        of(Outcome::Pass).len(),
        failed.len(),
        unknown.len(),
        of(Outcome::NotApplicable).len(),
    );
    add(&mut lines, "  ", &counts, width);
    for (word, results) in [("FAIL", failed), ("unknown", unknown)] {
        for result in results {
            let severity = format!("{:?}", result.severity).to_lowercase();
            let (id, title) = (harmless(&result.id), harmless(&result.title));
            let lead = format!("  {word:7}  {severity:8}  ");
            add(&mut lines, &lead, &format!("{id}: {title}"), width);
            add(&mut lines, "           ", &harmless(&result.message), width);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_on_below_its_beginning() {
        let mut lines = Vec::new();
        add(&mut lines, "  FAIL  ", "one-rule: a title of several words", 30);
        assert_eq!(lines, ["  FAIL  one-rule: a title of", "        several words"]);
    }
}
