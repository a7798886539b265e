//! Packages of languages, compared with records as OSV publishes them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::path::Path;

use fathom_advisory::risk::Weights;
use fathom_advisory::{Database, Day, Options};
use fathom_feed::provider::Provider;
use fathom_report::finding::{Findings, NoteKind, Severity};
use fathom_report::{Family, Listing, Package, PackageKind, Report, System};

/// Records of all ecosystems, cut to what they say of versions.
const RECORDS: &[&str] = &[
    r#"{"id":"GHSA-35jh-r3h4-6jhm","aliases":["CVE-2021-23337"],"summary":"Command Injection in lodash","database_specific":{"severity":"HIGH","cwe_ids":["CWE-94"]},"affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]}]}"#,
    r#"{"id":"GHSA-p8p7-x288-28g6","summary":"Server-Side Request Forgery in Request","aliases":["CVE-2023-28155"],"database_specific":{"severity":"MODERATE"},"affected":[{"package":{"ecosystem":"npm","name":"request"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"last_affected":"2.88.2"}]}]},{"package":{"ecosystem":"npm","name":"@cypress/request"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"3.0.0"}]}]}]}"#,
    r#"{"id":"MAL-2025-1234","summary":"Malicious code in evil-pkg (npm)","affected":[{"package":{"ecosystem":"npm","name":"evil-pkg"},"versions":["1.0.1"]}]}"#,
    r#"{"id":"MAL-2025-1","summary":"Malicious code in event-strem (npm)","affected":[{"package":{"ecosystem":"npm","name":"event-strem"}}]}"#,
    r#"{"id":"GHSA-8q59-q68h-6hv4","aliases":["CVE-2020-14343","PYSEC-2021-142"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"database_specific":{"severity":"CRITICAL"},"affected":[{"package":{"ecosystem":"PyPI","name":"pyyaml"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"5.4"}]}]}]}"#,
    r#"{"id":"PYSEC-2021-142","aliases":["CVE-2020-14343","GHSA-8q59-q68h-6hv4"],"affected":[{"package":{"ecosystem":"PyPI","name":"PyYAML"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"5.4"}]}],"versions":["5.3","5.3.1"]}]}"#,
    // Neither knows a number of the CVE list; they name each other.
    r#"{"id":"PYSEC-2024-1","aliases":["GHSA-aaaa-bbbb-cccc"],"affected":[{"package":{"ecosystem":"PyPI","name":"two-names"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0.post1"}]}]}]}"#,
    r#"{"id":"GHSA-aaaa-bbbb-cccc","database_specific":{"severity":"LOW"},"affected":[{"package":{"ecosystem":"PyPI","name":"two-names"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0"}]}]}]}"#,
    r#"{"id":"GHSA-jfh8-c2jp-5v3q","aliases":["CVE-2021-44228"],"database_specific":{"severity":"CRITICAL"},"affected":[{"package":{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"2.13.0"},{"fixed":"2.15.0"}]}]},{"package":{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"2.0-beta9"},{"fixed":"2.3.1"}]}]}]}"#,
    r#"{"id":"GO-2023-2102","aliases":["CVE-2023-39325","GHSA-4374-p667-p6c8"],"affected":[{"package":{"ecosystem":"Go","name":"stdlib"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.20.10"},{"introduced":"1.21.0-0"},{"fixed":"1.21.3"}]}],"ecosystem_specific":{"imports":[{"path":"net/http","symbols":["http2Server.ServeConn"]}]}},{"package":{"ecosystem":"Go","name":"golang.org/x/net"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.17.0"}]}]}]}"#,
    r#"{"id":"GHSA-4374-p667-p6c8","database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"Go","name":"golang.org/x/net"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0.17.0"}]}]}]}"#,
    r#"{"id":"GHSA-pseudo","database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"Go","name":"example.org/m"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.0.0-20220314234659-1baeb1ce4c0b"}]}]},{"package":{"ecosystem":"Go","name":"example.org/old"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"20.10.9+incompatible"}]}]}]}"#,
    r#"{"id":"RUSTSEC-2020-0071","aliases":["CVE-2020-26235","GHSA-wcg3-cvx6-7396"],"affected":[{"package":{"ecosystem":"crates.io","name":"time"},"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"},{"fixed":"0.2.23"}]}],"database_specific":{"informational":null}}]}"#,
    r#"{"id":"RUSTSEC-2021-0139","summary":"ansi_term is Unmaintained","affected":[{"package":{"ecosystem":"crates.io","name":"ansi_term"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"}]}],"database_specific":{"informational":"unmaintained"}}]}"#,
    r#"{"id":"RUSTSEC-2021-0145","summary":"Potential unaligned read","affected":[{"package":{"ecosystem":"crates.io","name":"atty"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"}]}],"database_specific":{"informational":"unsound"}}]}"#,
    r#"{"id":"GHSA-crjr-9rc5-ghw8","aliases":["CVE-2022-24836"],"database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"RubyGems","name":"nokogiri"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.13.4"}]}]}]}"#,
    r#"{"id":"GHSA-5crp-9r3c-p9vr","aliases":["CVE-2024-21907"],"database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"NuGet","name":"Newtonsoft.Json"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"13.0.1"}]}],"versions":["10.0.1","10.0.1-beta1"]}]}"#,
    r#"{"id":"GHSA-four","database_specific":{"severity":"LOW"},"affected":[{"package":{"ecosystem":"NuGet","name":"Four.Parts"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2.3.4"}]}]}]}"#,
    r#"{"id":"GHSA-52m2-vc4m-jj33","aliases":["CVE-2022-39261"],"database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"Packagist","name":"twig/twig"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"3.0.0"},{"fixed":"3.4.3"}]}]}]}"#,
    r#"{"id":"DRUPAL-CONTRIB-2024-001","affected":[{"package":{"ecosystem":"Packagist:https://packages.drupal.org/8","name":"drupal/example"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.5.0"}]}]}]}"#,
    r#"{"id":"GHSA-open","database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"npm","name":"xlsx"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],"database_specific":{"last_known_affected_version_range":"< 0.20.2"}}]}"#,
    r#"{"id":"GHSA-withdrawn","withdrawn":"2021-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#,
    r#"{"id":"CGA-test-1234","upstream":["CVE-2026-0001","GHSA-test-1234"],"affected":[{"package":{"ecosystem":"Wolfi","name":"haproxy-3.1"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.1.7-r0"}]}]},{"package":{"ecosystem":"Chainguard","name":"haproxy-3.1"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.1.8-r0"}]}]}]}"#,
    r#"{"id":"CGA-test-5678","upstream":["GHSA-test-5678"],"affected":[{"package":{"ecosystem":"Wolfi","name":"haproxy-3.1"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#,
    r#"{"id":"CGA-test-9012","upstream":["CVE-2026-0002"],"affected":[{"package":{"ecosystem":"Wolfi","name":"haproxy-3.1"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0"}]}]}]}"#,
    r#"{"id":"openSUSE-SU-2024:0001-1","related":["CVE-2024-0001"],"summary":"Security update for x","affected":[{"package":{"ecosystem":"openSUSE:Leap 15.5","name":"x"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2-1.1"}]}],"ecosystem_specific":{"binaries":[{"libx":"2-1.1"}]}}]}"#,
];

/// A database of the records, packed as OSV packs them, under the name of the feed.
fn database(folder: &Path, feed: &str) -> Database {
    let path = folder.join(feed);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (index, record) in RECORDS.iter().enumerate() {
        let name = format!("{index}.json");
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(record.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let about = Provider::of(&path).unwrap().compile(&path, folder, "").unwrap();
    assert_eq!(about.malformed, 0, "{:?}", about.examples);
    Database::open(folder).unwrap()
}

fn scan(distribution: &str, version: &str, packages: Vec<Package>) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path(), "osv.zip");
    let mut system = System::unknown("/", Family::Linux, "not asked");
    system.identity.distribution = fathom_report::Fact::known(distribution.to_owned(), "test");
    system.identity.version = fathom_report::Fact::known(version.to_owned(), "test");
    system.packages = Listing::complete(packages, Vec::new());
    let options = Options {
        weights: Weights::default(),
        texts: true,
        today: Day::of("2026-01-02"),
        generator: "test".to_owned(),
    };
    let report = Report::of(vec![system], "not asked");
    fathom_advisory::scan(&report, "test", &database, &options).unwrap()
}

fn package(kind: PackageKind, name: &str, version: &str) -> Package {
    Package::bare(kind, name, version, "database")
}

/// What is found in each version of a package, and whether it is compared at all.
#[track_caller]
fn check(kind: PackageKind, name: &str, versions: &[(&str, &[&str])]) {
    for (version, expected) in versions {
        let findings = scan("gentoo", "2", vec![package(kind, name, version)]);
        let shown = |it: &fathom_report::finding::Finding| {
            let fix = it.fixed_version.as_deref().unwrap_or(it.state.name());
            format!("{} {fix}", it.cve_id)
        };
        let mut found: Vec<_> = findings.vulnerabilities.iter().map(shown).collect();
        found.extend(findings.unscanned.iter().map(|it| format!("unscanned: {}", it.reason)));
        found.sort();
        assert_eq!(found, *expected, "{name} {version}");
    }
}

const NO_VERSION: &str = "unscanned: the version cannot be compared by the rules of its kind";

#[test]
fn node() {
    let lodash = &["CVE-2021-23337 4.17.21"][..];
    check(PackageKind::Npm, "lodash", &[("4.17.20", lodash), ("4.17.21", &[])]);
    check(PackageKind::Npm, "lodash", &[("4.17.21-rc.1", lodash), ("5.0.0-beta", &[])]);
    let open = &["CVE-2023-28155 affected"][..];
    check(PackageKind::Npm, "request", &[("2.88.2", open), ("2.88.3", &[])]);
    let scoped = &["CVE-2023-28155 3.0.0"][..];
    check(PackageKind::Npm, "@cypress/request", &[("2.88.12", scoped), ("3.0.0", &[])]);
    check(PackageKind::Npm, "cypress/request", &[("2.88.12", &[])]);
    check(PackageKind::Npm, "xlsx", &[("0.18.5", &["GHSA-open affected"]), ("0.20.2", &[])]);
    check(PackageKind::Npm, "lodash", &[("latest", &[NO_VERSION])]);
}

#[test]
fn what_was_made_to_do_harm() {
    let evil = &["MAL-2025-1234 affected"][..];
    check(PackageKind::Npm, "evil-pkg", &[("1.0.1", evil), ("1.0.2", &[])]);
    let findings = scan("gentoo", "2", vec![package(PackageKind::Npm, "event-strem", "1.0.0")]);
    let finding = &findings.vulnerabilities[0];
    assert_eq!(
        (finding.cve_id.as_str(), finding.severity),
        ("MAL-2025-1", Some(Severity::Critical))
    );
    assert!(finding.remediation.starts_with("Remove event-strem"), "{}", finding.remediation);
}

#[test]
fn python() {
    let yaml = &["CVE-2020-14343 5.4"][..];
    check(
        PackageKind::Python,
        "PyYAML",
        &[
            ("5.3.1", yaml),
            ("5.4", &[]),
            ("5.4rc1", yaml),
            ("5.3.1+local.1", yaml),
            ("5.4.post1", &[]),
        ],
    );
    // What GitHub and Python name each in its own way is one flaw; the later fix counts.
    let both = &["GHSA-aaaa-bbbb-cccc 1.0.post1"][..];
    check(PackageKind::Python, "Two_Names", &[("0.9", both), ("1.0", both), ("1.0.post1", &[])]);
    // A version of before PEP 440 is older than all of it.
    check(PackageKind::Python, "pyyaml", &[("2004d", yaml)]);
    let findings = scan("gentoo", "2", vec![package(PackageKind::Python, "PyYAML", "5.3")]);
    let finding = &findings.vulnerabilities[0];
    assert_eq!((finding.severity, finding.cvss_score), (Some(Severity::Critical), Some(9.8)));
    assert_eq!(finding.because.len(), 2);
    let mut names = finding.advisories.to_vec();
    names.sort();
    assert_eq!(names, ["GHSA-8q59-q68h-6hv4", "PYSEC-2021-142"]);
}

#[test]
fn java() {
    let log4j = "org.apache.logging.log4j:log4j-core";
    let late = &["CVE-2021-44228 2.15.0"][..];
    let early = &["CVE-2021-44228 2.3.1"][..];
    check(
        PackageKind::Maven,
        log4j,
        &[
            ("2.14.1", late),
            ("2.15.0", &[]),
            ("2.15.0-rc1", late),
            ("2.0-beta9", early),
            ("2.0-beta8", &[]),
            ("2.0", early),
            ("2.3.1", &[]),
            ("2.12.1", &[]),
        ],
    );
    // An archive that does not say its group may be any of those that are called so.
    let unnamed = "unscanned: the name does not tell which package of its kind it is";
    check(PackageKind::Maven, "log4j-core", &[("2.14.1", &[unnamed])]);
    let findings = scan("gentoo", "2", vec![package(PackageKind::Maven, "log4j-core", "2.14.1")]);
    assert!(findings.notes.iter().any(|note| note.kind == NoteKind::Unscanned));
}

#[test]
fn go() {
    let of = |fix: &'static str| [fix];
    let (old, new) = (of("CVE-2023-39325 1.20.10"), of("CVE-2023-39325 1.21.3"));
    check(
        PackageKind::Go,
        "stdlib",
        &[
            ("1.20.9", &old),
            ("1.20.10", &[]),
            ("1.21.2", &new),
            ("1.21rc2", &new),
            ("1.21.3", &[]),
            ("1.22rc1", &[]),
            ("go1.21.2", &new),
            ("devel", &[NO_VERSION]),
        ],
    );
    // Go's own record and GitHub's are one; GitHub's does not know the number.
    let net = of("CVE-2023-39325 0.17.0");
    check(PackageKind::Go, "golang.org/x/net", &[("v0.15.0", &net), ("v0.17.0", &[])]);
    check(PackageKind::Go, "golang.org/x/net", &[("(devel)", &[NO_VERSION])]);
    let pseudo = of("GHSA-pseudo 0.0.0-20220314234659-1baeb1ce4c0b");
    check(
        PackageKind::Go,
        "example.org/m",
        &[
            ("v0.0.0-20220101000000-aaaaaaaaaaaa", &pseudo),
            ("v0.0.0-20220314234659-1baeb1ce4c0b", &[]),
            ("v0.0.0-20230101000000-aaaaaaaaaaaa", &[]),
            ("v0.1.0", &[]),
        ],
    );
    let old = of("GHSA-pseudo 20.10.9+incompatible");
    check(
        PackageKind::Go,
        "example.org/old",
        &[("v20.10.8+incompatible", &old), ("v20.10.9+incompatible", &[]), ("v20.10.9", &[])],
    );
}

#[test]
fn rust() {
    let time = &["CVE-2020-26235 0.2.23"][..];
    check(PackageKind::Cargo, "time", &[("0.1.43", time), ("0.2.23", &[])]);
    // That nobody cares for a package is no flaw; that it is unsound is one.
    check(PackageKind::Cargo, "ansi_term", &[("0.12.1", &[])]);
    check(PackageKind::Cargo, "atty", &[("0.2.14", &["RUSTSEC-2021-0145 affected"])]);
    let findings = scan("gentoo", "2", vec![package(PackageKind::Cargo, "time", "0.1.43")]);
    assert_eq!(findings.vulnerabilities[0].cvss_score, Some(6.2));
}

#[test]
fn ruby_dotnet_and_php() {
    let nokogiri = &["CVE-2022-24836 1.13.4"][..];
    check(
        PackageKind::Gem,
        "nokogiri",
        &[
            ("1.13.3", nokogiri),
            ("1.13.3-x86_64-linux", nokogiri),
            ("1.13.4-x86_64-linux", &[]),
            ("1.13.4.rc1", nokogiri),
        ],
    );
    let json = &["CVE-2024-21907 13.0.1"][..];
    check(PackageKind::Nuget, "newtonsoft.json", &[("12.0.3", json), ("13.0.1", &[])]);
    check(PackageKind::Nuget, "Newtonsoft.Json", &[("13.0.1-beta2", json), ("13.0.1.0", &[])]);
    let four = &["GHSA-four 1.2.3.4"][..];
    check(
        PackageKind::Nuget,
        "Four.Parts",
        &[("1.2.3", four), ("1.2.3.4", &[]), ("1.2.3.10", &[])],
    );
    let twig = &["CVE-2022-39261 3.4.3"][..];
    check(
        PackageKind::Composer,
        "Twig/Twig",
        &[
            ("v3.4.2", twig),
            ("3.4.3-RC1", twig),
            ("v3.4.3", &[]),
            ("v3.4.3.0", &[]),
            ("v2.0.0", &[]),
            ("dev-main", &[NO_VERSION]),
        ],
    );
    let drupal = &["DRUPAL-CONTRIB-2024-001 1.5.0"][..];
    check(PackageKind::Composer, "drupal/example", &[("1.4.0", drupal), ("1.5.0", &[])]);
}

#[test]
fn distributions_of_osv() {
    let of = |distribution: &str, version: &str, kind, name: &str, installed: &str| {
        let mut package = package(kind, name, installed);
        if kind == PackageKind::Rpm {
            let (version, release) = installed.split_once('-').unwrap();
            package.version = version.to_owned();
            package.release = Some(release.to_owned());
        }
        let findings = scan(distribution, version, vec![package]);
        let shown = findings.vulnerabilities.iter().map(|it| {
            format!("{} {}", it.cve_id, it.fixed_version.as_deref().unwrap_or(it.state.name()))
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort();
        shown
    };
    let haproxy = "haproxy-3.1";
    // A flaw that has no number of the CVE list goes by the name that it has.
    assert_eq!(
        of("wolfi", "20230201", PackageKind::Apk, haproxy, "3.1.6-r0"),
        ["CVE-2026-0001 3.1.7-r0", "GHSA-test-5678 affected"]
    );
    assert_eq!(
        of("wolfi", "20230201", PackageKind::Apk, haproxy, "3.1.7-r0"),
        ["GHSA-test-5678 affected"]
    );
    assert_eq!(
        of("opensuse-leap", "15.5", PackageKind::Rpm, "libx", "1-1.1"),
        ["CVE-2024-0001 2-1.1"]
    );
}

#[test]
fn feeds_are_known_by_what_others_call_them() {
    let of = |path: &str| Provider::of(Path::new(path)).map(|provider| provider.name);
    for (path, expected) in [
        ("npm.zip", Some("npm")),
        ("npm-osv.jsonl.zst", Some("npm")),
        ("PyPI.zip", Some("pypi")),
        ("/feeds/PyPI/all.zip", Some("pypi")),
        ("/feeds/crates.io/all.zip", Some("crates")),
        ("/feeds/Red Hat/all.zip", Some("redhat")),
        ("/feeds/Chainguard/all.zip", Some("chainguard")),
        ("osv.zip", Some("osv")),
        ("debian-osv.tar.zst", Some("debian")),
        // Other files that are called as ecosystems are no feeds.
        ("go.mod", None),
        ("npm", None),
        ("/feeds/all.zip", None),
        ("nothing.zip", None),
    ] {
        assert_eq!(of(path), expected, "{path}");
    }
}
