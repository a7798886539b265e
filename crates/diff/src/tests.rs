//! What is told apart, and what is not told at all.

use fathom_report::{
    Change, ChangeKind, Coverage, Difference, Direction, Evidence, Fact, Family, Group, Listing,
    Package, PackageKind, Part, Report, SCHEMA, Storage, System,
};

use crate::{compare, saved_report};

/// A report on a system of which everything is known that the tests are about.
fn report(change: impl FnOnce(&mut System)) -> Report {
    let mut system = System::unknown("disk0/p1", Family::Linux, "this test is not about it");
    system.packages = Listing::complete(Vec::new(), Vec::new());
    system.users.groups = Listing::complete(Vec::new(), Vec::new());
    system.identity.hostname = Fact::known("web".to_owned(), "/etc/hostname");
    change(&mut system);
    Report {
        schema: SCHEMA.to_owned(),
        generator: "test".to_owned(),
        disks: Vec::new(),
        systems: vec![system],
        storage: Storage::default(),
        concerns: Listing::complete(Vec::new(), Vec::new()),
        undecided: Vec::new(),
        profiles: Vec::new(),
        problems: Vec::new(),
    }
}

fn package(kind: PackageKind, name: &str, version: &str) -> Package {
    let text = format!(
        r#"{{"kind":"{}","name":"{name}","version":"{version}","evidence":"/db"}}"#,
        kind.name()
    );
    serde_json::from_str(&text).unwrap()
}

fn debs(packages: &[(&str, &str)]) -> Report {
    report(|system| {
        let of = |(name, version): &(&str, &str)| package(PackageKind::Deb, name, version);
        system.packages.items = packages.iter().map(of).collect();
    })
}

fn packages(difference: &Difference) -> Vec<(ChangeKind, &str)> {
    let changes = difference.changes.iter().filter(|it| it.part == Part::Packages);
    changes.map(|it| (it.kind, it.name.as_str())).collect()
}

/// Both ways, what is said must be the same turned around.
fn check(before: &Report, after: &Report) -> Difference {
    let (there, back) = (compare(before, after, "test"), compare(after, before, "test"));
    assert_eq!(there.changes.len(), back.changes.len());
    for change in &there.changes {
        let turned = |other: &&Change| {
            let kind = match other.kind {
                ChangeKind::Added => ChangeKind::Removed,
                ChangeKind::Removed => ChangeKind::Added,
                ChangeKind::Changed => ChangeKind::Changed,
            };
            (kind, &other.name, other.part) == (change.kind, &change.name, change.part)
        };
        assert!(back.changes.iter().any(|other| turned(&other)), "{change:?}");
    }
    there
}

#[test]
fn added_removed_and_changed() {
    let before = debs(&[("bash", "5.1-1"), ("gone", "1"), ("same", "2")]);
    let after = debs(&[("same", "2"), ("new", "3"), ("bash", "5.2-1")]);
    let difference = check(&before, &after);
    assert_eq!(
        packages(&difference),
        [
            (ChangeKind::Changed, "bash (deb)"),
            (ChangeKind::Removed, "gone (deb)"),
            (ChangeKind::Added, "new (deb)"),
        ]
    );
    let bash = difference.changes.iter().find(|it| it.name == "bash (deb)").unwrap();
    assert_eq!(bash.direction, Some(Direction::Upgrade));
    assert_eq!(bash.fields[0].before.as_deref(), Some("5.1-1"));
}

#[test]
fn the_order_of_lists_means_nothing() {
    let one = debs(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let other = debs(&[("c", "3"), ("a", "1"), ("b", "2")]);
    assert!(check(&one, &other).is_same());
}

#[test]
fn what_one_does_not_know_is_neither_added_nor_removed() {
    let before = debs(&[("a", "1"), ("b", "1")]);
    let mut after = debs(&[("a", "2")]);
    after.systems[0].packages.hide("a page could not be read");
    let difference = check(&before, &after);
    assert_eq!(packages(&difference), [(ChangeKind::Changed, "a (deb)")]);
    let hidden = difference.unknown.iter().find(|it| it.what == "packages").unwrap();
    assert_eq!(hidden.names, ["b (deb)"]);
    assert_eq!((&hidden.before, hidden.after.is_some()), (&None, true));
    // Nothing at all is known of it.
    let nothing = report(|system| system.packages = Listing::unknown("encrypted"));
    assert!(packages(&check(&before, &nothing)).is_empty());
    // What only the incomplete list has is missing from the complete one for sure.
    let mut more = debs(&[("a", "1"), ("b", "1"), ("new", "1")]);
    more.systems[0].packages.coverage = Coverage::Partial;
    let added = compare(&before, &more, "test");
    assert_eq!(packages(&added), [(ChangeKind::Added, "new (deb)")]);
}

#[test]
fn several_versions_beside_each_other() {
    let kernels = |versions: &[&str]| {
        report(|system| {
            let of = |version: &&str| package(PackageKind::Rpm, "kernel", version);
            system.packages.items = versions.iter().map(of).collect();
        })
    };
    let difference = check(&kernels(&["1", "2"]), &kernels(&["3", "2"]));
    assert_eq!(packages(&difference), [(ChangeKind::Changed, "kernel (rpm)")]);
    let difference = check(&kernels(&["1", "2"]), &kernels(&["2", "3", "4"]));
    assert_eq!(packages(&difference).len(), 3);
    assert!(check(&kernels(&["1", "2"]), &kernels(&["2", "1"])).is_same());
}

#[test]
fn statements() {
    let host = |fact: Fact<String>| report(|system| system.identity.hostname = fact);
    let known = |name: &str| host(Fact::known(name.to_owned(), "/etc/hostname"));
    let absent = host(Fact::absent(["/etc/hostname"]));
    let unknown = host(Fact::unknown("corrupt"));
    let kinds = |before: &Report, after: &Report| {
        check(before, after).changes.iter().map(|it| it.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&known("a"), &known("b")), [ChangeKind::Changed]);
    assert_eq!(kinds(&absent, &known("b")), [ChangeKind::Added]);
    assert_eq!(kinds(&known("a"), &absent), [ChangeKind::Removed]);
    assert!(kinds(&known("a"), &unknown).is_empty());
    let difference = compare(&known("a"), &unknown, "test");
    assert!(difference.unknown.iter().any(|it| it.what == "host name"));
}

#[test]
fn members_of_a_group_are_a_set() {
    let group = |members: &[&str]| {
        report(|system| {
            let members = members.iter().map(|name| (*name).to_owned()).collect();
            let group = Group { name: "wheel".to_owned(), id: "10".to_owned(), members };
            system.users.groups =
                Listing::complete(vec![group], vec![Evidence::from("/etc/group")]);
        })
    };
    assert!(check(&group(&["a", "b"]), &group(&["b", "a"])).is_same());
    assert!(!check(&group(&["a"]), &group(&["b", "a"])).is_same());
}

#[test]
fn saved_reports_of_other_versions() {
    let report = debs(&[("bash", "5")]);
    let mut document = serde_json::to_value(&report).unwrap();
    document["surprise"] = serde_json::json!({"of": ["a", "newer", "version"]});
    document["systems"][0]["packages"]["items"][0]["colour"] = "blue".into();
    assert_eq!(saved_report(document.to_string().as_bytes()).unwrap(), report);
    let refused = |text: &str| saved_report(text.as_bytes()).unwrap_err().to_string();
    document["schema"] = "fathom.report/v2".into();
    assert!(refused(&document.to_string()).contains("\"fathom.report/v2\", not"));
    assert!(refused("[]").contains("a list"));
    assert!(refused("").contains("empty"));
    assert!(refused("{}").contains("no \"schema\""));
    assert!(refused("QFI\u{fb}").contains("no JSON"));
    assert!(refused(&"[".repeat(100_000)).contains("a list"));
    assert!(refused("{\"schema\":\"fathom.report/v1\"}").contains("cannot be understood"));
}

#[test]
fn a_setting_of_sshd_that_is_not_listed_is_not_unset() {
    use fathom_report::{Setting, Sshd};
    let sshd = |settings: &[(&str, &str)]| {
        report(|system| {
            let settings = settings.iter().map(|(name, value)| Setting {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
                evidence: None,
            });
            let mut document = serde_json::json!({"settings": [], "matches": []});
            document["settings"] = serde_json::to_value(settings.collect::<Vec<_>>()).unwrap();
            let sshd: Sshd = serde_json::from_value(document).unwrap();
            system.security.sshd = Fact::known(sshd, "/etc/ssh/sshd_config");
        })
    };
    let before = sshd(&[("port", "22"), ("usepam", "yes")]);
    let difference = check(&before, &sshd(&[("port", "2222")]));
    let changed: Vec<&Change> =
        difference.changes.iter().filter(|it| it.part == Part::Security).collect();
    assert_eq!((changed.len(), changed[0].name.as_str()), (1, "port"));
    assert!(difference.unknown.iter().any(|it| it.what == "setting of sshd usepam"));
    // Where there is no sshd at all, its settings are gone.
    let none = report(|system| system.security.sshd = Fact::absent(["/etc/ssh/sshd_config"]));
    let gone = compare(&before, &none, "test");
    assert_eq!(gone.changes.iter().filter(|it| it.kind == ChangeKind::Removed).count(), 2);
}

/// A report on disks in which no system was found.
fn no_system(problem: Option<&str>) -> Report {
    let mut report = report(|_| {});
    report.systems.clear();
    report.problems.extend(problem.map(|message| fathom_report::Problem {
        kind: fathom_report::ProblemKind::Encrypted,
        message: message.to_owned(),
        evidence: None,
        hides: None,
    }));
    report
}

#[test]
fn a_system_behind_a_lock_is_not_missing() {
    let locked = no_system(Some("LUKS volume 1-2: no key was given for it"));
    let open = debs(&[("bash", "5")]);
    let systems = |difference: &Difference| {
        let is = |part: &Part| *part == Part::Systems;
        let changes = difference.changes.iter().filter(|it| is(&it.part)).count();
        (changes, difference.unknown.iter().filter(|it| is(&it.part)).count())
    };
    assert_eq!(systems(&check(&locked, &open)), (0, 1));
    // Two locked disks may hold anything, even where the reason is the same.
    let both = check(&locked, &locked);
    assert_eq!(systems(&both), (0, 1));
    assert_eq!(both.uncompared(), (1, 1), "the systems, and the volumes: {both:?}");
    // Where all was read, there is none.
    assert_eq!(systems(&check(&no_system(None), &open)), (1, 0));
    assert_eq!(systems(&check(&no_system(None), &no_system(None))), (0, 0));
    // Reports of old do not say why there is none, but what lies on the volume.
    let mut old = no_system(None);
    let volume = r#"{"id":"disk0","parents":[],"size":1,"layer":"disk","content":"LUKS2 aes",
        "encrypted":true}"#;
    old.storage.volumes.push(serde_json::from_str(volume).unwrap());
    assert_eq!(systems(&check(&old, &open)), (0, 1));
}

#[test]
fn what_neither_knows_is_told_apart_from_what_one_does_not_know() {
    let one = debs(&[("a", "1")]);
    let (uncompared, of_both) = check(&one, &one).uncompared();
    assert_eq!(uncompared, 0);
    assert!(of_both > 0);
    // For another reason, or with something that only one of them has, it counts.
    let partial = |packages: &[(&str, &str)], why: &str| {
        let mut report = debs(packages);
        report.systems[0].packages.hide(why);
        report
    };
    let count = |before: &Report, after: &Report| check(before, after).uncompared().0;
    assert_eq!(count(&partial(&[], "x"), &partial(&[], "x")), 0);
    assert_eq!(count(&partial(&[], "x"), &partial(&[], "y")), 1);
    assert_eq!(count(&partial(&[("a", "1")], "x"), &partial(&[], "x")), 1);
}

#[test]
fn packages_of_languages_are_compared_as_far_as_both_looked() {
    let with = |deep: bool, more: &[Package]| {
        report(|system| {
            let mut items = vec![package(PackageKind::Deb, "bash", "5")];
            items.extend_from_slice(more);
            system.packages = Listing::complete(items, Vec::new());
            system.packages.reason = (!deep).then(|| fathom_report::USUAL_PLACES_ALONE.to_owned());
        })
    };
    let jar = package(PackageKind::Maven, "log4j", "2");
    let (shallow, deep) = (with(false, &[]), with(true, std::slice::from_ref(&jar)));
    let difference = check(&shallow, &deep);
    assert!(packages(&difference).is_empty(), "{:?}", difference.changes);
    let hidden = difference.unknown.iter().find(|it| it.what == "packages of languages").unwrap();
    assert_eq!(hidden.names, ["log4j (maven)"]);
    // Both looked equally far.
    assert_eq!(packages(&check(&with(true, &[]), &deep)).len(), 1);
    assert_eq!(packages(&check(&shallow, &with(false, &[jar]))).len(), 1);
    // Packages of the system are compared in any case.
    let new = with(true, &[package(PackageKind::Deb, "new", "1")]);
    assert_eq!(packages(&check(&shallow, &new)), [(ChangeKind::Added, "new (deb)")]);
}

/// What was changed, as `what name`.
fn named(difference: &Difference) -> Vec<String> {
    let changes = difference.changes.iter();
    changes.map(|it| format!("{} {}", it.what, it.name)).collect()
}

#[test]
fn every_field_of_an_account_is_compared() {
    let with = |field: &str, value: serde_json::Value| {
        report(|system| {
            let mut document = serde_json::json!({
                "name": "ann", "id": "1000", "groups": [],
                "password": {"state": "known", "value": "set", "evidence": []},
                "keys": {"coverage": "complete", "evidence": [], "items": []},
            });
            document[field] = value;
            let user = serde_json::from_value(document).unwrap();
            system.users.accounts = Listing::complete(vec![user], Vec::new());
        })
    };
    let before = with("name", "ann".into());
    for field in [
        "id",
        "group",
        "comment",
        "home",
        "shell",
        "algorithm",
        "password_changed",
        "expires",
        "last_login",
    ] {
        let difference = check(&before, &with(field, "other".into()));
        assert_eq!(named(&difference), ["account ann"], "{field}");
    }
    for field in ["states", "groups"] {
        let difference = check(&before, &with(field, serde_json::json!(["other"])));
        assert_eq!(named(&difference), ["account ann"], "{field}");
    }
    let locked = serde_json::json!({"state": "known", "value": "locked", "evidence": []});
    assert_eq!(named(&check(&before, &with("password", locked))), ["account ann"]);
}

#[test]
fn an_order_that_decides_what_holds_is_compared() {
    type Take = fn(&mut System) -> &mut Listing<String>;
    let lists: [(Take, &str); 3] = [
        (|system| &mut system.users.sudo, "rules of sudo"),
        (|system| &mut system.network.nameservers, "name servers"),
        (|system| &mut system.network.search, "search domains"),
    ];
    for (take, name) in lists {
        let with = |items: &[&str]| {
            let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
            report(|system| *take(system) = Listing::complete(items, Vec::new()))
        };
        let before = with(&["a", "b", "c"]);
        assert!(check(&before, &with(&["a", "b", "c"])).is_same());
        let swapped = check(&before, &with(&["b", "a", "c"]));
        assert_eq!(named(&swapped), [format!("order {name}")]);
        assert_eq!(swapped.changes[0].fields[0].before.as_deref(), Some("a, b, c"));
        assert_eq!(swapped.changes[0].fields[0].after.as_deref(), Some("b, a, c"));
        // What was taken out or put between does not change the order of the others.
        assert_eq!(check(&before, &with(&["a", "c"])).changes.len(), 1);
        assert_eq!(check(&before, &with(&["a", "x", "b", "c"])).changes.len(), 1);
        assert_eq!(check(&before, &with(&["a", "b", "c", "a"])).changes.len(), 1);
    }
}

#[test]
fn mistakes_and_the_order_of_conditions_of_sshd_are_compared() {
    let sshd = |mistakes: &[&str], users: &[(&str, &str)]| {
        report(|system| {
            let matches = users.iter().map(|(user, value)| {
                let setting = serde_json::json!({"name": "x11forwarding", "value": value});
                serde_json::json!({"condition": user, "settings": [setting], "evidence": "/s"})
            });
            let matches: Vec<_> = matches.collect();
            let document = serde_json::json!({
                "settings": [], "matches": matches, "mistakes": mistakes,
            });
            let sshd = serde_json::from_value(document).unwrap();
            system.security.sshd = Fact::known(sshd, "/s");
        })
    };
    let (a, b) = (("user a", "yes"), ("group b", "no"));
    let before = sshd(&[], &[a, b]);
    assert!(check(&before, &sshd(&[], &[a, b])).is_same());
    let named = |after: &Report| named(&check(&before, after));
    assert_eq!(named(&sshd(&["line 3"], &[a, b])), ["mistake of sshd line 3"]);
    assert_eq!(named(&sshd(&[], &[b, a])), ["order conditions of sshd"]);
    // Two of one condition are told apart by what they set.
    let twice = sshd(&[], &[("user a", "yes"), ("user a", "no")]);
    let turned = sshd(&[], &[("user a", "no"), ("user a", "yes")]);
    assert_eq!(check(&twice, &turned).changes.len(), 1);
}

#[test]
fn further_commands_of_a_service_are_compared() {
    let service = |further: &[&str]| {
        report(|system| {
            let document = serde_json::json!({
                "kind": "service", "name": "a.service", "evidence": [],
                "enabled": {"state": "known", "value": "enabled", "evidence": []},
                "further_commands": further,
            });
            let service = serde_json::from_value(document).unwrap();
            system.services = Listing::complete(vec![service], Vec::new());
        })
    };
    let difference = check(&service(&[]), &service(&["ExecStartPre=/bin/x"]));
    assert_eq!(named(&difference), ["service a.service (service)"]);
    assert_eq!(difference.changes[0].fields[0].name, "further commands");
}

#[test]
fn what_is_new_in_a_usual_folder_that_both_looked_at_is_added() {
    let with = |paths: &[&str], why: Option<&str>| {
        report(|system| {
            let files = paths.iter().map(|path| {
                let document = serde_json::json!({
                    "path": path, "mode": "4755", "owner": 0, "group": 0,
                });
                serde_json::from_value(document).unwrap()
            });
            let mut listing = Listing::complete(files.collect(), vec!["/usr/local/bin".into()]);
            if let Some(why) = why {
                listing.hide(why);
            }
            listing.hide(fathom_report::USUAL_FOLDERS_ALONE);
            system.security.set_id = listing;
        })
    };
    let new = ["/usr/local/bin/rootshell"];
    let difference = check(&with(&[], None), &with(&new, None));
    assert_eq!(named(&difference), ["set-id program /usr/local/bin/rootshell"]);
    assert_eq!(difference.uncompared().0, 0, "{:?}", difference.unknown);
    // Where one of the two could not look at all of them, it may have it too.
    for (before, after) in [(Some("damaged"), None), (Some("damaged"), Some("damaged"))] {
        let difference = compare(&with(&[], before), &with(&new, after), "test");
        assert!(difference.changes.is_empty(), "{:?}", difference.changes);
        assert_eq!(difference.uncompared().0, 1);
    }
    // With every file looked at on one side, too.
    let mut deep = with(&new, None);
    deep.systems[0].security.set_id.coverage = Coverage::Complete;
    deep.systems[0].security.set_id.reason = None;
    assert!(compare(&with(&[], None), &deep, "test").changes.is_empty());
}

#[test]
fn a_system_that_is_there_twice_differs_from_one() {
    let one = report(|_| ());
    let mut twice = one.clone();
    twice.systems.extend(one.systems.iter().cloned());
    let found = check(&one, &twice);
    let changes: Vec<_> = found.changes.iter().map(|it| (it.part, it.kind)).collect();
    assert_eq!(changes, [(Part::Systems, ChangeKind::Added)]);
    assert!(check(&twice, &twice).changes.is_empty());
}
