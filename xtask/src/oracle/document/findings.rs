//! Are findings what they say they are, in every format? SARIF, CycloneDX, JUnit, OpenVEX and CSAF are
//! read by the schemas and the libraries of those who keep the formats, our own documents by our own
//! schemas. GitLab's schemas are in no registry: its format is held to GitLab's documentation.
//!
//! Two machines: one whose flaws are in each state that there is, and one whose texts are as hostile as
//! they can be.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use fathom_advisory::exception::{self, Exception};
use fathom_advisory::{Day, vex};
use fathom_document::findings;
use fathom_report::PackageKind;
use fathom_report::finding::{
    Cvss, ExemptionKind, Finding, Findings, MACHINE, Note, NoteKind, Scanned, Severity, State,
};

use super::{HOSTILE, TIME, write};
use crate::oracle::{Case, Work};
use crate::{shell, tools};

/// What findings are of.
type Make = fn() -> Result<Findings>;

pub(super) fn cases() -> Vec<Case> {
    let makes: [(&str, Make); 2] = [("every-state", every_state), ("hostile", hostile)];
    let mut cases = Vec::new();
    for (name, make) in makes {
        for kind in ["sarif", "cyclonedx", "junit", "gitlab", "openvex", "csaf", "schema", "plan"] {
            cases.push(Case::new(format!("document/findings-{kind}-{name}"), move |work| {
                check(work, kind, &make()?)
            }));
        }
    }
    cases.push(Case::new("document/findings-the-check-checks", the_check_checks));
    cases
}

/// A flaw in a package, of which everything else is left open.
fn finding(flaw: &str, kind: PackageKind, package: &str, state: State) -> Result<Finding> {
    let text = format!(
        r#"{{"cve_id":"","package":"","package_kind":"{}","installed_version":"1.1.1k-1","state":"{}",
            "remediation":"Look for a fix","exploitability":{{}},"because":[],"evidence":"/db",
            "risk":{{"score":12.5,"severity":0.5,"likelihood":0.25,"context":1}}}}"#,
        kind.name(),
        state.name(),
    );
    let mut finding: Finding = serde_json::from_str(&text)?;
    flaw.clone_into(&mut finding.cve_id);
    package.clone_into(&mut finding.package);
    finding.fixed_version = (state == State::Fixed).then(|| "1.1.1l-1".to_owned());
    Ok(finding)
}

fn machine(vulnerabilities: Vec<Finding>) -> Findings {
    let system =
        Scanned { hostname: Some("server".to_owned()), ..Scanned::bare("sda1", "debian", "11") };
    Findings {
        notes: vec![Note {
            kind: NoteKind::DatabaseStale,
            message: "debian is 30 days old".to_owned(),
        }],
        vulnerabilities,
        ..Findings::none("images/server 1.qcow2", "fathom 0.0.0", vec![system])
    }
}

/// A flaw in each state, then some that a file and some that a document decided about.
fn every_state() -> Result<Findings> {
    let states = [
        State::Fixed,
        State::Affected,
        State::WillNotFix,
        State::Deferred,
        State::UnderInvestigation,
        State::EndOfLife,
    ];
    let mut all = Vec::new();
    for (index, state) in states.into_iter().chain([State::Affected; 5]).enumerate() {
        let flaw = format!("CVE-2021-{}", 3700 + index);
        for (package, arch) in [("libssl1.1", "amd64"), ("openssl", "amd64"), ("libssl1.1", "i386")]
        {
            let mut finding = finding(&flaw, PackageKind::Deb, package, state)?;
            finding.source_package = Some("openssl".to_owned());
            finding.architecture = Some(arch.to_owned());
            finding.purl =
                Some(format!("pkg:deb/debian/{package}@1.1.1k-1?arch={arch}&distro=debian-11"));
            finding.aliases =
                ["GHSA-5ww6-px42-wc85".to_owned(), "RUSTSEC-2021-0097".to_owned()].into();
            finding.severity = Some(Severity::Critical);
            finding.cvss_score = Some(9.8);
            finding.cvss = [
                Cvss {
                    vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
                    score: 9.8,
                    version: 3,
                    source: "nvd".to_owned(),
                },
                Cvss {
                    vector: "AV:N/AC:L/Au:N/C:P/I:P/A:P".to_owned(),
                    score: 7.5,
                    version: 2,
                    source: "nvd".to_owned(),
                },
            ]
            .into();
            finding.weaknesses = ["CWE-120".to_owned()].into();
            finding.description = Some("SM2 decryption writes past a buffer".into());
            finding.references =
                ["https://www.openssl.org/news/secadv/20210824.txt".to_owned()].into();
            all.push(finding);
        }
    }
    // Neither a number of the CVE list nor a package URL.
    all.push(finding("GHSA-5ww6-px42-wc85", PackageKind::Hotfix, "Windows 10", State::Affected)?);
    let mut findings = machine(all);
    decide(&mut findings)?;
    Ok(findings)
}

/// What is decided of the last five: put off, found to be none, and what a document says.
fn decide(findings: &mut Findings) -> Result<()> {
    let mut exceptions = Vec::new();
    for (flaw, kind) in [
        ("CVE-2021-3706", ExemptionKind::Deferred),
        ("CVE-2021-3707", ExemptionKind::FalsePositive),
    ] {
        let mut exception = Exception::request(flaw, kind, "nobody reaches it");
        exception.approve("ops")?;
        exceptions.push(exception);
    }
    exception::apply(findings, &mut exceptions, Day::of(TIME));
    let statement = |flaw: &str, status: &str, more: &str| {
        format!(
            r#"{{"vulnerability":{{"name":"{flaw}"}},"products":[{{"@id":"pkg:deb/debian/libssl1.1"}},{{"@id":"pkg:deb/debian/openssl"}}],"status":"{status}"{more}}}"#
        )
    };
    let statements = [
        statement(
            "CVE-2021-3708",
            "not_affected",
            r#","justification":"inline_mitigations_already_exist""#,
        ),
        statement("CVE-2021-3709", "fixed", ""),
        statement("CVE-2021-3710", "under_investigation", ""),
    ];
    let document = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://a.example/1","author":"A","timestamp":"{TIME}","version":1,"statements":[{}]}}"#,
        statements.join(",")
    );
    let applied = vex::apply(findings, &[vex::Document::parse(&document, "said.json")?]);
    ensure!((applied.excepted, applied.noted) == (6, 3), "{applied:?}");
    Ok(())
}

/// Every text that some format gives a meaning, wherever a text may stand.
fn hostile() -> Result<Findings> {
    let mut all = every_state()?;
    for (index, text) in HOSTILE.iter().enumerate() {
        let mut finding =
            finding(&format!("CVE-2022-{}", 1000 + index), PackageKind::Rpm, text, State::Fixed)?;
        let owned = || (*text).to_owned();
        finding.installed_version = owned();
        finding.fixed_version = Some(owned());
        finding.source_package = Some(owned());
        finding.location = Some(owned());
        finding.architecture = Some(owned());
        finding.description = Some(owned().into());
        finding.remediation = owned();
        finding.aliases = [owned(), owned()].into();
        finding.advisories = [owned()].into();
        finding.evidence = (*text).into();
        finding.weaknesses = [owned(), "CWE-99999999999".to_owned()].into();
        all.vulnerabilities.push(finding.clone());
        owned().clone_into(&mut finding.cve_id);
        finding.references = [owned()].into();
        all.vulnerabilities.push(finding);
    }
    all.notes.push(Note { kind: NoteKind::Unscanned, message: HOSTILE.concat() });
    all.subject = HOSTILE.concat();
    Ok(all)
}

/// The document of one kind, written twice.
fn written(work: &Work, kind: &str, all: &Findings) -> Result<()> {
    let document = |out: &mut dyn Write| match kind {
        "sarif" => findings::sarif(std::slice::from_ref(all), out),
        "cyclonedx" => findings::cyclonedx(all, TIME, out),
        "junit" => findings::junit(std::slice::from_ref(all), out),
        "gitlab" => findings::gitlab(std::slice::from_ref(all), TIME, out),
        "openvex" => findings::openvex(all, TIME, out),
        "csaf" => findings::csaf(all, TIME, out),
        "plan" => Ok(serde_json::to_writer(out, &fathom_advisory::plan(all))?),
        _ => Ok(serde_json::to_writer(out, all)?),
    };
    write(work, kind, document)?;
    write(work, "again", document)?;
    ensure!(
        std::fs::read(work.path(kind))? == std::fs::read(work.path("again"))?,
        "the same findings give another document the second time"
    );
    Ok(())
}

fn check(work: &Work, kind: &str, all: &Findings) -> Result<()> {
    write(work, "findings.json", |out| Ok(serde_json::to_writer(out, all)?))?;
    written(work, kind, all)?;
    if kind == "openvex" {
        expected(work, all)?;
    }
    read(work, kind)
}

/// What the library of OpenVEX is to find of the packages that have a package URL.
fn expected(work: &Work, all: &Findings) -> Result<()> {
    let machine = format!("{MACHINE}{}", fathom_report::percent_encoded(&all.subject, true));
    let open = all.vulnerabilities.iter().map(|it| {
        let status = match it.state {
            State::UnderInvestigation => "under_investigation",
            _ => "affected",
        };
        (it, status)
    });
    let decided = all.excepted.iter().map(|it| {
        let said = it.exemption.statement.as_ref().map(|it| it.status.name());
        let status = said.unwrap_or(match it.exemption.kind {
            ExemptionKind::Deferred => "affected",
            ExemptionKind::FalsePositive => "not_affected",
        });
        (&it.finding, status)
    });
    let lines: Vec<_> = open
        .chain(decided)
        .filter_map(|(finding, status)| {
            let purl = finding.purl.as_ref()?;
            Some(format!("{}\t{machine}\t{purl}\t{status}\n", finding.cve_id))
        })
        .collect();
    ensure!(lines.len() > 30, "{} lines", lines.len());
    Ok(std::fs::write(work.path("expected"), lines.concat())?)
}

/// Lets the others read what was written.
fn read(work: &Work, kind: &str) -> Result<()> {
    let folder = shell::project().join("xtask/src/oracle/document");
    match kind {
        "openvex" => {
            let program = openvex()?;
            work.bash(&format!("'{}' openvex expected 2>&1", program.display()))?;
        }
        "csaf" => {
            let validator = csaf()?;
            work.bash(&format!("node '{}' csaf 2>&1", validator.join("check.mjs").display()))?;
        }
        _ => {
            let python = tools::python_with(&folder.join("requirements.txt"))?;
            let schema = match kind {
                "sarif" | "junit" => schemas()?.join(kind),
                "plan" => shell::project().join("schemas/plan.v1.json"),
                _ => shell::project().join("schemas/findings.v1.json"),
            };
            let check = if kind == "plan" { "schema" } else { kind };
            work.bash(&format!(
                "'{}' '{}' {check} '{}' {kind} findings.json 2>&1",
                python.display(),
                folder.join("findings.py").display(),
                schema.display(),
            ))?;
        }
    }
    Ok(())
}

/// Something that `script` fetches into a folder of our own cache, once for each of its versions.
fn cached(name: &str, version: &str, script: &str) -> Result<PathBuf> {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = shell::cache()?.join(format!("{name}-{version}"));
    if !folder.join("complete").exists() {
        println!("fetching {name} {version}");
        std::fs::create_dir_all(&folder)?;
        shell::bash(&folder, script)?;
        std::fs::write(folder.join("complete"), "")?;
    }
    Ok(folder)
}

/// The schema of SARIF, which Microsoft publishes with its own checks; and that of JUnit as Jenkins
/// reads it, which pytest holds its reports to.
fn schemas() -> Result<PathBuf> {
    cached(
        "schemas-of-findings",
        "1",
        "npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0
         pip download --quiet --no-deps --no-binary pytest pytest==8.3.4
         sha256sum --check --quiet <<'END'
748e2c3d1a842e7bb258416685c7ea3a0da40005b72267b2052c2856d48ad102  microsoft-jest-sarif-1.0.0-beta.0.tgz
965370d062bce11e73868e0335abac31b4d3de0e82f4007408d242b4f8610761  pytest-8.3.4.tar.gz
END
         tar xzf microsoft-jest-sarif-1.0.0-beta.0.tgz -O package/lib/schemas/sarif-2.1.0-rtm.5.json > sarif
         tar xzf pytest-8.3.4.tar.gz -O pytest-8.3.4/testing/example_scripts/junit-10.xsd > junit",
    )
}

/// A program that reads OpenVEX with the library of those who keep it. Versions and checksums are fixed
/// by its `go.sum`.
fn openvex() -> Result<PathBuf> {
    let source = shell::project().join("xtask/src/oracle/document/openvex");
    let script = format!(
        "export PATH=$PATH:/usr/local/go/bin GOTOOLCHAIN=local GOFLAGS=-mod=readonly
         target=$PWD; cd '{}'; go build -buildvcs=false -o $target/check .",
        source.display()
    );
    Ok(cached("openvex-check", "1", &script)?.join("check"))
}

/// The validator of CSAF. Versions and checksums are fixed by its lock file.
fn csaf() -> Result<PathBuf> {
    let source = shell::project().join("xtask/src/oracle/document/csaf");
    let script = format!(
        "cp '{0}'/package.json '{0}'/package-lock.json '{0}'/check.mjs .
         npm ci --ignore-scripts --no-audit --no-fund --silent 2>&1",
        source.display()
    );
    cached("csaf-check", "1", &script)
}

/// Documents that are wrong are found to be.
fn the_check_checks(work: &Work) -> Result<()> {
    let all = every_state()?;
    write(work, "findings.json", |out| Ok(serde_json::to_writer(out, &all)?))?;
    expected(work, &all)?;
    for (kind, from, to) in [
        ("sarif", "\"level\": \"error\"", "\"level\": \"bad\""),
        ("sarif", "\"ruleIndex\": 1", "\"ruleIndex\": 2"),
        ("cyclonedx", "\"in_triage\"", "\"triage\""),
        ("cyclonedx", "\"affects\": [", "\"affects\": [{\"ref\": \"nothing\"},"),
        ("junit", "<failure", "<fail"),
        ("junit", "skipped=\"12\"", "skipped=\"11\""),
        ("gitlab", "\"Critical\"", "\"Bad\""),
        ("openvex", "\"under_investigation\"", "\"looking\""),
        ("openvex", "\"action_statement\"", "\"status_notes\""),
        ("openvex", "\"impact_statement\"", "\"why\""),
        ("openvex", MACHINE, "urn:other:"),
        ("csaf", "\"installed_on\"", "\"lies_on\""),
        ("csaf", "\"product_reference\": \"", "\"product_reference\": \"no-"),
        ("csaf", "\"vendor_fix\"", "\"fix\""),
        ("csaf", "\"remediations\"", "\"references\""),
        ("schema", "\"fixed\"", "\"mended\""),
        ("plan", "\"services\"", "\"all\""),
    ] {
        written(work, kind, &all)?;
        let text = std::fs::read_to_string(work.path(kind))?;
        ensure!(text.contains(from), "{kind} has no {from}");
        std::fs::write(work.path(kind), text.replacen(from, to, 1))?;
        ensure!(read(work, kind).is_err(), "{kind} with {to} for {from} passes");
    }
    Ok(())
}
