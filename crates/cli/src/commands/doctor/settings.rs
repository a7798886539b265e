//! Whether the settings can be loaded.

use fathom_config::{Config, Refused, Sources};

use super::Findings;

/// The settings, where nothing is wrong with them.
pub(super) fn check(sources: &Sources, findings: &mut Findings) -> Option<Config> {
    let (loaded, problems, warnings) = match fathom_config::load(sources) {
        Ok(loaded) => (Some(loaded.config), Vec::new(), loaded.warnings),
        Err(Refused { problems, warnings }) => (None, problems, warnings),
    };
    if loaded.is_some() {
        let what = match &sources.file {
            Some(file) => format!("{} and the environment", file.display()),
            None => "the environment; there is no file".to_owned(),
        };
        findings.ok("settings", what);
    }
    let remedy =
        "docs/configuration.md lists every setting; fathom config check tells of these alone";
    for problem in problems {
        findings.wrong("settings", problem.to_string(), remedy);
    }
    for warning in warnings {
        findings.warning("settings", warning.to_string(), "");
    }
    loaded
}
