//! Exceptions in a file that lies beside what it is about, and is reviewed as that is.
//!
//! ```text
//! # flaw        what it holds for                                        why
//! CVE-2023-4911 package=glibc machine=web-* until=2026-12-31 by=ops      # no local users
//! CVE-2007-6755 kind=false-positive                                      # the generator is not built in
//! CVE-2024-1234 until=fixable                                            # waits for the vendor
//! ```
//!
//! Whoever may change the file approves what is in it. A line that makes no sense is an error: what was
//! meant to be told apart must not be so by a slip, and neither the other way round.

use std::fmt;

use fathom_report::finding::ExemptionKind;

use super::{Exception, Machines, Until};
use crate::day::Day;

/// The most lines that are read.
const LINES: usize = 100_000;

/// A line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which line.
    pub line: usize,
    /// Why.
    pub why: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Malformed {}

/// The exceptions of a file, approved by whoever keeps it.
pub fn parse(text: &str) -> Result<Vec<Exception>, Malformed> {
    let mut exceptions = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let malformed = |why: String| Malformed { line: index + 1, why };
        if index >= LINES {
            return Err(malformed(format!("there are more than {LINES} lines")));
        }
        let (said, reason) = match line.split_once('#') {
            Some((said, reason)) => (said, reason.trim()),
            None => (line, ""),
        };
        let mut words = said.split_whitespace();
        let Some(flaw) = words.next() else { continue };
        if reason.is_empty() {
            return Err(malformed(format!("{flaw} has no reason: it stands behind a `#`")));
        }
        exceptions.push(one(flaw, reason, words).map_err(malformed)?);
    }
    Ok(exceptions)
}

fn one<'w>(
    flaw: &str,
    reason: &str,
    words: impl Iterator<Item = &'w str>,
) -> Result<Exception, String> {
    if !flaw.contains('-') || flaw.contains('=') {
        return Err(format!("{flaw:?} is no flaw, as CVE-2023-4911 is"));
    }
    let mut exception = Exception::request(flaw, ExemptionKind::Deferred, reason);
    let mut by = "whoever keeps the file".to_owned();
    for word in words {
        let (key, value) = word
            .split_once('=')
            .filter(|(_, value)| !value.is_empty())
            .ok_or_else(|| format!("{word:?} is not like package=glibc"))?;
        match key {
            "package" => exception.package = Some(value.to_owned()),
            "machine" => exception.machines = Machines::Like(value.to_owned()),
            "by" => value.clone_into(&mut by),
            "kind" => {
                exception.kind = match value {
                    "deferred" => ExemptionKind::Deferred,
                    "false-positive" => ExemptionKind::FalsePositive,
                    _ => return Err(format!("kind={value}: it is deferred or false-positive")),
                }
            }
            "until" => {
                exception.until = match value {
                    "fixable" => Until::Fixable,
                    "all-fixable" => Until::AllFixable,
                    day if day.len() == 10 && Day::of(day).is_known() => Until::Day(Day::of(day)),
                    _ => {
                        let why = "it is a day as 2026-12-31, fixable or all-fixable";
                        return Err(format!("until={value}: {why}"));
                    }
                }
            }
            _ => {
                let known = "package, machine, kind, until and by";
                return Err(format!("there is no {key:?}; there are {known}"));
            }
        }
    }
    // It was only just asked for, so that it can be approved.
    exception.approve(by).map_err(|error| error.to_string())?;
    Ok(exception)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_holds_for_what() {
        let text = "# of this site\n\nCVE-2023-4911 package=glibc machine=web-* until=2026-12-31 by=ops # no users\n\
                    GHSA-x until=fixable kind=false-positive # none\n";
        let found = parse(text).unwrap_or_default();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].package.as_deref(), Some("glibc"));
        assert_eq!(found[0].machines, Machines::Like("web-*".to_owned()));
        assert_eq!(found[0].until, Until::Day(Day::of("2026-12-31")));
        assert_eq!(
            (found[0].reason.as_str(), found[0].approver.as_deref()),
            ("no users", Some("ops"))
        );
        assert_eq!((found[1].kind, found[1].until), (ExemptionKind::FalsePositive, Until::Fixable));
    }

    #[test]
    fn a_slip_is_an_error() {
        for (line, why) in [
            ("CVE-2023-4911", "no reason"),
            ("CVE-2023-4911 # ", "no reason"),
            ("CVE-2023-4911 until=tomorrow # x", "until=tomorrow"),
            ("CVE-2023-4911 until=2026-12-311 # x", "until=2026"),
            ("CVE-2023-4911 pakage=x # x", "there is no \"pakage\""),
            ("CVE-2023-4911 package= # x", "is not like"),
            ("CVE-2023-4911 glibc # x", "is not like"),
            ("package=glibc # x", "is no flaw"),
        ] {
            let error = parse(&format!("# first\n{line}")).err();
            let error = error.map(|it| it.to_string()).unwrap_or_default();
            assert!(error.starts_with("line 2: ") && error.contains(why), "{line}: {error}");
        }
    }
}
