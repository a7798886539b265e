use std::sync::Arc;

use fathom_block::Error;
use fathom_filesystem::{Filesystem, Tree, Unavailable};

use super::*;
use crate::memory;

#[derive(Default)]
struct Seen(Vec<String>);

impl Collector for Seen {
    fn see(&mut self, entry: &Entry) {
        self.0.push(entry.shown());
    }
}

/// What is seen of the tree, level by level; and how far the walk came.
fn check(tree: &Tree, expected: &[&str]) -> Walked {
    let files = Files::new(tree);
    let (mut first, mut second) = (Seen::default(), Seen::default());
    let walked = walk(&files, &mut [&mut first, &mut second]);
    assert_eq!(first.0, expected);
    assert_eq!(first.0, second.0);
    assert_eq!(files.into_problems().is_empty(), walked.hidden.is_none());
    walked
}

const SMALL: &[(&str, &[u8])] =
    &[("/b/y/deep", b"1"), ("/b/x", b"22"), ("/a", b""), ("/c -> /b", b"")];

#[test]
fn every_file_once() {
    let walked = check(&memory::tree(SMALL), &["/a", "/b", "/c", "/b/x", "/b/y", "/b/y/deep"]);
    assert!(walked.hidden.is_none() && walked.passed.is_empty());
    check(&memory::tree(&[]), &[]);
}

#[test]
fn what_is_mounted() {
    let other = memory::tree(&[("/z", b""), ("/docker/overlay2/layer/etc/passwd", b"")]);
    let other: Arc<dyn Filesystem> = Arc::clone(&other.mounts()[0].filesystem);
    let mut tree = memory::tree(SMALL);
    tree.mount(b"/b/y", other).unwrap();
    let walked = check(
        &tree,
        &["/a", "/b", "/c", "/b/x", "/b/y", "/b/y/docker", "/b/y/z", "/b/y/docker/overlay2"],
    );
    assert!(walked.hidden.is_none());
    let mut listing = Listing::complete(vec![1], Vec::new());
    walked.tell(&mut listing);
    assert_eq!(listing.coverage, fathom_report::Coverage::Complete);
    let reason = listing.reason.unwrap();
    assert!(reason.contains("/b/y/docker/overlay2 belongs to containers"), "{reason}");
}

#[test]
fn what_is_bound_is_seen_once() {
    let mut tree = memory::tree(&[("/b/y/deep", b""), ("/m/x", b"")]);
    tree.bind(b"/b", b"/m", true).unwrap();
    let walked = check(&tree, &["/b", "/m", "/b/y", "/b/y/deep"]);
    assert!(walked.hidden.is_none());
}

#[test]
fn what_cannot_be_read_is_told() {
    let mut tree = memory::tree(SMALL);
    let why = Error::not_found("/dev/vdb1", "there is no such disk");
    tree.mount(b"/b/y", Arc::new(Unavailable::new(None, why))).unwrap();
    let files = Files::new(&tree);
    let walked = walk(&files, &mut []);
    let hidden = walked.hidden.clone().unwrap();
    assert!(hidden.contains("there is no such disk"), "{hidden}");
    let mut listing = Listing::<u8>::complete(Vec::new(), Vec::new());
    walked.tell(&mut listing);
    assert_eq!(listing.coverage, fathom_report::Coverage::Partial);
    let problems = files.into_problems();
    assert_eq!(problems[0].evidence.as_ref().unwrap().0, "/b/y");
}

#[test]
fn a_tree_that_is_too_deep() {
    let path = "/d".repeat(MAX_DEPTH + 3);
    let tree = memory::tree(&[(&path, b"")]);
    let files = Files::new(&tree);
    let mut seen = Seen::default();
    let walked = walk(&files, &mut [&mut seen]);
    assert_eq!(seen.0.len(), MAX_DEPTH);
    assert!(walked.hidden.unwrap().contains("deeper than"));
}
