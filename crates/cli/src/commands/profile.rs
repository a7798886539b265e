//! `fathom profile`: the rules, by name, in full, and put to the test.

use fathom_profile::{PROFILES, Rule, run_fixtures};

use super::inspect::profiles;
use crate::args::{ProfileCommand, ProfileList, ProfileShow, ProfileTest};
use crate::exit::{Failure, Verdict, say};
use crate::output::{Columns, Out};
use crate::text::harmless;

pub(crate) fn run(command: &ProfileCommand) -> Result<Verdict, Failure> {
    match command {
        ProfileCommand::List(options) => list(options),
        ProfileCommand::Show(options) => show(options),
        ProfileCommand::Test(options) => test(options),
    }
}

fn severity(rule: &Rule) -> String {
    format!("{:?}", rule.severity).to_lowercase()
}

fn list(options: &ProfileList) -> Result<Verdict, Failure> {
    let rules = profiles::rules(&options.rules)?;
    let mut names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    for rule in &rules {
        if !names.contains(&rule.profile.as_str()) {
            names.push(&rule.profile);
        }
    }
    if let Some(wanted) = &options.profile {
        if !names.contains(&wanted.as_str()) {
            let why = format!("there is no profile {wanted:?}; there are {}", names.join(", "));
            return Err(Failure::Usage(why));
        }
        names.retain(|name| name == wanted);
    }
    let mut out = Out::new();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.line("")?;
        }
        let of_profile: Vec<_> = rules.iter().filter(|rule| rule.profile == **name).collect();
        let asks = PROFILES.iter().find(|(profile, _)| profile == name);
        let asks = asks.map_or_else(String::new, |(_, asks)| format!(": {asks}"));
        out.line(format!("{}{asks}", harmless(name)))?;
        let mut columns = Columns::new(&[]);
        for rule in of_profile {
            columns.row(vec![format!("  {}", rule.id), severity(rule), harmless(&rule.title)]);
        }
        columns.write(&mut out)?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

fn show(options: &ProfileShow) -> Result<Verdict, Failure> {
    let rules = profiles::rules(&options.rules)?;
    let rule = rules.iter().find(|rule| rule.id == options.rule).ok_or_else(|| {
        let part = options.rule.as_str();
        let close: Vec<_> = rules
            .iter()
            .map(|rule| rule.id.as_str())
            .filter(|id| id.contains(part))
            .take(8)
            .collect();
        let hint = if close.is_empty() {
            "fathom profile list names them".to_owned()
        } else {
            format!("there are {}", close.join(", "))
        };
        Failure::Usage(format!("there is no rule {part:?}; {hint}"))
    })?;
    let mut out = Out::new();
    out.line(format!("{} ({}, {})", rule.id, rule.profile, severity(rule)))?;
    out.line(format!("{}.", harmless(&rule.title)))?;
    out.line(format!("\n{}", harmless(&rule.rationale)))?;
    if let Some(applies) = &rule.applies {
        out.line(format!("\napplies    {}", harmless(&applies.text)))?;
    }
    out.line(format!("check      {}", harmless(&rule.check.text)))?;
    if let Some(reference) = &rule.reference {
        out.line(format!("reference  {}", harmless(reference)))?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

fn test(options: &ProfileTest) -> Result<Verdict, Failure> {
    let rules = profiles::further(&options.folder)?;
    let (mut fixtures, mut wrong) = (0, false);
    for rule in &rules {
        match run_fixtures(rule) {
            Ok(number) => fixtures += number,
            Err(error) => {
                wrong = true;
                say(&error.to_string());
            }
        }
    }
    if wrong {
        return Ok(Verdict::No);
    }
    let counted = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    };
    let mut out = Out::new();
    let (rules, fixtures) = (counted(rules.len(), "rule"), counted(fixtures, "fixture"));
    out.line(format!("{rules}, {fixtures}: all as they say"))?;
    out.finish()?;
    Ok(Verdict::Done)
}
