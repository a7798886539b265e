//! What is told of machines, with databases that say little.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use fathom_advisory::risk::Weights;
use fathom_advisory::segment::{About, End, NewAdvisory, Statement, Subject, Upper, Writer};
use fathom_advisory::{Cve, Database, Day, Fleet, Likeness, Options};
use fathom_report::finding::{Finding, Findings, NoteKind, Severity, State};
use fathom_report::{
    BootEntry, EndOfLife, Fact, Family, Kernel, Listing, Package, PackageKind, Report, System,
};
use fathom_version::Scheme;
use tempfile::TempDir;

/// A database of one provider, a statement a line: advisory, its CVEs, ecosystem, package, where it
/// ends (`-` for nowhere), state, and what it holds for alone. Lines of one advisory that follow each
/// other are statements of one record.
fn database(provider: &str, scheme: Scheme, subject: Subject, lines: &str) -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), provider, scheme, subject, lines);
    let database = Database::open(folder.path()).unwrap();
    (folder, database)
}

fn add(folder: &std::path::Path, provider: &str, scheme: Scheme, subject: Subject, lines: &str) {
    let about =
        About { provider: provider.to_owned(), as_of: "2026-01-01".to_owned(), ..About::default() };
    let path = folder.join(format!("{provider}.advisories"));
    let mut writer = Writer::create(&path, about).unwrap();
    let mut last = None;
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let cves: Vec<Cve> = fields[1].split_whitespace().map(|it| it.parse().unwrap()).collect();
        let advisory = NewAdvisory {
            name: fields[0],
            cves: &cves,
            severity: Some(Severity::High),
            ..NewAdvisory::default()
        };
        let id = match last {
            Some((name, id)) if name == fields[0] => id,
            _ => writer.advisory(&advisory).unwrap().unwrap(),
        };
        last = Some((fields[0], id));
        let state = match fields[5] {
            "fixed" => State::Fixed,
            "affected" => State::Affected,
            "will-not-fix" => State::WillNotFix,
            "not-affected" => State::NotAffected,
            other => unreachable!("{other}"),
        };
        let statement = Statement {
            namespace: fields[2],
            scheme,
            subject,
            name: fields[3],
            lower: None,
            upper: (fields[4] != "-").then_some(Upper::Before(fields[4])),
            state,
            severity: None,
            qualifier: fields.get(6).copied(),
        };
        writer.statement(id, &statement).unwrap();
    }
    writer.finish().unwrap();
}

fn system(distribution: &str, version: &str, packages: Vec<Package>) -> System {
    let mut system = System::unknown("/", Family::Linux, "not asked");
    system.identity.distribution = Fact::known(distribution.to_owned(), "test");
    system.identity.version = Fact::known(version.to_owned(), "test");
    system.packages = Listing::complete(packages, Vec::new());
    system
}

fn package(kind: PackageKind, name: &str, version: &str) -> Package {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().ok(), rest),
        None => (None, version),
    };
    let (version, release) = match (kind, rest.rsplit_once('-')) {
        (PackageKind::Rpm, Some((version, release))) => (version, Some(release.to_owned())),
        _ => (rest, None),
    };
    Package { epoch, release, ..Package::bare(kind, name, version, "database") }
}

fn deb(name: &str, source: &str, version: &str) -> Package {
    let mut package = package(PackageKind::Deb, name, version);
    package.source = Some(source.to_owned());
    package
}

fn scan(database: &Database, system: System) -> Findings {
    let report = Report::of(vec![system], "not asked");
    let options = Options {
        weights: Weights::default(),
        texts: true,
        today: Day::of("2026-01-02"),
        generator: "test".to_owned(),
    };
    let findings = fathom_advisory::scan(&report, "test", database, &options).unwrap();
    // Whatever a machine has, one of a fleet has.
    let fleet = Fleet::new(database, options, 1);
    assert_eq!(fleet.scan(&report, "test").unwrap(), findings);
    findings
}

#[track_caller]
fn check(findings: &Findings, expected: &[&str]) {
    let mut found: Vec<_> = findings
        .vulnerabilities
        .iter()
        .map(|it| {
            let fix = it.fixed_version.as_deref().unwrap_or("-");
            format!("{} {} {fix} {}", it.package, it.cve_id, it.state.name())
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
}

/// The notes, but for the one that these databases all have: that they tell nothing of exploits.
fn notes(findings: &Findings) -> Vec<NoteKind> {
    let kinds = findings.notes.iter().map(|note| note.kind);
    kinds.filter(|kind| *kind != NoteKind::MissingProvider).collect()
}

#[test]
fn packages_have_the_flaws_of_what_they_were_built_from() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | openssl | 3.0.2-1 | fixed
                 CVE-2023-0002 | CVE-2023-0002 | Debian:12 | openssl | - | affected
                 CVE-2023-0003 | CVE-2023-0003 | Debian:11 | openssl | - | affected
                 CVE-2023-0004 | CVE-2023-0004 | Debian:12 | libssl3 | - | affected";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let packages = vec![
        deb("libssl3", "openssl", "3.0.1-1"),
        deb("openssl", "openssl", "3.0.2-1"),
        deb("tar", "tar", "1.34-1"),
    ];
    let findings = scan(&database, system("debian", "12", packages));
    check(
        &findings,
        &[
            "libssl3 CVE-2023-0001 3.0.2-1 fixed",
            "libssl3 CVE-2023-0002 - affected",
            "openssl CVE-2023-0002 - affected",
        ],
    );
    assert_eq!(notes(&findings), []);
    let summary = &findings.summary;
    assert_eq!((summary.total_packages, summary.vulnerable_packages), (3, 2));
    assert_eq!((summary.vulnerabilities, summary.high, summary.fixable), (2, 2, 1));
    let first = findings.vulnerabilities.iter().find(|it| it.cve_id == "CVE-2023-0001").unwrap();
    assert_eq!(first.because[0].rule, "built from openssl: 3.0.1-1 is before 3.0.2-1");
    assert_eq!(first.remediation, "Upgrade libssl3 to 3.0.2-1 or later");
    assert_eq!(first.evidence.0, "database");
}

#[test]
fn an_announcement_that_names_a_flaw_again_does_not_bring_it_back() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | openssl | 3.0.2-1 | fixed
                 DSA-9-2 | CVE-2023-0001 CVE-2023-0002 | Debian:12 | openssl | 3.0.2-3 | fixed";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let packages = vec![deb("openssl", "openssl", "3.0.2-2")];
    let findings = scan(&database, system("debian", "12", packages));
    check(&findings, &["openssl CVE-2023-0002 3.0.2-3 fixed"]);
    assert_eq!(*findings.vulnerabilities[0].advisories, ["DSA-9-2"]);
}

#[test]
fn what_comes_from_those_who_pay_says_so() {
    let lines = "UBUNTU-CVE-2023-0001 | CVE-2023-0001 | Ubuntu:20.04:LTS | vim | - | will-not-fix
                 UBUNTU-CVE-2023-0001 | CVE-2023-0001 | Ubuntu:Pro:20.04:LTS | vim | 2:8.1-1esm1 | fixed";
    let (_folder, database) = database("ubuntu", Scheme::Debian, Subject::Source, lines);
    let of = |version: &str| {
        scan(&database, system("ubuntu", "20.04", vec![deb("vim", "vim", version)]))
    };
    let findings = of("2:8.1-1");
    check(&findings, &["vim CVE-2023-0001 2:8.1-1esm1 fixed"]);
    assert_eq!(findings.vulnerabilities[0].fixed_in.as_deref(), Some("Ubuntu Pro"));
    check(&of("2:8.1-1esm1"), &[]);
}

#[test]
fn streams_of_modules_keep_apart() {
    let lines = "RHSA-1 | CVE-2023-0001 | Red Hat:enterprise_linux:8::appstream | nodejs | 1:16.20.2-2.module+el8.9.0+1+aa | fixed | nodejs:16
                 RHSA-2 | CVE-2023-0001 | Red Hat:enterprise_linux:8::appstream | nodejs | 1:18.18.2-1.module+el8.9.0+2+bb | fixed | nodejs:18
                 RHSA-3 | CVE-2023-0002 | Red Hat:enterprise_linux:8::appstream | nodejs | 1:99-1.el8 | fixed";
    let (_folder, database) = database("redhat", Scheme::Rpm, Subject::Installed, lines);
    let of = |version: &str, module: Option<&str>| {
        let mut package = package(PackageKind::Rpm, "nodejs", version);
        package.module = module.map(str::to_owned);
        scan(&database, system("rhel", "8.9", vec![package]))
    };
    let old = of("1:16.14.0-4.module+el8.5.0+3+cc", Some("nodejs:16:850:cc"));
    check(&old, &["nodejs CVE-2023-0001 1:16.20.2-2.module+el8.9.0+1+aa fixed"]);
    check(&of("1:18.18.2-1.module+el8.9.0+2+bb", Some("nodejs:18:890:bb")), &[]);
    // Where a package does not say its stream, its version tells it.
    check(
        &of("1:18.14.0-4.module+el8.5.0+3+cc", None),
        &["nodejs CVE-2023-0001 1:18.18.2-1.module+el8.9.0+2+bb fixed"],
    );
    check(&of("1:10.0-1.el8", None), &["nodejs CVE-2023-0002 1:99-1.el8 fixed"]);
    // Another builder numbers builds otherwise.
    check(&of("1:16.20.2-2.module_el8.9.0+0+dd", Some("nodejs:16:890:dd")), &[]);
}

#[test]
fn streams_are_told_by_what_their_modules_are_named_by() {
    let module = "10.3.39-1.module+el8.8.0+1+aa";
    let lines = format!(
        "RHSA-1 | CVE-2023-0001 | Red Hat:enterprise_linux:8::appstream | mariadb-server | 3:{module} | fixed | mariadb:10.3
         RHSA-2 | CVE-2023-0002 | Red Hat:enterprise_linux:8::appstream | nodemon | 2-1.module+el8.8.0+1+aa | fixed | nodejs:10
         RHSA-3 | CVE-2023-0003 | Red Hat:enterprise_linux:8::appstream | other | 2-1.module+el8.8.0+1+aa | fixed | mariadb-devel:10.3"
    );
    let (_folder, database) = database("redhat", Scheme::Rpm, Subject::Installed, &lines);
    let built = |name: &str, version: &str| {
        package(PackageKind::Rpm, name, &format!("{version}-1.module+el8.3.0+2+bb"))
    };
    // A package that another module is named by takes nothing away.
    let packages =
        ["mariadb", "mariadb-devel", "mariadb-server"].map(|name| built(name, "3:10.3.28"));
    let findings = scan(&database, system("rhel", "8.9", packages.to_vec()));
    check(&findings, &[&format!("mariadb-server CVE-2023-0001 3:{module} fixed")]);
    // Numbered by itself, it tells no stream.
    let alone = scan(&database, system("rhel", "8.9", vec![built("nodemon", "1.18.3")]));
    check(&alone, &[]);
    assert!(notes(&alone).contains(&NoteKind::Unscanned), "{:?}", alone.unscanned);
    let of = |version: &str| {
        let packages = vec![built("nodemon", "1.18.3"), built("nodejs", version)];
        scan(&database, system("rhel", "8.9", packages))
    };
    check(&of("1:10.19.0"), &["nodemon CVE-2023-0002 2-1.module+el8.8.0+1+aa fixed"]);
    let other = of("1:12.1.0");
    check(&other, &[]);
    assert!(!notes(&other).contains(&NoteKind::Unscanned), "{:?}", other.unscanned);
}

#[test]
fn who_rebuilds_has_its_own_fixes_and_the_flaws_of_the_original() {
    let folder = tempfile::tempdir().unwrap();
    add(
        folder.path(),
        "almalinux",
        Scheme::Rpm,
        Subject::Installed,
        "ALSA-1 | CVE-2023-0001 | AlmaLinux:8 | bash | 4.4.20-4.el8 | fixed
         ALSA-2 | CVE-2023-0003 | AlmaLinux:8 | bash | 4.4.20-3.el8 | fixed",
    );
    add(
        folder.path(),
        "redhat-cve",
        Scheme::Rpm,
        Subject::Source,
        "CVE-2023-0001 | CVE-2023-0001 | Red Hat:enterprise_linux:8 | bash | - | affected
         CVE-2023-0002 | CVE-2023-0002 | Red Hat:enterprise_linux:8 | bash | - | will-not-fix
         CVE-2023-0003 | CVE-2023-0003 | Red Hat:enterprise_linux:8 | bash | - | affected
         CVE-2023-0004 | CVE-2023-0004 | Red Hat:enterprise_linux:8 | bash | - | not-affected
         CVE-2023-0005 | CVE-2023-0005 | Red Hat:enterprise_linux:9 | bash | - | affected",
    );
    let database = Database::open(folder.path()).unwrap();
    let bash = package(PackageKind::Rpm, "bash", "4.4.20-3.el8");
    let findings = scan(&database, system("almalinux", "8.9", vec![bash.clone()]));
    check(
        &findings,
        &["bash CVE-2023-0001 4.4.20-4.el8 fixed", "bash CVE-2023-0002 - will-not-fix"],
    );
    // What others built goes by the same name, and is another matter.
    let mut foreign = bash;
    foreign.vendor = Some("Fedora Project".to_owned());
    let findings = scan(&database, system("almalinux", "8.9", vec![foreign]));
    check(&findings, &[]);
    assert_eq!(notes(&findings), [NoteKind::Unscanned]);
    assert_eq!((findings.unscanned.len(), findings.unscanned[0].count), (1, 1));
}

#[test]
fn kernels_count_by_which_of_them_starts() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | linux | - | affected";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let packages = vec![
        deb("linux-image-6.1.0-17-amd64", "linux-signed-amd64", "6.1.69-1"),
        deb("linux-image-6.1.0-18-amd64", "linux-signed-amd64", "6.1.76-1"),
        deb("linux-libc-dev", "linux", "6.1.76-1"),
    ];
    let mut system = system("debian", "12", packages);
    let kernel = |version: &str| Kernel {
        version: version.to_owned(),
        image: None,
        initramfs: None,
        modules: None,
        evidence: Vec::new(),
    };
    let kernels = vec![kernel("6.1.0-17-amd64"), kernel("6.1.0-18-amd64")];
    system.boot.kernels = Listing::complete(kernels, Vec::new());
    let entry = BootEntry {
        loader: "grub".to_owned(),
        title: None,
        version: Some("6.1.0-18-amd64".to_owned()),
        image: None,
        initramfs: Vec::new(),
        arguments: None,
    };
    system.boot.default = Fact::known(entry, "grub.cfg");
    let findings = scan(&database, system);
    let found: Vec<_> =
        findings.vulnerabilities.iter().map(|it| (it.package.as_str(), it.inactive)).collect();
    assert_eq!(
        found,
        [("linux-image-6.1.0-18-amd64", false), ("linux-image-6.1.0-17-amd64", true),]
    );
    assert!(findings.vulnerabilities[0].risk.score > findings.vulnerabilities[1].risk.score);
    assert_eq!(findings.unscanned[0].examples, ["linux-libc-dev"]);
}

#[test]
fn languages_are_looked_up_by_their_own_names() {
    let lines = "GHSA-1 | CVE-2023-0001 | PyPI | flask-login | 1.0 | fixed
                 GHSA-2 | | PyPI | flask-login | 0.5 | fixed";
    let (_folder, database) = database("pypi", Scheme::Pep440, Subject::Installed, lines);
    let mut owned = package(PackageKind::Python, "Flask_Login", "0.1");
    owned.owner = Some("python3-flask-login".to_owned());
    let packages = vec![package(PackageKind::Python, "Flask.Login", "0.4"), owned];
    let findings = scan(&database, system("gentoo", "2", packages));
    // Nobody speaks of the distribution's package, so that of what belongs to it somebody must.
    check(
        &findings,
        &[
            "Flask.Login CVE-2023-0001 1.0 fixed",
            "Flask.Login GHSA-2 0.5 fixed",
            "Flask_Login CVE-2023-0001 1.0 fixed",
            "Flask_Login GHSA-2 0.5 fixed",
        ],
    );
    assert_eq!(
        *findings.vulnerabilities.iter().find(|it| it.cve_id != "GHSA-2").unwrap().aliases,
        ["GHSA-1"]
    );
    assert!(notes(&findings).contains(&NoteKind::OsUnsupported));
}

#[test]
fn what_could_not_be_compared_never_reads_as_clean() {
    let empty = tempfile::tempdir().unwrap();
    let none = Database::open(empty.path()).unwrap();
    let findings = scan(&none, system("debian", "12", vec![deb("tar", "tar", "1.34-1")]));
    assert!(notes(&findings).contains(&NoteKind::MissingScanner));
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | tar | 1.35-1 | fixed";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let mut unread = system("debian", "12", Vec::new());
    unread.packages = Listing::unknown("/var/lib/dpkg/status is damaged");
    let findings = scan(&database, unread);
    assert!(notes(&findings).contains(&NoteKind::MissingScanData));
    let unknown = System::unknown("/", Family::Linux, "not asked");
    assert!(notes(&scan(&database, unknown)).contains(&NoteKind::OsUnknown));
    let findings = scan(&database, system("debian", "12", vec![deb("tar", "tar", "1_34")]));
    assert!(notes(&findings).contains(&NoteKind::Unscanned));
    // Of this release it is known what was mended, and nothing else.
    assert!(notes(&findings).contains(&NoteKind::FixesOnly));
}

/// A database of Windows: what mends what, and what replaces what.
fn windows() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windows.advisories");
    let mut writer = Writer::create(&path, About::default()).unwrap();
    for (flaw, update) in [
        ("CVE-2023-0001", "KB1"),
        ("CVE-2023-0002", "KB3"),
        ("CVE-2023-0002", "KB2"),
        ("CVE-2023-0002", "KB4"),
        ("CVE-2023-0002", "KB5"),
    ] {
        let cves = [flaw.parse().unwrap()];
        let advisory = NewAdvisory { name: flaw, cves: &cves, ..NewAdvisory::default() };
        let id = writer.advisory(&advisory).unwrap().unwrap();
        let statement = Statement {
            namespace: "Windows:Windows Server 2022 (Server Core installation)",
            scheme: Scheme::Windows,
            subject: Subject::Installed,
            name: "Windows Kernel",
            lower: None,
            upper: None,
            state: State::Fixed,
            severity: None,
            qualifier: Some(update),
        };
        writer.statement(id, &statement).unwrap();
    }
    // Each month's update replaces that of the month before; somebody's mistake makes a ring of it.
    for (old, new) in [(1, 2), (2, 4), (4, 5), (5, 4), (3, 5)] {
        writer.replaced(old, new);
    }
    writer.finish().unwrap();
    let database = Database::open(folder.path()).unwrap();
    (folder, database)
}

fn server(updates: &[(&str, Option<&str>)]) -> System {
    let updates = updates.iter().map(|(name, state)| Package {
        state: state.map(str::to_owned),
        ..Package::bare(PackageKind::Hotfix, *name, "20348.1.1.0", "registry")
    });
    let mut system = System::unknown("C:", Family::Windows, "not asked");
    system.identity.distribution = Fact::known("windows".to_owned(), "registry");
    system.identity.name = Fact::known("Windows Server 2022 Standard".to_owned(), "registry");
    system.identity.build = Fact::known("20348.2113".to_owned(), "registry");
    system.identity.architecture =
        Fact::known(fathom_report::Architecture("x86_64".to_owned()), "registry");
    system.identity.installation = Some("Server Core".to_owned());
    system.packages = Listing::complete(updates.collect(), Vec::new());
    system
}

#[test]
fn a_windows_has_the_flaws_that_no_update_mends() {
    let (_folder, database) = windows();
    let of = |updates: &[(&str, Option<&str>)]| scan(&database, server(updates));
    let product = "Windows Server 2022 (Server Core installation)";
    let one = format!("{product} CVE-2023-0001 KB5 fixed");
    let two = format!("{product} CVE-2023-0002 KB5 fixed");
    check(&of(&[]), &[&one, &two]);
    check(&of(&[("KB1", None)]), &[&two]);
    // What replaces an update mends what that did, however many times over.
    check(&of(&[("KB4", None)]), &[]);
    check(&of(&[("KB2", Some("superseded"))]), &[]);
    check(&of(&[("KB2", Some("staged"))]), &[&one, &two]);
    let findings = of(&[]);
    assert_eq!(findings.vulnerabilities[0].remediation, "Install KB5");
    assert_eq!(findings.vulnerabilities[0].installed_version, "20348.2113");
    assert_eq!(
        findings.vulnerabilities[0].because[0].rule,
        "neither KB1 nor what replaces it is installed"
    );
    let mut unread = server(&[]);
    unread.packages = Listing::unknown("the hive is damaged");
    let findings = scan(&database, unread);
    check(&findings, &[]);
    assert!(notes(&findings).contains(&NoteKind::MissingScanData));
    let mut unknown = server(&[]);
    unknown.identity.build = Fact::known("99999.1".to_owned(), "registry");
    assert!(notes(&scan(&database, unknown)).contains(&NoteKind::OsUnsupported));
}

/// A database of a Windows: flaws with their days, components and updates, and what replaces what.
fn updates(product: &str, lines: &str, replaced: &[(u32, u32)]) -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windows.advisories");
    let mut writer = Writer::create(&path, About::default()).unwrap();
    let mut last = None;
    for line in lines.lines() {
        let [flaw, day, component, updates] =
            line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let cves = [flaw.parse().unwrap()];
        let published = Day::of(day);
        let advisory = NewAdvisory { name: flaw, cves: &cves, published, ..Default::default() };
        let id = match last {
            Some((name, id)) if name == flaw => id,
            _ => writer.advisory(&advisory).unwrap().unwrap(),
        };
        last = Some((flaw, id));
        for update in updates.split(' ') {
            let statement = Statement {
                namespace: &format!("Windows:{product}"),
                scheme: Scheme::Windows,
                subject: Subject::Installed,
                name: component,
                lower: None,
                upper: None,
                state: State::Fixed,
                severity: None,
                qualifier: Some(update),
            };
            writer.statement(id, &statement).unwrap();
        }
    }
    for (old, new) in replaced {
        writer.replaced(*old, *new);
    }
    writer.finish().unwrap();
    let database = Database::open(folder.path()).unwrap();
    (folder, database)
}

/// A server with a desktop.
fn of_build(build: &str, name: &str, updates: &[&str]) -> System {
    let updates: Vec<_> = updates.iter().map(|update| (*update, None)).collect();
    let mut system = server(&updates);
    system.identity.name = Fact::known(name.to_owned(), "registry");
    system.identity.build = Fact::known(build.to_owned(), "registry");
    system.identity.installation = Some("Server".to_owned());
    system
}

#[test]
fn a_flaw_of_several_components_is_mended_in_all_of_them() {
    let product = "Windows Server 2012 R2";
    let lines = "CVE-2016-0001 | 2016-04-12 | Microsoft Graphics Component | KB1 KB2
                 CVE-2016-0001 | 2016-04-12 | Journal | KB3
                 CVE-2016-0002 | 2016-04-12 | Windows Internet Explorer 11 | KB4
                 CVE-2016-0002 | 2016-04-12 | Internet Explorer 9 | KB5";
    let (_folder, database) = updates(product, lines, &[]);
    let of = |updates: &[&str]| scan(&database, of_build("9600.1", product, updates));
    let journal = format!("{product} CVE-2016-0001 KB3 fixed");
    let graphics = format!("{product} CVE-2016-0001 KB1 fixed");
    let browser = format!("{product} CVE-2016-0002 KB5 fixed");
    check(&of(&["KB1"]), &[&journal, &browser]);
    check(&of(&["KB3"]), &[&graphics, &browser]);
    // Of a component any of its updates will do, and a Windows has one Internet Explorer.
    check(&of(&["KB2", "KB3", "KB4"]), &[]);
}

#[test]
fn an_update_of_another_windows_is_no_remedy() {
    let product = "Windows Server 2012 R2";
    let lines = "CVE-2016-0001 | 2016-04-12 | Windows Kernel | KB1
                 CVE-2016-0002 | 2016-05-12 | Windows Kernel | KB2";
    let (_folder, database) = updates(product, lines, &[(1, 2), (2, 9), (1, 8), (8, 2)]);
    let of = |updates: &[&str]| scan(&database, of_build("9600.1", product, updates));
    let one = format!("{product} CVE-2016-0001 KB2 fixed");
    let two = format!("{product} CVE-2016-0002 KB2 fixed");
    check(&of(&[]), &[&one, &two]);
    check(&of(&["KB9", "KB8"]), &[&one, &two]);
    check(&of(&["KB2"]), &[]);
}

#[test]
fn an_update_that_holds_all_earlier_ones_needs_no_chain() {
    // Nobody says that 20 replaces 10, or 30 it; 10 replaces 9. 11 is for the start alone.
    let lines = "CVE-2026-0001 | 2026-01-13 | Windows Kernel | KB10
                 CVE-2026-0002 | 2026-01-13 | Windows NTFS | KB10
                 CVE-2026-0003 | 2026-01-13 | Windows Shell | KB10
                 CVE-2026-0004 | 2026-01-13 | Windows Secure Boot | KB11
                 CVE-2026-0005 | 2026-02-10 | Windows Kernel | KB20
                 CVE-2026-0006 | 2026-02-10 | Windows NTFS | KB20
                 CVE-2026-0007 | 2026-02-10 | Windows Shell | KB20
                 CVE-2026-0008 | 2026-03-10 | Windows Kernel | KB30
                 CVE-2026-0009 | 2026-03-10 | Windows NTFS | KB30
                 CVE-2026-0010 | 2026-03-10 | Windows Shell | KB30
                 CVE-2026-0011 | 2026-04-14 | Windows Shell | KB20
                 CVE-2026-0012 | 2025-12-09 | Windows Shell | KB9";
    let told = |build: &str, product: &str, installed: &[&str]| -> Vec<String> {
        let (_folder, database) = updates(product, lines, &[(9, 10)]);
        let findings = scan(&database, of_build(build, product, installed));
        let of =
            |it: &Finding| format!("{} {}", &it.cve_id[9..], it.fixed_version.as_ref().unwrap());
        findings.vulnerabilities.iter().map(of).collect()
    };
    let new = |installed: &[&str]| told("14393.9000", "Windows Server 2016", installed);
    assert_eq!(new(&["KB30"]), ["0004 KB11"]);
    // What came later is no more mended than before; that a flaw is known of later changes nothing.
    let left = ["0004 KB11", "0008 KB30", "0009 KB30", "0010 KB30"];
    assert_eq!(new(&["KB20"]), left);
    // The one for the start holds nothing else, and the last one is the one to install.
    let all = new(&["KB11"]);
    assert_eq!(all.len(), 11);
    assert!(all.iter().all(|it| it.ends_with(" KB30")), "{all:?}");
    // Before Windows 10 what holds earlier ones is told by replacing some.
    assert_eq!(told("9600.1", "Windows Server 2012 R2", &["KB30"]).len(), 9);
}

#[test]
fn rollups_of_older_windows_hold_all_earlier_ones() {
    // A month's rollup and what mends its flaws alone; nobody says that 30 replaces 20. 9 came before
    // there were rollups.
    let month = |month: &str, first: u32, updates: &str| -> String {
        let components =
            ["Windows Kernel", "Windows NTFS", "Windows Shell"].into_iter().enumerate();
        let line = |(index, component): (usize, &str)| {
            let flaw = first as usize + index;
            format!("CVE-{}-{flaw:04} | {month}-08 | {component} | {updates}\n", &month[..4])
        };
        components.map(line).collect()
    };
    let lines = [
        month("2016-03", 1, "KB8"),
        month("2016-04", 4, "KB9"),
        month("2018-01", 11, "KB10 KB11"),
        month("2018-02", 14, "KB20 KB21"),
        // Of a flaw the rollup is not named.
        month("2018-03", 17, "KB30 KB31"),
        month("2018-03", 31, "KB31").lines().next().unwrap().to_owned() + "\n",
        month("2018-04", 21, "KB40 KB41"),
    ]
    .concat();
    let replaced = [(8, 9), (10, 20), (30, 40)];
    let product = "Windows Server 2012 R2";
    let (_folder, database) = updates(product, lines.trim_end(), &replaced);
    let told = |installed: &[&str]| -> Vec<String> {
        let findings = scan(&database, of_build("9600.1", product, installed));
        findings.vulnerabilities.iter().map(|it| it.cve_id[7..].to_owned()).collect()
    };
    let early = ["6-0001", "6-0002", "6-0003", "6-0004", "6-0005", "6-0006"];
    assert_eq!(told(&["KB40"]), early);
    assert_eq!(told(&["KB9", "KB40"]), [""; 0]);
    // What mends the flaws of a month alone holds nothing else.
    assert_eq!(told(&["KB9", "KB41"]).len(), 10);
    assert_eq!(told(&["KB9", "KB20", "KB41"]), ["8-0017", "8-0018", "8-0019", "8-0031"]);
    assert_eq!(told(&["KB9", "KB30", "KB41"]), [""; 0]);
}

#[test]
fn servers_of_half_a_year_are_known() {
    for (build, version) in [("19042.1", "20H2"), ("16299.1", "1709")] {
        let product = format!("Windows Server, version {version} (Server Core Installation)");
        let lines = "CVE-2021-0001 | 2021-04-13 | Windows Kernel | KB1";
        let (_folder, database) = updates(&product, lines, &[]);
        let mut system = of_build(build, "Windows Server Datacenter", &[]);
        system.identity.installation = Some("Server Core".to_owned());
        assert_eq!(scan(&database, system).vulnerabilities.len(), 1);
    }
}

#[test]
fn what_is_no_longer_installed_has_no_flaws() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | tar | - | affected";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let mut left = deb("tar", "tar", "1.34-1");
    left.state = Some("config-files".to_owned());
    check(&scan(&database, system("debian", "12", vec![left])), &[]);
}

#[test]
fn what_remains_of_a_release_that_is_over_is_told_by_a_later_one() {
    let lines = "DSA-1-1       | CVE-2020-0001 | Debian:8  | bash  | 4.3-11+deb8u1 | fixed
                 CVE-2020-0001 | CVE-2020-0001 | Debian:11 | bash  | 5.0-1 | fixed
                 CVE-2020-0002 | CVE-2020-0002 | Debian:11 | bash  | 5.0-1 | fixed
                 CVE-2020-0003 | CVE-2020-0003 | Debian:11 | bash  | - | will-not-fix
                 CVE-2020-0004 | CVE-2020-0004 | Debian:11 | bash  | 4.2-1 | fixed
                 CVE-2020-0005 | CVE-2020-0005 | Debian:11 | bash  | - | not-affected
                 CVE-2020-0006 | CVE-2020-0006 | Debian:11 | linux | 5.0-1 | fixed
                 CVE-2020-0008 | CVE-2020-0008 | Debian:8  | bash  | 4.3-9 | fixed
                 CVE-2020-0008 | CVE-2020-0008 | Debian:11 | bash  | 5.0-1 | fixed
                 CVE-2020-0007 | CVE-2020-0007 | Debian:12 | bash  | - | affected";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let mut kernel = deb("linux-image-3.16.0-4-amd64", "linux", "3.16.7-ckt11-1");
    kernel.source_version = None;
    let of = |end: &str, version: &str| {
        let packages = vec![deb("bash", "bash", version), kernel.clone()];
        let mut system = system("debian", "8", packages);
        let end = EndOfLife { support: "2018-06-17".to_owned(), extended: Some(end.to_owned()) };
        system.identity.end_of_life = Fact::known(end, "table");
        scan(&database, system)
    };
    let findings = of("2020-06-30", "4.3-11");
    check(
        &findings,
        &[
            // Its own word counts.
            "bash CVE-2020-0001 4.3-11+deb8u1 fixed",
            "bash CVE-2020-0002 - end-of-life",
            "bash CVE-2020-0003 - end-of-life",
        ],
    );
    assert_eq!(notes(&findings), [NoteKind::FixesOnly, NoteKind::OsEndOfLife]);
    let rule = |flaw: &str| {
        let found = findings.vulnerabilities.iter().find(|it| it.cve_id == flaw).unwrap();
        assert!(found.because.iter().all(|it| it.ecosystem == "Debian:11"), "{found:?}");
        found.because[0].rule.clone()
    };
    let later = "in a later release; nobody looks into this one any more";
    assert_eq!(rule("CVE-2020-0002"), format!("built from bash: 4.3-11 is before 5.0-1, {later}"));
    // What it has mended itself is mended, whatever version a later one has.
    let findings = of("2020-06-30", "4.3-11+deb8u1");
    check(&findings, &["bash CVE-2020-0002 - end-of-life", "bash CVE-2020-0003 - end-of-life"]);
    // While somebody looks into it, only its own word counts.
    let findings = of("2026-06-30", "4.3-11");
    check(&findings, &["bash CVE-2020-0001 4.3-11+deb8u1 fixed"]);
    assert_eq!(notes(&findings), [NoteKind::FixesOnly]);
}

#[test]
fn what_is_only_known_of_the_original_is_said_to_be() {
    let lines =
        "CVE-2020-0001 | CVE-2020-0001 | Red Hat:enterprise_linux:6 | openssl | - | affected";
    let (_folder, database) = database("redhat-cve", Scheme::Rpm, Subject::Source, lines);
    let packages = || vec![package(PackageKind::Rpm, "openssl", "1.0.1e-58.0.1.el6_10")];
    let findings = scan(&database, system("ol", "6.10", packages()));
    check(&findings, &["openssl CVE-2020-0001 - affected"]);
    assert_eq!(notes(&findings), [NoteKind::OsUnsupported]);
    assert_eq!(notes(&scan(&database, system("rhel", "6.10", packages()))), []);
}

#[test]
fn machines_that_are_alike_are_compared_once() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | openssl | 3.0.2-1 | fixed";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let options = Options {
        weights: Weights::default(),
        texts: false,
        today: Day::of("2026-01-02"),
        generator: "test".to_owned(),
    };
    let machine = |name: &str, version: &str| {
        let mut package = deb("libssl3", "openssl", version);
        package.installed = Some(format!("2025-01-01T00:00:0{}Z", name.len()));
        let mut system = system("debian", "12", vec![package]);
        system.identity.hostname = Fact::known(name.to_owned(), "/etc/hostname");
        Report::of(vec![system], "not asked")
    };
    let fleet = Fleet::new(&database, options.clone(), 2);
    for (name, version, compared) in [
        ("a", "3.0.1-1", 1),
        ("bb", "3.0.1-1", 1),
        ("c", "3.0.2-1", 2),
        ("a", "3.0.1-1", 2),
        ("d", "3.0.0-1", 3),
        // The oldest was forgotten.
        ("a", "3.0.1-1", 4),
    ] {
        let report = machine(name, version);
        let findings = fleet.scan(&report, name).unwrap();
        assert_eq!(findings, fathom_advisory::scan(&report, name, &database, &options).unwrap());
        assert_eq!(findings.systems[0].hostname.as_deref(), Some(name));
        assert_eq!(fleet.compared(), compared, "{name} {version}");
    }
    let likeness = |name, version| Likeness::of(&machine(name, version));
    assert_eq!(likeness("a", "3.0.1-1"), likeness("bb", "3.0.1-1"));
    assert_ne!(likeness("a", "3.0.1-1"), likeness("a", "3.0.2-1"));
}

#[test]
fn a_database_without_a_date_is_not_taken_for_a_fresh_one() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | tar | - | affected";
    let (folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    assert_eq!(notes(&scan(&database, system("debian", "12", Vec::new()))), []);
    // Made on the day of the scan, of nobody knows what.
    let about = About {
        provider: "other".to_owned(),
        built: "2026-01-02T00:00:00Z".to_owned(),
        ..About::default()
    };
    let path = folder.path().join("other.advisories");
    Writer::create(&path, about).unwrap().finish().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let findings = scan(&database, system("debian", "12", Vec::new()));
    assert_eq!(notes(&findings), [NoteKind::DatabaseStale]);
    assert!(findings.notes[0].message.ends_with("has a date (other)"), "{:?}", findings.notes);
}

#[test]
fn who_knows_nothing_of_exploits_says_so() {
    let lines = "S | CVE-2023-0001 | Debian:12 | openssl | 3.0.2-1 | fixed";
    let (folder, _) = database("debian", Scheme::Debian, Subject::Source, lines);
    let scanned = |version: &str| {
        let database = Database::open(folder.path()).unwrap();
        let packages = vec![deb("openssl", "openssl", version)];
        let findings = scan(&database, system("debian", "12", packages));
        let is_it = |it: &&fathom_report::finding::Note| it.kind == NoteKind::MissingProvider;
        findings.notes.iter().find(is_it).map(|it| it.message.clone()).unwrap_or_default()
    };
    assert!(
        scanned("3.0.1-1").contains("no file of kev and none of epss"),
        "{}",
        scanned("3.0.1-1")
    );
    assert_eq!(scanned("3.0.2-1"), "");
    for name in ["kev", "epss"] {
        let path = folder.path().join(format!("{name}.advisories"));
        let about = About { provider: name.to_owned(), ..About::default() };
        Writer::create(&path, about).unwrap().finish().unwrap();
    }
    assert_eq!(scanned("3.0.1-1"), "");
}

#[test]
fn an_old_file_is_said_of_what_it_speaks_of() {
    let folder = tempfile::tempdir().unwrap();
    let line = "S | CVE-2024-0001 | Debian:12 | openssl | 3.1 | fixed";
    add(folder.path(), "debian", Scheme::Debian, Subject::Source, line);
    let old = folder.path().join("npm.advisories");
    let about =
        About { provider: "npm".to_owned(), as_of: "2025-01-01".to_owned(), ..About::default() };
    let mut writer = Writer::create(&old, about).unwrap();
    let advisory = writer.advisory(&NewAdvisory { name: "N", ..NewAdvisory::default() });
    let statement = Statement {
        namespace: "npm",
        scheme: Scheme::Semver,
        subject: Subject::Installed,
        name: "left-pad",
        lower: None,
        upper: None,
        state: State::Affected,
        severity: None,
        qualifier: None,
    };
    writer.statement(advisory.unwrap().unwrap(), &statement).unwrap();
    writer.finish().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let openssl = || deb("openssl", "openssl", "3.1");
    let findings = scan(&database, system("debian", "12", vec![openssl()]));
    assert_eq!(notes(&findings), [NoteKind::FixesOnly]);
    let of_npm = package(PackageKind::Npm, "right-pad", "1.0.0");
    let findings = scan(&database, system("debian", "12", vec![openssl(), of_npm]));
    assert_eq!(notes(&findings), [NoteKind::DatabaseStale, NoteKind::FixesOnly]);
    let message = &findings.notes[0].message;
    assert!(message.contains("1 of the 2 files") && message.contains("npm of 366"), "{message}");
}

#[test]
fn the_database_knows_that_a_release_is_over_where_the_report_does_not() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:9 | tar | - | affected
                 CVE-2023-0001 | CVE-2023-0001 | Debian:13 | tar | - | affected";
    let (folder, _) = database("debian", Scheme::Debian, Subject::Source, lines);
    let about = About {
        provider: "endoflife".to_owned(),
        as_of: "2026-01-01".to_owned(),
        ..About::default()
    };
    let path = folder.path().join("endoflife.advisories");
    let mut writer = Writer::create(&path, about).unwrap();
    let end = |support: &str, extended: &str| End {
        support: Day::of(support),
        extended: Day::of(extended),
    };
    writer.ends("debian", "9", end("2020-07-18", "2022-06-30")).unwrap();
    writer.ends("debian", "13", end("2025-08-09", "2030-06-30")).unwrap();
    writer.ends("centos", "5", end("", "")).unwrap();
    writer.ends("centos", "8", end("2021-12-31", "")).unwrap();
    writer.finish().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let ended = |system: System| {
        let findings = scan(&database, system);
        let note = findings.notes.into_iter().find(|it| it.kind == NoteKind::OsEndOfLife);
        note.map(|it| it.message)
    };
    let nine = || system("debian", "9.13", Vec::new());
    let message = ended(nine()).unwrap();
    assert!(message.contains("not been mended since 2022-06-30;"), "{message}");
    assert_eq!(ended(system("debian", "13", Vec::new())), None);
    assert_eq!(ended(system("debian", "99", Vec::new())), None);
    // What the report knows counts.
    let mut known = nine();
    let life =
        EndOfLife { support: "2020-07-18".to_owned(), extended: Some("2030-01-01".to_owned()) };
    known.identity.end_of_life = Fact::known(life, "table");
    assert_eq!(ended(known), None);
    // It is over, and nobody says since when; and Stream is another distribution.
    let centos = |version: &str, name: &str| {
        let mut system = system("centos", version, Vec::new());
        system.identity.name = Fact::known(name.to_owned(), "os-release");
        system
    };
    assert!(ended(centos("5", "CentOS")).unwrap().contains("not been mended for long;"));
    assert!(ended(centos("8", "CentOS Linux 8")).is_some());
    assert_eq!(ended(centos("8", "CentOS Stream 8")), None);
}

#[test]
fn what_belongs_to_a_package_is_compared_unless_the_package_is() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "CVE-2023-0009 | CVE-2023-0009 | Debian:12 | pyyaml | 6.0.2-1 | fixed";
    add(folder.path(), "debian", Scheme::Debian, Subject::Source, lines);
    let lines = "GHSA-1 | CVE-2023-0001 | PyPI | pyyaml | 7.0 | fixed";
    add(folder.path(), "pypi", Scheme::Pep440, Subject::Installed, lines);
    let database = Database::open(folder.path()).unwrap();
    let owned_by = |owner: &str| {
        let mut library = package(PackageKind::Python, "PyYAML", "6.0.1");
        library.owner = Some(owner.to_owned());
        library
    };
    let of = |owner: Package| {
        let name = owner.name.clone();
        scan(&database, system("debian", "12", vec![owner, owned_by(&name)]))
    };
    // The distribution's own package was compared instead.
    let findings = of(deb("python3-yaml", "pyyaml", "6.0.2-1"));
    check(&findings, &[]);
    assert_eq!(findings.unscanned.len(), 1);
    // Of somebody else's nobody speaks.
    let findings = of(deb("elastic-agent", "elastic-agent", "8.0"));
    check(&findings, &["PyYAML CVE-2023-0001 7.0 fixed"]);
    // It is not there at all.
    let findings = scan(&database, system("debian", "12", vec![owned_by("gone")]));
    check(&findings, &["PyYAML CVE-2023-0001 7.0 fixed"]);
}

#[test]
fn packages_of_one_source_have_epochs_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "CVE-2021-0001 | CVE-2021-0001 | Red Hat:enterprise_linux:7 | httpd | 0:2.4.6-97.el7 | fixed
                 CVE-2020-0002 | CVE-2020-0002 | Red Hat:enterprise_linux:7 | perl | 4:5.26.3-419.el7 | fixed";
    add(folder.path(), "redhat-cve", Scheme::Rpm, Subject::Source, lines);
    let lines = "RHSA-2021:1 | CVE-2021-0001 | Red Hat:enterprise_linux:7::server | mod_ssl | 1:2.4.6-97.el7 | fixed
                 RHSA-2021:1 | CVE-2021-0001 | Red Hat:enterprise_linux:7::server | httpd | 0:2.4.6-97.el7 | fixed
                 RHSA-2020:2 | CVE-2020-0002 | Red Hat:enterprise_linux:7::server | perl-Errno | 0:1.28-419.el7 | fixed";
    add(folder.path(), "redhat", Scheme::Rpm, Subject::Installed, lines);
    let database = Database::open(folder.path()).unwrap();
    let of = |name: &str, version: &str, source: &str, built: &str| {
        let mut package = package(PackageKind::Rpm, name, version);
        package.source = Some(source.to_owned());
        package.source_version = Some(built.to_owned());
        package
    };
    let packages = vec![
        of("httpd", "2.4.6-90.el7", "httpd", "2.4.6-90.el7"),
        of("mod_ssl", "1:2.4.6-90.el7", "httpd", "2.4.6-90.el7"),
        of("perl-Errno", "1.28-418.el7", "perl", "5.26.3-418.el7"),
    ];
    check(
        &scan(&database, system("rhel", "7.9", packages)),
        &[
            "httpd CVE-2021-0001 2.4.6-97.el7 fixed",
            // Its own version, and not that of what it was built from.
            "mod_ssl CVE-2021-0001 1:2.4.6-97.el7 fixed",
            "perl-Errno CVE-2020-0002 1.28-419.el7 fixed",
        ],
    );
    let mended = vec![
        of("mod_ssl", "1:2.4.6-97.el7", "httpd", "2.4.6-97.el7"),
        of("perl-Errno", "1.28-422.el7", "perl", "5.26.3-422.el7"),
    ];
    check(&scan(&database, system("rhel", "7.9", mended)), &[]);
}

#[test]
fn what_was_only_built_again_in_a_module_is_what_it_was() {
    let lines = "RHSA-2024:1 | CVE-2024-6345 | Red Hat:enterprise_linux:8::appstream | python39-attrs | 0:20.3.0-2.module+el8.9.0+20+abc | fixed | python39:3.9
                 RHSA-2024:1 | CVE-2024-6345 | Red Hat:enterprise_linux:8::appstream | python39-setuptools | 0:50.3.2-6.module+el8.9.0+20+abc | fixed | python39:3.9";
    let (_folder, database) = database("redhat", Scheme::Rpm, Subject::Installed, lines);
    let of = |name: &str, version: &str| {
        let mut package = package(PackageKind::Rpm, name, version);
        package.module = Some("python39:3.9:1:2".to_owned());
        package
    };
    let packages = vec![
        of("python39-attrs", "20.3.0-2.module+el8.4.0+9+def"),
        of("python39-setuptools", "50.3.2-5.module+el8.4.0+9+def"),
    ];
    check(
        &scan(&database, system("rhel", "8.9", packages)),
        &["python39-setuptools CVE-2024-6345 50.3.2-6.module+el8.9.0+20+abc fixed"],
    );
}

#[test]
fn builds_of_which_nobody_speaks_are_not_clean() {
    let lines =
        "CVE-2023-0001 | CVE-2023-0001 | Ubuntu:20.04:LTS | openssl | 1.1.1f-1ubuntu2.17 | fixed
                 CVE-2023-0002 | CVE-2023-0002 | Ubuntu:20.04:LTS | tar | 1.30 | fixed";
    let (_folder, database) = database("ubuntu", Scheme::Debian, Subject::Source, lines);
    let packages = vec![
        deb("libssl1.1", "openssl", "1.1.1f-1ubuntu2.fips.7.1"),
        deb("libssl-plain", "openssl", "1.1.1f-1ubuntu2.7"),
        deb("tar", "tar", "1.31"),
    ];
    let findings = scan(&database, system("ubuntu", "20.04", packages));
    check(&findings, &["libssl-plain CVE-2023-0001 1.1.1f-1ubuntu2.17 fixed"]);
    assert_eq!(findings.unscanned[0].examples, ["libssl1.1"]);
    assert!(notes(&findings).contains(&NoteKind::Unscanned));
}

#[test]
fn signed_boot_loaders_have_the_flaws_of_what_was_signed() {
    let lines = "CVE-2023-0001 | CVE-2023-0001 | Debian:12 | grub2 | 2.06-4 | fixed
                 CVE-2023-0002 | CVE-2023-0002 | Debian:12 | shim | 15.8-1 | fixed";
    let (_folder, database) = database("debian", Scheme::Debian, Subject::Source, lines);
    let packages = vec![
        deb("grub-efi-amd64-signed", "grub-efi-amd64-signed", "1+2.06+3"),
        deb("shim-signed", "shim-signed", "1.40+15.7-1"),
    ];
    check(
        &scan(&database, system("debian", "12", packages)),
        &[
            "grub-efi-amd64-signed CVE-2023-0001 2.06-4 fixed",
            "shim-signed CVE-2023-0002 15.8-1 fixed",
        ],
    );
}

/// A system with these kernels, of which the first starts.
fn with_kernels(mut system: System, releases: &[&str]) -> System {
    let kernel = |version: &&str| Kernel {
        version: (*version).to_owned(),
        image: None,
        initramfs: None,
        modules: None,
        evidence: Vec::new(),
    };
    system.boot.kernels = Listing::complete(releases.iter().map(kernel).collect(), Vec::new());
    let entry = BootEntry {
        loader: "grub".to_owned(),
        title: None,
        version: releases.first().map(|it| (*it).to_owned()),
        image: None,
        initramfs: Vec::new(),
        arguments: None,
    };
    system.boot.default = Fact::known(entry, "grub.cfg");
    system
}

#[track_caller]
fn check_kernels(findings: &Findings, expected: &[(&str, &str, bool)]) {
    let found = findings.vulnerabilities.iter();
    let mut found: Vec<_> =
        found.map(|it| (it.package.as_str(), it.installed_version.as_str(), it.inactive)).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn kernels_of_suse_are_known_without_the_number_of_their_rebuild() {
    let product = "SUSE:Linux Enterprise Server 15 SP3";
    let lines = ["kernel-default", "kernel-rt"]
        .map(|name| format!("SUSE-1 | CVE-2024-0001 | {product} | {name} | 5.4-1 | fixed\n"))
        .concat();
    let (_folder, database) = database("suse", Scheme::Rpm, Subject::Installed, &lines);
    let packages = vec![
        package(PackageKind::Rpm, "kernel-default", "5.3.18-150300.59.161.1"),
        package(PackageKind::Rpm, "kernel-default", "5.3.18-150300.59.93.1"),
        package(PackageKind::Rpm, "kernel-rt", "5.3.18-150300.59.161.1"),
    ];
    let releases =
        ["5.3.18-150300.59.161-default", "5.3.18-150300.59.93-default", "5.3.18-150300.59.161-rt"];
    check_kernels(
        &scan(&database, with_kernels(system("sles", "15.3", packages), &releases)),
        &[
            ("kernel-default", "5.3.18-150300.59.161.1", false),
            ("kernel-default", "5.3.18-150300.59.93.1", true),
            ("kernel-rt", "5.3.18-150300.59.161.1", true),
        ],
    );
}

#[test]
fn kernels_of_photon_are_told_from_their_aids() {
    let lines = "CVE-2026-1001 | CVE-2026-1001 | Photon OS:5.0 | linux | 6.1.10-1.ph5 | fixed
                 CVE-2026-1002 | CVE-2026-1002 | Photon OS:5.0 | linux-firmware | 99-1.ph5 | fixed";
    let (_folder, database) = database("photon", Scheme::Rpm, Subject::Source, lines);
    let of = |name: &str, version: &str, source: Option<&str>| {
        let mut package = package(PackageKind::Rpm, name, version);
        package.source = source.map(str::to_owned);
        package
    };
    let packages = vec![
        of("linux", "6.1.9-1.ph5", Some("linux")),
        of("linux", "6.1.8-1.ph5", Some("linux")),
        of("linux-devel", "6.1.9-1.ph5", Some("linux")),
        of("linux-docs", "6.1.9-1.ph5", Some("linux")),
        of("linux-tools", "6.1.9-1.ph5", None),
        of("linux-firmware", "1-1.ph5", None),
    ];
    let system = with_kernels(system("photon", "5.0", packages), &["6.1.9-1.ph5", "6.1.8-1.ph5"]);
    check_kernels(
        &scan(&database, system),
        &[
            ("linux", "6.1.8-1.ph5", true),
            ("linux", "6.1.9-1.ph5", false),
            ("linux-firmware", "1-1.ph5", false),
        ],
    );
}

#[test]
fn what_suse_mends_for_those_who_pay_says_so() {
    let lines = "SUSE-1 | CVE-2024-0001 | SUSE:Linux Enterprise Server for SAP Applications 15 SP1 | curl | 7.60.0-2 | fixed
                 SUSE-2 | CVE-2024-0002 | SUSE:Linux Enterprise Server for SAP Applications 15 SP1 | curl | 7.60.0-3 | fixed
                 SUSE-2 | CVE-2024-0002 | SUSE:Linux Enterprise Server 15 SP1 | curl | 7.60.0-3 | fixed";
    let (_folder, database) = database("suse", Scheme::Rpm, Subject::Installed, lines);
    let of = |distribution: &str| {
        let packages = vec![package(PackageKind::Rpm, "curl", "7.60.0-1")];
        let findings = scan(&database, system(distribution, "15.1", packages));
        let mut found: Vec<_> = findings
            .vulnerabilities
            .into_iter()
            .map(|it| (it.cve_id, it.fixed_in.unwrap_or_default()))
            .collect();
        found.sort();
        found.into_iter().map(|(_, from)| from).collect::<Vec<_>>()
    };
    assert_eq!(of("sles"), ["long-term support", ""]);
    assert_eq!(of("sles_sap"), ["", ""]);
}

#[test]
fn a_system_without_a_version_is_none_that_anything_is_known_of() {
    let lines = "CVE-2020-0001 | CVE-2020-0001 | Red Hat:enterprise_linux:::hypervisor | openssl | - | affected";
    let (_folder, database) = database("redhat-cve", Scheme::Rpm, Subject::Source, lines);
    let packages = vec![package(PackageKind::Rpm, "openssl-libs", "1:3.0.7-18.el9")];
    let findings = scan(&database, system("rhel", "", packages));
    check(&findings, &[]);
    assert!(notes(&findings).contains(&NoteKind::OsUnsupported), "{:?}", findings.notes);
    assert!(notes(&findings).contains(&NoteKind::Unscanned), "{:?}", findings.notes);
}
