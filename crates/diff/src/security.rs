//! How a system is guarded.

use std::collections::BTreeMap;

use fathom_report::{Fact, Listing, OpenFile, Part, Setting, Sshd, System};

use crate::context::Context;
use crate::keyed::{Item, Known, Names, lists, maps};

const PART: Part = Part::Security;

fn setting(setting: &Setting) -> (String, Item) {
    let fields = vec![("value", Known::Is(setting.value.clone()))];
    (setting.name.clone(), Item { fields, evidence: setting.evidence.iter().cloned().collect() })
}

fn file(file: &OpenFile) -> (String, Item) {
    let fields = vec![
        ("mode", Known::Is(file.mode.clone())),
        ("owner", Known::Is(file.owner.to_string())),
        ("group", Known::Is(file.group.to_string())),
    ];
    (file.path.clone(), Item { fields, evidence: Vec::new() })
}

/// The settings of SSH, and those under a condition with the condition before them.
fn sshd(fact: &Fact<Sshd>) -> (BTreeMap<String, Vec<Item>>, Option<String>) {
    let mut map: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    match fact {
        Fact::Unknown { reason } => return (map, Some(reason.clone())),
        Fact::Absent { .. } => {}
        Fact::Known { value, .. } => {
            for (name, item) in value.settings.iter().map(setting) {
                map.entry(name).or_default().push(item);
            }
            for one in &value.matches {
                for (name, item) in one.settings.iter().map(setting) {
                    let name = format!("Match {}: {name}", one.condition);
                    map.entry(name).or_default().push(item);
                }
            }
        }
    }
    (map, None)
}

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let (one, other) = (&before.security, &after.security);
    let ((was, hidden_before), (is, hidden_after)) = (sshd(&one.sshd), sshd(&other.sshd));
    let names = Names { part: PART, list: "settings of sshd", item: "setting of sshd" };
    maps(names, (was, is), (hidden_before, hidden_after), context);
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
    lists(names, (&one.set_id, &other.set_id), file, context);
    let names = Names { part: PART, list: "writable by everybody", item: "writable file" };
    lists(names, (&one.world_writable, &other.world_writable), file, context);
    let names = Names { part: PART, list: "certificates", item: "certificate" };
    lists(
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
