//! Documents as they are published, shortened; facts about packages of public images.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use fathom_intake::{ErrorKind, Taken, read};
use fathom_report::{Coverage, Fact, System};

fn taken(text: &str) -> Taken {
    read(text.as_bytes()).unwrap()
}

fn system(taken: &Taken) -> &System {
    let [system] = taken.report.systems.as_slice() else { panic!("not one system") };
    system
}

/// Distribution, version, and the packages as `kind name version source source-version`.
#[track_caller]
fn check(taken: &Taken, distribution: &str, packages: &[&str]) {
    let system = system(taken);
    let text = |fact: &Fact<String>| fact.value().cloned().unwrap_or_else(|| "-".to_owned());
    let identity = &system.identity;
    assert_eq!(
        format!("{} {}", text(&identity.distribution), text(&identity.version)),
        distribution
    );
    let shown: Vec<String> = system
        .packages
        .items
        .iter()
        .map(|it| {
            let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let (source, version) = (or(&it.source), or(&it.source_version));
            format!("{} {} {} {source} {version}", it.kind.name(), it.name, it.full_version())
        })
        .collect();
    assert_eq!(shown, packages);
}

const TRIVY: &str = r#"{
 "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:0", "version": 1,
 "metadata": {"component": {"bom-ref": "c", "type": "container", "name": "alpine:3.16", "version": ""}},
 "components": [
  {"bom-ref": "os", "type": "operating-system", "name": "alpine", "version": "3.16.2", "properties": [
   {"name": "aquasecurity:trivy:Type", "value": "alpine"}, {"name": "aquasecurity:trivy:Class", "value": "os-pkgs"}]},
  {"bom-ref": "pkg:apk/alpine/ssl_client@1.35.0-r17?distro=3.16.2", "type": "library", "name": "ssl_client", "version": "1.35.0-r17",
   "purl": "pkg:apk/alpine/ssl_client@1.35.0-r17?distro=3.16.2", "properties": [
   {"name": "aquasecurity:trivy:PkgType", "value": "alpine"}, {"name": "aquasecurity:trivy:SrcName", "value": "busybox"},
   {"name": "aquasecurity:trivy:SrcVersion", "value": "1.35.0-r17"}]},
  {"bom-ref": "lock", "type": "application", "name": "app/Gemfile.lock", "properties": [
   {"name": "aquasecurity:trivy:Type", "value": "bundler"}, {"name": "aquasecurity:trivy:Class", "value": "lang-pkgs"}]},
  {"bom-ref": "gem", "type": "library", "name": "actionpack", "version": "7.0.0", "purl": "pkg:gem/actionpack@7.0.0"}
 ]}"#;

#[test]
fn trivy_of_alpine() {
    let taken = taken(TRIVY);
    let packages = ["apk ssl_client 1.35.0-r17 busybox -", "gem actionpack 7.0.0 - -"];
    check(&taken, "alpine 3.16.2", &packages);
    assert_eq!(system(&taken).packages.coverage, Coverage::Complete);
    assert_eq!(taken.passed_over, []);
}

#[test]
fn trivy_of_debian_keeps_parts_of_versions_apart() {
    let taken = taken(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"type": "operating-system", "name": "debian", "version": "13.1"},
        {"type": "library", "name": "login", "version": "1:4.16.0-2+really2.41-5",
         "purl": "pkg:deb/debian/login@4.16.0-2%2Breally2.41-5?arch=amd64&distro=debian-13.1&epoch=1", "properties": [
         {"name": "aquasecurity:trivy:SrcName", "value": "util-linux"}, {"name": "aquasecurity:trivy:SrcVersion", "value": "2.41"},
         {"name": "aquasecurity:trivy:SrcRelease", "value": "5"}]}]}"#,
    );
    check(&taken, "debian 13.1", &["deb login 1:4.16.0-2+really2.41-5 util-linux 2.41-5"]);
}

const SYFT: &str = r#"{
 "bomFormat": "CycloneDX", "specVersion": "1.5",
 "metadata": {"tools": {"components": [{"type": "application", "author": "anchore", "name": "syft", "version": "1.0"}]},
  "component": {"bom-ref": "x", "type": "container", "name": "image"}},
 "components": [
  {"bom-ref": "1", "type": "library", "publisher": "Debian OpenSSL Team", "name": "libssl3", "version": "3.0.11-1~deb12u2",
   "purl": "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl",
   "properties": [{"name": "syft:package:type", "value": "deb"}, {"name": "syft:metadata:source", "value": "openssl"},
    {"name": "syft:location:0:path", "value": "/var/lib/dpkg/status"}]},
  {"bom-ref": "2", "type": "application", "name": "node", "version": "22.11.0", "purl": "pkg:generic/node@22.11.0",
   "properties": [{"name": "syft:package:type", "value": "binary"}]},
  {"bom-ref": "3", "type": "file", "name": "/bin/sh"},
  {"bom-ref": "4", "type": "library", "name": "something"},
  7,
  {"bom-ref": "os", "type": "operating-system", "name": "debian", "version": "12", "properties": [
   {"name": "syft:distro:id", "value": "debian"}, {"name": "syft:distro:versionID", "value": "12"},
   {"name": "syft:distro:prettyName", "value": "Debian GNU/Linux 12 (bookworm)"}]}
 ]}"#;

#[test]
fn syft_of_debian_and_what_cannot_be_used() {
    let taken = taken(SYFT);
    check(&taken, "debian 12", &["deb libssl3 3.0.11-1~deb12u2 openssl -"]);
    let system = system(&taken);
    let package = &system.packages.items[0];
    assert_eq!(package.evidence.0, "/var/lib/dpkg/status");
    assert_eq!(package.location, None);
    assert_eq!(system.identity.name.value().unwrap(), "Debian GNU/Linux 12 (bookworm)");
    assert_eq!(system.packages.coverage, Coverage::Partial);
    let reason = system.packages.reason.as_deref().unwrap();
    assert!(
        reason.contains("1 of the kind \"pkg:generic\", of which no advisories are kept (node)"),
        "{reason}"
    );
    assert!(reason.contains("1 without a package URL"), "{reason}");
    assert!(reason.contains("1 as what is no component at all"), "{reason}");
    assert_eq!(taken.passed_over.iter().map(|it| it.count).sum::<usize>(), 3);
}

#[test]
fn syft_of_red_hat_in_spdx() {
    let taken = taken(
        r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "ubi9", "packages": [
        {"name": "ubi9", "SPDXID": "SPDXRef-DocumentRoot-Image-ubi9", "versionInfo": "9.2", "primaryPackagePurpose": "CONTAINER"},
        {"name": "openssl-libs", "SPDXID": "SPDXRef-1", "versionInfo": "1:3.0.7-1.el9", "supplier": "Organization: Red Hat, Inc.",
         "sourceInfo": "acquired package information from RPM DB: /var/lib/rpm/rpmdb.sqlite",
         "externalRefs": [
          {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:openssl:openssl:3.0.7:*:*:*:*:*:*:*"},
          {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
           "referenceLocator": "pkg:rpm/rhel/openssl-libs@3.0.7-1.el9?arch=x86_64&distro=rhel-9.2&epoch=1&upstream=openssl-3.0.7-1.el9.src.rpm"}]}],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-DocumentRoot-Image-ubi9"},
         {"spdxElementId": "SPDXRef-DocumentRoot-Image-ubi9", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-1"}]}"#,
    );
    check(&taken, "rhel 9.2", &["rpm openssl-libs 1:3.0.7-1.el9 openssl -"]);
    let package = &system(&taken).packages.items[0];
    assert_eq!(package.vendor.as_deref(), Some("Red Hat, Inc."));
    assert_eq!((package.owner.as_deref(), package.release.as_deref()), (None, Some("1.el9")));
    assert_eq!(taken.passed_over, []);
}

#[test]
fn trivy_in_spdx_says_what_was_built_from_what() {
    let taken = taken(
        r#"{"spdxVersion": "SPDX-2.3", "packages": [
        {"name": "debian:12", "SPDXID": "SPDXRef-ContainerImage-0", "primaryPackagePurpose": "CONTAINER", "externalRefs": [
         {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:oci/debian@sha256:0?arch=amd64"}]},
        {"name": "debian", "SPDXID": "SPDXRef-OperatingSystem-1", "versionInfo": "12.5", "primaryPackagePurpose": "OPERATING-SYSTEM"},
        {"name": "libgcc-s1", "SPDXID": "SPDXRef-Package-1", "versionInfo": "12.2.0-14", "primaryPackagePurpose": "LIBRARY",
         "sourceInfo": "built package from: gcc-12 12.2.0-14", "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER",
         "referenceType": "purl", "referenceLocator": "pkg:deb/debian/libgcc-s1@12.2.0-14?arch=amd64&distro=debian-12.5"}]}],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-ContainerImage-0"},
         {"spdxElementId": "SPDXRef-ContainerImage-0", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-OperatingSystem-1"},
         {"spdxElementId": "SPDXRef-OperatingSystem-1", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-Package-1"}]}"#,
    );
    assert_eq!(taken.passed_over, []);
    check(&taken, "debian 12.5", &["deb libgcc-s1 12.2.0-14 gcc-12 -"]);
}

#[test]
fn github_of_a_repository() {
    let taken = taken(
        r#"{"sbom": {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "com.github.a/b", "packages": [
        {"SPDXID": "SPDXRef-github-a-b", "name": "com.github.a/b", "versionInfo": "main",
         "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:github/a/b@main"}]},
        {"SPDXID": "SPDXRef-npm-lodash", "name": "lodash", "versionInfo": "4.17.20",
         "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:npm/lodash@4.17.20"}]}]}}"#,
    );
    check(&taken, "- -", &["npm lodash 4.17.20 - -"]);
    assert!(matches!(system(&taken).identity.distribution, Fact::Absent { .. }));
    assert_eq!(taken.passed_over[0].examples, ["com.github.a/b"]);
}

#[test]
fn lines_of_tags() {
    let taken = taken(
        "SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n\n\
         PackageName: readline\nSPDXID: SPDXRef-readline\nPackageVersion: 8.2-1.3\n\
         PackageSupplier: Organization: Debian\nPackageCopyrightText: <text>Copyright\n\
         PackageName: not this one</text>\n\
         ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libreadline8@8.2-1.3?arch=amd64&distro=debian-12&upstream=readline\n\n\
         FileName: /etc/inputrc\nSPDXID: SPDXRef-file\n\n\
         PackageName: nowhere\nSPDXID: SPDXRef-nowhere\n\n\
         Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-readline\n",
    );
    check(&taken, "debian 12", &["deb libreadline8 8.2-1.3 readline -"]);
    assert_eq!(taken.passed_over[0].examples, ["nowhere"]);
}

const CLAIR: &str = r#"{"manifest_hash": "sha256:0", "state": "IndexFinished", "success": true, "err": "",
 "packages": {
  "10": {"id": "10", "name": "libapt-pkg5.0", "version": "1.6.11", "kind": "binary", "normalized_version": "",
   "source": {"id": "9", "name": "apt", "version": "1.6.11", "kind": "source", "source": null}, "arch": "amd64", "module": "", "cpe": ""},
  "12": {"id": "12", "name": "perl-base", "version": "5.26.1-6", "kind": "binary", "source": null},
  "13": {"id": "13", "name": "rhcc", "version": "1", "kind": "binary"}},
 "distributions": {"1": {"id": "1", "did": "ubuntu", "name": "Ubuntu", "version": "18.04.3 LTS (Bionic Beaver)",
  "version_code_name": "bionic", "version_id": "18.04", "arch": "", "cpe": "", "pretty_name": "Ubuntu 18.04.3 LTS"}},
 "repository": {},
 "environments": {
  "10": [{"package_db": "var/lib/dpkg/status", "introduced_in": "sha256:1", "distribution_id": "1", "repository_ids": null}],
  "12": [{"package_db": "var/lib/dpkg/status", "introduced_in": "sha256:1", "distribution_id": "1"}],
  "13": [{"package_db": "root/buildinfo/x", "distribution_id": "1"}]}}"#;

#[test]
fn an_index_of_clair() {
    let taken = taken(CLAIR);
    let packages = ["deb libapt-pkg5.0 1.6.11 apt -", "deb perl-base 5.26.1-6 - -"];
    check(&taken, "ubuntu 18.04", &packages);
    assert_eq!(system(&taken).packages.items[0].evidence.0, "/var/lib/dpkg/status");
    assert_eq!(taken.passed_over[0].examples, ["rhcc"]);
}

/// As an agent within a machine of Red Hat's makes it: no distribution is named, only repositories.
const SCANNER_V4: &str = r#"{"hashId": "/v4/machine", "contents": {
 "environments": {"371": {"environments": [{"introducedIn": "sha256:0", "packageDb": "sqlite:var/lib/rpm", "repositoryIds": ["0", "1"]}]}},
 "packages": [
  {"arch": "noarch", "cpe": "cpe:2.3:*:*:*:*:*:*:*:*:*:*:*", "id": "16", "kind": "binary", "name": "quota-nls",
   "normalizedVersion": {"v": [0, 0]}, "packageDb": "sqlite:var/lib/rpm", "repositoryHint": "key=199e2f91fd431d51",
   "source": {"kind": "source", "name": "quota", "packageDb": "sqlite:var/lib/rpm", "version": "4.09-4.el9"}, "version": "1:4.09-4.el9"},
  {"arch": "x86_64", "id": "371", "kind": "binary", "name": "nodejs", "module": "nodejs:18", "packageDb": "sqlite:var/lib/rpm",
   "version": "1:18.12.1-1.module+el9.1.0+1+abc"}],
 "repositories": [
  {"cpe": "cpe:2.3:a:redhat:enterprise_linux:9:*:appstream:*:*:*:*:*", "id": "0", "key": "rhel-cpe-repository", "name": "rhel-9-for-x86_64-appstream-rpms"},
  {"cpe": "cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*", "id": "1", "key": "rhel-cpe-repository", "name": "rhel-9-for-x86_64-baseos-rpms"}]},
 "state": "IndexFinished", "success": true}"#;

#[test]
fn an_index_of_scanner_v4() {
    let found = taken(SCANNER_V4);
    let packages =
        ["rpm quota-nls 1:4.09-4.el9 quota -", "rpm nodejs 1:18.12.1-1.module+el9.1.0+1+abc - -"];
    check(&found, "rhel 9", &packages);
    let nodejs = &system(&found).packages.items[1];
    assert_eq!(nodejs.module.as_deref(), Some("nodejs:18"));
    assert_eq!(nodejs.origin.as_deref(), Some("rhel-9-for-x86_64-appstream-rpms"));
    assert_eq!(system(&found).packages.coverage, Coverage::Complete);
    // The same with packages by their numbers, as newer programs write it, and what went wrong.
    let mapped = SCANNER_V4
        .replace(r#""packages": ["#, r#""packages": {"16": "#)
        .replace(r#"{"arch": "x86_64""#, r#""371": {"arch": "x86_64""#)
        .replace(r#"+abc"}],"#, r#"+abc"}},"#)
        .replace(
            r#""IndexFinished", "success": true"#,
            r#""IndexError", "err": "no rpm database""#,
        );
    let found = taken(&mapped);
    check(&found, "rhel 9", &packages);
    assert_eq!(system(&found).packages.coverage, Coverage::Partial);
    let reason = system(&found).packages.reason.as_deref().unwrap();
    assert_eq!(reason, "the index did not finish (IndexError): no rpm database");
}

#[test]
fn several_distributions_are_not_guessed() {
    let of = |os: &str, other: &str| {
        let deb = |name: &str, distro: &str| {
            format!(
                r#"{{"type":"library","name":"{name}","bom-ref":"{name}","purl":"pkg:deb/debian/{name}@1?distro={distro}"}}"#
            )
        };
        let (one, two) = (deb("one", "debian-12"), deb("two", other));
        taken(&format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.4","components":[{os}{one},{two}]}}"#
        ))
    };
    let found = of("", "debian-11");
    let Fact::Unknown { reason } = &system(&found).identity.distribution else { panic!("known") };
    assert_eq!(reason, "the list is of several distributions: debian 12, debian 11");
    assert_eq!(system(&found).packages.items.len(), 2);
    // What is not of the system that is named is not compared as if it were.
    let os = r#"{"type":"operating-system","name":"debian","version":"12"},"#;
    let found = of(os, "debian-11");
    check(&found, "debian 12", &["deb one 1 - -"]);
    assert_eq!(
        found.passed_over[0].reason,
        "listed as of debian 11, while the system is debian 12"
    );
    // One that says less is no other.
    check(&of("", "debian"), "debian 12", &["deb one 1 - -", "deb two 1 - -"]);
}

#[test]
fn two_systems_have_what_depends_on_them() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
        {"type":"operating-system","name":"debian","version":"12","bom-ref":"a"},
        {"type":"operating-system","name":"alpine","version":"3.18.4","bom-ref":"b"},
        {"type":"library","name":"x","bom-ref":"x","purl":"pkg:deb/debian/x@1"},
        {"type":"library","name":"y","bom-ref":"y","purl":"pkg:apk/alpine/y@1"},
        {"type":"library","name":"v","bom-ref":"v","purl":"pkg:deb/debian/v@1?distro=debian-12"},
        {"type":"library","name":"z","bom-ref":"z","purl":"pkg:deb/ubuntu/z@1"}],
        "dependencies":[{"ref":"a","dependsOn":["x"]},{"ref":"b","dependsOn":["y"]}]}"#;
    let taken = taken(text);
    let names: Vec<Vec<&str>> = taken
        .report
        .systems
        .iter()
        .map(|it| it.packages.items.iter().map(|it| it.name.as_str()).collect())
        .collect();
    // What says of which distribution it is, is on the one system of it.
    assert_eq!(names, [vec!["x", "v"], vec!["y"]]);
    let roots: Vec<&str> = taken.report.systems.iter().map(|it| it.root.as_str()).collect();
    assert_eq!(roots, ["the list, debian 12", "the list, alpine 3.18.4"]);
    assert!(taken.report.systems.iter().all(|it| it.packages.coverage == Coverage::Partial));
    assert_eq!(taken.passed_over[0].examples, ["z"]);
}

#[test]
fn a_list_of_nothing_says_nothing() {
    for text in [
        r#"{"bomFormat":"CycloneDX","specVersion":"1.5"}"#,
        r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":{}}"#,
        r#"{"spdxVersion":"SPDX-2.3","packages":"none"}"#,
        "SPDXVersion: SPDX-2.3\n",
        r#"{"manifest_hash":"x","packages":{},"success":true}"#,
    ] {
        let taken = taken(text);
        assert_eq!(system(&taken).packages.coverage, Coverage::Unknown, "{text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (text, kind) in [
        (r#"{"bomFormat":"CycloneDX","specVersion":"2.0"}"#, ErrorKind::Unsupported),
        (r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{}"#, ErrorKind::Malformed),
        (r#"{"spdxVersion":"SPDX-3.0"}"#, ErrorKind::Unsupported),
        ("SPDXVersion: SPDX-1.2\n", ErrorKind::Unsupported),
        ("SPDXVersion: SPDX-2.3\nA: <text>b", ErrorKind::Malformed),
        (r#"{"schema":"fathom.report/v1"}"#, ErrorKind::Foreign),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
    }
    // Kinds of package URLs by which one could fill the list of reasons.
    let many: Vec<String> =
        (0..5_000).map(|n| format!(r#"{{"name":"x","purl":"pkg:k{n}/x@1"}}"#)).collect();
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{}]}}"#,
        many.join(",")
    );
    let taken = taken(&text);
    assert!(taken.passed_over.len() < 100, "{}", taken.passed_over.len());
    assert_eq!(taken.passed_over.iter().map(|it| it.count).sum::<usize>(), 5_000);
}

/// A list with an operating system and package URLs.
fn listed(system: (&str, &str), purls: &[&str]) -> Taken {
    let of = |purl: &&str| format!(r#"{{"type": "library", "name": "n", "purl": "{purl}"}}"#);
    let components: Vec<_> = purls.iter().map(of).collect();
    taken(&format!(
        r#"{{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
        {{"type": "operating-system", "name": "{}", "version": "{}"}}, {}]}}"#,
        system.0,
        system.1,
        components.join(",")
    ))
}

#[test]
fn what_is_listed_twice_is_one() {
    let kernel = "pkg:deb/debian/linux-image-6.1.0-1-amd64@6.1.4-1?upstream=linux";
    let other = format!("{kernel}&arch=amd64");
    let mut purls = vec![kernel; 200];
    purls.push(&other);
    let taken = listed(("debian", "12"), &purls);
    assert_eq!(system(&taken).packages.items.len(), 2);
    assert_eq!(system(&taken).packages.coverage, Coverage::Complete);
}

#[test]
fn a_list_that_names_no_sources_is_not_complete() {
    let ssl = "pkg:deb/debian/libssl3@3.0.11-1";
    let silent = listed(("debian", "12"), &[ssl, "pkg:deb/debian/bash@5.2-1"]);
    let packages = &system(&silent).packages;
    assert_eq!(packages.coverage, Coverage::Partial);
    assert!(packages.reason.as_deref().unwrap().contains("what its packages were built from"));
    let apk = listed(("alpine", "3.18.4"), &["pkg:apk/alpine/libssl3@3.1.3-r0"]);
    assert_eq!(system(&apk).packages.coverage, Coverage::Partial);
    // Those that do not say it are called like their source, where others say it.
    let told = listed(("debian", "12"), &[ssl, "pkg:deb/debian/libc6@2.36-9?upstream=glibc"]);
    assert_eq!(system(&told).packages.coverage, Coverage::Complete);
    // What Red Hat has not mended, and what Rocky Linux has, is said of sources.
    let rpm = listed(("rhel", "9.3"), &["pkg:rpm/redhat/openssl-libs@3.0.7-1.el9"]);
    assert_eq!(system(&rpm).packages.coverage, Coverage::Partial);
}

#[test]
fn a_vendor_of_several_distributions_speaks_of_each() {
    let taken = listed(("opensuse-leap", "15.4"), &["pkg:rpm/opensuse/bash@4.4-1?arch=x86_64"]);
    check(&taken, "opensuse-leap 15.4", &["rpm bash 4.4-1 - -"]);
    assert_eq!(taken.passed_over, []);
}

#[test]
fn spdx_says_in_words_that_it_knows_no_version() {
    for word in ["NOASSERTION", "NONE"] {
        let taken = taken(&format!(
            r#"{{"spdxVersion": "SPDX-2.3", "packages": [{{"name": "x", "SPDXID": "SPDXRef-1",
            "versionInfo": "{word}", "externalRefs": [{{"referenceType": "purl",
            "referenceLocator": "pkg:deb/debian/x?distro=debian-12"}}]}}]}}"#
        ));
        assert_eq!(system(&taken).packages.items, []);
        assert_eq!(taken.passed_over[0].reason, "listed without a version");
    }
}
