//! What to do about the flaws of machines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use fathom_advisory::{plan, risk};
use fathom_report::finding::{Exploitability, Finding, Findings, State};
use fathom_report::{Plan, Restart};

/// A finding a line: flaw, kind, package, source, installed version, version that mends it (`-` for
/// none), state, risk, and where the fix comes from.
fn findings(lines: &str) -> Findings {
    let mut findings: Findings = serde_json::from_str(
        r#"{"schema":"fathom.findings/v1","generator":"test","subject":"machine","systems":[],
            "database":[],"notes":[],"vulnerabilities":[],"unscanned":[],
            "summary":{"total_packages":0,"vulnerable_packages":0,"vulnerabilities":0,"critical":0,
            "high":0,"medium":0,"low":0,"negligible":0,"unknown":0,"fixable":0,"exploited":0,
            "excepted":0,"risk":0}}"#,
    )
    .unwrap();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let optional =
            |index: usize| fields.get(index).filter(|it| **it != "-").map(|it| (*it).to_owned());
        let score: f64 = fields[7].trim_end_matches('!').parse().unwrap();
        let text = format!(
            r#"{{"cve_id":"{}","package":"{}","package_kind":"{}","installed_version":"{}",
                "state":"{}","remediation":"","exploitability":{{}},"because":[],"evidence":"/db",
                "risk":{{"score":{score},"severity":0,"likelihood":0,"context":0}}}}"#,
            fields[0], fields[2], fields[1], fields[4], fields[6],
        );
        let mut finding: Finding = serde_json::from_str(&text).unwrap();
        finding.source_package = optional(3);
        finding.fixed_version = optional(5);
        finding.fixed_in = optional(8);
        if fields[7].ends_with('!') {
            finding.exploitability = Exploitability {
                exploited_since: Some("2021-08-30".to_owned()),
                ..Exploitability::default()
            };
        }
        findings.vulnerabilities.push(finding);
    }
    findings
}

/// The steps: packages, the version, the flaws, and the risk after each.
fn shown(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let packages: Vec<_> = step.packages.iter().map(|it| it.package.as_str()).collect();
            let channel = step.channel.as_ref().map_or(String::new(), |it| format!(" ({it})"));
            format!(
                "{} → {}{channel}: {}; {}",
                packages.join(" "),
                step.packages[0].to,
                step.flaws.join(" "),
                step.risk_after
            )
        })
        .collect()
}

#[track_caller]
fn check(lines: &str, expected: &[&str]) -> Plan {
    let findings = findings(lines);
    let plan = plan(&findings);
    assert_eq!(shown(&plan), expected);
    // Each step's risk is that of a machine without what it and all before it mend.
    let mut left = findings.vulnerabilities.clone();
    assert_eq!(plan.risk_before, risk::of_machine(&left));
    for step in &plan.steps {
        assert_eq!(step.risk_before, risk::of_machine(&left));
        left.retain(|it| {
            let source = it.source_package.as_ref().unwrap_or(&it.package);
            let is_of_step = *source == step.source
                && it.package_kind == step.package_kind
                && it.state == State::Fixed
                && step.flaws.contains(&it.cve_id)
                && step.packages.iter().any(|known| known.package == it.package);
            !is_of_step
        });
        assert_eq!(step.risk_after, risk::of_machine(&left));
    }
    assert_eq!(plan.risk_after, risk::of_machine(&left));
    let remain: usize = plan.remaining.iter().map(|it| it.flaws.len()).sum();
    let flaws: std::collections::BTreeSet<_> =
        left.iter().map(|it| (&it.cve_id, it.state)).collect();
    assert_eq!(remain, flaws.len());
    plan
}

#[test]
fn what_was_built_from_one_source_moves_together() {
    let lines = "CVE-1 | deb | libssl1.1 | openssl | 1.1.1k-1 | 1.1.1l-1 | fixed | 20!
                 CVE-1 | deb | openssl | - | 1.1.1k-1 | 1.1.1l-1 | fixed | 20
                 CVE-2 | deb | openssl | - | 1.1.1k-1 | 1.1.1n-0+deb11u1 | fixed | 10
                 CVE-3 | deb | bash | - | 5.1-2 | 5.1-2+deb11u1 | fixed | 50";
    let plan = check(
        lines,
        &[
            "bash → 5.1-2+deb11u1: CVE-3; 28",
            "libssl1.1 openssl → 1.1.1n-0+deb11u1: CVE-1 CVE-2; 0",
        ],
    );
    assert_eq!(plan.risk_before, 64.0);
    assert_eq!(plan.steps[1].exploited, ["CVE-1"]);
    assert_eq!(
        plan.steps[1].command.as_deref(),
        Some("apt-get install --only-upgrade libssl1.1 openssl")
    );
    assert_eq!((plan.steps[0].restart, plan.steps[1].restart), (Restart::None, Restart::Services));
}

#[test]
fn the_highest_version_is_that_of_the_kind_of_package() {
    let lines = "CVE-1 | deb | a | - | 1 | 1.10-1 | fixed | 1
                 CVE-2 | deb | a | - | 1 | 1.9-1 | fixed | 1
                 CVE-3 | deb | a | - | 1 | 1.10-1~rc1 | fixed | 1
                 CVE-4 | python | b | - | 1 | 1.0.post1 | fixed | 2
                 CVE-5 | python | b | - | 1 | 1.0rc2 | fixed | 2
                 CVE-6 | rpm | c | - | 1 | 1:0.1-1 | fixed | 3
                 CVE-7 | rpm | c | - | 1 | 9.9-1 | fixed | 3";
    check(
        lines,
        &[
            "c → 1:0.1-1: CVE-6 CVE-7; 6.8125",
            "b → 1.0.post1: CVE-4 CVE-5; 2.9701",
            "a → 1.10-1: CVE-1 CVE-2 CVE-3; 0",
        ],
    );
}

#[test]
fn the_higher_version_mends_what_the_lower_does() {
    let lines = "CVE-1 | deb | a | s | 1 | 2 | fixed | 10
                 CVE-2 | deb | a | s | 1 | 2+esm1 | fixed | 20 | Ubuntu Pro
                 CVE-3 | deb | b | - | 1 | 2+esm1 | fixed | 5 | Ubuntu Pro
                 CVE-4 | deb | b | - | 1 | 3 | fixed | 5";
    let plan =
        check(lines, &["a → 2+esm1 (Ubuntu Pro): CVE-1 CVE-2; 9.75", "b → 3: CVE-3 CVE-4; 0"]);
    let advice = "Upgrade a to 2+esm1 or later; the machine has to be attached to Ubuntu Pro; \
                  without that, to 2 or later";
    assert_eq!(plan.steps[0].advice, advice);
}

#[test]
fn what_only_red_hat_has_cannot_be_had_on_a_rebuild() {
    let own = "CVE-1 | rpm | kernel-core | kernel | 1 | 4.18.0-553.157.1.el8_10 | fixed | 10";
    let theirs = "CVE-2 | rpm | kernel-core | kernel | 1 | 0:4.18.0-553.27.1.el8_10 | fixed | 20 | Red Hat
                  CVE-3 | rpm | kernel-core | kernel | 1 | 4.18.0-553.200.1.el8_10 | fixed | 5 | Red Hat
                  CVE-4 | rpm | bash | - | 1 | 2-1 | fixed | 5 | Red Hat
                  CVE-5 | rpm | bash | - | 1 | - | affected | 1";
    let expected = ["kernel-core → 4.18.0-553.157.1.el8_10: CVE-1 CVE-2; 10.6525"];
    let plan = check(&format!("{own}\n{theirs}"), &expected);
    let rest: Vec<_> = plan.remaining.iter().map(|it| (it.flaws.join(" "), &*it.reason)).collect();
    let reason = "mended in a version of Red Hat's, and in none of what is rebuilt from it";
    let affected = ("CVE-5".to_owned(), "nothing mends it yet");
    assert_eq!(rest, [("CVE-3 CVE-4".to_owned(), reason), affected]);
}

#[test]
fn what_cannot_be_mended_remains_with_its_reason() {
    let lines = "CVE-1 | rpm | a | - | 1 | - | will-not-fix | 10
                 CVE-2 | rpm | b | - | 1 | - | end-of-life | 50
                 CVE-3 | rpm | a | - | 1 | - | will-not-fix | 10
                 CVE-4 | rpm | a | - | 1 | - | affected | 1
                 CVE-5 | deb | p | - | 1 | 1_0 | fixed | 2
                 CVE-6 | rpm | a | - | 1 | - | fixed | 2
                 CVE-7 | snap | s | - | 1 | 2 | fixed | 2";
    let plan = check(lines, &[]);
    let remaining: Vec<_> =
        plan.remaining.iter().map(|it| (it.state, it.flaws.join(" "), it.risk)).collect();
    assert_eq!(
        remaining,
        [
            (State::EndOfLife, "CVE-2".to_owned(), 50.0),
            (State::WillNotFix, "CVE-1 CVE-3".to_owned(), 19.0),
            (State::Fixed, "CVE-5 CVE-6 CVE-7".to_owned(), 5.8808),
            (State::Affected, "CVE-4".to_owned(), 1.0),
        ]
    );
}

#[test]
fn what_is_certain_stays_so_until_it_is_mended() {
    let lines = "CVE-1 | rpm | glibc | - | 1 | 2 | fixed | 100
                 CVE-2 | rpm | kernel-core | kernel | 1 | 2 | fixed | 100
                 CVE-3 | rpm | a | - | 1 | 2 | fixed | 30";
    let plan =
        check(lines, &["glibc → 2: CVE-1; 100", "kernel-core → 2: CVE-2; 30", "a → 2: CVE-3; 0"]);
    assert_eq!(plan.steps[0].restart, Restart::Machine);
    assert_eq!(plan.steps[1].restart, Restart::Machine);
}

#[test]
fn updates_of_windows_are_installed_by_their_numbers() {
    let lines = "CVE-1 | hotfix | Windows Server 2022 | - | 20348.1 | KB5034129 | fixed | 10
                 CVE-2 | hotfix | Windows Server 2022 | - | 20348.1 | KB5034129 | fixed | 10
                 CVE-3 | hotfix | Windows Server 2022 | - | 20348.1 | KB5033914 | fixed | 5";
    let plan = check(
        lines,
        &[
            "Windows Server 2022 → KB5034129: CVE-1 CVE-2; 5",
            "Windows Server 2022 → KB5033914: CVE-3; 0",
        ],
    );
    let first = &plan.steps[0];
    assert_eq!((first.command.as_ref(), first.advice.as_str()), (None, "Install KB5034129"));
    assert_eq!(first.restart, Restart::Machine);
}

#[test]
fn nothing_is_to_be_done_about_nothing() {
    let plan = check("", &[]);
    assert_eq!((plan.risk_before, plan.risk_after, plan.remaining.len()), (0.0, 0.0, 0));
}

/// However many there are, it takes no longer than they need to be looked at.
#[test]
fn a_machine_may_have_many_flaws() {
    let lines: Vec<_> = (0..20_000)
        .map(|index| format!("CVE-{index} | deb | p{index} | - | 1 | 2 | fixed | 0.5"))
        .collect();
    let started = std::time::Instant::now();
    let plan = plan(&findings(&lines.join("\n")));
    assert_eq!(plan.steps.len(), 20_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn packages_of_one_source_may_be_numbered_each_by_themselves() {
    let findings = findings(
        "CVE-2026-1001 | rpm | perl-libs | perl | 4:5.26.3-416.el8 | 4:5.26.3-419.el8 | fixed | 40
         CVE-2026-1001 | rpm | perl-Errno | perl | 1.28-416.el8 | 1.28-419.el8 | fixed | 40
         CVE-2026-1002 | rpm | perl-Errno | perl | 1.28-416.el8 | 1.28-422.el8 | fixed | 20 | Red Hat",
    );
    let plan = plan(&findings);
    let upgrades: Vec<_> =
        plan.steps[0].packages.iter().map(|it| (it.package.as_str(), it.to.as_str())).collect();
    assert_eq!(upgrades, [("perl-Errno", "1.28-419.el8"), ("perl-libs", "4:5.26.3-419.el8")]);
    assert_eq!((plan.steps.len(), &plan.steps[0].flaws), (1, &vec!["CVE-2026-1001".to_owned()]));
    assert_eq!(plan.remaining[0].flaws, ["CVE-2026-1002"]);
}
