//! How the system is guarded.

use std::io;

use fathom_report::{Coverage, Fact, Listing, OpenFile, Security, Setting, System};

use super::{Column, List, Sink, Value, detail, facts, key, listing, main, number, spare};

const SETTINGS: &[Column] = &[key("setting"), key("value"), spare("evidence")];
const CONDITIONAL: &[Column] = &[key("condition"), key("setting"), key("value"), spare("evidence")];
const CONFINED: &[Column] = &[key("name"), key("mode"), spare("policies")];
const FILES: &[Column] = &[
    key("path"),
    main("mode"),
    spare("capabilities"),
    number(spare("owner")),
    number(spare("group")),
];
const CERTIFICATES: &[Column] = &[
    key("subject"),
    key("ends"),
    spare("issuer"),
    spare("key"),
    spare("begins"),
    detail("authority"),
    detail("signature"),
    detail("names"),
    detail("serial"),
    detail("fingerprint"),
    spare("evidence"),
];
const RULES: &[Column] = &[key("rule")];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] =
    &[super::FACTS, SETTINGS, CONDITIONAL, CONFINED, FILES, CERTIFICATES, RULES];

fn setting(setting: &Setting, sink: &mut dyn Sink) -> io::Result<()> {
    let evidence = Value::maybe(setting.evidence.as_ref().map(|place| place.0.as_str()));
    sink.row(&[Value::text(setting.name.as_str()), Value::text(setting.value.as_str()), evidence])
}

fn files(title: &'static str, of: &Listing<OpenFile>, sink: &mut dyn Sink) -> io::Result<()> {
    listing(title, FILES, of, sink, |file, sink| {
        sink.row(&[
            Value::text(file.path.as_str()),
            Value::text(file.mode.as_str()),
            Value::maybe(file.capabilities.as_deref()),
            Value::Number(file.owner.into()),
            Value::Number(file.group.into()),
        ])
    })
}

/// A list within a fact: as much of it is known as of the fact.
fn within<'a, T>(
    title: &'static str,
    columns: &'static [Column],
    fact: &'a Fact<T>,
    sink: &mut dyn Sink,
    rows: impl FnOnce(&'a T, &mut dyn Sink) -> io::Result<()>,
) -> io::Result<()> {
    noted(title, columns, fact, None, sink, rows)
}

/// The same, with a note on what the list does not say.
fn noted<'a, T>(
    title: &'static str,
    columns: &'static [Column],
    fact: &'a Fact<T>,
    note: Option<&str>,
    sink: &mut dyn Sink,
    rows: impl FnOnce(&'a T, &mut dyn Sink) -> io::Result<()>,
) -> io::Result<()> {
    let (coverage, reason) = match fact {
        Fact::Known { .. } => (Coverage::Complete, note),
        Fact::Absent { .. } => (Coverage::Complete, Some("there is nothing of the kind")),
        Fact::Unknown { reason } => (Coverage::Unknown, Some(reason.as_str())),
    };
    sink.begin(&List { title, columns, facts: false, coverage, reason })?;
    if let Some(value) = fact.value() {
        rows(value, sink)?;
    }
    sink.end()
}

fn sshd(security: &Security, sink: &mut dyn Sink) -> io::Result<()> {
    let note = security.sshd.value().map(|sshd| match &sshd.version {
        Some(version) => format!(
            "settings without evidence are the defaults of the release, {version}; one that is not \
             listed is not known, and not off"
        ),
        None => "the release is not known, so that only what files set is listed".to_owned(),
    });
    noted("SSH logins", SETTINGS, &security.sshd, note.as_deref(), sink, |sshd, sink| {
        sshd.settings.iter().try_for_each(|one| setting(one, sink))?;
        sshd.unknown.iter().try_for_each(|name| {
            let why = "the files change it in a way that depends on the release";
            sink.row(&[Value::text(name.as_str()), Value::Unknown(why.into()), Value::Absent])
        })?;
        sshd.mistakes.iter().try_for_each(|mistake| {
            sink.row(&[Value::text("mistake"), Value::text(mistake.as_str()), Value::Absent])
        })
    })?;
    if !matches!(&security.sshd, Fact::Known { value, .. } if !value.matches.is_empty()) {
        return Ok(());
    }
    within("SSH logins, conditional", CONDITIONAL, &security.sshd, sink, |sshd, sink| {
        for one in &sshd.matches {
            for setting in &one.settings {
                sink.row(&[
                    Value::text(one.condition.as_str()),
                    Value::text(setting.name.as_str()),
                    Value::text(setting.value.as_str()),
                    Value::text(one.evidence.0.as_str()),
                ])?;
            }
        }
        Ok(())
    })
}

pub(super) fn write(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    let security = &system.security;
    let audit = Value::fact(&security.audit, |audit| {
        let started = if audit.started { "started" } else { "not started" };
        Value::text(format!("{}, {started}, {} rules", audit.system, audit.rules.len()))
    });
    let updates = Value::fact(&security.updates, |updates| {
        let automatic = if updates.automatic { "automatic" } else { "not automatic" };
        match updates.sources.as_slice() {
            [] => Value::text(format!("{}, {automatic}", updates.system)),
            sources => {
                Value::text(format!("{}, {automatic}, {}", updates.system, sources.join(", ")))
            }
        }
    });
    facts(
        "Security",
        &[
            ("audit", audit, Value::evidence_of(&security.audit)),
            ("updates", updates, Value::evidence_of(&security.updates)),
            (
                "secure boot",
                Value::fact(&security.secure_boot, |on| Value::Flag(*on)),
                Value::evidence_of(&security.secure_boot),
            ),
        ],
        sink,
    )?;
    sshd(security, sink)?;
    listing("Confinement", CONFINED, &security.mandatory_access, sink, |one, sink| {
        sink.row(&[
            Value::text(one.system.as_str()),
            Value::text_fact(&one.mode),
            Value::texts(&one.policies),
        ])
    })?;
    listing("Password policy", SETTINGS, &security.password_policy, sink, setting)?;
    listing("Kernel parameters", SETTINGS, &security.kernel_parameters, sink, setting)?;
    listing("Further settings", SETTINGS, &security.settings, sink, setting)?;
    files("Set-id programs", &security.set_id, sink)?;
    files("Writable by everybody", &security.world_writable, sink)?;
    listing("Certificates", CERTIFICATES, &security.certificates, sink, |one, sink| {
        sink.row(&[
            Value::text(one.subject.as_str()),
            Value::text(one.not_after.as_str()),
            Value::text(one.issuer.as_str()),
            Value::maybe(one.key.as_deref()),
            Value::text(one.not_before.as_str()),
            Value::Flag(one.authority),
            Value::maybe(one.signature.as_deref()),
            Value::texts(&one.names),
            Value::text(one.serial.as_str()),
            Value::text(one.fingerprint.as_str()),
            Value::text(one.evidence.0.as_str()),
        ])
    })?;
    match security.audit.value() {
        Some(audit) if !audit.rules.is_empty() => {
            within("Audit rules", RULES, &security.audit, sink, |audit, sink| {
                let mut rules = audit.rules.iter();
                rules.try_for_each(|rule| sink.row(&[Value::text(rule.as_str())]))
            })
        }
        _ => Ok(()),
    }
}
