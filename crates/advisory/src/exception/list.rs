//! Exceptions in a file that lies beside what it is about, and is reviewed as that is.
//!
//! ```text
//! # flaw        what it holds for                                        why
//! CVE-2023-4911 package=glibc machine=web-* until=2026-12-31 by=ops      # no local users
//! CVE-2007-6755 kind=false-positive                                      # the generator is not built in
//! CVE-2024-1234 until=fixable                                            # waits for the vendor
//!
//! @front = web-* proxy-1
//! CVE-2023-44487 group=front                                             # behind a filter
//! ```
//!
//! A line that begins with `@` names a group of machines, before it is used.
//!
//! Whoever may change the file approves what is in it. A line that makes no sense is an error: what was
//! meant to be told apart must not be so by a slip, and neither the other way round.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

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
    let mut groups = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let malformed = |why: String| Malformed { line: index + 1, why };
        if index >= LINES {
            return Err(malformed(format!("there are more than {LINES} lines")));
        }
        let (said, reason) = match line.split_once('#') {
            Some((said, reason)) => (said, reason.trim()),
            None => (line, ""),
        };
        if let Some(group) = said.trim_start().strip_prefix('@') {
            let (name, patterns) = self::group(group).map_err(malformed)?;
            if groups.insert(name, patterns).is_some() {
                return Err(malformed(format!("there is a group @{name} already")));
            }
            continue;
        }
        let mut words = said.split_whitespace();
        let Some(flaw) = words.next() else { continue };
        if reason.is_empty() {
            return Err(malformed(format!("{flaw} has no reason: it stands behind a `#`")));
        }
        exceptions.push(one(flaw, reason, words, &groups).map_err(malformed)?);
    }
    Ok(exceptions)
}

/// Patterns of machines, by the names of groups.
type Groups<'t> = HashMap<&'t str, Arc<[String]>>;

/// The name of a group and its patterns: `front = web-* proxy-1`.
fn group(said: &str) -> Result<(&str, Arc<[String]>), String> {
    let why = || format!("@{} is not like @front = web-* proxy-1", said.trim());
    let (name, patterns) = said.split_once('=').ok_or_else(why)?;
    let name = name.trim();
    let patterns: Arc<[String]> = patterns.split_whitespace().map(str::to_owned).collect();
    if name.is_empty() || name.contains(char::is_whitespace) || patterns.is_empty() {
        return Err(why());
    }
    Ok((name, patterns))
}

fn one<'w>(
    flaw: &str,
    reason: &str,
    words: impl Iterator<Item = &'w str>,
    groups: &Groups<'_>,
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
            "machine" | "group" if exception.machines != Machines::All => {
                return Err(format!("{word}: it is said already which machines it holds for"));
            }
            "machine" => exception.machines = Machines::Like(value.to_owned()),
            "group" => {
                let patterns = groups.get(value).map(Arc::clone);
                let patterns = patterns
                    .ok_or_else(|| format!("there is no group @{value} above this line"))?;
                exception.machines = Machines::Group { name: value.to_owned(), patterns };
            }
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
                let known = "package, machine, group, kind, until and by";
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
    fn groups_are_named_before_they_are_used() {
        let text = "@front = web-* proxy-1 # of this site\nCVE-2023-44487 group=front # filtered\n";
        let found = parse(text).unwrap_or_default();
        let patterns = ["web-*".to_owned(), "proxy-1".to_owned()].into();
        let group = Machines::Group { name: "front".to_owned(), patterns };
        assert_eq!(found.first().map(|it| &it.machines), Some(&group));
    }

    #[test]
    fn a_slip_is_an_error() {
        for (line, why) in [
            ("CVE-2023-4911", "no reason"),
            ("CVE-2023-4911 # ", "no reason"),
            ("CVE-2023-4911 until=tomorrow # x", "until=tomorrow"),
            ("CVE-2023-4911 until=2026-12-311 # x", "until=2026"),
            ("CVE-2023-4911 until=2026-02-31 # x", "until=2026-02-31"),
            ("CVE-2023-4911 pakage=x # x", "there is no \"pakage\""),
            ("CVE-2023-4911 package= # x", "is not like"),
            ("CVE-2023-4911 glibc # x", "is not like"),
            ("package=glibc # x", "is no flaw"),
            ("CVE-2023-4911 group=front # x", "no group @front"),
            ("CVE-2023-4911 machine=a machine=b # x", "said already"),
            ("@front", "is not like @front ="),
            ("@ = web-*", "is not like"),
            ("@front =", "is not like"),
        ] {
            let error = parse(&format!("# first\n{line}")).err();
            let error = error.map(|it| it.to_string()).unwrap_or_default();
            assert!(error.starts_with("line 2: ") && error.contains(why), "{line}: {error}");
        }
    }
}
