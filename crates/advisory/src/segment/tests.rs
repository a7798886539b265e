//! Files that are written and read again, whole and damaged.

use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;

use super::{About, NewAdvisory, NewVector, Segment, Statement, Subject, Texts, Upper, Writer};
use crate::cve::Cve;
use crate::day::Day;
use crate::error::{Kind, Result};

fn cve(text: &str) -> Cve {
    text.parse().unwrap()
}

fn statement<'a>(namespace: &'a str, name: &'a str, upper: Option<Upper<'a>>) -> Statement<'a> {
    Statement {
        namespace,
        scheme: Scheme::Debian,
        subject: Subject::Source,
        name,
        lower: None,
        upper,
        state: if upper.is_some() { State::Fixed } else { State::Affected },
        severity: None,
        qualifier: None,
    }
}

fn write(path: &std::path::Path) -> Result<()> {
    let about = About { provider: "debian".to_owned(), ..About::default() };
    let mut writer = Writer::create(path, about)?;
    let first = NewAdvisory {
        name: "DSA-1-1",
        cves: &[cve("CVE-2021-0001"), cve("CVE-2021-0002")],
        weaknesses: &[79, 787],
        aliases: &["GHSA-x".to_owned()],
        vectors: &[NewVector {
            text: "CVSS:3.1/AV:N".to_owned(),
            is_own: true,
            version: 3,
            score: 98,
        }],
        severity: Some(Severity::High),
        published: Day::of("2021-02-03"),
        modified: Day::of("2021-03-04"),
        has_exploit: true,
        texts: Texts {
            summary: "a summary".to_owned(),
            details: "details".to_owned(),
            references: vec!["https://a.example".to_owned()],
        },
    };
    let id = writer.advisory(&first)?.unwrap();
    writer.statement(id, &statement("Debian:12", "openssl", Some(Upper::Before("3.0-2")))).unwrap();
    writer.statement(id, &statement("Debian:11", "openssl", Some(Upper::With("1.1-1")))).unwrap();
    let second = NewAdvisory {
        name: "CVE-2022-0003",
        cves: &[cve("CVE-2022-0003")],
        texts: Texts { summary: "another".to_owned(), ..Texts::default() },
        ..NewAdvisory::default()
    };
    let id = writer.advisory(&second)?.unwrap();
    writer.statement(id, &statement("Debian:12", "openssl", None)).unwrap();
    let qualified = Statement {
        qualifier: Some("nodejs:18"),
        severity: Some(Severity::Low),
        lower: Some("1.0"),
        ..statement("Debian:12", "nodejs", None)
    };
    writer.statement(id, &qualified).unwrap();
    // Said twice, kept once.
    writer.statement(id, &qualified).unwrap();
    assert!(
        writer.statement(id, &statement("Debian:12", "x", Some(Upper::Before("1_0")))).is_err()
    );
    let other = Statement { scheme: Scheme::Rpm, ..statement("Debian:12", "x", None) };
    assert!(writer.statement(id, &other).is_err());
    writer.score(cve("CVE-2022-0003"), 0.12345, 0.99999);
    writer.exploited(cve("CVE-2021-0002"), Day::of("2022-01-01"), Day::of("2022-02-01"), true);
    writer.replaced(5_000_001, 5_000_002);
    let about = writer.finish()?;
    assert_eq!((about.advisories, about.statements, about.names), (2, 4, 3));
    Ok(())
}

#[test]
fn what_was_written_is_read() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    write(&path)?;
    let segment = Segment::open(&path)?;
    assert_eq!(segment.about().provider, "debian");
    let namespaces = segment.namespaces()?;
    let names: Vec<_> = namespaces.iter().map(|it| (it.name, it.has_unfixed)).collect();
    assert_eq!(names, [("Debian:11", false), ("Debian:12", true)]);
    let old = segment.rows(&namespaces[0], "openssl")?;
    assert_eq!(old.len(), 1);
    let key = |version: &str| Scheme::Debian.key(version).unwrap();
    assert!(old[0].is_about(&key("1.1-1")) && !old[0].is_about(&key("1.1-1.1")));
    let rows = segment.rows(&namespaces[1], "openssl")?;
    assert_eq!(rows.len(), 2);
    assert!(rows[0].is_about(&key("3.0-1")) && !rows[0].is_about(&key("3.0-2")));
    assert!(rows[1].is_about(&key("99")) && rows[1].state == State::Affected);
    let qualified = segment.rows(&namespaces[1], "nodejs")?;
    assert_eq!(qualified.len(), 1);
    assert_eq!(
        (qualified[0].qualifier, qualified[0].severity),
        (Some("nodejs:18"), Some(Severity::Low))
    );
    assert!(!qualified[0].is_about(&key("0.9")) && qualified[0].is_about(&key("1.0")));
    assert!(segment.rows(&namespaces[0], "nodejs")?.is_empty());
    let advisory = segment.advisory(rows[0].advisory)?;
    assert_eq!(advisory.name, "DSA-1-1");
    assert_eq!(advisory.cves, [cve("CVE-2021-0001"), cve("CVE-2021-0002")]);
    assert_eq!(advisory.weaknesses, [79, 787]);
    assert_eq!(advisory.aliases, ["GHSA-x"]);
    assert_eq!((advisory.vectors[0].text, advisory.vectors[0].score), ("CVSS:3.1/AV:N", 98));
    assert_eq!((advisory.severity, advisory.has_exploit), (Some(Severity::High), true));
    assert_eq!(advisory.published.to_string(), "2021-02-03");
    let texts = segment.texts(rows[0].advisory)?;
    assert_eq!((texts.summary.as_str(), texts.details.as_str()), ("a summary", "details"));
    assert_eq!(segment.texts(rows[1].advisory)?.summary, "another");
    assert_eq!(segment.mentions(cve("CVE-2021-0002"))?, [rows[0].advisory]);
    assert!(segment.mentions(cve("CVE-2021-0003"))?.is_empty());
    let score = segment.likelihood(cve("CVE-2022-0003"))?.unwrap();
    assert_eq!((score.likelihood, score.percentile), (0.12345, 0.99999));
    assert_eq!(segment.likelihood(cve("CVE-2022-0004"))?, None);
    let exploited = segment.exploited(cve("CVE-2021-0002"))?.unwrap();
    assert!(exploited.by_ransomware && exploited.due.to_string() == "2022-02-01");
    assert_eq!(segment.replacements(5_000_001)?, [5_000_002]);
    Ok(())
}

/// Looks at everything that a file can be asked for; what matters is that it ends.
fn look_at_everything(segment: &Segment) -> Result<()> {
    for namespace in segment.namespaces()? {
        for named in segment.all(&namespace).take(1000) {
            let (name, rows) = named?;
            segment.rows(&namespace, name)?;
            for row in rows.iter().take(1000) {
                row.is_about(b"key");
                segment.advisory(row.advisory)?;
                segment.texts(row.advisory)?;
            }
        }
    }
    segment.mentions(cve("CVE-2021-0002"))?;
    segment.likelihood(cve("CVE-2022-0003"))?;
    segment.exploited(cve("CVE-2021-0002"))?;
    segment.replacements(5_000_001)?;
    segment.qualifiers()?;
    Ok(())
}

/// Everything that a file says.
fn told(segment: &Segment) -> Result<String> {
    let mut told = format!("{:?}", segment.about());
    for namespace in segment.namespaces()? {
        for named in segment.all(&namespace) {
            let (name, rows) = named?;
            told += &format!("{namespace:?} {name} {:?}", segment.rows(&namespace, name)?);
            for row in rows {
                let (advisory, texts) =
                    (segment.advisory(row.advisory)?, segment.texts(row.advisory)?);
                told += &format!("{row:?} {advisory:?} {texts:?}");
            }
        }
    }
    for flaw in ["CVE-2021-0002", "CVE-2022-0003"] {
        let flaw = cve(flaw);
        let mentions = segment.mentions(flaw)?;
        told += &format!(
            "{mentions:?} {:?} {:?}",
            segment.likelihood(flaw)?,
            segment.exploited(flaw)?,
        );
    }
    told += &format!("{:?} {:?}", segment.replacements(5_000_001)?, segment.qualifiers()?);
    Ok(told)
}

#[test]
fn a_file_that_was_damaged_says_nothing_else() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    write(&path)?;
    let whole = std::fs::read(&path).unwrap();
    let said = told(&Segment::of_bytes(&path, whole.clone())?)?;
    for at in 0..whole.len() {
        for value in [0, 0xFF, whole[at] ^ 1] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            if damaged == whole {
                continue;
            }
            if let Ok(segment) = Segment::of_bytes(&path, damaged) {
                assert!(segment.check().is_err(), "{at} {value}");
                let found = told(&segment);
                assert!(found.is_err() || found.is_ok_and(|it| it == said), "{at} {value}");
            }
        }
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(Segment::of_bytes(&path, longer).is_err());
    Ok(())
}

#[test]
fn a_damaged_file_gives_an_error_or_something_else_and_never_more() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    write(&path)?;
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for value in [0, 0x7F, 0xFF, whole[at].wrapping_add(1)] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            if let Ok(segment) = Segment::of_unchecked_bytes(&path, damaged) {
                drop(look_at_everything(&segment));
            }
        }
    }
    for length in 0..whole.len() {
        assert!(Segment::of_bytes(&path, whole[..length].to_vec()).is_err(), "{length}");
    }
    Ok(())
}

#[test]
fn what_is_no_file_of_ours_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    std::fs::write(&path, b"SQLite format 3\0").unwrap();
    let kind = Segment::open(&path).map_err(|error| error.kind());
    assert_eq!(kind.err(), Some(Kind::Corrupt));
    write(&path).unwrap();
    let mut newer = std::fs::read(&path).unwrap();
    newer[8] = 99;
    std::fs::write(&path, newer).unwrap();
    let kind = Segment::open(&path).map_err(|error| error.kind());
    assert_eq!(kind.err(), Some(Kind::Unsupported));
    drop(std::fs::remove_file(&path));
    assert_eq!(Segment::open(&path).map_err(|it| it.kind()).err(), Some(Kind::Missing));
}

#[test]
fn nothing_stands_there_until_all_of_it_does() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    let mut writer = Writer::create(&path, About::default())?;
    writer.score(cve("CVE-2022-0003"), 0.5, 0.99);
    assert!(!path.exists());
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    Ok(())
}

#[test]
fn what_is_said_alike_is_kept_once() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    let mut writer = Writer::create(&path, About::default())?;
    let products = ["Red Hat:a", "Red Hat:b", "Red Hat:c"];
    for name in ["RHSA-1", "RHSA-2"] {
        let id = writer.advisory(&NewAdvisory { name, ..NewAdvisory::default() })?.unwrap();
        for product in products {
            let upper = Some(Upper::Before("1.2"));
            writer.statement(id, &statement(product, "openssl", upper)).unwrap();
        }
    }
    // Of one of them more is said.
    let id = writer.advisory(&NewAdvisory { name: "RHSA-3", ..NewAdvisory::default() })?.unwrap();
    writer.statement(id, &statement("Red Hat:c", "openssl", None)).unwrap();
    assert_eq!(writer.finish()?.statements, 7);
    let segment = Segment::open(&path)?;
    let told: Vec<_> = segment
        .namespaces()?
        .iter()
        .map(|it| Ok(segment.rows(it, "openssl")?.iter().map(|row| row.advisory).collect()))
        .collect::<Result<Vec<Vec<_>>>>()?;
    assert_eq!(told, [vec![0, 1], vec![0, 1], vec![0, 1, 2]]);
    // Two rows of the first two products, three of the third.
    assert_eq!(segment.rows_kept(), 5);
    Ok(())
}

#[test]
fn announcements_do_not_tell_what_remains() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment");
    let mut writer = Writer::create(&path, About::default())?;
    let flaw = [cve("CVE-2021-0001")];
    let mut add = |name: &str, namespace: &str, package: &str, upper| -> Result<()> {
        let new = NewAdvisory { name, cves: &flaw, ..NewAdvisory::default() };
        let id = writer.advisory(&new)?.unwrap();
        writer.statement(id, &statement(namespace, package, upper)).unwrap();
        Ok(())
    };
    // A release that is over: announcements, a few of what will not be mended, and records of some flaws.
    for package in ["a", "b", "c"] {
        add("DSA-1-1", "Debian:10", package, Some(Upper::Before("1.2")))?;
        add("CVE-2021-0001", "Debian:12", package, Some(Upper::Before("1.2")))?;
    }
    add("DSA-2-1", "Debian:10", "d", None)?;
    add("CVE-2021-0001", "Debian:10", "e", None)?;
    add("CVE-2021-0001", "Debian:12", "d", None)?;
    // Whoever has no records at all may tell it in groups.
    add("AVG-1", "Arch Linux", "d", None)?;
    writer.finish()?;
    let segment = Segment::open(&path)?;
    let namespaces = segment.namespaces()?;
    let told: Vec<_> = namespaces.iter().map(|it| (it.name, it.has_unfixed)).collect();
    assert_eq!(told, [("Arch Linux", true), ("Debian:10", false), ("Debian:12", true)]);
    Ok(())
}
