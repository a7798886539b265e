//! `fathom config`: the settings of the service.

use std::path::PathBuf;

use fathom_config::{Loaded, Problem, Refused, Sources};

use crate::args::{ConfigCheck, ConfigCommand, ConfigShow, Settings};
use crate::exit::{Failure, Verdict, say};
use crate::output::Out;
use crate::text::harmless;

pub(crate) fn run(command: &ConfigCommand) -> Result<Verdict, Failure> {
    match command {
        ConfigCommand::Check(options) => check(options),
        ConfigCommand::Show(options) => show(options),
        ConfigCommand::Schema => {
            let mut out = Out::new();
            out.json(&fathom_config::schema())?;
            out.finish()?;
            Ok(Verdict::Done)
        }
    }
}

/// What the settings are taken from. A file that was named must be there.
pub(super) fn sources(options: &Settings, named: Option<&PathBuf>) -> Result<Sources, Failure> {
    let mut sources = Sources::usual(named.or(options.file.as_ref()).cloned());
    if let Some(file) = &sources.file {
        std::fs::metadata(file).map_err(Failure::reading(file.display().to_string()))?;
    }
    for text in &options.set {
        let assigned = sources.overrides.assign(text);
        assigned.map_err(|why| Failure::Usage(format!("--set: {why}")))?;
    }
    Ok(sources)
}

fn check(options: &ConfigCheck) -> Result<Verdict, Failure> {
    let sources = sources(&options.settings, options.named.as_ref())?;
    let (problems, warnings) = match fathom_config::load(&sources) {
        Ok(loaded) => (Vec::new(), loaded.warnings),
        Err(Refused { problems, warnings }) => (problems, warnings),
    };
    tell(&problems, &warnings);
    let shown = match &sources.file {
        Some(file) => harmless(&file.display().to_string()),
        None => "no file".to_owned(),
    };
    let counted = |what: &str, number: usize| match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    };
    let (wrong, doubtful) =
        (counted("problem", problems.len()), counted("warning", warnings.len()));
    let mut out = Out::new();
    out.line(format!("{shown}: {wrong}, {doubtful}"))?;
    out.finish()?;
    Ok(if problems.is_empty() { Verdict::Done } else { Verdict::No })
}

fn tell(problems: &[Problem], warnings: &[Problem]) {
    for problem in problems {
        say(&problem.to_string());
    }
    for warning in warnings {
        say(&format!("warning: {warning}"));
    }
}

fn load(options: &Settings) -> Result<Loaded, Failure> {
    loaded(&sources(options, None)?)
}

/// The settings; what is wrong with them is said.
pub(super) fn loaded(sources: &Sources) -> Result<Loaded, Failure> {
    match fathom_config::load(sources) {
        Ok(loaded) => {
            tell(&[], &loaded.warnings);
            Ok(loaded)
        }
        Err(Refused { problems, warnings }) => {
            tell(&problems, &warnings);
            // As of arguments that do not fit.
            Err(Failure::Said(2))
        }
    }
}

fn show(options: &ConfigShow) -> Result<Verdict, Failure> {
    let loaded = load(&options.settings)?;
    let mut out = Out::new();
    match (options.json, options.origins) {
        (true, false) => out.json(&loaded.to_json())?,
        (true, true) => out.json(&loaded.to_json_with_origins())?,
        (false, origins) => {
            for line in loaded.to_yaml(origins).lines() {
                out.line(harmless(line))?;
            }
        }
    }
    out.finish()?;
    Ok(Verdict::Done)
}
