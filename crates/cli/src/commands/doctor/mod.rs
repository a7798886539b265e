//! `fathom doctor`: what the service misses on this host, and what to do about it.
//!
//! A check looks at one thing and adds what it found to the [`Findings`]; it changes nothing. Those of
//! `OF_HOST` need no settings, so that they are made even where the settings are broken. A new check is
//! a line in one of the two lists.

mod advisories;
mod clock;
mod files;
mod folders;
mod identities;
mod images;
mod kernel;
mod memory;
mod ports;
mod settings;

use fathom_config::Config;
use serde::Serialize;

use crate::args::Doctor;
use crate::exit::{Failure, Verdict};
use crate::output::{Columns, Out};
use crate::text::harmless;

/// What needs no settings.
const OF_HOST: &[fn(&mut Findings)] =
    &[kernel::landlock, kernel::seccomp, kernel::memory_cgroup, kernel::open_files, clock::check];

/// What goes by the settings.
const OF_SETTINGS: &[fn(&Config, &mut Findings)] = &[
    memory::check,
    folders::check,
    files::check,
    images::check,
    advisories::check,
    ports::check,
    identities::check,
];

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Wrong,
}

/// How one thing is, and what to do about it.
#[derive(Debug, Serialize)]
struct Finding {
    state: State,
    about: String,
    what: String,
    remedy: Option<String>,
}

/// How all things are.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, about: &str, what: impl Into<String>) {
        let (about, what) = (about.to_owned(), what.into());
        self.0.push(Finding { state: State::Ok, about, what, remedy: None });
    }

    fn warning(&mut self, about: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.add(State::Warning, about, what.into(), remedy.into());
    }

    fn wrong(&mut self, about: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.add(State::Wrong, about, what.into(), remedy.into());
    }

    fn add(&mut self, state: State, about: &str, what: String, remedy: String) {
        let remedy = Some(remedy).filter(|remedy| !remedy.is_empty());
        self.0.push(Finding { state, about: about.to_owned(), what, remedy });
    }
}

#[derive(Serialize)]
struct Document<'f> {
    /// Whether nothing is wrong; warnings do not count.
    healthy: bool,
    checks: &'f [Finding],
}

pub(crate) fn run(options: &Doctor) -> Result<Verdict, Failure> {
    let sources = super::config::sources(&options.settings, None)?;
    let mut findings = Findings::default();
    let config = settings::check(&sources, &mut findings);
    for check in OF_HOST {
        check(&mut findings);
    }
    for check in config.iter().flat_map(|_| OF_SETTINGS) {
        let Some(config) = &config else { break };
        check(config, &mut findings);
    }
    let healthy = findings.0.iter().all(|finding| finding.state != State::Wrong);
    let mut out = Out::new();
    match options.json {
        true => out.json(&Document { healthy, checks: &findings.0 })?,
        false => table(&findings.0, &mut out)?,
    }
    out.finish()?;
    Ok(if healthy { Verdict::Done } else { Verdict::No })
}

fn table(findings: &[Finding], out: &mut Out) -> Result<(), Failure> {
    let mut columns = Columns::new(&[]);
    for Finding { state, about, what, remedy } in findings {
        let state = match state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Wrong => "wrong",
        };
        columns.row(vec![state.to_owned(), harmless(about), harmless(what)]);
        if let Some(remedy) = remedy {
            columns.row(vec![String::new(), String::new(), format!("→ {}", harmless(remedy))]);
        }
    }
    columns.write(out)
}
