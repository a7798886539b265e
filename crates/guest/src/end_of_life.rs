//! Until when the maker of a system mends it, from a table that is built in.
//!
//! The table is `data/end-of-life.csv`; it says itself how it is to be read, as of which day it is true
//! and where it is from. What is not in it is unknown: a version may be too new or too rare for it.

use std::sync::LazyLock;

use fathom_report::{EndOfLife, Evidence, Fact, Family, Identity};

const DATA: &str = include_str!("../data/end-of-life.csv");

/// The table, and the day as of which it is true.
struct Table {
    as_of: &'static str,
    rows: Vec<Row>,
}

struct Row {
    distribution: &'static str,
    /// With `.*` at the end for all point releases.
    version: &'static str,
    ends: Ends,
}

enum Ends {
    /// There are no versions.
    Rolling,
    On(EndOfLife),
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(DATA));

impl Table {
    fn parse(text: &'static str) -> Self {
        let as_of =
            text.lines().find_map(|line| line.strip_prefix("# as of: ")).unwrap_or_default();
        let rows = text.lines().filter_map(|line| {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                return None;
            }
            let mut fields = line.split(',');
            let (distribution, version) = (fields.next()?, fields.next()?);
            let support = fields.next()?;
            let extended = fields.next().filter(|day| !day.is_empty());
            let ends = match support {
                "rolling" => Ends::Rolling,
                day => Ends::On(EndOfLife {
                    support: day.to_owned(),
                    extended: extended.map(str::to_owned),
                }),
            };
            Some(Row { distribution, version, ends })
        });
        Self { as_of, rows: rows.collect() }
    }

    fn find(&self, distribution: &str, version: Option<&str>) -> Option<&Row> {
        let mut rows = self.rows.iter().filter(|row| row.distribution == distribution);
        rows.find(|row| match (&row.ends, version) {
            (Ends::Rolling, _) => true,
            (Ends::On(_), Some(version)) => matches(row.version, version),
            (Ends::On(_), None) => false,
        })
    }
}

/// Whether the version of a row, with `.*` for its point releases, is this one.
fn matches(row: &str, version: &str) -> bool {
    match row.strip_suffix(".*") {
        None => row == version,
        Some(release) => version
            .strip_prefix(release)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
    }
}

/// Until when the system is mended.
pub fn of(identity: &Identity) -> Fact<EndOfLife> {
    let (distribution, version) = match key(identity) {
        Ok(key) => key,
        Err(why) => return Fact::unknown(why),
    };
    let table = &*TABLE;
    let source = format!("table of ends of life as of {}", table.as_of);
    match table.find(&distribution, version.as_deref()) {
        Some(Row { ends: Ends::Rolling, .. }) => Fact::absent([source]),
        Some(Row { ends: Ends::On(end), .. }) => {
            let mut evidence = evidence_of(&identity.version);
            evidence.push(source.into());
            Fact::Known { value: end.clone(), evidence }
        }
        None => Fact::unknown(match version {
            Some(version) => format!("{distribution} {version} is not in the {source}"),
            None => format!("{distribution} without a version is not in the {source}"),
        }),
    }
}

fn evidence_of(fact: &Fact<String>) -> Vec<Evidence> {
    match fact {
        Fact::Known { evidence, .. } => evidence.clone(),
        Fact::Absent { .. } | Fact::Unknown { .. } => Vec::new(),
    }
}

/// The names under which the system is in the table; or why it cannot be told.
fn key(identity: &Identity) -> Result<(String, Option<String>), String> {
    if identity.family == Family::Windows {
        return windows(identity).map(|(kind, build)| (kind.to_owned(), Some(build)));
    }
    let distribution = match &identity.distribution {
        Fact::Known { value, .. } => value.to_lowercase(),
        Fact::Absent { .. } => return Err("the system does not say what it is".to_owned()),
        Fact::Unknown { reason } => return Err(reason.clone()),
    };
    let version = match &identity.version {
        Fact::Known { value, .. } => Some(value.trim().to_owned()),
        Fact::Absent { .. } => None,
        Fact::Unknown { reason } => return Err(reason.clone()),
    };
    // CentOS and CentOS Stream go by one name and end on different days.
    let is_stream = identity.name.value().is_some_and(|name| name.contains("Stream"));
    let distribution = match (distribution.as_str(), &identity.name) {
        ("centos", Fact::Unknown { reason }) => return Err(reason.clone()),
        ("centos", _) if is_stream => "centos-stream".to_owned(),
        _ => distribution,
    };
    Ok((distribution, version))
}

/// The kind of edition, and the build: each kind ends on a day of its own.
fn windows(identity: &Identity) -> Result<(&'static str, String), String> {
    let text = |fact: &Fact<String>, what: &str| match fact {
        Fact::Known { value, .. } => Ok(value.to_lowercase()),
        Fact::Absent { .. } => Err(format!("the {what} of Windows is not said")),
        Fact::Unknown { reason } => Err(reason.clone()),
    };
    let build = match text(&identity.build, "build") {
        Ok(build) => build.split('.').next().unwrap_or_default().to_owned(),
        Err(why) => {
            let version = text(&identity.version, "build").map_err(|_| why)?;
            version.split('.').nth(2).ok_or("the version of Windows names no build")?.to_owned()
        }
    };
    let edition = text(&identity.edition, "edition")?;
    let name = identity.name.value().map(|name| name.to_lowercase()).unwrap_or_default();
    let kind = if edition.contains("server") || name.contains("server") {
        if edition.ends_with("acor") { "windows-server-annual" } else { "windows-server" }
    } else if edition.starts_with("enterprises")
        || edition.starts_with("iotenterprises")
        || ["ltsc", "ltsb"].iter().any(|word| edition.contains(word) || name.contains(word))
    {
        "windows-ltsc"
    } else if ["enterprise", "education"].iter().any(|word| edition.starts_with(word)) {
        "windows-enterprise"
    } else {
        "windows"
    };
    Ok((kind, build))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(family: Family) -> Identity {
        Identity::unknown(family, "a test does not say")
    }

    fn linux(distribution: &str, name: &str, version: Option<&str>) -> Identity {
        Identity {
            distribution: Fact::known(distribution.to_owned(), "/etc/os-release"),
            name: Fact::known(name.to_owned(), "/etc/os-release"),
            version: version.map_or_else(
                || Fact::absent(["/etc/os-release"]),
                |it| Fact::known(it.to_owned(), "/etc/os-release"),
            ),
            ..identity(Family::Linux)
        }
    }

    fn windows(name: &str, edition: &str, build: &str) -> Identity {
        Identity {
            name: Fact::known(name.to_owned(), "SOFTWARE"),
            edition: Fact::known(edition.to_owned(), "SOFTWARE"),
            build: Fact::known(build.to_owned(), "SOFTWARE"),
            ..identity(Family::Windows)
        }
    }

    fn ends(identity: &Identity) -> (String, Option<String>) {
        match of(identity) {
            Fact::Known { value, .. } => (value.support, value.extended),
            other => panic!("{other:?}"),
        }
    }

    fn is_day(day: &str) -> bool {
        let parts: Vec<_> = day.split('-').collect();
        let widths: Vec<_> = parts.iter().map(|part| part.len()).collect();
        let number = |at: usize| parts[at].parse::<u32>().unwrap();
        widths == [4, 2, 2]
            && (1998..2050).contains(&number(0))
            && (1..=12).contains(&number(1))
            && (1..=31).contains(&number(2))
    }

    #[test]
    fn every_row_is_understood_and_none_stands_twice() {
        assert!(is_day(TABLE.as_of));
        let lines = DATA.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), TABLE.rows.len());
        let mut seen = std::collections::HashSet::new();
        for row in &TABLE.rows {
            let what = (row.distribution, row.version);
            assert!(seen.insert(what), "{what:?} stands twice");
            if let Ends::On(end) = &row.ends {
                assert!(is_day(&end.support), "{what:?}");
                if let Some(extended) = &end.extended {
                    assert!(is_day(extended) && *extended >= end.support, "{what:?}");
                }
            }
        }
    }

    #[test]
    fn point_releases_end_with_their_release_and_service_packs_do_not() {
        let day = |distribution, version| ends(&linux(distribution, "", Some(version))).0;
        assert_eq!(day("debian", "12"), "2026-07-11");
        assert_eq!(day("debian", "6.0.10"), "2014-05-31");
        assert_eq!(day("rhel", "9.4"), "2032-05-31");
        assert_eq!(day("alpine", "3.19.1"), "2025-11-01");
        assert_eq!(day("ubuntu", "22.04"), "2027-06-01");
        assert_ne!(day("sles", "15.4"), day("sles", "15"));
        // 1 is not a point release of 1x, nor 12 of 1.
        assert!(!matches("1.*", "12") && !matches("12.*", "1"));
    }

    #[test]
    fn one_name_two_systems() {
        assert_eq!(ends(&linux("centos", "CentOS Linux 8", Some("8"))).0, "2021-12-31");
        assert_eq!(ends(&linux("centos", "CentOS Stream 8", Some("8"))).0, "2024-05-31");
    }

    #[test]
    fn what_rolls_has_no_end_and_what_is_not_in_the_table_is_unknown() {
        assert!(matches!(of(&linux("arch", "Arch Linux", None)), Fact::Absent { .. }));
        for (distribution, version) in
            [("debian", Some("99")), ("debian", None), ("sles", Some("15.99")), ("x", Some("1"))]
        {
            let fact = of(&linux(distribution, "", version));
            assert!(matches!(fact, Fact::Unknown { .. }), "{distribution} {version:?}: {fact:?}");
        }
        assert!(matches!(of(&identity(Family::Linux)), Fact::Unknown { .. }));
        assert!(matches!(of(&identity(Family::Windows)), Fact::Unknown { .. }));
    }

    #[test]
    fn windows_ends_by_build_and_kind_of_edition() {
        let day = |name, edition, build| ends(&windows(name, edition, build));
        let server = day("Windows Server 2022 Standard", "ServerStandard", "20348.2113");
        assert_eq!(server, ("2031-10-14".to_owned(), None));
        assert_eq!(day("Windows 10 Pro", "Professional", "19045.1").0, "2025-10-14");
        assert_eq!(day("Windows 11 Enterprise", "Enterprise", "22631").0, "2026-11-10");
        assert_eq!(day("Windows 10 Enterprise LTSC 2019", "EnterpriseS", "17763").0, "2029-01-09");
        assert_eq!(day("Windows 7 Professional", "Professional", "7601").0, "2020-01-14");
        let annual = day("Windows Server Standard", "ServerStandardACor", "25398");
        assert_eq!(annual.0, "2025-10-24");
        let fact = of(&windows("Windows 12 Pro", "Professional", "99999"));
        assert!(matches!(fact, Fact::Unknown { .. }));
    }
}
