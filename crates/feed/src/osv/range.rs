//! Which versions a record is about.

use fathom_version::Scheme;

use super::record::{Affected, Event, OfAffected};

/// Versions from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval<'a> {
    /// None: from the first.
    pub(super) lower: Option<&'a str>,
    /// None: to all to come.
    pub(super) upper: Option<&'a str>,
    /// Whether `upper` is one of them.
    pub(super) is_inclusive: bool,
    /// Whether `upper` mends it, and does not only tell how far it is known to reach.
    pub(super) is_mended: bool,
}

/// The intervals of a package, and why some of its ranges cannot be told. Versions that are listed one by
/// one count where no range has them: most lists are of those that were released and lie within.
pub(super) fn intervals<'a>(
    affected: &'a Affected<'_>,
    scheme: Scheme,
) -> (Vec<Interval<'a>>, Vec<String>) {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    // Commits are no versions.
    let ranges = || affected.ranges.iter().filter(|range| range.kind != "GIT");
    for range in ranges() {
        match of_events(&range.events, scheme) {
            Ok(intervals) => found.extend(intervals),
            Err(why) => wrong.push(why),
        }
    }
    let known = affected.database_specific.as_ref().and_then(OfAffected::last_known);
    if let Some(known) = known {
        found.iter_mut().for_each(|interval| interval.end_with(known, scheme));
    }
    let has_ranges = ranges().next().is_some();
    let bounds: Vec<_> = found.iter().map(|interval| interval.bounds(scheme)).collect();
    let listed = affected.versions.iter().map(AsRef::as_ref);
    found.extend(listed.filter(|version| !has_ranges || is_left(version, &bounds, scheme)).map(
        |version| Interval {
            lower: Some(version),
            upper: Some(version),
            is_inclusive: true,
            is_mended: false,
        },
    ));
    (found, wrong)
}

/// Whether a version that is listed lies within none of these bounds. One that is no version cannot be
/// installed either.
fn is_left(version: &str, bounds: &[Option<Bounds>], scheme: Scheme) -> bool {
    let Some(key) = scheme.key(version) else { return false };
    !bounds.iter().flatten().any(|bounds| bounds.has(&key))
}

/// Keys of the ends of an interval.
struct Bounds {
    lower: Option<Vec<u8>>,
    upper: Option<Vec<u8>>,
    is_inclusive: bool,
}

impl Bounds {
    fn has(&self, key: &[u8]) -> bool {
        let begins = self.lower.as_deref().is_none_or(|lower| lower <= key);
        begins
            && self
                .upper
                .as_deref()
                .is_none_or(|upper| key < upper || self.is_inclusive && key == upper)
    }
}

impl<'a> Interval<'a> {
    /// All versions.
    pub(super) const ALL: Self =
        Self { lower: None, upper: None, is_inclusive: false, is_mended: false };

    /// Its ends as they are compared; nothing where one of them is no version.
    fn bounds(&self, scheme: Scheme) -> Option<Bounds> {
        let key = |version: Option<&str>| match version {
            None => Some(None),
            Some(version) => scheme.key(version).map(Some),
        };
        let (lower, upper) = (key(self.lower)?, key(self.upper)?);
        Some(Bounds { lower, upper, is_inclusive: self.is_inclusive })
    }

    /// Ends what has no end of its own: with the version, if that is true, or before it. GitHub says
    /// so of what nothing mends, where later versions do not have it, or are not known to.
    fn end_with(&mut self, (is_inclusive, version): (bool, &'a str), scheme: Scheme) {
        let Some(end) = scheme.key(version).filter(|_| self.upper.is_none()) else { return };
        let begins_before = match self.lower.map(|lower| scheme.key(lower)) {
            None => true,
            Some(Some(lower)) => lower < end || is_inclusive && lower == end,
            Some(None) => false,
        };
        if begins_before {
            (self.upper, self.is_inclusive) = (Some(version), is_inclusive);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fixed,
    Limit,
    Introduced,
    LastAffected,
}

fn of_events<'a>(events: &'a [Event<'_>], scheme: Scheme) -> Result<Vec<Interval<'a>>, String> {
    let mut points = Vec::new();
    for event in events {
        for (kind, version) in [
            (Kind::Introduced, &event.introduced),
            (Kind::Fixed, &event.fixed),
            (Kind::Limit, &event.limit),
            (Kind::LastAffected, &event.last_affected),
        ] {
            let Some(version) = version.as_deref() else { continue };
            // No limit at all.
            if version == "*" && kind == Kind::Limit {
                continue;
            }
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
            (Kind::Fixed | Kind::Limit | Kind::LastAffected, Some(lower)) => {
                let is_inclusive = kind == Kind::LastAffected;
                let is_mended = kind == Kind::Fixed;
                found.push(Interval { lower, upper: version, is_inclusive, is_mended });
                open = None;
            }
            (Kind::Introduced, Some(_)) | (_, None) => {}
        }
    }
    if let Some(lower) = open {
        found.push(Interval { lower, upper: None, is_inclusive: false, is_mended: false });
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
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

    #[test]
    fn what_is_only_known_to_reach_so_far_is_not_mended_there() {
        let of = |known: &str, events: &str| {
            let record = format!(
                r#"{{"ranges":[{{"type":"SEMVER","events":{events}}}],"database_specific":{{"last_known_affected_version_range":"{known}"}}}}"#
            );
            let affected: Affected<'_> = serde_json::from_str(&record).unwrap();
            let (found, _) = intervals(&affected, Scheme::Semver);
            let upper = found[0].upper.map(str::to_owned);
            (upper, found[0].is_inclusive, found[0].is_mended)
        };
        let all = r#"[{"introduced":"0"}]"#;
        assert_eq!(of("< 0.20.2", all), (Some("0.20.2".to_owned()), false, false));
        assert_eq!(of("<= 1.5", all), (Some("1.5".to_owned()), true, false));
        assert_eq!(of("~ 1.5", all), (None, false, false));
        assert_eq!(of("< 1.0", r#"[{"introduced":"2.0"}]"#), (None, false, false));
        let mended = r#"[{"introduced":"0"},{"fixed":"1.2"}]"#;
        assert_eq!(of("<= 1.5", mended), (Some("1.2".to_owned()), false, true));
        let limited = r#"[{"introduced":"1"},{"limit":"2"},{"limit":"*"}]"#;
        assert_eq!(of("", limited), (Some("2".to_owned()), false, false));
    }

    #[track_caller]
    fn check_affected(affected: &str, expected: &[(Option<&str>, Option<&str>)], wrong: usize) {
        let affected: Affected<'_> = serde_json::from_str(affected).unwrap();
        let (found, problems) = intervals(&affected, Scheme::Semver);
        let found: Vec<_> = found.iter().map(|it| (it.lower, it.upper)).collect();
        assert_eq!((found.as_slice(), problems.len()), (expected, wrong), "{problems:?}");
    }

    #[test]
    fn versions_that_no_range_has_count_by_themselves() {
        check_affected(
            r#"{"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.2.0"}]}],"versions":["1.0.0","1.1.0","1.2.0","0.9.0","odd"]}"#,
            &[
                (Some("1.0.0"), Some("1.2.0")),
                (Some("1.2.0"), Some("1.2.0")),
                (Some("0.9.0"), Some("0.9.0")),
            ],
            0,
        );
        check_affected(
            r#"{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}],"versions":["1.0.0"]}"#,
            &[(Some("1.0.0"), Some("1.0.0"))],
            0,
        );
        check_affected(
            r#"{"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"last_affected":"1.2.0"}]}],"versions":["1.2.0","1.2.1"]}"#,
            &[(None, Some("1.2.0")), (Some("1.2.1"), Some("1.2.1"))],
            0,
        );
    }

    #[test]
    fn a_range_that_makes_no_sense_leaves_the_others() {
        check_affected(
            r#"{"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"?"}]},{"type":"SEMVER","events":[{"introduced":"2.0.0"},{"fixed":"2.1.0"}]}],"versions":["2.0.0","1.0.0"]}"#,
            &[(Some("2.0.0"), Some("2.1.0")), (Some("1.0.0"), Some("1.0.0"))],
            1,
        );
    }
}
