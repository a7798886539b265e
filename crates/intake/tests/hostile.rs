//! Damaged documents: whatever is done to one, it is read or refused, and never more is taken of it
//! than it holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use fathom_intake::{Error, read};

const DOCUMENTS: [&str; 4] = [
    r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"operating-system","bom-ref":"os","name":"debian","version":"12"},{"type":"library","bom-ref":"ssl","name":"libssl3","purl":"pkg:deb/debian/libssl3@1%3A3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl%403.0","properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl"}]}],"dependencies":[{"ref":"os","dependsOn":["ssl"]}]}"#,
    r#"{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"SPDXRef-2","name":"openssl-libs","versionInfo":"1:3.0.7-1.el9","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:rpm/rhel/openssl-libs@3.0.7-1.el9?epoch=1&distro=rhel-9.2&upstream=openssl-3.0.7-1.el9.src.rpm"}]}],"relationships":[{"spdxElementId":"SPDXRef-1","relationshipType":"CONTAINS","relatedSpdxElement":"SPDXRef-2"}]}"#,
    "SPDXVersion: SPDX-2.3\nPackageName: readline\nSPDXID: SPDXRef-1\nPackageVersion: 8.2\nPackageCopyrightText: <text>one\ntwo</text>\nExternalRef: PACKAGE-MANAGER purl pkg:apk/alpine/readline@8.2-r1?distro=3.18.4\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-1\n",
    r#"{"hashId":"x","contents":{"packages":[{"id":"1","name":"nodejs","module":"nodejs:18","version":"1:18-1","packageDb":"sqlite:var/lib/rpm"}],"repositories":[{"id":"0","cpe":"cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*"}],"environments":{"1":{"environments":[{"packageDb":"sqlite:var/lib/rpm","repositoryIds":["0"]}]}}},"state":"IndexFinished","success":true}"#,
];

/// Numbers that follow from a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn look(bytes: &[u8]) -> Result<usize, Error> {
    let taken = read(bytes)?;
    let packages = taken.report.systems.iter().map(|it| it.packages.items.len()).sum();
    assert!(packages <= 2, "{}", String::from_utf8_lossy(bytes));
    // It is written as it was read, so that it can be saved.
    serde_json::to_string(&taken.report).unwrap();
    Ok(packages)
}

#[test]
fn damage_is_read_or_refused() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let marks = [
        b"{".as_slice(),
        b"[",
        b"\"",
        b"}",
        b"]",
        b":",
        b"%",
        b"@",
        b"-",
        b"\0",
        b"\xff",
        b"\n",
        b"null",
    ];
    let mut read = 0;
    for document in DOCUMENTS {
        assert!(look(document.as_bytes()).unwrap() > 0);
        for _ in 0..5_000 {
            let mut bytes = document.as_bytes().to_vec();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                match numbers.below(4) {
                    0 => bytes.truncate(at),
                    1 => drop(
                        bytes.splice(at..at, marks[numbers.below(marks.len())].iter().copied()),
                    ),
                    2 => drop(bytes.drain(at..(at + numbers.below(9)).min(bytes.len()))),
                    _ => bytes[at..]
                        .first_mut()
                        .into_iter()
                        .for_each(|byte| *byte ^= 1 << numbers.below(8)),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            read += usize::from(look(&bytes).is_ok());
        }
    }
    // Most damage hits names and values: it must not all end at the first brace.
    assert!(read > 2_000, "{read} were read");
}
