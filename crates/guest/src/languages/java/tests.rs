use std::fmt::Write as _;

use crate::languages::tests::{check, found};
use crate::languages::zip::tests::{Packed, packed};

const MANIFEST: &[u8] = b"Manifest-Version: 1.0\r\nImplementation-Version: 9\r\n\
    Implementation-Vendor: Some\r\n body\r\nBundle-License: MIT\r\n\r\n";

fn properties(artifact: &str, version: &str) -> Packed {
    let path = format!("META-INF/maven/g/{artifact}/pom.properties");
    let text = format!("groupId=g\nartifactId={artifact}\nversion={version}\n");
    Packed::deflated(&path, text.as_bytes())
}

#[test]
fn archives() {
    let manifest = Packed::stored("META-INF/MANIFEST.MF", MANIFEST);
    let plain = packed(&[manifest.clone(), properties("a", "1")]);
    let shaded = packed(&[properties("b", "2"), properties("c", "3"), manifest.clone()]);
    let unnamed = packed(std::slice::from_ref(&manifest));
    let unknown = packed(&[properties("d", "4"), properties("e", "5")]);
    check(
        &[
            ("/j/a-1.jar", &plain),
            ("/j/b.jar", &shaded),
            ("/j/lib.JAR", &unnamed),
            ("/j/uber-7.jar", &unknown),
            ("/j/not.zip", b"PK"),
        ],
        &["g:a 1", "g:b 2", "g:c 3", "lib 9", "uber 7", "g:d 4", "g:e 5"],
        None,
    );
    let (listing, _) = found(&[("/j/a-1.jar", &plain)]);
    let package = &listing.items[0];
    assert_eq!(package.vendor.as_deref(), Some("Somebody"));
    assert_eq!(package.licence.as_deref(), Some("MIT"));
    assert!(package.checksum.as_ref().unwrap().starts_with("sha1:"));
}

#[test]
fn programs_that_are_archives() {
    let manifest = Packed::stored("META-INF/MANIFEST.MF", MANIFEST);
    let filler = Packed::stored("filler", &[7; 20 << 10]);
    let archive = packed(&[manifest, filler.clone(), properties("a", "1")]);
    let script = [b"#!/bin/bash\nexec java -jar $0\n".to_vec(), archive.clone()].concat();
    let other = [b"#!/usr/bin/python3\n".to_vec(), packed(&[filler])].concat();
    let long = [b"#!/bin/sh\n".to_vec(), vec![b'#'; 20 << 10]].concat();
    check(
        &[
            ("/opt/app*", &script),
            ("/opt/other*", &archive),
            ("/opt/no-program", &archive),
            ("/opt/python*", &other),
            ("/opt/script*", &long),
        ],
        &["g:a 1", "g:a 1"],
        None,
    );
}

#[test]
fn archives_in_archives() {
    let inner = packed(&[properties("a", "1")]);
    let other = packed(&[properties("b", "2")]);
    let war = packed(&[Packed::deflated("WEB-INF/lib/b-2.jar", &other)]);
    let boot = packed(&[
        Packed::stored("BOOT-INF/lib/a-1.jar", &inner),
        Packed::deflated("BOOT-INF/lib/web-3.war", &war),
    ]);
    check(&[("/app-5.jar", &boot)], &["app 5", "g:a 1", "web 3", "g:b 2"], None);
    let script = [b"#!/bin/sh\nexec java -jar $0\n".to_vec(), boot].concat();
    let (listing, problems) = found(&[("/app-5.jar", &script)]);
    assert!(problems.is_empty(), "{problems:?}");
    let places: Vec<_> =
        listing.items.iter().map(|package| package.location.as_deref().unwrap()).collect();
    assert_eq!(
        places,
        [
            "/app-5.jar",
            "/app-5.jar!/BOOT-INF/lib/a-1.jar",
            "/app-5.jar!/BOOT-INF/lib/web-3.war",
            "/app-5.jar!/BOOT-INF/lib/web-3.war!/WEB-INF/lib/b-2.jar",
        ]
    );
    assert!(listing.items.iter().all(|package| package.evidence.0 == "/app-5.jar"));
}

#[test]
fn too_deep() {
    let mut archive = packed(&[properties("a", "1")]);
    for _ in 0..1000 {
        archive = packed(&[Packed::stored("a.jar", &archive)]);
    }
    let (listing, problems) = found(&[("/deep.jar", &archive)]);
    assert_eq!(listing.items.len(), super::MAX_NESTED + 1);
    assert!(problems[0].message.contains("deep"), "{problems:?}");
}

/// Every level holds the one beneath ten times over, compressed: ten thousand million archives.
#[test]
fn a_bomb_of_archives() {
    let mut archive = packed(&[properties("a", "1")]);
    for _ in 0..10 {
        let members: Vec<_> =
            (0..10).map(|index| Packed::deflated(&format!("{index}.jar"), &archive)).collect();
        archive = packed(&members);
    }
    let (_, problems) = found(&[("/bomb.jar", &archive)]);
    let mut said = String::new();
    problems.iter().for_each(|problem| writeln!(said, "{}", problem.message).unwrap());
    assert!(!said.is_empty());
}

#[test]
fn a_bomb_of_zeros() {
    let zeros = vec![0; 40 << 20];
    let members: Vec<_> =
        (0..30).map(|index| Packed::deflated(&format!("{index}.jar"), &zeros)).collect();
    check(&[("/bomb.jar", &packed(&members))], &["bomb"], Some("proportion"));
}

#[test]
fn damage() {
    let good = packed(&[properties("a", "1")]);
    check(&[("/x.jar", b"")], &[], Some("archive"));
    check(&[("/x.jar", &good[..good.len() - 1])], &[], Some("archive"));
    let mut lying = Packed::deflated("META-INF/MANIFEST.MF", MANIFEST);
    lying.size = Some(7);
    check(&[("/x-1.jar", &packed(&[lying]))], &["x 1"], Some("7 bytes"));
}
