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
const FEEDS: &[&str] = &[
    concat!(
        "debian-osv\n",
        r#"{"id":"CVE-2022-48303","aliases":["X-1"],"published":"2023-01-30T04:15:08Z","modified":"2025-01-14T11:32:06Z","details":"one byte too many","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H"}],"affected":[{"package":{"ecosystem":"Debian:11","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.34+dfsg-1+deb11u1"}]}],"versions":["1.34-1"],"ecosystem_specific":{"urgency":"low"}}],"references":[{"type":"WEB","url":"https://a.example"}]}"#,
        "\n",
        r#"{"id":"GHSA-1","database_specific":{"severity":"HIGH","cwe_ids":["CWE-79"]},"affected":[{"package":{"ecosystem":"PyPI","name":"A.b"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"last_affected":"1.5rc1"}]}]}]}"#,
        "\n",
    ),
    concat!(
        "npm-osv\n",
        r#"{"id":"GHSA-p8p7-x288-28g6","aliases":["CVE-2023-28155"],"database_specific":{"severity":"MODERATE"},"affected":[{"package":{"ecosystem":"npm","name":"@cypress/request"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"limit":"3.0.0"}]}],"database_specific":{"last_known_affected_version_range":"<= 2.88.2","informational":"unsound"}}]}"#,
        "\n",
        r#"{"id":"MAL-2025-1","upstream":["X-1"],"affected":[{"package":{"ecosystem":"npm","name":"event-strem"}}]}"#,
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
    concat!(
        "redhat-vex\n",
        r#"{"document":{"aggregate_severity":{"text":"Important"},"title":"t","tracking":{"id":"CVE-2022-42896","status":"final","current_release_date":"2025-02-01T15:14:45+00:00"}},"product_tree":{"branches":[{"branches":[{"product":{"product_id":"A","product_identification_helper":{"cpe":"cpe:/o:redhat:rhel_eus:8.6::baseos"}}},{"product":{"product_id":"k","product_identification_helper":{"purl":"pkg:rpm/redhat/kernel@4.18.0-372.70.1.el8_6?arch=src&epoch=1&rpmmod=a:1:2:3"}}},{"product":{"product_id":"m:1:2:3","product_identification_helper":{"purl":"pkg:rpmmod/redhat/m@1:2:3"}}}]}],"relationships":[{"full_product_name":{"product_id":"A:m"},"product_reference":"m:1:2:3","relates_to_product_reference":"A"},{"full_product_name":{"product_id":"A:m:k"},"product_reference":"k","relates_to_product_reference":"A:m"},{"full_product_name":{"product_id":"A:b-0:1-2.src"},"product_reference":"b-0:1-2.src","relates_to_product_reference":"A"}]},"vulnerabilities":[{"cve":"CVE-2022-42896","cwe":{"id":"CWE-416"},"notes":[{"category":"description","text":"d"}],"product_status":{"fixed":["A:m:k"],"known_affected":["A:b-0:1-2.src"]},"remediations":[{"category":"no_fix_planned","details":"Will not fix","product_ids":["A:b-0:1-2.src"]}],"scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:A/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],"threats":[{"category":"impact","details":"Low","product_ids":["A:m:k"]}]}]}"#,
    ),
    concat!(
        "redhat-repository-to-cpe\n",
        r#"{"data":{"rhel-8-for-x86_64-baseos-eus-rpms":{"cpes":["cpe:/o:redhat:rhel_eus:8.6::baseos","cpe:/o:redhat:enterprise_linux:8::baseos"],"repo_relative_urls":[]}}}"#,
    ),
    concat!(
        "msrc-cvrf\n",
        r#"{"DocumentTracking":{"CurrentReleaseDate":"2024-03-01T08:00:00"},"ProductTree":{"FullProductName":[{"ProductID":"11923","Value":"Windows Server 2022"}]},"Vulnerability":[{"CVE":"CVE-2024-21338","Title":{"Value":"t"},"Notes":[{"Type":2,"Value":"<p>d</p>"},{"Type":7,"Value":"Windows Kernel"}],"CWE":[{"ID":"CWE-822"}],"Threats":[{"Type":3,"Description":{"Value":"Important"},"ProductID":["11923"]},{"Type":1,"Description":{"Value":"Exploited:Yes"}}],"CVSSScoreSets":[{"Vector":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}],"Remediations":[{"Type":2,"Description":{"Value":"5034770"},"Supercedence":"5034129","FixedBuild":"10.0.20348.2322","ProductID":["11923"],"URL":"https://a.example"}],"RevisionHistory":[{"Date":"2024-02-13T08:00:00"}]}]}"#,
    ),
    "epss_scores\n#model_version:v1,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\n\
     CVE-2021-44228,0.94358,0.99957\n",
    concat!(
        "kev\n",
        r#"{"dateReleased":"2025-08-25T17:04:19Z","vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known"}]}"#,
    ),
    concat!(
        "debian-tracker\n",
        r#"{"tar":{"CVE-2005-2541":{"description":"no warning","releases":{"bullseye":{"status":"open","urgency":"unimportant","nodsa_reason":"ignored"},"sid":{"status":"undetermined"}}},"CVE-2022-48303":{"releases":{"bookworm":{"status":"resolved","fixed_version":"1.34+dfsg-1.2","urgency":"low**"},"trixie":{"status":"resolved","fixed_version":"0"}}}}}"#,
    ),
    concat!(
        "arch-security\n",
        r#"[{"name":"AVG-1","packages":["lib32-gdk-pixbuf2"],"status":"Fixed","severity":"Critical","type":"arbitrary code execution","affected":"2.34.0-1","fixed":"2.36.0+2+ga7c869a-1","ticket":null,"issues":["CVE-2016-6352"],"advisories":["ASA-201611-12"]}]"#,
    ),
    concat!(
        "photon\n",
        r#"[{"cve_id":"CVE-2019-3828","pkg":"ansible","cve_score":10,"aff_ver":"all versions before 2.7.6-2.ph3 are vulnerable","res_ver":"2.7.6-2.ph3"}]"#,
    ),
    concat!(
        "nvd\n",
        r#"{"totalResults":1,"vulnerabilities":[{"cve":{"id":"CVE-2021-44228","published":"2021-12-10T10:15:09.143","lastModified":"2025-10-27T17:35:48.337","vulnStatus":"Analyzed","descriptions":[{"lang":"en","value":"JNDI"}],"metrics":{"cvssMetricV31":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}}]},"weaknesses":[{"description":[{"value":"CWE-917"}]}],"references":[{"url":"https://a.example","tags":["Exploit"]}]}}]}"#,
    ),
    concat!(
        "amazon-alas\n",
        r#"<updates><update type="security"><id>ALAS2KERNEL-5.10-2022-011</id><title>Amazon Linux 2 - x: update</title><issued date="2022-01-11 21:05"/><severity>critical</severity><description>a &amp; b</description><references><reference id="CVE-2017-5754" type="cve"/></references><pkglist><collection><package epoch="0" name="kernel" release="38.79.amzn2" version="5.10.76"/></collection></pkglist></update></updates>"#,
    ),
    concat!(
        "oracle-oval\n",
        r#"<oval_definitions><definitions><definition class="patch"><metadata><title>ELSA-2007-0057:  bind (MODERATE)</title><reference source="elsa" ref_url="u"/><description>x</description><advisory><severity>MODERATE</severity><issued date="2007-06-26"/><cve>CVE-2007-0493</cve></advisory></metadata><criteria operator="AND"><criterion comment="Oracle Linux 8 is installed"/><criterion comment="Module bind:9 is enabled"/><criteria operator="OR"><criteria operator="AND"><criterion comment="bind is earlier than 30:9.3.3-8.ksplice1.el8"/><criterion comment="bind is signed with the Oracle Linux 8 key"/></criteria></criteria></criteria></definition></definitions></oval_definitions>"#,
    ),
    concat!(
        "endoflife\n",
        r#"{"debian":[{"cycle":"9","eol":"2020-07-18","extendedSupport":"2022-06-30","latestReleaseDate":"2020-07-18"},{"cycle":13,"eol":true}]}"#,
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
