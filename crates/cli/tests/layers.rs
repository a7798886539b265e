//! Dependencies point one way. ARCHITECTURE.md states what each crate must not know; this holds the
//! manifests to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

fn dependencies(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("Cargo.toml");
    let manifest = std::fs::read_to_string(path).unwrap();
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if let (true, Some((name, _))) = (inside, line.split_once(['=', '.', ' '])) {
            found.push(name.trim().to_owned());
        }
    }
    assert!(!found.is_empty(), "{name} has no dependencies");
    found
}

#[test]
fn nothing_on_the_left_knows_of_anything_on_its_right() {
    for (name, forbidden) in [
        (
            "block",
            ["fathom-volume", "fathom-filesystem", "serde", "serde_json", "tokio", "clap"]
                .as_slice(),
        ),
        ("volume", &["fathom-filesystem", "ureq", "tokio", "clap"]),
        ("filesystem", &["fathom-volume", "serde", "serde_json", "ureq", "tokio", "clap"]),
        (
            "registry",
            &[
                "fathom-volume",
                "fathom-filesystem",
                "fathom-guest",
                "serde",
                "ureq",
                "tokio",
                "clap",
            ],
        ),
        ("guest", &["ureq", "tokio", "clap"]),
        (
            "document",
            &["fathom-block", "fathom-filesystem", "fathom-guest", "fathom-diff", "ureq", "clap"],
        ),
        ("diff", &["fathom-block", "fathom-filesystem", "fathom-guest", "fathom-document", "clap"]),
        (
            "profile",
            &[
                "fathom-block",
                "fathom-volume",
                "fathom-filesystem",
                "fathom-guest",
                "fathom-registry",
                "ureq",
                "tokio",
                "clap",
            ],
        ),
        (
            "advisory",
            &["fathom-block", "fathom-filesystem", "fathom-guest", "fathom-feed", "ureq", "clap"],
        ),
        ("feed", &["fathom-block", "fathom-filesystem", "fathom-guest", "ureq", "clap"]),
        (
            "intake",
            &[
                "fathom-block",
                "fathom-filesystem",
                "fathom-guest",
                "fathom-advisory",
                "fathom-document",
                "ureq",
                "clap",
            ],
        ),
        ("map", &["serde", "clap"]),
        (
            "artefact",
            &[
                "fathom-store",
                "fathom-jobs",
                "fathom-worker",
                "fathom-server",
                "fathom-config",
                "fathom-report",
                "serde_json",
                "clap",
            ],
        ),
        ("secret", &["fathom-block", "fathom-config", "serde_json", "tokio", "clap"]),
        (
            "config",
            &[
                "fathom-block",
                "fathom-store",
                "fathom-guest",
                "fathom-server",
                "ureq",
                "tokio",
                "clap",
            ],
        ),
        (
            "identity",
            &["fathom-store", "fathom-server", "fathom-config", "axum", "tokio", "ureq", "clap"],
        ),
        (
            "trace",
            &[
                "fathom-block",
                "fathom-config",
                "fathom-jobs",
                "fathom-store",
                "serde_json",
                "tokio",
                "ureq",
                "clap",
            ],
        ),
        (
            "confine",
            &[
                "fathom-block",
                "fathom-volume",
                "fathom-guest",
                "fathom-report",
                "fathom-worker",
                "serde",
                "serde_json",
                "tokio",
                "clap",
            ],
        ),
        (
            "store",
            &["fathom-jobs", "fathom-worker", "fathom-server", "fathom-queue", "axum", "clap"],
        ),
        (
            "fleet",
            &[
                "fathom-jobs",
                "fathom-worker",
                "fathom-server",
                "fathom-guest",
                "axum",
                "tokio",
                "clap",
            ],
        ),
        (
            "jobs",
            &["fathom-worker", "fathom-server", "fathom-guest", "fathom-block", "axum", "clap"],
        ),
        (
            "server",
            &["fathom-worker", "fathom-guest", "fathom-block", "fathom-config", "sqlx", "clap"],
        ),
        ("worker", &["fathom-server", "fathom-cli", "axum", "hyper", "ureq", "clap"]),
        (
            "webhook",
            &["fathom-server", "fathom-worker", "fathom-config", "axum", "sqlx", "ureq", "clap"],
        ),
        ("mirror", &["fathom-guest", "fathom-filesystem", "fathom-feed", "ureq", "clap"]),
        (
            "queue",
            &[
                "fathom-store",
                "fathom-jobs",
                "fathom-worker",
                "fathom-server",
                "fathom-config",
                "clap",
            ],
        ),
        ("report", &["fathom-block", "fathom-filesystem", "fathom-guest", "ureq", "tokio", "clap"]),
    ] {
        for dependency in dependencies(name) {
            assert!(!forbidden.contains(&&*dependency), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn no_crate_but_one_allows_unsafe_code() {
    for (name, root) in [
        "block",
        "volume",
        "filesystem",
        "registry",
        "guest",
        "report",
        "profile",
        "document",
        "diff",
        "version",
        "advisory",
        "feed",
        "mirror",
        "intake",
        "secret",
        "artefact",
        "config",
        "identity",
        "store",
        "fleet",
        "jobs",
        "server",
        "queue",
        "confine",
        "worker",
        "trace",
        "webhook",
    ]
    .map(|name| (name, "lib.rs"))
    .into_iter()
    .chain([("cli", "main.rs")])
    {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src").join(root);
        let source = std::fs::read_to_string(path).unwrap();
        assert!(source.contains("#![forbid(unsafe_code)]"), "{name}");
    }
}

#[test]
fn every_dependency_has_its_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/dependencies.md")).unwrap();
    let mut manifests = vec![root.join("xtask/Cargo.toml"), root.join("fuzz/Cargo.toml")];
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        manifests.push(entry.unwrap().path().join("Cargo.toml"));
    }
    let mut used = std::collections::BTreeSet::new();
    for manifest in manifests {
        let text = std::fs::read_to_string(&manifest).unwrap();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with('[') {
                inside = line.ends_with("dependencies]");
            } else if let (true, Some((name, _))) = (inside, line.split_once(['=', '.', ' '])) {
                used.insert(name.to_owned());
            }
        }
    }
    used.retain(|name| !name.starts_with("fathom-"));
    let named: std::collections::BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(named, used, "docs/dependencies.md (left) and the manifests (right) differ");
}
