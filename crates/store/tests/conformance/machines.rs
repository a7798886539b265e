//! Machines: what was kept is given back, and questions are answered as one would answer them by
//! looking at each machine alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fathom_store::{
    Condition, Cursor, ErrorKind, Flaw, FlawFilter, FlawOrder, Found, Kept, Look, Machine,
    MachineFilter, MachineOrder, Nature, Options, Package, PackageFilter, Store, Tally, Verdict,
    Whose,
};

use crate::place::on_both;

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

fn package(index: usize, version: usize) -> Package {
    Package {
        system: "debian 12".into(),
        kind: "deb".into(),
        name: format!("lib{index}"),
        version: format!("1.{version}-1"),
        architecture: Some("amd64".into()),
        source: (index.is_multiple_of(3)).then(|| format!("source{index}")),
        scheme: Some(fathom_version::Scheme::Debian),
    }
}

/// What is wrong with a package: something with every third in its first versions.
fn flaw(package: &Package, index: usize, version: usize) -> Option<Flaw> {
    (index.is_multiple_of(3) && version < 2).then(|| Flaw {
        cve: format!("CVE-2026-{index:04}"),
        aliases: vec![format!("DSA-{index}")],
        system: package.system.clone(),
        kind: package.kind.clone(),
        package: package.name.clone(),
        version: package.version.clone(),
        fixed_version: Some("1.2-1".into()),
        state: "fixed".into(),
        severity: Some((index % 5 + 1) as u8),
        cvss: Some(index as f64 / 10.0),
        epss: None,
        exploited: index.is_multiple_of(2),
        excepted: index.is_multiple_of(7).then(|| "deferred".into()),
        risk: (index % 100) as f64 + 0.25,
    })
}

/// What a machine has: a version of each package that is there.
type Installed = BTreeMap<usize, usize>;

fn look(namespace: &str, name: &str, installed: &Installed, risk: f64) -> Look {
    let packages: Vec<Package> = installed.iter().map(|(i, v)| package(*i, *v)).collect();
    let flaws = installed.iter().zip(&packages);
    let flaws: Vec<Flaw> = flaws.filter_map(|((i, v), it)| flaw(it, *i, *v)).collect();
    let filler = "a line that all reports have\n".repeat(200);
    Look {
        machine: Whose {
            namespace: namespace.into(),
            key: format!("image:/vms/{name}.qcow2"),
            alias: None,
            name: name.into(),
        },
        job: None,
        report: format!("{{\"machine\":\"{name}\",\"text\":\"{filler}\",\"has\":{installed:?}}}"),
        likeness: format!("{installed:?}"),
        nature: Nature {
            hostname: Some(name.into()),
            family: Some("linux".into()),
            os: Some(if name.len().is_multiple_of(2) { "debian" } else { "ubuntu" }.into()),
            os_version: Some("12".into()),
            ..Nature::default()
        },
        packages: Some(packages),
        packages_known: true,
        verdict: Some(Verdict {
            findings: format!("{{\"findings of\":\"{name}\",\"text\":\"{filler}\"}}"),
            with: "first".into(),
            known: true,
            tally: Tally { risk, critical: flaws.len() as u32, ..Tally::default() },
            flaws,
        }),
    }
}

/// A condition, and whether a machine with these is as it says.
type Case = (String, Box<dyn Fn(&Installed) -> bool>);

/// Machines that are copies of a few, each a little apart, in two namespaces.
fn fleet(dice: &mut Dice, images: usize, machines: usize) -> Vec<(String, String, Installed, f64)> {
    let mut image = || -> Installed {
        let there: Vec<usize> = (0..120).filter(|_| dice.below(10) < 8).collect();
        there.into_iter().map(|index| (index, dice.below(3))).collect()
    };
    let golden: Vec<Installed> = (0..images).map(|_| image()).collect();
    (0..machines)
        .map(|number| {
            let mut installed = golden[dice.below(images)].clone();
            for _ in 0..dice.below(8) {
                let index = dice.below(120);
                match dice.below(3) {
                    0 => drop(installed.remove(&index)),
                    _ => drop(installed.insert(index, dice.below(4))),
                }
            }
            let namespace = if dice.below(3) == 0 { "blue" } else { "green" };
            (namespace.to_owned(), format!("vm{number:03}"), installed, dice.below(100) as f64)
        })
        .collect()
}

async fn keep(store: &Store, fleet: &[(String, String, Installed, f64)]) {
    let looks: Vec<Look> =
        fleet.iter().map(|(ns, name, of, risk)| look(ns, name, of, *risk)).collect();
    for some in looks.chunks(17) {
        let kept = store.keep_looks(some).await.unwrap();
        assert!(kept.iter().all(|it| matches!(it, Kept::Of { .. })), "{kept:?}");
    }
}

fn only(namespace: &str) -> Option<Vec<String>> {
    Some(vec![namespace.to_owned()])
}

/// The names that a condition gives, page by page.
async fn named(store: &Store, filter: &MachineFilter, most: u32) -> Vec<String> {
    let mut filter = MachineFilter { most, ..filter.clone() };
    let mut names = Vec::new();
    loop {
        let page = store.machines(&filter).await.unwrap();
        names.extend(page.machines.iter().map(|it| it.whose.name.clone()));
        assert!(page.machines.len() <= most as usize);
        let Some(next) = page.next else { return names };
        // As it comes back from a caller.
        filter.after = Some(next.to_string().parse::<Cursor>().unwrap());
    }
}

fn filter(namespaces: Option<Vec<String>>, condition: &str) -> MachineFilter {
    let condition = (!condition.is_empty()).then(|| Condition::parse(condition).unwrap());
    MachineFilter { namespaces, condition, ..MachineFilter::default() }
}

async fn one(store: &Store, name: &str) -> Machine {
    let condition = Condition::parse(&format!("name = {name}")).unwrap();
    let filter = MachineFilter { condition: Some(condition), most: 2, ..MachineFilter::default() };
    let mut machines = store.machines(&filter).await.unwrap().machines;
    assert_eq!(machines.len(), 1, "{name}");
    machines.remove(0)
}

async fn rows(store: &Store, place: &crate::place::Place) -> BTreeMap<&'static str, i64> {
    let _ = store;
    let mut counts = BTreeMap::new();
    for table in [
        "machines",
        "inspections",
        "blobs",
        "packages",
        "flaws",
        "flaw_names",
        "package_sets",
        "package_items",
        "flaw_sets",
        "flaw_items",
        "jobs",
        "results",
    ] {
        counts.insert(table, place.count(table).await);
    }
    counts
}

/// A condition, and whether it holds for a machine: nothing where that cannot be told.
type Asked = (String, Box<dyn Fn(&Look) -> Option<bool>>);

/// What dice make of the language.
fn condition(dice: &mut Dice, depth: usize) -> Asked {
    if depth > 0 && dice.below(3) > 0 {
        let (left, is_left) = condition(dice, depth - 1);
        if dice.below(4) == 0 {
            return (format!("not ({left})"), Box::new(move |it| is_left(it).map(|it| !it)));
        }
        let (right, is_right) = condition(dice, depth - 1);
        return match dice.below(2) {
            0 => (
                format!("({left}) and ({right})"),
                Box::new(move |it| match (is_left(it), is_right(it)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                }),
            ),
            _ => (
                format!("({left}) or ({right})"),
                Box::new(move |it| match (is_left(it), is_right(it)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                }),
            ),
        };
    }
    let (index, number) = (dice.below(130), dice.below(100) as f64);
    let any = |it: &Look, of: &dyn Fn(&Package) -> bool| match it
        .packages
        .as_ref()
        .is_some_and(|all| all.iter().any(of))
    {
        true => Some(true),
        false => (it.packages.is_some() && it.packages_known).then_some(false),
    };
    match dice.below(9) {
        0 => ("os = debian".into(), Box::new(|it| it.nature.os.as_ref().map(|os| os == "debian"))),
        1 => (
            "hostname !~ 'VM00*'".into(),
            Box::new(|it| it.nature.hostname.as_ref().map(|it| !it.starts_with("vm00"))),
        ),
        2 => (
            format!("risk >= {number}"),
            Box::new(move |it| it.verdict.as_ref().map(|it| it.tally.risk >= number)),
        ),
        3 => ("risk is unknown".into(), Box::new(|it| Some(it.verdict.is_none()))),
        4 => (
            format!("package = lib{index}"),
            Box::new(move |it| any(it, &|of| of.name == format!("lib{index}"))),
        ),
        5 => (
            format!("package !~ 'b{index}'"),
            Box::new(move |it| any(it, &|of| of.name.contains(&format!("b{index}"))).map(|it| !it)),
        ),
        6 => (
            format!("package lib{index} > 1.1"),
            Box::new(move |it| {
                let later = ["1.1-1", "1.2-1", "1.3-1"];
                any(it, &|of| {
                    of.name == format!("lib{index}") && later.contains(&of.version.as_str())
                })
            }),
        ),
        7 => (
            format!("cve in [CVE-2026-{index:04}, DSA-{number}]"),
            Box::new(move |it| {
                let verdict = it.verdict.as_ref()?;
                let is = |flaw: &Flaw| {
                    flaw.cve == format!("CVE-2026-{index:04}")
                        || flaw.aliases[0] == format!("DSA-{number}")
                };
                match verdict.flaws.iter().any(is) {
                    true => Some(true),
                    false => verdict.known.then_some(false),
                }
            }),
        ),
        _ => (
            format!("name in [vm{index:03}, x] or critical < {}", number as u32 % 40),
            Box::new(move |it| {
                if it.machine.name == format!("vm{index:03}") {
                    return Some(true);
                }
                let few = |of: &Verdict| of.tally.critical < number as u32 % 40;
                match it.verdict.as_ref().map(few) {
                    Some(true) => Some(true),
                    Some(false) => Some(false),
                    None => None,
                }
            }),
        ),
    }
}

on_both! {
    /// Whatever is asked, what is given is what three values give.
    async fn any_condition_is_answered_by_three_values(place) {
        let store = place.open().await;
        let mut dice = Dice(77);
        let fleet = fleet(&mut dice, 4, 120);
        let looks: Vec<Look> = fleet
            .iter()
            .map(|(namespace, name, of, risk)| {
                let mut look = look(namespace, name, of, *risk);
                match dice.below(8) {
                    0 => look.packages_known = false,
                    1 => look.packages = None,
                    2 => look.verdict = None,
                    3 => look.verdict.as_mut().unwrap().known = false,
                    4 => look.nature = Nature::default(),
                    _ => {}
                }
                look
            })
            .collect();
        for some in looks.chunks(40) {
            store.keep_looks(some).await.unwrap();
        }
        for _ in 0..250 {
            let (text, holds) = condition(&mut dice, 3);
            let condition = match Condition::parse(&text) {
                Ok(condition) => condition,
                Err(error) => panic!("{text}: {error}"),
            };
            let asked = MachineFilter { condition: Some(condition), ..MachineFilter::default() };
            let wanted: Vec<&str> = looks
                .iter()
                .filter(|it| holds(it) == Some(true))
                .map(|it| it.machine.name.as_str())
                .collect();
            assert_eq!(named(&store, &asked, 50).await, wanted, "{text}");
            let totals = store.count_machines(&asked).await.unwrap();
            let unknown = looks.iter().filter(|it| holds(it).is_none()).count() as i64;
            assert_eq!((totals.machines, totals.unknown), (wanted.len() as i64, unknown), "{text}");
        }
        store.close().await;
    }

    /// Against what one finds by looking at each machine.
    async fn machines_are_found_by_what_they_have(place) {
        let store = place.open().await;
        let mut dice = Dice(7);
        let mut fleet = fleet(&mut dice, 5, 150);
        keep(&store, &fleet).await;
        // Some change, and some are looked at again and are as they were.
        for (_, _, installed, _) in fleet.iter_mut().step_by(4) {
            let index = dice.below(120);
            installed.insert(index, dice.below(4));
        }
        keep(&store, &fleet).await;
        let has_flaw = |it: &Installed, index: usize| {
            it.get(&index).is_some_and(|version| flaw(&package(index, *version), index, *version).is_some())
        };
        for namespaces in [None, only("blue"), only("green"), Some(vec![]), only("red")] {
            let seen: Vec<_> = fleet
                .iter()
                .filter(|it| namespaces.as_ref().is_none_or(|of| of.contains(&it.0)))
                .collect();
            let wanted = |test: &dyn Fn(&Installed) -> bool| -> Vec<String> {
                let mut names: Vec<_> =
                    seen.iter().filter(|it| test(&it.2)).map(|it| it.1.clone()).collect();
                names.sort();
                names
            };
            for index in (0..120).step_by(13).chain([3, 6, 9, 119]) {
                let name = format!("lib{index}");
                let cases: [Case; 6] = [
                    (format!("package = {name}"), Box::new(move |it| it.contains_key(&index))),
                    (format!("package != {name}"), Box::new(move |it| !it.contains_key(&index))),
                    (
                        format!("package {name} < 1.2-1"),
                        Box::new(move |it| it.get(&index).is_some_and(|v| *v < 2)),
                    ),
                    (
                        format!("package {name} >= 1.2-1 and not package ~ 'b{index}x'"),
                        Box::new(move |it| it.get(&index).is_some_and(|v| *v >= 2)),
                    ),
                    (format!("cve = CVE-2026-{index:04}"), Box::new(move |it| has_flaw(it, index))),
                    (
                        format!("not (cve in [DSA-{index}] or package in [{name}])"),
                        Box::new(move |it| !has_flaw(it, index) && !it.contains_key(&index)),
                    ),
                ];
                for (condition, test) in &cases {
                    let asked = filter(namespaces.clone(), condition);
                    assert_eq!(named(&store, &asked, 1000).await, wanted(test), "{condition}");
                    assert_eq!(named(&store, &asked, 7).await, wanted(test), "{condition}");
                    let totals = store.count_machines(&asked).await.unwrap();
                    assert_eq!((totals.machines, totals.unknown), (wanted(test).len() as i64, 0));
                }
                let cve = format!("CVE-2026-{index:04}");
                for most in [1, 6, 500] {
                    let (mut after, mut names) = (None, Vec::new());
                    loop {
                        let (machines, next) = store
                            .machines_with_flaw(&cve, namespaces.as_deref(), after, most)
                            .await
                            .unwrap();
                        names.extend(machines.into_iter().map(|it| it.whose.name));
                        after = next;
                        if after.is_none() {
                            break;
                        }
                    }
                    names.sort();
                    assert_eq!(names, wanted(&|it| has_flaw(it, index)), "{cve} by {most}");
                }
                let summary = store.flaw(&cve, namespaces.as_deref(), true).await.unwrap();
                let counted = summary.map_or(0, |it| it.machines + it.excepted);
                assert_eq!(counted, wanted(&|it| has_flaw(it, index)).len() as i64, "{cve}");
                let asked = PackageFilter {
                    namespaces: namespaces.clone(),
                    name: Some(name.clone()),
                    most: 100,
                    ..PackageFilter::default()
                };
                let (packages, next) = store.packages(&asked).await.unwrap();
                assert_eq!(next, None);
                for it in &packages {
                    let version = (0..4).find(|v| package(index, *v).version == it.version).unwrap();
                    let of = wanted(&|of| of.get(&index) == Some(&version));
                    assert_eq!(it.machines, of.len() as i64, "{it:?}");
                }
                let all: i64 = packages.iter().map(|it| it.machines).sum();
                assert_eq!(all, wanted(&|of| of.contains_key(&index)).len() as i64);
            }
        }
        // What is alike was kept once.
        let rows = rows(&store, &place).await;
        let whole: usize = fleet.iter().map(|it| it.2.len()).sum();
        assert!(rows["package_items"] < whole as i64 / 3, "{rows:?}");
        store.close().await;
    }

    async fn each_order_is_kept_page_by_page(place) {
        let store = place.open().await;
        let fleet = fleet(&mut Dice(3), 3, 60);
        keep(&store, &fleet).await;
        let mut unmatched = look("green", "vm999", &Installed::new(), 0.0);
        unmatched.verdict = None;
        store.keep_looks(&[unmatched]).await.unwrap();
        for order in [MachineOrder::Name, MachineOrder::Risk, MachineOrder::Seen] {
            for descending in [false, true] {
                let asked = MachineFilter { order, descending, ..filter(None, "") };
                let whole = named(&store, &asked, 1000).await;
                assert_eq!(whole.len(), 61);
                assert_eq!(named(&store, &asked, 7).await, whole, "{order:?} {descending}");
                if order == MachineOrder::Risk {
                    let of = |name: &String| fleet.iter().find(|it| it.1 == *name).map_or(-1.0, |it| it.3);
                    let mut sorted: Vec<f64> = whole.iter().map(of).collect();
                    if descending {
                        sorted.reverse();
                    }
                    assert!(sorted.is_sorted());
                }
            }
        }
        let asked = MachineFilter { after: Some("t6161.1".parse().unwrap()), order: MachineOrder::Risk, most: 5, ..filter(None, "") };
        assert_eq!(store.machines(&asked).await.unwrap_err().kind(), ErrorKind::Invalid);
        for text in ["", "x", "t6.1", "tzz.1", "n7ff0000000000000.1", "t61.", "wg.1", "té.1"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
        store.close().await;
    }

    /// "Could not look" is neither yes nor no.
    async fn what_is_not_known_is_no_answer(place) {
        let store = place.open().await;
        let installed: Installed = [(1, 0), (3, 0)].into();
        let mut looks: Vec<Look> =
            ["whole", "partial", "blind", "unmatched"].map(|name| look("green", name, &installed, 50.0)).into();
        looks[1].packages_known = false;
        looks[1].verdict.as_mut().unwrap().known = false;
        looks[2].packages = None;
        looks[2].verdict = None;
        looks[2].nature = Nature::default();
        looks[3].verdict = None;
        store.keep_looks(&looks).await.unwrap();
        for (condition, wanted, unknown) in [
            ("package = lib1", "partial unmatched whole", 1),
            ("package != lib1", "", 1),
            ("package = lib2", "", 2),
            ("not package = lib2", "unmatched whole", 2),
            ("cve = CVE-2026-0003", "partial whole", 2),
            ("cve != CVE-2026-0006", "whole", 3),
            ("risk > 10", "partial whole", 2),
            ("not risk > 10", "", 2),
            ("risk is unknown", "blind unmatched", 0),
            ("packages is known", "partial unmatched whole", 0),
            ("package is known", "unmatched whole", 0),
            ("cve is unknown", "blind partial unmatched", 0),
            ("os = debian or os = ubuntu", "partial unmatched whole", 1),
            ("os !~ deb", "partial unmatched whole", 1),
            ("hostname ~ 'WHO*'", "whole", 1),
            ("hostname ~ 'OL'", "whole", 1),
            ("hostname in [whole, partial] and os_version = 12", "partial whole", 1),
            ("age < 1", "blind partial unmatched whole", 0),
            ("critical = 1", "partial whole", 2),
            ("critical in [1, 2]", "partial whole", 2),
        ] {
            let asked = filter(None, condition);
            let names = named(&store, &asked, 100).await.join(" ");
            let wanted = if condition == "os !~ deb" {
                // Whose name has an even number of letters is Debian here.
                "partial unmatched whole".split(' ').filter(|it| it.len() % 2 == 1).collect::<Vec<_>>().join(" ")
            } else {
                wanted.to_owned()
            };
            assert_eq!(names, wanted, "{condition}");
            assert_eq!(store.count_machines(&asked).await.unwrap().unknown, unknown, "{condition}");
        }
        store.close().await;
    }

    async fn documents_come_back_as_they_were(place) {
        let store = place.open().await;
        let fleet = fleet(&mut Dice(11), 2, 30);
        keep(&store, &fleet).await;
        store.close().await;
        // By somebody who remembers nothing.
        let store = place.open().await;
        for (namespace, name, installed, risk) in &fleet {
            let wanted = look(namespace, name, installed, *risk);
            let machine = one(&store, name).await;
            let (report, findings) = store.places(machine.number, machine.inspection).await.unwrap().unwrap();
            assert_eq!(store.document(&report).await.unwrap(), wanted.report.as_bytes());
            let verdict = wanted.verdict.unwrap();
            assert_eq!(store.document(&findings.unwrap()).await.unwrap(), verdict.findings.as_bytes());
            assert_eq!(machine.tally, Some(verdict.tally));
            assert_eq!(machine.nature, wanted.nature);
            assert_eq!(machine.packages, Some(installed.len() as u32));
            let looks = store.inspections(machine.number, None, 10).await.unwrap();
            assert_eq!(looks.len(), 1);
            assert_eq!(looks[0].number, machine.inspection);
            assert_eq!(store.places(machine.number + 1, machine.inspection).await.unwrap(), None);
        }
        let packed = place.sum("blobs", "LENGTH(bytes)").await;
        assert!(packed < 30 * 2 * 1200, "{packed}");
        place.run("UPDATE blobs SET size = size + 1").await;
        let machine = one(&store, "vm001").await;
        let (report, _) = store.places(machine.number, machine.inspection).await.unwrap().unwrap();
        assert_eq!(store.document(&report).await.unwrap_err().kind(), ErrorKind::Unfit);
        store.close().await;
    }

    async fn what_an_enemy_names_things_is_kept(place) {
        let store = place.open().await;
        let mut hostile = look("green", "evil", &[(3, 0)].into(), 1.0);
        let long = "x".repeat(20_000);
        for text in ["", "\0", "'; DROP TABLE machines; --", "{now}", "%_\\", "\u{202e}é\u{1f4a9}", &long] {
            hostile.machine.key = format!("image:{text}");
            hostile.machine.name = text.to_owned();
            hostile.machine.alias = Some(text.to_owned());
            hostile.nature.hostname = Some(text.to_owned());
            let packages = hostile.packages.as_mut().unwrap();
            packages.push(Package { name: text.to_owned(), ..package(4, 0) });
            let flaws = &mut hostile.verdict.as_mut().unwrap().flaws;
            flaws.push(Flaw { cve: text.to_owned(), aliases: vec![text.to_owned()], ..flaws[0].clone() });
            store.keep_looks(std::slice::from_ref(&hostile)).await.unwrap();
            let seen: String = text.replace('\0', "\u{fffd}").chars().take(400).collect();
            assert!(matches!(store.machine(text, None).await.unwrap(), Found::One(it) if it.whose.name == seen));
            let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
            for condition in [format!("hostname = '{quoted}'"), format!("package = '{quoted}'"), format!("cve = '{quoted}'")] {
                let Ok(condition) = Condition::parse(&condition) else {
                    assert!(text.len() > 4000);
                    continue;
                };
                let asked = MachineFilter { condition: Some(condition.clone()), most: 100, ..MachineFilter::default() };
                let found = store.machines(&asked).await.unwrap().machines;
                assert!(found.iter().any(|it| it.whose.name == seen), "{condition:?} {seen:?}");
            }
        }
        store.close().await;
    }

    async fn a_name_of_several_is_nobodys(place) {
        let store = place.open().await;
        let mut looks: Vec<Look> =
            ["a", "b", "c"].map(|name| look("green", name, &Installed::new(), 0.0)).into();
        looks[2].machine.namespace = "blue".into();
        for look in &mut looks {
            look.machine.alias = Some("vm-42".into());
        }
        store.keep_looks(&looks).await.unwrap();
        assert!(matches!(store.machine("vm-42", None).await.unwrap(), Found::Several(of) if of.len() == 3));
        let blue = store.machine("vm-42", only("blue").as_deref()).await.unwrap();
        assert!(matches!(&blue, Found::One(it) if it.whose.name == "c"), "{blue:?}");
        let Found::One(machine) = blue else { panic!() };
        assert!(matches!(store.machine(&machine.id, None).await.unwrap(), Found::One(_)));
        assert_eq!(store.machine(&machine.id, only("green").as_deref()).await.unwrap(), Found::Nothing);
        store.close().await;
    }

    /// A look and a comparison that overtook each other, and one that nothing has changed for.
    async fn what_is_known_anew_is_told_anew(place) {
        let store = place.open().await;
        let installed: Installed = [(3, 0), (6, 0)].into();
        let looks: Vec<Look> =
            ["a", "b", "c"].map(|name| look("green", name, &installed, 10.0)).into();
        store.keep_looks(&looks).await.unwrap();
        let lease = Duration::from_secs(60);
        assert!(store.unmatched("green", "first", 10, lease).await.unwrap().is_empty());
        assert!(store.unmatched("blue", "second", 10, lease).await.unwrap().is_empty());
        let due = store.unmatched("green", "second", 2, lease).await.unwrap();
        assert_eq!(due.len(), 2);
        let rest = store.unmatched("green", "second", 10, lease).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert!(store.unmatched("green", "second", 10, lease).await.unwrap().is_empty());
        // One of them is looked at in the meantime.
        let again = looks.iter().find(|it| it.machine.name == due[0].name).unwrap().clone();
        store.keep_looks(&[again]).await.unwrap();
        let verdict = |name: &str| Verdict {
            findings: format!("{{\"anew\":\"{name}\"}}"),
            with: "second".into(),
            flaws: vec![Flaw { risk: 99.0, exploited: true, ..flaw(&package(3, 0), 3, 0).unwrap() }],
            known: true,
            tally: Tally { risk: 99.0, critical: 1, exploited: 1, ..Tally::default() },
        };
        let verdicts: Vec<_> = due.iter().map(|it| (it, verdict(&it.name))).collect();
        assert_eq!(store.judge("green", &verdicts).await.unwrap(), [false, true]);
        let judged = one(&store, &due[1].name).await;
        assert_eq!(judged.matched_with.as_deref(), Some("second"));
        assert_eq!(judged.tally.unwrap().exploited, 1);
        let (_, findings) = store.places(judged.number, judged.inspection).await.unwrap().unwrap();
        let told = String::from_utf8(store.document(&findings.unwrap()).await.unwrap()).unwrap();
        assert_eq!(told, verdict(&due[1].name).findings);
        let asked = filter(None, "cve = CVE-2026-0006");
        let mut names = named(&store, &asked, 10).await;
        names.sort();
        let mut wanted = vec![due[0].name.clone(), rest[0].name.clone()];
        wanted.sort();
        assert_eq!(names, wanted);
        // What is told of a flaw is what was told last.
        let flaw = store.flaw("CVE-2026-0003", None, true).await.unwrap().unwrap();
        assert_eq!((flaw.risk, flaw.exploited, flaw.machines), (99.0, true, 3));
        assert_eq!(store.namespaces().await.unwrap(), ["green"]);
        store.close().await;
    }

    async fn critical_flaws_that_are_new_are_told(place) {
        let store = place.open().await;
        let hook = fathom_store::Webhook {
            name: "hook".into(),
            document: "{}".into(),
            events: vec!["findings.critical".into()],
            namespaces: vec![],
        };
        let due = || async {
            let lease = Duration::from_secs(600);
            let due = store.due_deliveries(&["hook".to_owned()], 10, lease).await.unwrap();
            due.into_iter().map(|it| it.data).collect::<Vec<_>>()
        };
        // Of what was known before anybody wanted to be told, nothing is.
        let at_first = look("green", "a", &[(9, 0)].into(), 1.0);
        store.keep_looks(&[at_first]).await.unwrap();
        store.set_webhooks(&[hook]).await.unwrap();
        // Flaws of 9, 24 and 39 are critical, those of 3 are not.
        let mut then = look("green", "a", &[(3, 0), (9, 0), (24, 0)].into(), 1.0);
        store.keep_looks(&[then.clone()]).await.unwrap();
        let told = due().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("CVE-2026-0024") && !told[0].contains("0009"), "{told:?}");
        assert!(!told[0].contains("0003"), "{told:?}");
        store.keep_looks(&[then.clone()]).await.unwrap();
        assert_eq!(due().await, [""; 0]);
        let unmatched =
            store.unmatched("green", "second", 10, Duration::from_secs(60)).await.unwrap();
        let mut verdict = then.verdict.take().unwrap();
        verdict.with = "second".into();
        verdict.flaws.push(flaw(&package(39, 1), 39, 1).unwrap());
        let excepted = Flaw { excepted: Some("deferred".into()), ..flaw(&package(54, 1), 54, 1).unwrap() };
        verdict.flaws.push(excepted);
        store.judge("green", &[(&unmatched[0], verdict)]).await.unwrap();
        let told = due().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("CVE-2026-0039") && told[0].contains("\"count\":1"), "{told:?}");
        store.close().await;
    }

    async fn flaws_are_listed_by_what_is_at_stake(place) {
        let store = place.open().await;
        keep(&store, &fleet(&mut Dice(5), 3, 40)).await;
        for order in [FlawOrder::Risk, FlawOrder::Name] {
            let mut asked = FlawFilter { order, most: 1000, ..FlawFilter::default() };
            let (whole, more) = store.flaws(&asked).await.unwrap();
            assert!(!more && whole.len() > 20, "{}", whole.len());
            assert!(whole.iter().all(|it| it.machines + it.excepted > 0));
            if order == FlawOrder::Risk {
                assert!(whole.iter().rev().map(|it| it.risk).is_sorted());
            }
            let mut paged = Vec::new();
            asked.most = 5;
            loop {
                let (page, more) = store.flaws(&asked).await.unwrap();
                asked.after = page.last().map(|it| (it.risk, it.cve.clone()));
                paged.extend(page);
                if !more {
                    break;
                }
            }
            assert_eq!(paged, whole);
            asked = FlawFilter { order, most: 1000, severity: Some(4), exploited: Some(true), ..FlawFilter::default() };
            let (grave, _) = store.flaws(&asked).await.unwrap();
            let wanted: Vec<_> =
                whole.iter().filter(|it| it.severity >= Some(4) && it.exploited).cloned().collect();
            assert_eq!(grave, wanted);
            assert!(!grave.is_empty());
        }
        let places = store.flaw_places("DSA-3", None, 100).await.unwrap();
        let all: i64 = places.iter().map(|it| it.machines).sum();
        let flaw = store.flaw("DSA-3", None, false).await.unwrap().unwrap();
        assert_eq!(all, flaw.machines + flaw.excepted);
        assert_eq!(store.flaw("DSA-3", None, true).await.unwrap(), None);
        store.close().await;
    }

    async fn a_machine_goes_with_everything_that_hangs_on_it(place) {
        let store = place.open().await;
        let empty = rows(&store, &place).await;
        let fleet = fleet(&mut Dice(9), 4, 40);
        keep(&store, &fleet).await;
        keep(&store, &fleet[..20]).await;
        let machine = one(&store, "vm003").await;
        let stale = store.purge_machine(&machine.id, Some(machine.version - 1)).await.unwrap_err();
        assert_eq!(stale.kind(), ErrorKind::Conflict);
        assert_eq!(store.purge_machine("vm-none", None).await.unwrap(), None);
        let gone = store.purge_machine(&machine.id, Some(machine.version)).await.unwrap().unwrap();
        assert_eq!(gone.inspections, 2);
        // The others are as they were.
        let left: Vec<_> = fleet.iter().filter(|it| it.1 != "vm003").cloned().collect();
        let with: BTreeSet<String> =
            left.iter().filter(|it| it.2.contains_key(&13)).map(|it| it.1.clone()).collect();
        let found = named(&store, &filter(None, "package = lib13"), 100).await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), with);
        for (_, name, installed, risk) in left.iter().take(5) {
            let machine = one(&store, name).await;
            let (report, _) = store.places(machine.number, machine.inspection).await.unwrap().unwrap();
            let wanted = look("", name, installed, *risk).report;
            assert_eq!(store.document(&report).await.unwrap(), wanted.as_bytes());
        }
        // Whoever has an older memory of it keeps looks rightly.
        let other = Store::open(&place.address, &Options::default()).await.unwrap();
        keep(&other, &left[..10]).await;
        assert!(store.forget_inspections(Duration::ZERO, 1000).await.unwrap() > 10);
        keep(&other, &left[10..20]).await;
        let found = named(&other, &filter(None, "package = lib13"), 100).await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), with);
        for (_, name, ..) in &left {
            let machine = one(&store, name).await;
            store.purge_machine(&machine.id, None).await.unwrap().unwrap();
        }
        assert_eq!(rows(&store, &place).await, empty);
        other.close().await;
        store.close().await;
    }

    async fn many_keep_at_once(place) {
        let store = place.open().await;
        let fleet = fleet(&mut Dice(21), 3, 80);
        let other = Store::open(&place.address, &Options::default()).await.unwrap();
        let mut tasks = Vec::new();
        for (index, some) in fleet.chunks(10).enumerate() {
            let store = if index % 2 == 0 { store.clone() } else { other.clone() };
            let looks: Vec<Look> =
                some.iter().rev().map(|(ns, name, of, risk)| look(ns, name, of, *risk)).collect();
            tasks.push(tokio::spawn(async move {
                for _ in 0..3 {
                    store.keep_looks(&looks).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let with = fleet.iter().filter(|it| it.2.contains_key(&5)).count() as i64;
        let totals = store.count_machines(&filter(None, "package = lib5")).await.unwrap();
        assert_eq!(totals.machines, with);
        assert_eq!(place.count("machines").await, 80);
        assert_eq!(place.count("inspections").await, 240);
        other.close().await;
        store.close().await;
    }
}
