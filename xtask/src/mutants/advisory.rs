//! Damaged files of a database of advisories, damaged feeds, and damaged documents about what was found.

use anyhow::{Context as _, Result};
use fathom_feed::provider::Provider;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    let target =
        |name, seeds, exercise| Target { name, seeds, fix: |_, _| {}, exercise, refused: &[] };
    vec![
        target("segment", segments, exercise::advisory::segment),
        target("feed", feeds, exercise::advisory::feed),
        target("vex", documents, exercise::advisory::vex),
    ]
}

/// A small feed of every kind, behind its name.
const FEEDS: [&str; 6] = [
    concat!(
        "debian-osv\n",
        r#"{"id":"CVE-2022-48303","aliases":["X-1"],"published":"2023-01-30T04:15:08Z","modified":"2025-01-14T11:32:06Z","details":"one byte too many","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H"}],"affected":[{"package":{"ecosystem":"Debian:11","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.34+dfsg-1+deb11u1"}]}],"versions":["1.34-1"],"ecosystem_specific":{"urgency":"low"}}],"references":[{"type":"WEB","url":"https://a.example"}]}"#,
        "\n",
        r#"{"id":"GHSA-1","database_specific":{"severity":"HIGH","cwe_ids":["CWE-79"]},"affected":[{"package":{"ecosystem":"PyPI","name":"A.b"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"last_affected":"1.5rc1"}]}]}]}"#,
        "\n",
    ),
    concat!(
        "suse-osv\n",
        r#"{"id":"SUSE-SU-2023:0705-1","related":["CVE-2022-41862"],"modified":"2023-03-10T13:11:12Z","summary":"Important: update","affected":[{"package":{"ecosystem":"SUSE:Linux Enterprise Server 15 SP4","name":"postgresql14"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"14.7-150200.5.23.1"}]}],"ecosystem_specific":{"binaries":[{"libpq5":"14.7-150200.5.23.1"}]}}]}"#,
    ),
    concat!(
        "alpine-secdb\n",
        r#"{"distroversion":"v3.18","packages":[{"pkg":{"name":"apache2","secfixes":{"0":["CVE-2022-0001"],"2.4.26-r0":["CVE-2017-3167 XSA-1"],"2.4.54-r0":null}}}]}"#,
    ),
    concat!(
        "redhat-cve-api\n",
        r#"{"name":"CVE-2023-28859","threat_severity":"Moderate","public_date":"2023-03-26T00:00:00Z","cvss3":{"cvss3_scoring_vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"},"cwe":"CWE-200->CWE-125","details":["one"],"affected_release":[{"cpe":"cpe:/o:redhat:enterprise_linux:3","package":"squid-7:2.5.STABLE3-6.3E.13"}],"package_state":[{"cpe":"cpe:/o:redhat:enterprise_linux:8","fix_state":"Will not fix","package_name":"mariadb:10.3/mariadb"}]}"#,
    ),
    "epss_scores\n#model_version:v1,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\n\
     CVE-2021-44228,0.94358,0.99957\n",
    concat!(
        "kev\n",
        r#"{"dateReleased":"2025-08-25T17:04:19Z","vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known"}]}"#,
    ),
];

/// A small document of every kind that decides about flaws.
const DOCUMENTS: [&str; 5] = [
    r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://a.example/1","author":"A","timestamp":"2023-01-08T18:02:03.647787998-06:00","version":1,"statements":[{"vulnerability":{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2021-3711","name":"CVE-2021-3711","aliases":["GHSA-1"]},"products":[{"@id":"pkg:deb/debian/openssl@1?arch=amd64","identifiers":{"purl":"pkg:deb/debian/openssl","cpe23":"cpe:2.3:o:debian:debian_linux:11:*:*:*:*:*:*:*"},"subcomponents":[{"@id":"pkg:npm/%40a/b@1"}]}],"status":"not_affected","justification":"vulnerable_code_not_present"}]}"#,
    r#"{"@context":"https://openvex.dev/ns","@id":"1","author":"A","timestamp":"2023-01-08T18:02:03Z","version":"1","statements":[{"vulnerability":"CVE-2021-3711","products":["machine"],"subcomponents":["pkg:deb/debian/openssl"],"status":"fixed"}]}"#,
    r#"{"document":{"csaf_version":"2.0","publisher":{"name":"A"},"tracking":{"id":"1","status":"final","current_release_date":"2022-03-03T11:00:00.000Z"}},"product_tree":{"branches":[{"category":"vendor","name":"A","branches":[{"category":"product_name","name":"Debian 11","product":{"name":"Debian 11","product_id":"p","product_identification_helper":{"cpe":"cpe:/o:debian:debian_linux:11"}}}]}],"full_product_names":[{"name":"c","product_id":"c","product_identification_helper":{"purl":"pkg:deb/debian/openssl"}}],"relationships":[{"category":"default_component_of","product_reference":"c","relates_to_product_reference":"p","full_product_name":{"name":"c on p","product_id":"p:c"}}],"product_groups":[{"group_id":"g","product_ids":["p:c"]}]},"vulnerabilities":[{"cve":"CVE-2021-3711","product_status":{"known_not_affected":["p:c"],"known_affected":["c"]},"flags":[{"label":"component_not_present","group_ids":["g"]}],"threats":[{"category":"impact","details":"none","product_ids":["p:c"]}]}]}"#,
    r#"{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:1","version":1,"metadata":{"timestamp":"2023-01-01T00:00:00Z","component":{"type":"container","bom-ref":"m","name":"machine"}},"components":[{"type":"library","bom-ref":"a","name":"b","purl":"pkg:npm/%40a/b@1","components":[]}],"vulnerabilities":[{"id":"CVE-2021-3711","analysis":{"state":"not_affected","justification":"code_not_reachable","detail":"no","lastUpdated":"2023-01-02T00:00:00Z"},"affects":[{"ref":"a","versions":[{"version":"1","status":"unaffected"}]},{"ref":"urn:cdx:1/1#pkg:deb/debian/openssl"}]}]}"#,
    "@front = mach* web-1\nCVE-2021-3711 package=openssl group=front until=2027-01-01 by=ops # filtered\n\
     CVE-2021-3711 machine=m* kind=false-positive until=fixable # none\n",
];

fn documents(_: &Work) -> Result<Vec<Vec<u8>>> {
    Ok(DOCUMENTS.iter().map(|document| document.as_bytes().to_vec()).collect())
}

fn feeds(_: &Work) -> Result<Vec<Vec<u8>>> {
    Ok(FEEDS.iter().map(|feed| feed.as_bytes().to_vec()).collect())
}

/// What these feeds are compiled to.
fn segments(work: &Work) -> Result<Vec<Vec<u8>>> {
    let mut segments = Vec::new();
    for feed in FEEDS {
        let (name, content) = feed.split_once('\n').context("a feed has no name")?;
        let path = work.path(&format!("{name}.feed"));
        std::fs::write(&path, content)?;
        let provider = Provider::of(&path).context("a feed has no provider")?;
        let folder = path.parent().context("a feed lies nowhere")?;
        provider.compile(&path, folder, "2026-01-01T00:00:00Z")?;
        segments.push(std::fs::read(provider.path(folder))?);
    }
    Ok(segments)
}
