//! Which versions a record is about.

use fathom_version::Scheme;

use super::record::{Affected, Event};

/// Versions from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval<'a> {
    /// None: from the first.
    pub(super) lower: Option<&'a str>,
    /// None: to all to come.
    pub(super) upper: Option<&'a str>,
    /// Whether `upper` is one of them.
    pub(super) is_inclusive: bool,
}

/// The intervals of a package, or why they cannot be told. Versions that are listed one by one count
/// where there are no ranges of versions: where there are, they list those that were released and lie
/// within.
pub(super) fn intervals<'a>(
    affected: &'a Affected<'_>,
    scheme: Scheme,
) -> Result<Vec<Interval<'a>>, String> {
    let mut found = Vec::new();
    let mut has_ranges = false;
    for range in &affected.ranges {
        // Commits are no versions.
        if range.kind != "GIT" {
            has_ranges = true;
            found.extend(of_events(&range.events, scheme)?);
        }
    }
    if !has_ranges {
        let one = |version: &'a str| Interval {
            lower: Some(version),
            upper: Some(version),
            is_inclusive: true,
        };
        found.extend(affected.versions.iter().map(|version| one(version)));
    }
    Ok(found)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fixed,
    Introduced,
    LastAffected,
}

fn of_events<'a>(events: &'a [Event<'_>], scheme: Scheme) -> Result<Vec<Interval<'a>>, String> {
    let mut points = Vec::new();
    for event in events {
        for (kind, version) in [
            (Kind::Introduced, &event.introduced),
            (Kind::Fixed, &event.fixed),
            (Kind::LastAffected, &event.last_affected),
        ] {
            let Some(version) = version.as_deref() else { continue };
            // Nought stands for the beginning, before every version.
            let is_beginning = version == "0" && kind == Kind::Introduced;
            let key = match is_beginning {
                true => Vec::new(),
                false => {
                    let key = scheme.key(version);
                    key.ok_or_else(|| format!("{version:?} is no version"))?
                }
            };
            points.push((key, kind, (!is_beginning).then_some(version)));
        }
    }
    // The schema lets them stand in any order.
    points.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    let mut found = Vec::new();
    let mut open: Option<Option<&str>> = None;
    for (_, kind, version) in points {
        match (kind, open) {
            (Kind::Introduced, None) => open = Some(version),
            (Kind::Fixed | Kind::LastAffected, Some(lower)) => {
                let is_inclusive = kind == Kind::LastAffected;
                found.push(Interval { lower, upper: version, is_inclusive });
                open = None;
            }
            (Kind::Introduced, Some(_)) | (Kind::Fixed | Kind::LastAffected, None) => {}
        }
    }
    if let Some(lower) = open {
        found.push(Interval { lower, upper: None, is_inclusive: false });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(events: &str, expected: &[(Option<&str>, Option<&str>, bool)]) {
        let events: Vec<Event<'_>> = serde_json::from_str(events).unwrap_or_default();
        let found = of_events(&events, Scheme::Semver).unwrap_or_default();
        let found: Vec<_> = found.iter().map(|it| (it.lower, it.upper, it.is_inclusive)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn ranges_open_and_close() {
        check(r#"[{"introduced":"0"},{"fixed":"1.2"}]"#, &[(None, Some("1.2"), false)]);
        check(r#"[{"introduced":"0"}]"#, &[(None, None, false)]);
        check(
            r#"[{"introduced":"1.0"},{"last_affected":"1.5"}]"#,
            &[(Some("1.0"), Some("1.5"), true)],
        );
        check(
            r#"[{"introduced":"0"},{"fixed":"1.2"},{"introduced":"2.0"},{"fixed":"2.1"}]"#,
            &[(None, Some("1.2"), false), (Some("2.0"), Some("2.1"), false)],
        );
    }

    #[test]
    fn events_stand_in_any_order() {
        check(
            r#"[{"fixed":"2.1"},{"introduced":"2.0"},{"fixed":"1.10"},{"introduced":"1.9"}]"#,
            &[(Some("1.9"), Some("1.10"), false), (Some("2.0"), Some("2.1"), false)],
        );
    }

    #[test]
    fn what_is_introduced_where_it_was_fixed_goes_on() {
        check(
            r#"[{"introduced":"0"},{"fixed":"1.2"},{"introduced":"1.2"},{"fixed":"1.3"}]"#,
            &[(None, Some("1.2"), false), (Some("1.2"), Some("1.3"), false)],
        );
    }

    #[test]
    fn a_fix_before_all_is_none() {
        check(r#"[{"introduced":"0"},{"fixed":"0"}]"#, &[(None, Some("0"), false)]);
        check(r#"[{"fixed":"1.2"}]"#, &[]);
    }
}
