//! Exceptions: flaws that somebody has decided to live with for a while, or has found not to be there.
//!
//! An exception is asked for, and then approved or denied by somebody. While it is approved, the flaws
//! that it is about are told apart from the others, with the reason; they are never just left out. It
//! ends on a day, or when there is something to mend them with, and they are told as before.

mod list;

use std::fmt;
use std::sync::Arc;

use fathom_report::finding::{Excepted, Exemption, ExemptionKind, Finding, Findings};
use fathom_report::is_like;

use crate::day::Day;
use crate::enrich::summarize;

pub use list::{Malformed, parse};

/// Which machines an exception holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Machines {
    /// All of them.
    All,
    /// Those whose names are like this, as `web-*`.
    Like(String),
    /// Those of a group: whose names are like one of its patterns.
    Group {
        /// The group.
        name: String,
        /// The patterns of its machines.
        patterns: Arc<[String]>,
    },
}

/// How long an exception holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// As long as nobody takes it back.
    Ever,
    /// To the end of this day.
    Day(Day),
    /// Until one of the findings can be mended.
    Fixable,
    /// Until all of them can be mended.
    AllFixable,
}

/// How an exception stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was asked for.
    Pending,
    /// It holds.
    Approved,
    /// It was refused.
    Denied,
    /// Whoever asked for it takes it back.
    Cancelled,
    /// It held.
    Expired,
}

/// What somebody decided about a flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The flaw.
    pub flaw: String,
    /// The package, or what it was built from; none for every one.
    pub package: Option<String>,
    /// The machines.
    pub machines: Machines,
    /// Whether it is put off, or is none.
    pub kind: ExemptionKind,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub requester: Option<String>,
    /// Who decided.
    pub approver: Option<String>,
    /// How long.
    pub until: Until,
    standing: Standing,
}

/// A step that cannot be taken from where an exception stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoStep {
    from: Standing,
    to: Standing,
}

impl fmt::Display for NoStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |standing| match standing {
            Standing::Pending => "pending",
            Standing::Approved => "approved",
            Standing::Denied => "denied",
            Standing::Cancelled => "cancelled",
            Standing::Expired => "expired",
        };
        write!(out, "an exception that is {} cannot become {}", name(self.from), name(self.to))
    }
}

impl std::error::Error for NoStep {}

impl Exception {
    /// One that is asked for.
    pub fn request(
        flaw: impl Into<String>,
        kind: ExemptionKind,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            flaw: flaw.into(),
            package: None,
            machines: Machines::All,
            kind,
            reason: reason.into(),
            requester: None,
            approver: None,
            until: Until::Ever,
            standing: Standing::Pending,
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Lets it hold.
    pub fn approve(&mut self, approver: impl Into<String>) -> Result<(), NoStep> {
        self.step(Standing::Approved)?;
        self.approver = Some(approver.into());
        Ok(())
    }

    /// Refuses it.
    pub fn deny(&mut self, approver: impl Into<String>) -> Result<(), NoStep> {
        self.step(Standing::Denied)?;
        self.approver = Some(approver.into());
        Ok(())
    }

    /// Takes it back.
    pub fn cancel(&mut self) -> Result<(), NoStep> {
        self.step(Standing::Cancelled)
    }

    fn step(&mut self, to: Standing) -> Result<(), NoStep> {
        use Standing::{Approved, Cancelled, Denied, Expired, Pending};
        match (self.standing, to) {
            (Pending, Approved | Denied | Cancelled) | (Approved, Cancelled | Expired) => {
                self.standing = to;
                Ok(())
            }
            (from, to) => Err(NoStep { from, to }),
        }
    }

    fn is_about(&self, finding: &Finding, names: &[&str]) -> bool {
        let is_flaw = finding.cve_id == self.flaw || finding.aliases.contains(&self.flaw);
        let is_package = self.package.as_ref().is_none_or(|package| {
            finding.package == *package || finding.source_package.as_ref() == Some(package)
        });
        let is_machine = match &self.machines {
            Machines::All => true,
            Machines::Like(pattern) => names.iter().any(|name| is_like(name, pattern)),
            Machines::Group { patterns, .. } => {
                names.iter().any(|name| patterns.iter().any(|pattern| is_like(name, pattern)))
            }
        };
        is_flaw && is_package && is_machine
    }

    /// Whether it has ended, of which these are the findings.
    fn has_ended(&self, findings: &[&Finding], today: Day) -> bool {
        match self.until {
            Until::Ever => false,
            Until::Day(day) => today.is_known() && day < today,
            Until::Fixable => findings.iter().any(|it| it.is_fixable()),
            Until::AllFixable => !findings.is_empty() && findings.iter().all(|it| it.is_fixable()),
        }
    }
}

/// What came of exceptions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many findings were told apart.
    pub excepted: usize,
    /// Which of the exceptions are over, for this machine at least.
    pub over: Vec<usize>,
    /// Which of them are about any finding of this machine, whether it was told apart already or not.
    pub used: Vec<usize>,
}

/// Tells the findings of a machine apart that an approved exception is about. One whose day is over is
/// ended for all machines; whether something can be mended is another matter on each.
pub fn apply(findings: &mut Findings, exceptions: &mut [Exception], today: Day) -> Applied {
    let mut names = vec![findings.subject.clone()];
    names.extend(findings.systems.iter().filter_map(|system| system.hostname.clone()));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut applied = Applied::default();
    if exceptions.iter().all(|it| it.standing != Standing::Approved) {
        return applied;
    }
    for (index, exception) in exceptions.iter_mut().enumerate() {
        if exception.standing != Standing::Approved {
            continue;
        }
        let about: Vec<_> =
            findings.vulnerabilities.iter().filter(|it| exception.is_about(it, &names)).collect();
        let mut decided = findings.excepted.iter().map(|it| &it.finding);
        if !about.is_empty() || decided.any(|it| exception.is_about(it, &names)) {
            applied.used.push(index);
        }
        if exception.has_ended(&about, today) {
            applied.over.push(index);
            if matches!(exception.until, Until::Day(_)) {
                exception.standing = Standing::Expired;
            }
            continue;
        }
        let all = std::mem::take(&mut findings.vulnerabilities);
        for finding in all {
            if !exception.is_about(&finding, &names) {
                findings.vulnerabilities.push(finding);
                continue;
            }
            applied.excepted += 1;
            findings.excepted.push(Excepted { finding, exemption: exception.exemption() });
        }
    }
    summarize(findings);
    applied
}

impl Exception {
    fn exemption(&self) -> Exemption {
        Exemption {
            kind: self.kind,
            reason: self.reason.clone(),
            by: self.approver.clone().or_else(|| self.requester.clone()),
            until: match self.until {
                Until::Ever => None,
                Until::Day(day) => Some(day.to_string()),
                Until::Fixable => Some("fixable".to_owned()),
                Until::AllFixable => Some("all-fixable".to_owned()),
            },
            statement: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_in_their_order() {
        let new = || Exception::request("CVE-2023-4911", ExemptionKind::Deferred, "why");
        let mut approved = new();
        assert_eq!(approved.approve("ops"), Ok(()));
        assert_eq!(approved.standing(), Standing::Approved);
        assert!(approved.deny("ops").is_err() && approved.approve("ops").is_err());
        assert_eq!(approved.cancel(), Ok(()));
        let mut denied = new();
        assert_eq!(denied.deny("ops"), Ok(()));
        let refused = denied.approve("ops").map_err(|it| it.to_string());
        assert_eq!(refused, Err("an exception that is denied cannot become approved".to_owned()));
    }
}
