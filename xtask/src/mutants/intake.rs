//! Damaged bills of materials and indexes.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "document",
        seeds,
        fix: |_, _| {},
        exercise: exercise::intake::document,
        refused: &[],
    }]
}

/// A small document of every kind.
const DOCUMENTS: [&str; 5] = [
    r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"container","name":"machine","components":[{"type":"library","name":"in"}]}},"components":[{"type":"operating-system","bom-ref":"os","name":"debian","version":"12","properties":[{"name":"syft:distro:id","value":"debian"},{"name":"fathom:root","value":"disk0/p1"}]},{"type":"library","bom-ref":"ssl","group":"g","name":"libssl3","publisher":"Debian","version":"3.0.11-1","purl":"pkg:deb/debian/libssl3@1%3A3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl%403.0","evidence":{"occurrences":[{"location":"/var/lib/dpkg/status"}]},"properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl"},{"name":"aquasecurity:trivy:SrcVersion","value":"3.0.11"},{"name":"aquasecurity:trivy:SrcRelease","value":"1"}]},{"type":"library","name":"x","purl":"pkg:npm/%40a/x@1.0.0"}],"dependencies":[{"ref":"os","dependsOn":["ssl"]}]}"#,
    r#"{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"SPDXRef-1","name":"rhel","versionInfo":"9.2","primaryPackagePurpose":"OPERATING-SYSTEM"},{"SPDXID":"SPDXRef-2","name":"openssl-libs","versionInfo":"1:3.0.7-1.el9","supplier":"Organization: Red Hat","sourceInfo":"rpm, found in /var/lib/rpm","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:rpm/rhel/openssl-libs@3.0.7-1.el9?epoch=1&upstream=openssl-3.0.7-1.el9.src.rpm"}]}],"relationships":[{"spdxElementId":"SPDXRef-1","relationshipType":"CONTAINS","relatedSpdxElement":"SPDXRef-2"}]}"#,
    "SPDXVersion: SPDX-2.3\nPackageName: readline\nSPDXID: SPDXRef-1\nPackageVersion: 8.2\nPackageCopyrightText: <text>one\ntwo</text>\nExternalRef: PACKAGE-MANAGER purl pkg:apk/alpine/readline@8.2-r1?distro=3.18.4\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-1\n",
    r#"{"manifest_hash":"sha256:0","state":"IndexFinished","success":true,"packages":{"1":{"id":"1","name":"libapt","version":"1:1.6","kind":"binary","source":{"name":"apt","version":"1.6"}}},"distributions":{"1":{"id":"1","did":"ubuntu","version_id":"18.04"}},"environments":{"1":[{"package_db":"var/lib/dpkg/status","distribution_id":"1","repository_ids":null}]}}"#,
    r#"{"hashId":"x","contents":{"packages":[{"id":"1","name":"nodejs","module":"nodejs:18","version":"1:18-1","packageDb":"sqlite:var/lib/rpm"}],"repositories":[{"id":"0","cpe":"cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*"}],"environments":{"1":{"environments":[{"packageDb":"sqlite:var/lib/rpm","repositoryIds":["0"]}]}}},"state":"IndexFinished","success":true}"#,
];

fn seeds(_: &Work) -> Result<Vec<Vec<u8>>> {
    Ok(DOCUMENTS.iter().map(|document| document.as_bytes().to_vec()).collect())
}
