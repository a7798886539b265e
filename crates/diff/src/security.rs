//! How a system is guarded.

use std::collections::{BTreeMap, BTreeSet};

use fathom_report::{Fact, Listing, OpenFile, Part, Setting, Sshd, System};

use crate::context::Context;
use crate::keyed::{Item, Known, Names, lists, looked_up, maps, order};

const PART: Part = Part::Security;

fn setting(setting: &Setting) -> (String, Item) {
    let fields = vec![("value", Known::Is(setting.value.clone()))];
    (setting.name.clone(), Item { fields, evidence: setting.evidence.iter().cloned().collect() })
}

fn file(file: &OpenFile) -> (String, Item) {
    let fields = vec![
        ("mode", Known::Is(file.mode.clone())),
        ("capabilities", Known::maybe(file.capabilities.as_deref())),
        ("owner", Known::Is(file.owner.to_string())),
        ("group", Known::Is(file.group.to_string())),
    ];
    (file.path.clone(), Item { fields, evidence: Vec::new() })
}

type Settings = BTreeMap<String, Vec<Item>>;

/// What holds unless a condition says otherwise, by its name, and why that cannot be told.
fn sshd(fact: &Fact<Sshd>) -> (Settings, Option<String>) {
    let mut map = Settings::new();
    match fact {
        Fact::Unknown { reason } => return (map, Some(reason.clone())),
        Fact::Absent { .. } => {}
        Fact::Known { value, .. } => {
            for (name, item) in value.settings.iter().map(setting) {
                map.entry(name).or_default().push(item);
            }
        }
    }
    (map, None)
}

/// What holds under a condition, with the condition before its name.
fn conditional(fact: &Fact<Sshd>) -> Settings {
    let mut map = Settings::new();
    for one in fact.value().iter().flat_map(|sshd| &sshd.matches) {
        for (name, item) in one.settings.iter().map(setting) {
            map.entry(format!("Match {}: {name}", one.condition)).or_default().push(item);
        }
    }
    map
}

/// Each condition with what then holds, in their order.
fn blocks(fact: &Fact<Sshd>) -> Vec<String> {
    let matches = fact.value().into_iter().flat_map(|sshd| &sshd.matches);
    let block = matches.map(|one| {
        let settings = one.settings.iter().map(|it| format!("{} {}", it.name, it.value));
        format!("Match {}: {}", one.condition, settings.collect::<Vec<_>>().join("; "))
    });
    block.collect()
}

/// What the program would refuse: with a mistake it does not start.
fn mistakes(fact: &Fact<Sshd>) -> Settings {
    let mut map = Settings::new();
    for mistake in fact.value().iter().flat_map(|sshd| &sshd.mistakes) {
        let item = Item { fields: Vec::new(), evidence: Vec::new() };
        map.entry(mistake.clone()).or_default().push(item);
    }
    map
}

/// Logins over SSH. A setting that is not listed is not unset: what holds then is the default of a
/// release that is not known. So what only one of the two lists cannot be compared, if both have the
/// program at all.
fn logins(before: &Fact<Sshd>, after: &Fact<Sshd>, context: &mut Context) {
    let ((mut was, hidden_before), (mut is, hidden_after)) = (sshd(before), sshd(after));
    let names = Names { part: PART, list: "settings of sshd", item: "setting of sshd" };
    let both = before.value().is_some() && after.value().is_some();
    if both {
        let why = "it is not set, and the default of its release is not known";
        let mut hide = |lone: Vec<String>, first: bool| {
            for name in lone {
                let what = format!("setting of sshd {name}");
                let (before, after) = if first { (Some(why), None) } else { (None, Some(why)) };
                let text = |side: Option<&str>| side.map(str::to_owned);
                context.hidden(PART, &what, text(before), text(after), Vec::new());
            }
        };
        let lone = |of: &Settings, other: &Settings| -> Vec<String> {
            of.keys().filter(|name| !other.contains_key(*name)).cloned().collect()
        };
        let (only_before, only_after) = (lone(&was, &is), lone(&is, &was));
        only_before.iter().for_each(|name| drop(was.remove(name)));
        only_after.iter().for_each(|name| drop(is.remove(name)));
        hide(only_before, false);
        hide(only_after, true);
        for name in unsure(before).intersection(&unsure(after)) {
            let why = Some("it depends on the release".to_owned());
            let what = format!("setting of sshd {name}");
            context.hidden(PART, &what, why.clone(), why, Vec::new());
        }
    }
    was.append(&mut conditional(before));
    is.append(&mut conditional(after));
    let both_known = hidden_before.is_none() && hidden_after.is_none();
    maps(names, (was, is), (hidden_before, hidden_after), context);
    if both_known {
        // Where several conditions hold, what stands first counts.
        let names = Names { part: PART, list: "conditions of sshd", item: "condition of sshd" };
        order(names, (&blocks(before), &blocks(after)), context);
        let names = Names { part: PART, list: "mistakes of sshd", item: "mistake of sshd" };
        maps(names, (mistakes(before), mistakes(after)), (None, None), context);
    }
}

/// Settings that could not be told.
fn unsure(fact: &Fact<Sshd>) -> BTreeSet<&str> {
    fact.value().iter().flat_map(|sshd| &sshd.unknown).map(String::as_str).collect()
}

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let (one, other) = (&before.security, &after.security);
    logins(&one.sshd, &other.sshd, context);
    let names = Names { part: PART, list: "confinement", item: "confinement" };
    lists(
        names,
        (&one.mandatory_access, &other.mandatory_access),
        |it| {
            let fields = vec![
                ("mode", Known::fact(&it.mode, Clone::clone)),
                ("policies", Known::set(&it.policies)),
            ];
            (it.system.clone(), Item { fields, evidence: Vec::new() })
        },
        context,
    );
    let mut settings = |list, item, pair: (&Listing<Setting>, &Listing<Setting>)| {
        lists(Names { part: PART, list, item }, pair, setting, context);
    };
    let pair = (&one.password_policy, &other.password_policy);
    settings("password policy", "rule for passwords", pair);
    let pair = (&one.kernel_parameters, &other.kernel_parameters);
    settings("kernel parameters", "kernel parameter", pair);
    settings("further settings", "setting", (&one.settings, &other.settings));
    let names = Names { part: PART, list: "set-id programs", item: "set-id program" };
    looked_up(names, (&one.set_id, &other.set_id), file, context);
    let names = Names { part: PART, list: "writable by everybody", item: "writable file" };
    looked_up(names, (&one.world_writable, &other.world_writable), file, context);
    let names = Names { part: PART, list: "certificates", item: "certificate" };
    looked_up(
        names,
        (&one.certificates, &other.certificates),
        |it| {
            let fields = vec![
                ("fingerprint", Known::Is(it.fingerprint.clone())),
                ("ends", Known::Is(it.not_after.clone())),
                ("issuer", Known::Is(it.issuer.clone())),
            ];
            let name = format!("{} at {}", it.subject, it.evidence.0);
            (name, Item { fields, evidence: vec![it.evidence.clone()] })
        },
        context,
    );
    context.fact(PART, "audit", (&one.audit, &other.audit), |it| {
        let started = if it.started { "started" } else { "not started" };
        format!("{}, {started}: {}", it.system, it.rules.join("; "))
    });
    context.fact(PART, "updates", (&one.updates, &other.updates), |it| {
        let automatic = if it.automatic { "automatic" } else { "not automatic" };
        format!("{}, {automatic}: {}", it.system, it.sources.join("; "))
    });
    let pair = (&one.secure_boot, &other.secure_boot);
    context.fact(PART, "secure boot", pair, ToString::to_string);
}
