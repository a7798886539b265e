//! The operation `profile`: rules, applied to a machine.

use std::sync::{Arc, LazyLock};

use fathom_jobs::Operation;
use fathom_profile::{PROFILES, Rule, builtin};
use fathom_report::{Profile, Report};
use serde_json::{Value, json};

use super::payload::{Fields, Options, Subject, Wrong, profiles};
use super::{Asked, Tools, look, today};
use crate::handler::{Done, Handler, Running, Task, Trouble};

/// The rules that are built in, read once.
static RULES: LazyLock<Result<Vec<Rule>, String>> =
    LazyLock::new(|| builtin().map_err(|error| error.to_string()));

/// What is asked for.
pub(super) struct Request {
    subject: Subject,
    deep: bool,
    profiles: Vec<&'static str>,
}

impl Request {
    pub(super) fn of(data: &Value) -> Result<Self, Wrong> {
        let fields = Fields::of(data)?;
        let subject = Subject::of(&fields)?;
        let options = Options::of(&fields)?;
        let named = |value: &Value| value.get("profiles").is_some_and(|list| !list.is_null());
        if named(data) && data.get("options").is_some_and(named) {
            return Err("profiles: there is options.profiles too; one of them is meant".to_owned());
        }
        let mut wanted = profiles(&fields)?;
        wanted.extend(options.profiles);
        if wanted.is_empty() {
            wanted = PROFILES.iter().map(|(name, _)| *name).collect();
        }
        Ok(Self { subject, deep: options.deep, profiles: wanted })
    }

    pub(super) fn asked(self) -> Asked {
        self.subject.asked().into_iter().collect()
    }
}

/// The operation `profile`.
pub(super) struct Profiles(pub(super) Arc<Tools>);

impl Handler for Profiles {
    fn operation(&self) -> Operation {
        Operation::Profile
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(self.profile(task))
    }
}

impl Profiles {
    async fn profile(&self, task: &Task) -> Result<Done, Trouble> {
        let Request { subject, deep, profiles } = Request::of(&task.data).map_err(look::invalid)?;
        let (report, metrics) = self.0.report(task, subject, deep).await?;
        task.progress("applying", Some(95), "");
        let data = look::compute(move || Ok(json!({ "profiles": apply(&report, &profiles)? })));
        Ok(Done { data: data.await?, metrics, ..Done::default() })
    }
}

/// What the rules of these profiles make of a report.
pub(super) fn apply(report: &Report, names: &[&str]) -> Result<Vec<Profile>, Trouble> {
    let rules = RULES.as_ref().map_err(|why| Trouble::lasting("INTERNAL_ERROR", why.as_str()))?;
    let today = today();
    let of_profile = |name: &&str| {
        let rules: Vec<_> = rules.iter().filter(|rule| rule.profile == **name).collect();
        fathom_profile::apply(name, &rules, report, today)
    };
    Ok(names.iter().flat_map(of_profile).collect())
}
