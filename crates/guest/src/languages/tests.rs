use fathom_report::{Coverage, Problem};

use super::*;
use crate::memory;
use crate::walk;

/// What a walk over these files finds, and what was wrong.
pub(super) fn found(files: &[(&str, &[u8])]) -> (Listing<Package>, Vec<Problem>) {
    let tree = memory::tree(files);
    let files = Files::new(&tree);
    let mut candidates = Candidates::default();
    let walked = walk::walk(&files, &mut [&mut candidates]);
    let listing = files.listing(|| all(&files, candidates, Some(&walked)));
    (listing, files.into_problems())
}

/// The packages that these files hold, as `name version`; and words of what is wrong with them.
pub(super) fn check(files: &[(&str, &[u8])], expected: &[&str], words: Option<&str>) {
    let (listing, problems) = found(files);
    let packages = listing.items.iter();
    let names: Vec<_> =
        packages.map(|it| format!("{} {}", it.name, it.version).trim().to_owned()).collect();
    let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(names, expected, "{said:?}");
    match words {
        Some(words) => {
            assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:?}");
            assert_eq!(listing.coverage, Coverage::Partial);
        }
        None => assert_eq!((said, listing.coverage), (vec![], Coverage::Complete)),
    }
}

#[test]
fn the_usual_places() {
    let tree = memory::tree(&[
        ("/usr/lib/python3/dist-packages/a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n"),
        ("/usr/lib/python3/dist-packages/b.egg-info", b"Name: b\nVersion: 2\n"),
        ("/usr/lib64 -> lib", b""),
        ("/opt/venv/lib/python3/site-packages/c-1.dist-info/METADATA", b"Name: c\nVersion: 1\n"),
    ]);
    let files = Files::new(&tree);
    let listing = all(&files, Candidates::default(), None);
    let names: Vec<_> = listing.items.iter().map(|package| package.name.as_str()).collect();
    assert_eq!((names, listing.coverage), (vec!["a", "b"], Coverage::Complete));
    assert!(listing.reason.unwrap().contains("--deep"));
    assert_eq!(listing.evidence[0].0, "/usr/lib/python3/dist-packages");
}
