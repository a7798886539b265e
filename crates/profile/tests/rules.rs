//! Every rule that is built in, its fixtures, and the page that lists them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::HashSet;
use std::path::Path;

use fathom_profile::{PROFILES, builtin, folder, page, run_fixtures};
use fathom_report::Outcome;

#[test]
fn every_profile_has_twenty_rules_and_every_rule_what_it_needs() {
    let rules = builtin().unwrap_or_else(|error| panic!("{error}"));
    for (profile, _) in PROFILES {
        let count = rules.iter().filter(|rule| rule.profile == profile).count();
        assert!(count >= 20, "{profile} has {count} rules");
    }
    let mut ids = HashSet::new();
    for rule in &rules {
        assert!(ids.insert(rule.id.as_str()), "{} stands twice", rule.id);
        assert!(PROFILES.iter().any(|(profile, _)| *profile == rule.profile), "{}", rule.profile);
        for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Unknown] {
            let there = rule.fixtures.iter().any(|fixture| fixture.outcome == outcome);
            assert!(there, "{} has no fixture for {outcome:?}", rule.id);
        }
        let conditional = rule.fixtures.iter().any(|it| it.outcome == Outcome::NotApplicable);
        assert_eq!(conditional, rule.applies.is_some(), "{}: not-applicable", rule.id);
    }
}

#[test]
fn every_fixture_comes_to_what_it_says() {
    let wrong: Vec<_> = builtin()
        .unwrap()
        .iter()
        .filter_map(|rule| run_fixtures(rule).err())
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_example_of_the_page_works() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/house");
    let rules = folder(&house).unwrap();
    assert_eq!((rules.len(), rules[0].profile.as_str()), (1, "house"));
    assert_eq!(run_fixtures(&rules[0]), Ok(4));
}

#[test]
fn docs_profiles_md_lists_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/profiles.md");
    let wanted = page(&builtin().unwrap());
    if std::env::var_os("FATHOM_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "docs/profiles.md is out of date: run `FATHOM_BLESS=1 cargo test -p fathom-profile`"
    );
}
