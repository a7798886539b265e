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
    ] {
        for dependency in dependencies(name) {
            assert!(!forbidden.contains(&&*dependency), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn no_crate_allows_unsafe_code() {
    for (name, root) in
        [("block", "lib.rs"), ("volume", "lib.rs"), ("filesystem", "lib.rs"), ("cli", "main.rs")]
    {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src").join(root);
        let source = std::fs::read_to_string(path).unwrap();
        assert!(source.contains("#![forbid(unsafe_code)]"), "{name}");
    }
}
